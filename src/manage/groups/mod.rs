//! `/access_group/*`: names for several models, which keys and teams may have in their lists.
mod routes;

use super::Manage;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Manage>> {
    OpenApiRouter::new()
        .routes(routes!(routes::new))
        .routes(routes!(routes::list))
        .routes(routes!(routes::info))
        .routes(routes!(routes::info_of))
        .routes(routes!(routes::update))
        .routes(routes!(routes::update_of))
        .routes(routes!(routes::delete))
        .routes(routes!(routes::delete_of))
}
