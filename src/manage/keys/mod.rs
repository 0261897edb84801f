//! `/key/*`: virtual keys.
//!
//! A key is made, changed and shown by the routes here, each in a file of its own. What a request
//! makes of a key's document is in `written`; who may do that, in `rights`; and that a key made by
//! another one never exceeds it, in `confined` and `within`.
mod aliases;
mod block;
mod confined;
mod delete;
mod fields;
mod generate;
mod health;
mod info;
mod issue;
mod list;
mod regenerate;
mod rights;
mod row;
mod spend;
mod text;
mod update;
mod within;
mod written;

pub(super) use self::issue::{expires, issue};
pub(super) use self::spend::set_spent;

use super::{Manage, Refusal};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Manage>> {
    OpenApiRouter::new()
        .routes(routes!(generate::generate))
        .routes(routes!(generate::service))
        .routes(routes!(info::info))
        .routes(routes!(info::several))
        .routes(routes!(update::update))
        .routes(routes!(update::bulk))
        .routes(routes!(delete::delete))
        .routes(routes!(block::block))
        .routes(routes!(block::unblock))
        .routes(routes!(regenerate::regenerate))
        .routes(routes!(list::list))
        .routes(routes!(aliases::aliases))
        .routes(routes!(health::health))
        // The text of a key, which may hold slashes, and then what is done to it.
        .route("/key/{*rest}", axum::routing::post(regenerate::of_path))
}

/// No key has that text or that digest.
fn unknown() -> Refusal {
    Refusal::not_found("Key not found in database").param("key")
}
