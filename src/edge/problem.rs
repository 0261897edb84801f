//! What each error is to a client: the table from error to status, class and text follows the
//! contract's 4.4.
use super::continued;
use crate::config::Compat;
use crate::conversations::ConversationError;
use crate::edge::{IngestError, Paused, TooManyCalls};
use crate::identity::Denied;
use crate::providers::{Class, Problem};
use crate::router::{NoDeployment, RouteError, UpstreamFailure, dollars};
use crate::telemetry;
use bartizan_layers::auth::AuthError;
use bartizan_layers::cause::cause_ref;
use bartizan_layers::cost::{Budget, CostError};
use bartizan_layers::facts::{Limit, Scope};
use bartizan_layers::ratelimit::{Exceeded, RateLimitError};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::time::{Duration, SystemTime};

/// When a limit that refused a call lets calls in again (contract 4.4).
const RESET_AT: HeaderName = HeaderName::from_static("reset_at");

/// The problem that an error is to a client, whose request bounds its answer by the member `bound`.
#[must_use]
pub fn problem(
    error: &(dyn std::error::Error + 'static),
    compat: Compat,
    bound: &'static str,
) -> Problem {
    if let Some(denied) = cause_ref::<Denied>(error) {
        return no_right(denied, compat);
    }
    if let Some(error) = cause_ref::<AuthError>(error) {
        return refused(error);
    }
    if let Some(full) = cause_ref::<TooManyCalls>(error) {
        return full.problem();
    }
    if let Some(paused) = cause_ref::<Paused>(error) {
        return paused.problem();
    }
    if let Some(error) = cause_ref::<IngestError>(error) {
        return error.problem();
    }
    if let Some(error) = cause_ref::<ConversationError>(error) {
        return continued::problem(error);
    }
    if let Some(error) = cause_ref::<RouteError>(error) {
        return error.problem();
    }
    if let Some(nobody) = cause_ref::<NoDeployment>(error) {
        return nobody.why.problem();
    }
    if let Some(RateLimitError::Exceeded(exceeded)) = cause_ref(error) {
        return limited(exceeded);
    }
    if let Some(error) = cause_ref::<CostError>(error) {
        return unpaid(error, compat, bound);
    }
    if let Some(error) = cause_ref::<UpstreamFailure>(error) {
        return error.problem();
    }
    tracing::error!(%error, "An error has no answer of its own");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error of the proxy")
}

/// Whose limit it is that an error tells of, and what it limits.
pub(super) fn limit(
    error: &(dyn std::error::Error + 'static),
) -> Option<(&'static str, &'static str)> {
    if let Some(RateLimitError::Exceeded(exceeded)) = cause_ref(error) {
        let Limit { scope, measure, .. } = exceeded.limit;
        return Some((scope.name(), measure.name()));
    }
    let route = cause_ref::<NoDeployment>(error).map(|nobody| &nobody.why);
    if let Some(RouteError::Full { measure, .. }) = route {
        return measure.map(|measure| (Scope::Deployment.name(), measure.name()));
    }
    let exhausted = |error: &CostError| match error {
        CostError::BudgetExhausted(exhausted) => Some((exhausted.budget.scope.name(), "budget")),
        _ => None,
    };
    cause_ref(error).and_then(exhausted)
}

fn limited(exceeded: &Exceeded) -> Problem {
    let resets = telemetry::utc(SystemTime::now() + exceeded.reset);
    let message = format!("{exceeded}. Limit resets at: {resets}");
    let mut headers = HeaderMap::new();
    exceeded.headers(&mut headers);
    headers.extend(HeaderValue::try_from(resets).ok().map(|resets| (RESET_AT, resets)));
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, message);
    Problem { headers: Some(Box::new(headers)), ..problem }.retry_after(exceeded.reset)
}

/// A budget that refuses a call.
fn unpaid(error: &CostError, compat: Compat, bound: &'static str) -> Problem {
    match error {
        CostError::BudgetExhausted(exhausted) => {
            let Budget { scope, subject, max, .. } = &exhausted.budget;
            let denied = Denied::spent(*scope, subject, exhausted.spent, *max);
            let problem = no_right(&denied, compat);
            exhausted.resets_in.into_iter().fold(problem, Problem::retry_after)
        }
        CostError::Unbounded => Problem::bad_request(format!(
            "`{bound}` is missing: the budget is strict, so a call must say how long its answer \
             may be."
        ))
        .param(bound),
        _ => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "The budget cannot be read at the moment. Try again.",
        )
        .retry_after(Duration::from_secs(1)),
    }
}

