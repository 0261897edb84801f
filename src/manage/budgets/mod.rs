//! `/budget/*`: bounds that several others may share.
mod fields;
mod routes;

pub(super) use self::fields::{BudgetFields, change_budget, make, there};

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
        .routes(routes!(routes::settings))
        .routes(routes!(routes::delete))
}
