//! `/key/*`: virtual keys.
mod fields;
mod generate;
mod issue;
mod row;

pub(super) use self::issue::{expires, issue};
pub(super) use self::row::row;

use super::Manage;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Manage>> {
    OpenApiRouter::new().routes(routes!(generate::generate))
}
