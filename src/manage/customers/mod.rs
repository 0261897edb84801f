//! `/customer/*`, which older clients call `/end_user/*`: those for whom clients say they call.
mod block;
mod fields;
mod routes;

use super::Manage;
use axum::routing::{get, post};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Manage>> {
    OpenApiRouter::new()
        .routes(routes!(routes::new))
        .routes(routes!(routes::info))
        .routes(routes!(routes::update))
        .routes(routes!(routes::delete))
        .routes(routes!(routes::list))
        .routes(routes!(block::block))
        .routes(routes!(block::unblock))
        .route("/end_user/new", post(routes::new))
        .route("/end_user/info", get(routes::info))
        .route("/end_user/update", post(routes::update))
        .route("/end_user/delete", post(routes::delete))
        .route("/end_user/list", get(routes::list))
        .route("/end_user/block", post(block::block))
        .route("/end_user/unblock", post(block::unblock))
}
