//! `/spend/*`, `/global/*`, `/…/daily/activity`, `/receipts`: what calls have cost.
//!
//! Whoever reads waits until every call that has ended is in the store.
mod activity;
mod by;
mod calculate;
mod daily;
mod global;
mod listed;
mod logs;
mod paged;
mod providers;
mod receipt;
mod report;
mod reprice;
mod row;
mod seen;
mod span;

use super::{Manage, Refusal};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Manage>> {
    OpenApiRouter::new()
        .routes(routes!(logs::logs))
        .routes(routes!(paged::v2))
        .routes(routes!(paged::ui))
        .routes(routes!(paged::one))
        .routes(routes!(by::by))
        .routes(routes!(calculate::calculate))
        .routes(routes!(listed::keys))
        .routes(routes!(listed::users))
        .routes(routes!(listed::tags))
        .routes(routes!(reprice::again))
        .routes(routes!(global::spend))
        .routes(routes!(global::logs))
        .routes(routes!(global::keys))
        .routes(routes!(global::models))
        .routes(routes!(global::teams))
        .routes(routes!(global::tags))
        .routes(routes!(global::providers))
        .routes(routes!(providers::budgets))
        .routes(routes!(global::end_users))
        .routes(routes!(global::all_end_users))
        .routes(routes!(global::reset))
        .routes(routes!(report::report))
        .routes(routes!(activity::all))
        .routes(routes!(activity::models))
        .routes(routes!(daily::user))
        .routes(routes!(daily::user_aggregated))
        .routes(routes!(daily::team))
        .routes(routes!(daily::tag))
        .routes(routes!(receipt::receipt))
}

impl Manage {
    /// Waits until what has ended can be read.
    async fn booked(&self) -> Result<(), Refusal> {
        use crate::ledger::DrainError;
        self.ledger.flush().await.map_err(|error| match error {
            DrainError::Store(error) => error.into(),
            DrainError::Journal(error) => {
                tracing::error!(%error, "The journal cannot be read");
                let message = "The journal of calls cannot be read; the log says why.";
                Refusal::error(
                    http::StatusCode::INTERNAL_SERVER_ERROR,
                    "internal_server_error",
                    message,
                )
            }
        })
    }
}

/// Billionths of a dollar as answers have them.
fn dollars(nanos: i64) -> f64 {
    bartizan_layers::facts::NanoUsd(nanos).dollars()
}

/// The id of a key: what was asked for, or the digest of its text.
fn key_id(key: &str) -> String {
    if !key.starts_with("sk-") {
        return key.to_owned();
    }
    let digest = bartizan_layers::auth::digest(key.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
