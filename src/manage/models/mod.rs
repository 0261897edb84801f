//! `/model/new`, `/model/update`, `/model/delete`: models that are added at run time (contract
//! 3.2). They are entries of `model_list` that are kept in the store, their parameters sealed, and
//! come into force as an edit of the config does.
mod delete;
mod kept;
mod new;
mod team;
mod update;

pub use self::kept::entry;

use super::Manage;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Manage>> {
    OpenApiRouter::new()
        .routes(routes!(new::new))
        .routes(routes!(update::update))
        .routes(routes!(update::patch))
        .routes(routes!(delete::delete))
}
