//! `/organization/*`: teams that share models and a budget.
mod fields;
mod members;
mod routes;
mod row;

pub(super) use self::fields::{bound, check_within, is_admin};
pub(super) use self::members::enrol;

use super::Manage;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Manage>> {
    OpenApiRouter::new()
        .routes(routes!(routes::new))
        .routes(routes!(routes::update))
        .routes(routes!(routes::delete))
        .routes(routes!(routes::list))
        .routes(routes!(routes::info, routes::infos))
        .routes(routes!(members::add))
        .routes(routes!(members::update))
        .routes(routes!(members::delete))
}
