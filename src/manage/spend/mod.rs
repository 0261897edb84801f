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

serves! {
    GET "/spend/logs" => logs::logs,
    GET "/spend/logs/v2" => paged::v2,
    GET "/spend/logs/ui" => paged::ui,
    GET "/spend/logs/ui/{request_id}" => paged::one,
    GET "/spend/by" => by::by,
    POST "/spend/calculate" => calculate::calculate,
    GET "/spend/keys" => listed::keys,
    GET "/spend/users" => listed::users,
    GET "/spend/tags" => listed::tags,
    POST "/spend/reprice" => reprice::again,
    GET "/global/spend" => global::spend,
    GET "/global/spend/logs" => global::logs,
    GET "/global/spend/keys" => global::keys,
    GET "/global/spend/models" => global::models,
    GET "/global/spend/teams" => global::teams,
    GET "/global/spend/tags" => global::tags,
    GET "/global/spend/provider" => global::providers,
    GET "/provider/budgets" => providers::budgets,
    POST "/global/spend/end_users" => global::end_users,
    GET "/global/all_end_users" => global::all_end_users,
    POST "/global/spend/reset" => global::reset,
    GET "/global/spend/report" => report::report,
    GET "/global/activity" => activity::all,
    GET "/global/activity/model" => activity::models,
    GET "/user/daily/activity" => daily::user,
    GET "/user/daily/activity/aggregated" => daily::user_aggregated,
    GET "/team/daily/activity" => daily::team,
    GET "/tag/daily/activity" => daily::tag,
    GET "/receipts/{id}" => receipt::receipt,
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
