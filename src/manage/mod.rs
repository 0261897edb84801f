//! The management API: keys, users, teams, budgets, spend (contract 3.2 and 4.2).
//!
//! One folder per kind of thing, one file per route or two. A handler checks who asks ([`Who`]),
//! reads its fields ([`Asked`]), makes a [`Change`](crate::store::Change) in the store, and hands
//! what changed to the [`Directory`]: it is in force when the answer goes out. Answers have
//! LiteLLM's shapes; whatever goes wrong is a [`Refusal`].
mod asked;
mod audit;
mod bounds;
mod keys;
mod paging;
mod refusal;
mod shown;
mod told;
mod who;

pub use self::asked::{Asked, Query};
pub use self::refusal::Refusal;
pub use self::who::Who;

use crate::config::{Compat, Issuing};
use crate::identity::Directory;
use crate::store::{Change, Kind, Store, Thing};
use http::StatusCode;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;

/// What the handlers work on.
#[derive(Debug)]
pub struct Manage {
    /// Where things are kept.
    pub store: Store,
    /// Where they are looked up by calls.
    pub directory: Directory,
    /// Which LiteLLM generation to follow.
    pub compat: Compat,
    /// What keys get, and have at most, when they are made.
    pub issuing: Issuing,
}

/// What handlers share.
type Room = axum::extract::State<Arc<Manage>>;

/// All routes. Who asks is found out before: a [`Principal`] must stand among the request's
/// extensions.
///
/// [`Principal`]: bartizan_layers::facts::Principal
#[must_use]
pub fn routes(manage: Arc<Manage>) -> axum::Router {
    let router: axum::Router = all().with_state(manage).into();
    router.fallback(nothing).method_not_allowed_fallback(wrong_method)
}

async fn nothing() -> Refusal {
    Refusal::detail(StatusCode::NOT_FOUND, "Not Found")
}

async fn wrong_method() -> Refusal {
    Refusal::detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

/// The same as OpenAPI: paths and schemas.
#[must_use]
pub fn described() -> utoipa::openapi::OpenApi {
    all().into_openapi()
}

fn all() -> OpenApiRouter<Arc<Manage>> {
    OpenApiRouter::new().merge(keys::routes()).merge(audit::routes())
}

impl Manage {
    /// Makes changes, and takes them into force here; other processes hear of them.
    ///
    /// # Errors
    ///
    /// As the store says; then nothing has changed.
    async fn commit(&self, change: Change) -> Result<Vec<(Kind, String, Option<Thing>)>, Refusal> {
        let made = change.commit().await?;
        for (kind, id, thing) in &made {
            self.directory.apply(*kind, id, thing.as_ref());
        }
        Ok(made)
    }
}
