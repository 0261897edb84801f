//! `/tag/*`: words that calls bear, and what may be spent under them.
mod routes;

use super::Manage;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Manage>> {
    OpenApiRouter::new()
        .routes(routes!(routes::new))
        .routes(routes!(routes::update))
        .routes(routes!(routes::info))
        .routes(routes!(routes::list))
        .routes(routes!(routes::delete))
}
