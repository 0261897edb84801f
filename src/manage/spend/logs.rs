//! `/spend/logs`: calls one by one, or summed by day.
use super::row::row;
use super::seen::Seen;
use super::{dollars, key_id, span};
use crate::clock;
use crate::ledger::{Calls, Order, Part};
use crate::manage::{Query, Refusal, Room, Who};
use axum::Json;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The most rows of one answer; `/spend/logs/v2` has pages.
const MOST: i64 = 10_000;

/// Which calls.
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
    /// The first day, such as 2026-11-22.
    start_date: Option<String>,
    /// The last day.
    end_date: Option<String>,
    /// With both dates: whether days are summed (the default) or calls are shown.
    summarize: Option<bool>,
}

/// Calls, the newest first; with both dates what each day has cost, by key, user and model.
#[utoipa::path(
    get,
    path = "/spend/logs",
    params(Wanted),
    responses((status = 200, description = "Rows of calls, or sums of days"))
)]
pub(super) async fn logs(
    room: Room,
    who: Who,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Vec<Value>>, Refusal> {
    let dates = (wanted.start_date.as_deref(), wanted.end_date.as_deref());
    let (from, to) = span::times(dates.0, dates.1)?;
    let mut calls = Calls {
        id: wanted.request_id,
        key: wanted.api_key.as_deref().map(key_id),
        user: wanted.user_id,
        from,
        to,
        ..Calls::default()
    };
    Seen::by(&who).narrow(&mut calls)?;
    room.booked().await?;
    if let (Some(from), Some(to), true) = (from, to, wanted.summarize.unwrap_or(true)) {
        let sums = calls.sums(&room.store).await?;
        return Ok(Json(by_day(sums, &clock::day(from), &clock::day(to - 1))));
    }
    let part = Part { order: Order::Began, ascending: false, skip: 0, size: MOST };
    let rows = calls.rows(&room.store, part).await?;
    Ok(Json(rows.iter().map(row).collect()))
}

/// What one day has cost.
#[derive(Default)]
struct Day {
    spend: i64,
    keys: BTreeMap<String, i64>,
    users: BTreeMap<String, i64>,
    models: BTreeMap<String, i64>,
}

fn by_day(sums: Vec<([String; 4], i64)>, first: &str, last: &str) -> Vec<Value> {
    let mut days: BTreeMap<String, Day> = BTreeMap::new();
    for ([day, key, user, model], spend) in sums {
        let day = days.entry(day).or_default();
        day.spend += spend;
        *day.keys.entry(key).or_default() += spend;
        *day.users.entry(user).or_default() += spend;
        *day.models.entry(model).or_default() += spend;
    }
    let from = days.first_key_value().map_or(first, |(day, _)| day).to_owned();
    let shown = |day: String| shown(days.get(&day).unwrap_or(&Day::default()), &day);
    span::between(&from, last).into_iter().map(shown).collect()
}

fn shown(sums: &Day, day: &str) -> Value {
    let named = |sums: &BTreeMap<String, i64>| -> Map<String, Value> {
        sums.iter().map(|(name, spend)| (name.clone(), dollars(*spend).into())).collect()
    };
    let mut shown = named(&sums.keys);
    shown.insert("startTime".to_owned(), day.into());
    shown.insert("spend".to_owned(), dollars(sums.spend).into());
    shown.insert("users".to_owned(), named(&sums.users).into());
    shown.insert("models".to_owned(), named(&sums.models).into());
    json!(shown)
}
