//! The management API: keys, users, teams, budgets, spend (contract 3.2 and 4.2).
//!
//! One folder per kind of thing, one file per route or two. A handler checks who asks ([`Who`]),
//! reads its fields ([`Asked`]), makes a [`Change`] in the store, and hands
//! what changed to the [`Directory`]: it is in force when the answer goes out. Answers have
//! LiteLLM's shapes; whatever goes wrong is a [`Refusal`].
#[macro_use]
mod serves;

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

use self::serves::{Described, Routes};

use crate::config::{Compat, Issuing};
use crate::identity::{Directory, Setter};
use crate::ledger::Ledger;
use crate::revocations::Revocations;
use crate::router::Router;
use crate::store::{Change, Kind, Seal, Store, Thing};
use http::StatusCode;
use std::sync::Arc;

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

/// One item of every folder.
macro_rules! each_folder {
    ($item:ident) => {
        [
            keys::$item,
            users::$item,
            teams::$item,
            organizations::$item,
            customers::$item,
            budgets::$item,
            tags::$item,
            groups::$item,
            models::$item,
            audit::$item,
            spend::$item,
        ]
    };
}

/// What handlers share.
type Room = axum::extract::State<Arc<Manage>>;

/// All routes. Who asks is found out before: a [`Principal`] must stand among the request's
/// extensions.
///
/// [`Principal`]: bartizan_layers::facts::Principal
pub fn routes(manage: Arc<Manage>) -> axum::Router {
    let all = each_folder!(routes).into_iter().fold(Routes::new(), |all, folder| folder(all));
    let router = all.with_state(manage);
    router.fallback(nothing).method_not_allowed_fallback(wrong_method)
}

async fn nothing() -> Refusal {
    Refusal::detail(StatusCode::NOT_FOUND, "Not Found")
}

async fn wrong_method() -> Refusal {
    Refusal::detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

/// The same as JSON, the `paths` and `schemas` of OpenAPI, as [`described`] makes them.
pub const OPENAPI: &str = include_str!("openapi.json");

/// What the handlers say of themselves, as OpenAPI. Nothing that runs needs it: it would be a
/// fifteenth of the binary.
#[must_use]
pub fn described() -> utoipa::openapi::OpenApi {
    let all = each_folder!(described).into_iter().map(|folder| folder());
    all.fold(Described::new(), Described::merge).into_openapi()
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::path::Path;

    #[test]
    fn the_document_says_what_the_handlers_say() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/manage/openapi.json");
        let said = lines(&serde_json::to_value(described()).expect("it is JSON"));
        if std::env::var_os("BARTIZAN_UPDATE").is_some() {
            std::fs::write(&file, &said).expect("a writable folder");
        }
        let written = std::fs::read_to_string(&file).expect("the file is there");
        assert!(written == said, "openapi.json is old: run this test with BARTIZAN_UPDATE=1");
    }

    /// A line for each path and each schema, so that a change of one shows.
    fn lines(all: &Value) -> String {
        let list = |part: &Value| {
            let members = part.as_object().expect("an object").iter();
            let members = members.map(|(name, of)| format!("{}:{of}", Value::from(name.as_str())));
            members.collect::<Vec<_>>().join(",\n")
        };
        let (paths, schemas) = (list(&all["paths"]), list(&all["components"]["schemas"]));
        format!("{{\"paths\":{{\n{paths}\n}},\"schemas\":{{\n{schemas}\n}}}}\n")
    }

    #[test]
    fn each_handler_is_described_under_the_path_that_it_serves() {
        let all = serde_json::to_value(described()).expect("it is JSON");
        for (method, path) in each_folder!(DESCRIBED).into_iter().flatten() {
            let operation = &all["paths"][path][method.to_lowercase()];
            assert!(operation.is_object(), "{method} {path}");
        }
        let count = |item: &Value| item.as_object().map_or(0, serde_json::Map::len);
        let paths = all["paths"].as_object().expect("there are paths");
        let count: usize = paths.values().map(count).sum();
        assert_eq!(count, each_folder!(DESCRIBED).into_iter().flatten().count());
    }
}
