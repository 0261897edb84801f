//! `/spend/logs/v2` and `/spend/logs/ui`: calls by pages.
use super::row::row;
use super::seen::Seen;
use super::{key_id, span};
use crate::ledger::{Calls, Order, Part};
use crate::manage::{Query, Refusal, Room, Who};
use axum::Json;
use axum::extract::Path;
use bartizan_layers::facts::NanoUsd;
use serde::Deserialize;
use serde_json::{Value, json};

/// Which calls, and which page of them.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct Wanted {
    /// A key or its digest.
    api_key: Option<String>,
    /// A user.
    user_id: Option<String>,
    /// The id of an answer, a call or a receipt.
    request_id: Option<String>,
    /// A team.
    team_id: Option<String>,
    /// An end user.
    end_user: Option<String>,
    /// A model or its group.
    model: Option<String>,
    /// A deployment.
    model_id: Option<String>,
    /// A session.
    session_id: Option<String>,
    /// `success` or `failure`.
    status_filter: Option<String>,
    /// US dollars at least.
    min_spend: Option<f64>,
    /// US dollars at most.
    max_spend: Option<f64>,
    /// The beginning.
    start_date: Option<String>,
    /// The end.
    end_date: Option<String>,
    /// Which page; the first is 1.
    page: Option<i64>,
    /// Calls on a page, up to 1000. Default 50.
    page_size: Option<i64>,
    /// `startTime` (the default), `endTime`, `spend` or `total_tokens`.
    sort_by: Option<String>,
    /// `desc` (the default) or `asc`.
    sort_order: Option<String>,
}

/// Calls by pages.
#[utoipa::path(
    get,
    path = "/spend/logs/v2",
    params(Wanted),
    responses((status = 200, description = "`{data, total, page, page_size, total_pages}`"))
)]
pub(super) async fn v2(room: Room, who: Who, query: Query<Wanted>) -> Result<Json<Value>, Refusal> {
    page(room, who, query.0).await
}

/// The same, for dashboards: both dates must be told.
#[utoipa::path(
    get,
    path = "/spend/logs/ui",
    params(Wanted),
    responses((status = 200, description = "`{data, total, page, page_size, total_pages}`"))
)]
pub(super) async fn ui(room: Room, who: Who, query: Query<Wanted>) -> Result<Json<Value>, Refusal> {
    if query.0.start_date.is_none() || query.0.end_date.is_none() {
        let message = "Start date and end date are required";
        return Err(Refusal::bad_request(message).param("None"));
    }
    page(room, who, query.0).await
}

/// One call.
#[utoipa::path(
    get,
    path = "/spend/logs/ui/{request_id}",
    params(("request_id" = String, Path, description = "The id of the answer or the call")),
    responses((status = 200, description = "The row of the call"))
)]
pub(super) async fn one(
    room: Room,
    who: Who,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let mut calls = Calls { id: Some(id), ..Calls::default() };
    Seen::by(&who).narrow(&mut calls)?;
    room.booked().await?;
    let part = Part { order: Order::Began, ascending: false, skip: 0, size: 1 };
    let rows = calls.rows(&room.store, part).await?;
    let found = rows.first().map(row);
    found.map(Json).ok_or_else(|| Refusal::not_found("No call has this id."))
}

async fn page(room: Room, who: Who, wanted: Wanted) -> Result<Json<Value>, Refusal> {
    let order = match wanted.sort_by.as_deref() {
        None | Some("startTime") => Order::Began,
        Some("endTime") => Order::Ended,
        Some("spend") => Order::Spend,
        Some("total_tokens") => Order::Tokens,
        Some(_) => {
            let message = "`sort_by` is one of startTime, endTime, spend, total_tokens.";
            return Err(Refusal::bad_request(message).param("sort_by"));
        }
    };
    let ascending = wanted.sort_order.as_deref() == Some("asc");
    let size = wanted.page_size.unwrap_or(50);
    let number = wanted.page.unwrap_or(1);
    if !(1..=1000).contains(&size) || !(1..=1 << 40).contains(&number) {
        let message = "Input should be from 1 on; a page has up to 1000 calls";
        return Err(Refusal::invalid(&["query", "page"], message));
    }
    let calls = calls(wanted, &who)?;
    room.booked().await?;
    let total = calls.count(&room.store).await?;
    let part = Part { order, ascending, skip: (number - 1) * size, size };
    let rows = calls.rows(&room.store, part).await?;
    Ok(Json(json!({
        "data": rows.iter().map(row).collect::<Vec<_>>(),
        "total": total,
        "page": number,
        "page_size": size,
        "total_pages": (total + size - 1) / size,
    })))
}

fn calls(wanted: Wanted, who: &Who) -> Result<Calls, Refusal> {
    let (from, to) = span::times(wanted.start_date.as_deref(), wanted.end_date.as_deref())?;
    let nanos = |dollars| NanoUsd::from_dollars(dollars).0;
    let mut calls = Calls {
        id: wanted.request_id,
        key: wanted.api_key.as_deref().map(key_id),
        user: wanted.user_id,
        team: wanted.team_id,
        end_user: wanted.end_user,
        model: wanted.model,
        deployment: wanted.model_id,
        session: wanted.session_id,
        status: wanted.status_filter,
        min_spend: wanted.min_spend.map(nanos),
        max_spend: wanted.max_spend.map(nanos),
        from,
        to,
    };
    Seen::by(who).narrow(&mut calls)?;
    Ok(calls)
}
