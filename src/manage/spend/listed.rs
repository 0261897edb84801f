//! `/spend/keys`, `/spend/users`, `/spend/tags`: who has spent how much.
use super::{dollars, span};
use crate::ledger::{By, Days};
use crate::manage::{Query, Refusal, Room, Who};
use crate::store::{Doc, Kind};
use axum::Json;
use bartizan_layers::facts::Scope;
use serde::Deserialize;
use serde_json::{Value, json};

/// Whose.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct Whose {
    /// One user.
    user_id: Option<String>,
    /// So many at most. Default 1000.
    limit: Option<i64>,
}

/// From when until when.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct Span {
    /// The first day.
    start_date: Option<String>,
    /// The last day.
    end_date: Option<String>,
}

/// All keys that have spent something in their present window, the dearest first.
#[utoipa::path(
    get,
    path = "/spend/keys",
    params(Whose),
    responses((status = 200, description = "Keys with their `spend`"))
)]
pub(super) async fn keys(
    room: Room,
    who: Who,
    Query(whose): Query<Whose>,
) -> Result<Json<Vec<Doc>>, Refusal> {
    who.sees_all("/spend/keys")?;
    spent(&room, Kind::Key, Scope::Key, "token", None, whose.limit).await
}

/// The same of users.
#[utoipa::path(
    get,
    path = "/spend/users",
    params(Whose),
    responses((status = 200, description = "Users with their `spend`"))
)]
pub(super) async fn users(
    room: Room,
    who: Who,
    Query(whose): Query<Whose>,
) -> Result<Json<Vec<Doc>>, Refusal> {
    who.sees_all("/spend/users")?;
    let user = whose.user_id.as_deref();
    spent(&room, Kind::User, Scope::User, "user_id", user, whose.limit).await
}

async fn spent(
    room: &Room,
    kind: Kind,
    scope: Scope,
    id: &str,
    only: Option<&str>,
    limit: Option<i64>,
) -> Result<Json<Vec<Doc>>, Refusal> {
    room.booked().await?;
    let sql = "SELECT t.id, t.doc, COALESCE(a.spend, 0) FROM things t LEFT JOIN accounts a \
        ON a.scope = $1 AND a.subject = t.id AND (a.until IS NULL OR a.until > $2) \
        WHERE t.kind = $3 AND (t.id = $4 OR $4 = '') \
        ORDER BY COALESCE(a.spend, 0) DESC, t.id LIMIT $5";
    let args = [
        scope.name().into(),
        (crate::clock::now() / 1000).into(),
        kind.name().into(),
        only.unwrap_or_default().into(),
        limit.unwrap_or(1000).clamp(1, 10_000).into(),
    ];
    let rows = room.store.fetch(sql, &args).await?;
    let shown = rows.iter().map(|row| {
        let mut doc: Doc = serde_json::from_str(row.text(1)).unwrap_or_default();
        doc.insert(id.to_owned(), row.text(0).into());
        doc.insert("spend".to_owned(), dollars(row.int(2)).into());
        doc
    });
    Ok(Json(shown.collect()))
}

/// What calls with each tag have cost, in the last 30 days or between two days.
#[utoipa::path(
    get,
    path = "/spend/tags",
    params(Span),
    responses((status = 200, description = "`individual_request_tag, log_count, total_spend`"))
)]
pub(super) async fn tags(
    room: Room,
    who: Who,
    Query(told): Query<Span>,
) -> Result<Json<Vec<Value>>, Refusal> {
    who.sees_all("/spend/tags")?;
    room.booked().await?;
    let (from, to) = span::days(told.start_date.as_deref(), told.end_date.as_deref(), 30)?;
    let days = Days { kind: "tag", from, to, subjects: vec![], key: None, model: None };
    let mut rows = days.by(&room.store, &[By::Subject]).await?;
    rows.sort_by_key(|(_, sums)| std::cmp::Reverse(sums.spend));
    let shown = rows.iter().map(|(names, sums)| {
        json!({
            "individual_request_tag": names.first(),
            "log_count": sums.requests,
            "total_spend": dollars(sums.spend),
        })
    });
    Ok(Json(shown.collect()))
}
