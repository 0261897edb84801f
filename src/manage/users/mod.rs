//! `/user/*`: those who have keys.
mod bulk;
mod delete;
mod email;
mod fields;
mod info;
mod list;
mod new;
mod row;
mod update;

pub(super) use self::list::sort;
pub(super) use self::row::user_rows;

use super::Manage;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Manage>> {
    OpenApiRouter::new()
        .routes(routes!(new::new))
        .routes(routes!(info::info))
        .routes(routes!(info::own_row))
        .routes(routes!(info::roles))
        .routes(routes!(update::update))
        .routes(routes!(delete::delete))
        .routes(routes!(list::list))
        .routes(routes!(bulk::bulk))
}
