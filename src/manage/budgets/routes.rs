//! The routes of budgets.
use super::fields::{BudgetFields, change_budget, make, not_there, there};
use crate::config::Compat;
use crate::manage::gone::remove;
use crate::manage::shown::BUDGETS;
use crate::manage::{Asked, Manage, Query, Refusal, Room, Who, keys};
use crate::store::{Doc, Filter, Kind, Page, Thing};
use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

/// Which budget.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
struct Named {
    budget_id: Option<String>,
}

/// Makes a budget that several others may refer to.
#[utoipa::path(
    post,
    path = "/budget/new",
    request_body = BudgetFields,
    responses((status = 200, description = "The budget"))
)]
pub(super) async fn new(
    room: Room,
    who: Who,
    asked: Asked<BudgetFields>,
) -> Result<Json<Doc>, Refusal> {
    who.admin("/budget/new")?;
    let id = asked.also::<Named>()?.budget_id;
    let mut change = room.store.change(who.actor()).await?;
    let budget = make(&mut change, &who, id.as_deref(), asked.said()).await?;
    room.commit(change).await?;
    Ok(Json(row(&room, &budget)))
}

/// A budget has no window of its own: each that refers to it has one. LiteLLM of early 2026 tells
/// when a window would end that began with the budget, the later one when that of the calendar
/// does.
fn row(room: &Manage, budget: &Thing) -> Doc {
    let mut row = BUDGETS.row(budget);
    let lasts = budget.text("budget_duration").filter(|_| room.compat == Compat::Classic);
    if let Some(end) = lasts.and_then(|lasts| keys::expires(lasts, budget.created_at).ok()) {
        row.insert("budget_reset_at".to_owned(), end.into());
    }
    row
}

/// Changes a budget, and with it everyone who refers to it. `null` takes a bound away.
#[utoipa::path(
    post,
    path = "/budget/update",
    request_body = BudgetFields,
    responses((status = 200, description = "The budget"), (status = 404, description = "No budget"))
)]
pub(super) async fn update(
    room: Room,
    who: Who,
    asked: Asked<BudgetFields>,
) -> Result<Json<Doc>, Refusal> {
    who.admin("/budget/update")?;
    let Some(id) = asked.also::<Named>()?.budget_id else {
        return Err(Refusal::wrong("budget_id is required"));
    };
    let mut change = room.store.change(who.actor()).await?;
    let budget = change_budget(&mut change, &who, &id, asked.said()).await?;
    room.commit(change).await?;
    Ok(Json(row(&room, &budget)))
}

/// Which budgets.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Budgets {
    /// Their ids.
    budgets: Vec<String>,
}

/// Those budgets that there are among these.
#[utoipa::path(
    post,
    path = "/budget/info",
    request_body = Budgets,
    responses((status = 200, description = "A list of budgets"))
)]
pub(super) async fn info(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Budgets>,
) -> Result<Json<Vec<Doc>>, Refusal> {
    who.sees_all("/budget/info")?;
    if fields.budgets.is_empty() {
        return Err(Refusal::wrong("Specify list of budget id's to query. Passed in=[]"));
    }
    let mut rows = Vec::new();
    for id in &fields.budgets {
        let budget = room.store.thing(Kind::Budget, id).await?;
        rows.extend(budget.map(|budget| row(&room, &budget)));
    }
    Ok(Json(rows))
}

/// All budgets.
#[utoipa::path(
    get,
    path = "/budget/list",
    responses((status = 200, description = "A list of budgets"))
)]
pub(super) async fn list(room: Room, who: Who) -> Result<Json<Vec<Doc>>, Refusal> {
    who.sees_all("/budget/list")?;
    let budgets = room.store.things(Kind::Budget, &Filter::default(), Page::ALL).await?;
    Ok(Json(budgets.iter().map(|budget| row(&room, budget)).collect()))
}

/// Which budget.
#[derive(Clone, Debug, Deserialize, IntoParams)]
pub(super) struct Which {
    /// Its id.
    budget_id: String,
}

/// The fields of a budget with their types and meanings.
#[utoipa::path(
    get,
    path = "/budget/settings",
    params(Which),
    responses((status = 200, description = "A list of fields"))
)]
pub(super) async fn settings(
    room: Room,
    who: Who,
    Query(asked): Query<Which>,
) -> Result<Json<Vec<Value>>, Refusal> {
    who.sees_all("/budget/settings")?;
    let budget = room.store.thing(Kind::Budget, &asked.budget_id).await?;
    let doc = budget.map_or_else(Doc::new, |budget| budget.doc);
    let field = |(name, kind, meaning): (&str, &str, &str)| {
        json!({
            "field_name": name, "field_type": kind, "field_description": meaning,
            "field_value": doc.get(name), "stored_in_db": true, "field_default_value": null
        })
    };
    Ok(Json(FIELDS.into_iter().map(field).collect()))
}

const FIELDS: [(&str, &str, &str); 6] = [
    ("max_budget", "Float", "US dollars; calls are refused when so much is spent."),
    ("soft_budget", "Float", "US dollars; somebody is told when so much is spent."),
    ("max_parallel_requests", "Integer", "Calls that may be open at once."),
    ("tpm_limit", "Integer", "Tokens in a minute."),
    ("rpm_limit", "Integer", "Calls in a minute."),
    ("budget_duration", "String", "After which it starts anew, such as 30d."),
];

/// Which budget.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Gone {
    /// Its id.
    id: String,
}

/// Takes a budget away. Those who refer to it are bounded by what they say themselves.
#[utoipa::path(
    post,
    path = "/budget/delete",
    request_body = Gone,
    responses((status = 200, description = "The budget"), (status = 404, description = "No budget"))
)]
pub(super) async fn delete(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Gone>,
) -> Result<Json<Doc>, Refusal> {
    who.admin("/budget/delete")?;
    let mut change = room.store.change(who.actor()).await?;
    there(&mut change, &fields.id).await?;
    let budget = remove(&mut change, Kind::Budget, &fields.id).await?;
    let budget = budget.ok_or_else(|| not_there(&fields.id))?;
    room.commit(change).await?;
    Ok(Json(row(&room, &budget)))
}
