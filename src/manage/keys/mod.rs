//! `/key/*`: virtual keys.
mod fields;
mod generate;
mod row;

use super::Manage;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Manage>> {
    OpenApiRouter::new().routes(routes!(generate::generate))
}
