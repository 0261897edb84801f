//! `/provider/budgets`: what calls to each provider may cost, and have cost.
use crate::clock;
use crate::manage::{Refusal, Room, Who};
use axum::Json;
use serde_json::{Map, Value, json};

/// What calls to each provider may cost, and have cost in this window.
#[utoipa::path(
    get,
    path = "/provider/budgets",
    responses((
        status = 200,
        description = "`{providers: {NAME: {budget_limit, time_period, spend, budget_reset_at}}}`"
    ))
)]
pub(super) async fn budgets(room: Room, who: Who) -> Result<Json<Value>, Refusal> {
    who.sees_all("/provider/budgets")?;
    let budgets = room.models()?.provider_budgets();
    if budgets.is_empty() {
        return Err(Refusal::bad_request(
            "No provider has a budget: set `router_settings.provider_budget_config`.",
        ));
    }
    let shown = |allowance: &crate::router::Allowance| {
        let budget = allowance.budget();
        json!({
            "budget_limit": budget.max.dollars(),
            "time_period": budget.duration.map(|duration| duration.to_string()),
            "spend": allowance.spent().dollars(),
            "budget_reset_at": allowance.until().map(|until| clock::iso(until * 1000)),
        })
    };
    let providers: Map<_, _> =
        budgets.iter().map(|(name, allowance)| (name.clone(), shown(allowance))).collect();
    Ok(Json(json!({"providers": providers})))
}
