//! What may be said of a budget.
use crate::manage::bounds::{check_bounds, check_id, fresh_id, merge};
use crate::manage::{Refusal, Who};
use crate::store::{Change, Doc, Kind, Thing};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The fields of a budget that requests may set.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(in crate::manage) struct BudgetFields {
    /// US dollars that may be spent in each `budget_duration`.
    max_budget: Option<f64>,
    /// US dollars at which somebody is told.
    soft_budget: Option<f64>,
    /// After which it starts anew, such as `30d`.
    budget_duration: Option<String>,
    /// Calls that may be open at once.
    max_parallel_requests: Option<i64>,
    /// Tokens in a minute.
    tpm_limit: Option<i64>,
    /// Calls in a minute.
    rpm_limit: Option<i64>,
    /// What may be spent by model.
    model_max_budget: Option<Map<String, Value>>,
}

/// Makes a budget, for one or to be shared.
///
/// # Errors
///
/// If there is one with this id, or it bounds nothing that can be measured.
pub(in crate::manage) async fn make(
    change: &mut Change,
    who: &Who,
    id: Option<&str>,
    mut bounds: Doc,
) -> Result<Thing, Refusal> {
    check_bounds(&bounds).map_err(Refusal::wrong)?;
    bounds.retain(|_, value| !value.is_null());
    who.signs_new(&mut bounds);
    let id = match id.filter(|id| !id.is_empty()) {
        None => fresh_id(),
        Some(id) => {
            check_id("budget_id", id).map_err(Refusal::wrong)?;
            if change.work().thing(Kind::Budget, id).await?.is_some() {
                return Err(Refusal::wrong(format!("Budget with id {id} already exists")));
            }
            id.to_owned()
        }
    };
    Ok(change.insert(Kind::Budget, id, bounds).await?)
}

/// Changes a budget.
///
/// # Errors
///
/// If there is none with this id, or it would bound nothing that can be measured.
pub(in crate::manage) async fn change_budget(
    change: &mut Change,
    who: &Who,
    id: &str,
    bounds: Doc,
) -> Result<Thing, Refusal> {
    check_bounds(&bounds).map_err(Refusal::wrong)?;
    let budget = there(change, id).await?;
    let mut doc = budget.doc.clone();
    merge(&mut doc, bounds);
    who.signs(&mut doc);
    Ok(change.update(&budget, doc).await?)
}

/// The budget with that id.
///
/// # Errors
///
/// 404, if there is none.
pub(in crate::manage) async fn there(change: &mut Change, id: &str) -> Result<Thing, Refusal> {
    let budget = change.work().thing(Kind::Budget, id).await?;
    budget.ok_or_else(|| not_there(id))
}

/// There is no budget with that id.
pub(super) fn not_there(id: &str) -> Refusal {
    Refusal::because(StatusCode::NOT_FOUND, format!("Budget not found, passed budget_id={id}"))
}