/// A caller who is known and may not go on: LiteLLM's generations differ in the statuses.
fn no_right(denied: &Denied, compat: Compat) -> Problem {
    let by = |current, classic| match compat {
        Compat::Current => current,
        Compat::Classic => classic,
    };
    let message = denied.to_string();
    match denied {
        Denied::Expired { .. } => {
            let status = by(StatusCode::UNAUTHORIZED, StatusCode::BAD_REQUEST);
            Problem::new(status, message).kind("expired_key").param("key")
        }
        Denied::Model { whose, model, .. } => {
            let kind = match *whose {
                "team" => "team_model_access_denied",
                "user" => "user_model_access_denied",
                "org" => "org_model_access_denied",
                _ => "key_model_access_denied",
            };
            let short = format!("The model `{model}` is not available for this API key.");
            let status = by(StatusCode::FORBIDDEN, StatusCode::UNAUTHORIZED);
            let message = if compat == Compat::Current { short } else { message };
            Problem::new(status, message).kind(kind).param("model")
        }
        Denied::Route { .. } | Denied::Through | Denied::Unowned | Denied::List => {
            Problem::new(StatusCode::FORBIDDEN, message).kind("auth_error")
        }
        Denied::Object(_) => Problem::new(StatusCode::NOT_FOUND, message).param("id"),
        Denied::Parameter(_) => Problem::bad_request(message),
        Denied::Budget { whose, spent, max } => {
            let [cost, max] = [*spent, *max].map(dollars);
            let (cost, max) = (cost.to_str().unwrap_or("?"), max.to_str().unwrap_or("?"));
            over(
                compat,
                format!("Budget has been exceeded! {whose}Current cost: {cost}, Max budget: {max}"),
            )
        }
        Denied::EndUserBudget { end_user, spent, max } => {
            let [cost, max] = [*spent, *max].map(dollars);
            let (cost, max) = (cost.to_str().unwrap_or("?"), max.to_str().unwrap_or("?"));
            over(
                compat,
                format!(
                    "ExceededBudget: End User={end_user} over budget. Spend={cost}, Budget={max}"
                ),
            )
        }
        _ => Problem::new(StatusCode::UNAUTHORIZED, message).kind("auth_error"),
    }
}

/// A budget that is spent: 422 since late 2026, 400 before (contract 4.4).
fn over(compat: Compat, message: String) -> Problem {
    let status = match compat {
        Compat::Current => StatusCode::UNPROCESSABLE_ENTITY,
        Compat::Classic => StatusCode::BAD_REQUEST,
    };
    let problem = Problem::new(status, message).kind("budget_exceeded");
    Problem { class: Class::BudgetExceeded, ..problem }
}

fn refused(error: &AuthError) -> Problem {
    let unauthorized = |message: &'static str| Problem {
        class: Class::Authentication,
        ..Problem::new(StatusCode::UNAUTHORIZED, message).kind("auth_error")
    };
    match error {
        AuthError::Missing => unauthorized("Authentication Error, No api key passed in."),
        AuthError::Malformed => unauthorized(
            "Authentication Error, Malformed API Key passed in. \
             Ensure Key has `Bearer ` prefix.",
        ),
        AuthError::Outage(_) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Authentication Error, the store of keys cannot be reached. Try again.",
        ),
        _ => unauthorized(
            "Authentication Error, Invalid proxy server token passed. The key is not known here: \
             send the proxy's key, not the provider's.",
        )
        .kind("token_not_found_in_db")
        .param("key"),
    }
}
