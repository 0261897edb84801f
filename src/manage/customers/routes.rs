//! The routes of end users, but those that block them.
use super::fields::{CustomerFields, not_there, rows};
use crate::manage::bounds::{check_id, merge};
use crate::manage::budgets::{self, BudgetFields};
use crate::manage::gone::remove;
use crate::manage::organizations::bound;
use crate::manage::{Asked, Query, Refusal, Room, Who};
use crate::store::{Doc, Filter, Kind, Page};
use axum::Json;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

/// Makes an end user, with a budget of its own if the request bounds it.
#[utoipa::path(
    post,
    path = "/customer/new",
    request_body = CustomerFields,
    responses(
        (status = 200, description = "The end user"),
        (status = 400, description = "There is one with this id"),
    )
)]
pub(super) async fn new(
    room: Room,
    who: Who,
    asked: Asked<CustomerFields>,
) -> Result<Json<Doc>, Refusal> {
    who.admin("/customer/new")?;
    let fields = &asked.fields;
    fields.check(&room, &asked.doc)?;
    let id = fields.user_id.as_str();
    check_id("user_id", id).map_err(Refusal::wrong)?;
    let mut change = room.store.change(who.actor()).await?;
    if change.work().thing(Kind::EndUser, id).await?.is_some() {
        let message =
            format!("Customer already exists, passed user_id={id}. Please pass a new user_id.");
        let refusal = Refusal::error(StatusCode::BAD_REQUEST, "bad_request", message);
        return Err(refusal.param("user_id"));
    }
    let mut doc = asked.said();
    doc.retain(|_, value| !value.is_null());
    if let Some(shared) = &fields.budget_id {
        budgets::there(&mut change, shared).await?;
    }
    let bounds = Asked::<BudgetFields>::of(asked.doc.clone())?.said();
    if let (None, Some(budget)) = (&fields.budget_id, bound(&mut change, &who, None, bounds).await?)
    {
        doc.insert("budget_id".to_owned(), budget.into());
    }
    let customer = change.insert(Kind::EndUser, id, doc).await?;
    room.commit(change).await?;
    Ok(Json(rows(&room, &[customer]).await?.into_iter().next().unwrap_or_default()))
}

/// Which end user.
#[derive(Clone, Debug, Deserialize, IntoParams)]
pub(super) struct Which {
    /// What clients call it.
    end_user_id: String,
}

/// An end user with its budget.
#[utoipa::path(
    get,
    path = "/customer/info",
    params(Which),
    responses((status = 200, description = "The end user"), (status = 404, description = "None"))
)]
pub(super) async fn info(
    room: Room,
    who: Who,
    Query(asked): Query<Which>,
) -> Result<Json<Doc>, Refusal> {
    who.sees_all("/customer/info")?;
    match room.store.thing(Kind::EndUser, &asked.end_user_id).await? {
        Some(found) => {
            Ok(Json(rows(&room, &[found]).await?.into_iter().next().unwrap_or_default()))
        }
        None => Err(not_there("end_user_id", &asked.end_user_id)),
    }
}

/// Changes an end user and its budget. `null` takes a bound away.
#[utoipa::path(
    post,
    path = "/customer/update",
    request_body = CustomerFields,
    responses((status = 200, description = "The end user"), (status = 404, description = "None"))
)]
pub(super) async fn update(
    room: Room,
    who: Who,
    asked: Asked<CustomerFields>,
) -> Result<Json<Doc>, Refusal> {
    who.admin("/customer/update")?;
    let fields = &asked.fields;
    fields.check(&room, &asked.doc)?;
    let mut change = room.store.change(who.actor()).await?;
    let Some(customer) = change.work().thing(Kind::EndUser, &fields.user_id).await? else {
        return Err(not_there("user_id", &fields.user_id));
    };
    if let Some(shared) = &fields.budget_id {
        budgets::there(&mut change, shared).await?;
    }
    let mut doc = customer.doc.clone();
    merge(&mut doc, asked.said());
    let own = doc.get("budget_id").and_then(Value::as_str).map(str::to_owned);
    let bounds = Asked::<BudgetFields>::of(asked.doc.clone())?.said();
    if let Some(budget) = bound(&mut change, &who, own.as_deref(), bounds).await? {
        doc.insert("budget_id".to_owned(), budget.into());
    }
    let customer = change.update(&customer, doc).await?;
    room.commit(change).await?;
    Ok(Json(rows(&room, &[customer]).await?.into_iter().next().unwrap_or_default()))
}

/// Which end users.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Customers {
    /// What clients call them.
    pub(super) user_ids: Vec<String>,
}

/// Takes end users away.
#[utoipa::path(
    post,
    path = "/customer/delete",
    request_body = Customers,
    responses(
        (status = 200, description = "`{deleted_customers, message}`"),
        (status = 404, description = "One is not there; then all stay"),
    )
)]
pub(super) async fn delete(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Customers>,
) -> Result<Json<Value>, Refusal> {
    who.admin("/customer/delete")?;
    let ids = &fields.user_ids;
    let mut change = room.store.change(who.actor()).await?;
    for id in ids {
        if remove(&mut change, Kind::EndUser, id).await?.is_none() {
            let message = format!("End User Id(s)={id} do not exist in db");
            let refusal = Refusal::error(StatusCode::NOT_FOUND, "not_found", message);
            return Err(refusal.param("user_ids"));
        }
    }
    room.commit(change).await?;
    let message = format!("Successfully deleted customers with ids: {}", ids.join(", "));
    Ok(Json(json!({"deleted_customers": ids.len(), "message": message})))
}

/// All end users of whom something is known.
#[utoipa::path(
    get,
    path = "/customer/list",
    responses((status = 200, description = "A list of end users"))
)]
pub(super) async fn list(room: Room, who: Who) -> Result<Json<Vec<Doc>>, Refusal> {
    who.sees_all("/customer/list")?;
    let all = room.store.things(Kind::EndUser, &Filter::default(), Page::ALL).await?;
    Ok(Json(rows(&room, &all).await?))
}
