//! `/global/activity`: how many calls and tokens there were.
use super::global::Narrow;
use crate::ledger::{By, Totals};
use crate::manage::{Query, Refusal, Room, Who};
use axum::Json;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What became of each day.
#[utoipa::path(
    get,
    path = "/global/activity",
    params(Narrow),
    responses((status = 200, description = "`{daily_data, sum_api_requests, sum_total_tokens}`"))
)]
pub(super) async fn all(
    room: Room,
    who: Who,
    Query(narrow): Query<Narrow>,
) -> Result<Json<Value>, Refusal> {
    who.sees_all("/global/activity")?;
    room.booked().await?;
    let rows = narrow.days("user")?.by(&room.store, &[By::Day]).await?;
    let days: Vec<_> = rows.iter().map(|(names, sums)| (names[0].as_str(), *sums)).collect();
    Ok(Json(shown(&days)))
}

/// The same for each model group.
#[utoipa::path(
    get,
    path = "/global/activity/model",
    params(Narrow),
    responses((status = 200, description = "The same for each `model`"))
)]
pub(super) async fn models(
    room: Room,
    who: Who,
    Query(narrow): Query<Narrow>,
) -> Result<Json<Vec<Value>>, Refusal> {
    who.sees_all("/global/activity/model")?;
    room.booked().await?;
    let rows = narrow.days("user")?.by(&room.store, &[By::Group, By::Day]).await?;
    let mut models: BTreeMap<&str, Vec<(&str, Totals)>> = BTreeMap::new();
    for (names, sums) in &rows {
        models.entry(&names[0]).or_default().push((&names[1], *sums));
    }
    let shown = models.into_iter().map(|(model, days)| {
        let mut shown = shown(&days);
        shown["model"] = model.into();
        shown
    });
    Ok(Json(shown.collect()))
}

fn shown(days: &[(&str, Totals)]) -> Value {
    let tokens = |sums: &Totals| sums.prompt.saturating_add(sums.completion);
    let daily = days.iter().map(
        |(day, sums)| json!({"date": day, "api_requests": sums.requests, "total_tokens": tokens(sums)}),
    );
    json!({
        "daily_data": daily.collect::<Vec<_>>(),
        "sum_api_requests": days.iter().map(|(_, sums)| sums.requests).sum::<i64>(),
        "sum_total_tokens": days.iter().map(|(_, sums)| tokens(sums)).sum::<i64>(),
    })
}
