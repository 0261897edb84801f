//! The management API: keys, users, teams, budgets, spend (contract 3.2 and 4.2).
//!
//! One folder per kind of thing, one file per route or two. A handler checks who asks ([`Who`]),
//! reads its fields ([`Asked`]), makes a [`Change`] in the store, and hands
//! what changed to the [`Directory`]: it is in force when the answer goes out. Answers have
//! LiteLLM's shapes; whatever goes wrong is a [`Refusal`].
mod asked;
mod audit;
mod bounds;
mod budgets;
mod customers;
mod gone;
mod groups;
mod keys;
mod models;
mod organizations;
mod paging;
mod refusal;
mod revoke;
mod settled;
mod shown;
mod spend;
mod tags;
mod teams;
mod told;
mod users;
mod who;

pub use self::asked::{Asked, Query};
pub use self::models::entry;
pub use self::refusal::Refusal;
pub use self::who::Who;

use crate::config::{Compat, Issuing};
use crate::identity::{Directory, Setter};
use crate::ledger::Ledger;
use crate::revocations::Revocations;
use crate::router::Router;
use crate::store::{Change, Kind, Seal, Store, Thing};
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
    /// What is revoked while the store is away.
    pub revocations: Revocations,
    /// Which LiteLLM generation to follow.
    pub compat: Compat,
    /// What keys, users and teams get when they are made.
    pub issuing: Issuing,
    /// Where calls are booked.
    pub ledger: Ledger,
    /// Whether models may be added at run time.
    pub models: bool,
    /// What their credentials are sealed with.
    pub seal: Option<Seal>,
    /// The models and what they cost; `None` where no config is at hand.
    pub router: Option<Router>,
}

/// What handlers share.
type Room = axum::extract::State<Arc<Manage>>;

/// All routes. Who asks is found out before: a [`Principal`] must stand among the request's
/// extensions.
///
/// [`Principal`]: bartizan_layers::facts::Principal
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
    OpenApiRouter::new()
        .merge(keys::routes())
        .merge(users::routes())
        .merge(teams::routes())
        .merge(organizations::routes())
        .merge(customers::routes())
        .merge(budgets::routes())
        .merge(tags::routes())
        .merge(groups::routes())
        .merge(models::routes())
        .merge(audit::routes())
        .merge(spend::routes())
}

impl Manage {
    /// Whether calls may ask for a model, or it is a pattern for several.
    fn has_model(&self, name: &str) -> bool {
        let known = |router: &Router| router.look_up(name).is_some();
        name.contains('*') || self.router.as_ref().is_none_or(known)
    }

    /// The models and what they cost.
    ///
    /// # Errors
    ///
    /// Where no config is at hand.
    fn models(&self) -> Result<&Router, Refusal> {
        self.router
            .as_ref()
            .ok_or_else(|| Refusal::bad_request("Prices are known to a proxy that runs: ask one."))
    }

    /// Makes changes, and takes them into force here; other processes hear of them.
    ///
    /// # Errors
    ///
    /// As the store says; then nothing has changed.
    async fn commit(&self, change: Change) -> Result<Vec<(Kind, String, Option<Thing>)>, Refusal> {
        let accounts = change.accounts().to_vec();
        let made = change.commit().await?;
        for (kind, id, thing) in &made {
            if thing.is_none() {
                self.directory.forget_spent(*kind, id, Setter::Here);
            }
            self.directory.apply(*kind, id, thing.as_ref());
        }
        accounts.iter().for_each(|account| self.directory.respend(account, Setter::Here));
        Ok(made)
    }
}
