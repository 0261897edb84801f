//! `/global/spend*`: the figures of dashboards, of the last 30 days.
use super::{dollars, key_id, span};
use crate::clock;
use crate::ledger::{By, Days, Totals};
use crate::manage::{Asked, Query, Refusal, Room, Who};
use crate::store::{Account, Kind};
use axum::Json;
use bartizan_layers::facts::{NanoUsd, Scope};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What a figure is narrowed to.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams, utoipa::ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct Narrow {
    /// A key or its digest.
    api_key: Option<String>,
    /// The first day; default 29 days before the last.
    start_date: Option<String>,
    /// The last day; default today.
    end_date: Option<String>,
    /// So many at most.
    limit: Option<usize>,
    /// Tags, parted by commas.
    tags: Option<String>,
}

/// Sums by one thing, the dearest first.
type Ranked = Vec<(String, Totals)>;

impl Narrow {
    pub(super) fn between(start: &str, end: &str, api_key: Option<String>) -> Self {
        let (start_date, end_date) = (Some(start.to_owned()), Some(end.to_owned()));
        Self { start_date, end_date, api_key, ..Self::default() }
    }

    pub(super) fn days(&self, kind: &'static str) -> Result<Days, Refusal> {
        let (start, end) = (self.start_date.as_deref(), self.end_date.as_deref());
        let (from, to) = span::days(start, end, 30)?;
        let key = self.api_key.as_deref().map(key_id);
        Ok(Days { kind, from, to, subjects: vec![], key, model: None })
    }

    async fn ranked(&self, room: &Room, kind: &'static str, by: By) -> Result<Ranked, Refusal> {
        room.booked().await?;
        let rows = self.days(kind)?.by(&room.store, &[by]).await?;
        let mut rows: Ranked = rows
            .into_iter()
            .filter_map(|(names, sums)| Some((names.into_iter().next()?, sums)))
            .collect();
        rows.sort_by_key(|(_, sums)| Reverse(sums.spend));
        rows.truncate(self.limit.unwrap_or(1000));
        Ok(rows)
    }
}

/// What was spent since the beginning of the proxy's budget.
#[utoipa::path(
    get,
    path = "/global/spend",
    responses((status = 200, description = "`{spend, max_budget}`"))
)]
pub(super) async fn spend(room: Room, who: Who) -> Result<Json<Value>, Refusal> {
    who.sees_all("/global/spend")?;
    room.booked().await?;
    let account = room.store.account(Scope::Global.name(), "").await?;
    let max = room.directory.proxy_money().max;
    // A window that is over is not begun again before the next call.
    let is_over = account.until.is_some_and(|until| until <= clock::now() / 1000);
    let spend = if is_over { 0.0 } else { dollars(account.spend) };
    Ok(Json(json!({"spend": spend, "max_budget": max.map(NanoUsd::dollars)})))
}

/// What each day has cost.
#[utoipa::path(
    get,
    path = "/global/spend/logs",
    params(Narrow),
    responses((status = 200, description = "`{date, spend}` of each day"))
)]
pub(super) async fn logs(
    room: Room,
    who: Who,
    Query(narrow): Query<Narrow>,
) -> Result<Json<Vec<Value>>, Refusal> {
    who.sees_all("/global/spend/logs")?;
    room.booked().await?;
    let rows = narrow.days("user")?.by(&room.store, &[By::Day]).await?;
    let shown =
        rows.iter().map(|(names, sums)| json!({"date": names[0], "spend": dollars(sums.spend)}));
    Ok(Json(shown.collect()))
}

/// The dearest keys.
#[utoipa::path(
    get,
    path = "/global/spend/keys",
    params(Narrow),
    responses((status = 200, description = "`{api_key, key_alias, key_name, total_spend}`"))
)]
pub(super) async fn keys(
    room: Room,
    who: Who,
    Query(narrow): Query<Narrow>,
) -> Result<Json<Vec<Value>>, Refusal> {
    who.sees_all("/global/spend/keys")?;
    let mut shown = Vec::new();
    for (key, sums) in narrow.ranked(&room, "user", By::Key).await? {
        let thing = room.store.thing(Kind::Key, &key).await?;
        let text = |field| thing.as_ref().and_then(|thing| thing.text(field));
        shown.push(json!({
            "api_key": key, "key_alias": text("key_alias"), "key_name": text("key_name"),
            "total_spend": dollars(sums.spend),
        }));
    }
    Ok(Json(shown))
}

/// The dearest models.
#[utoipa::path(
    get,
    path = "/global/spend/models",
    params(Narrow),
    responses((status = 200, description = "`{model, total_spend}`"))
)]
pub(super) async fn models(
    room: Room,
    who: Who,
    Query(narrow): Query<Narrow>,
) -> Result<Json<Vec<Value>>, Refusal> {
    who.sees_all("/global/spend/models")?;
    let rows = narrow.ranked(&room, "user", By::Model).await?;
    let shown = rows
        .iter()
        .map(|(model, sums)| json!({"model": model, "total_spend": dollars(sums.spend)}));
    Ok(Json(shown.collect()))
}

/// Teams, by day and together.
#[utoipa::path(
    get,
    path = "/global/spend/teams",
    params(Narrow),
    responses((status = 200, description = "`{daily_spend, teams, total_spend_per_team}`"))
)]
pub(super) async fn teams(
    room: Room,
    who: Who,
    Query(narrow): Query<Narrow>,
) -> Result<Json<Value>, Refusal> {
    who.sees_all("/global/spend/teams")?;
    room.booked().await?;
    let rows = narrow.days("team")?.by(&room.store, &[By::Day, By::Subject]).await?;
    let (mut days, mut totals) = (BTreeMap::<&str, Map<_, _>>::new(), BTreeMap::new());
    for (names, sums) in &rows {
        let (day, team) = (&names[0], &names[1]);
        let team = named(&room, team);
        *totals.entry(team.clone()).or_insert(0) += sums.spend;
        days.entry(day).or_default().insert(team, Value::from(dollars(sums.spend)));
    }
    let daily = days.into_iter().map(|(day, mut teams)| {
        teams.insert("date".to_owned(), day.into());
        Value::from(teams)
    });
    let mut ranked: Vec<_> = totals.iter().collect();
    ranked.sort_by_key(|(_, spend)| Reverse(**spend));
    let ranked = ranked
        .into_iter()
        .map(|(team, spend)| json!({"team_id": team, "total_spend": dollars(*spend)}));
    Ok(Json(json!({
        "daily_spend": daily.collect::<Vec<_>>(),
        "teams": totals.keys().collect::<Vec<_>>(),
        "total_spend_per_team": ranked.collect::<Vec<_>>(),
    })))
}

/// What people call a team.
fn named(room: &Room, team: &str) -> String {
    let holder = room.directory.holder(Kind::Team, team);
    let alias = holder.and_then(|holder| holder.alias.as_deref().map(str::to_owned));
    alias.unwrap_or_else(|| team.to_owned())
}

/// The dearest tags.
#[utoipa::path(
    get,
    path = "/global/spend/tags",
    params(Narrow),
    responses((status = 200, description = "`{spend_per_tag: [{name, spend, log_count}]}`"))
)]
pub(super) async fn tags(
    room: Room,
    who: Who,
    Query(narrow): Query<Narrow>,
) -> Result<Json<Value>, Refusal> {
    who.sees_all("/global/spend/tags")?;
    let wanted: Vec<_> = narrow.tags.iter().flat_map(|tags| tags.split(',')).collect();
    let rows = narrow.ranked(&room, "tag", By::Subject).await?;
    let rows = rows.iter().filter(|(tag, _)| wanted.is_empty() || wanted.contains(&&**tag));
    let shown = rows.map(|(tag, sums)| {
        json!({"name": tag, "spend": dollars(sums.spend), "log_count": sums.requests})
    });
    Ok(Json(json!({"spend_per_tag": shown.collect::<Vec<_>>()})))
}

/// The dearest providers.
#[utoipa::path(
    get,
    path = "/global/spend/provider",
    params(Narrow),
    responses((status = 200, description = "`{provider, spend}`"))
)]
pub(super) async fn providers(
    room: Room,
    who: Who,
    Query(narrow): Query<Narrow>,
) -> Result<Json<Vec<Value>>, Refusal> {
    who.sees_all("/global/spend/provider")?;
    let rows = narrow.ranked(&room, "user", By::Provider).await?;
    let shown = rows
        .iter()
        .filter(|(provider, _)| !provider.is_empty())
        .map(|(provider, sums)| json!({"provider": provider, "spend": dollars(sums.spend)}));
    Ok(Json(shown.collect()))
}

/// The dearest end users.
#[utoipa::path(
    post,
    path = "/global/spend/end_users",
    request_body = Narrow,
    responses((status = 200, description = "`{end_user, total_count, total_spend}`"))
)]
pub(super) async fn end_users(
    room: Room,
    who: Who,
    Asked { fields, .. }: Asked<Narrow>,
) -> Result<Json<Vec<Value>>, Refusal> {
    who.sees_all("/global/spend/end_users")?;
    let narrow = Narrow { limit: fields.limit.or(Some(100)), ..fields };
    let rows = narrow.ranked(&room, "end_user", By::Subject).await?;
    let shown = rows.iter().map(|(end_user, sums)| {
        json!({
            "end_user": end_user, "total_count": sums.requests, "total_spend": dollars(sums.spend),
        })
    });
    Ok(Json(shown.collect()))
}

/// All end users that calls were made for.
#[utoipa::path(
    get,
    path = "/global/all_end_users",
    responses((status = 200, description = "`{end_users}`"))
)]
pub(super) async fn all_end_users(room: Room, who: Who) -> Result<Json<Value>, Refusal> {
    who.sees_all("/global/all_end_users")?;
    room.booked().await?;
    let sql =
        "SELECT DISTINCT subject FROM daily WHERE kind = 'end_user' ORDER BY subject LIMIT 10000";
    let rows = room.store.fetch(sql, &[]).await?;
    Ok(Json(json!({"end_users": rows.iter().map(|row| row.text(0)).collect::<Vec<_>>()})))
}

/// Sets what all keys and teams have spent to nothing. What calls have cost stays.
#[utoipa::path(
    post,
    path = "/global/spend/reset",
    responses((status = 200, description = "It was done"))
)]
pub(super) async fn reset(room: Room, who: Who) -> Result<Json<Value>, Refusal> {
    who.admin("/global/spend/reset")?;
    room.booked().await?;
    let accounts = room.store.accounts().await?;
    let mut change = room.store.change(who.actor()).await?;
    let scopes = [Scope::Key, Scope::ModelPerKey, Scope::Team, Scope::TeamMember];
    let scopes = scopes.map(Scope::name);
    for account in accounts {
        if scopes.contains(&&*account.scope) && account.spend != 0 {
            change.set_account(Account { spend: 0, ..account }).await?;
        }
    }
    let (work, actor) = (change.work(), who.actor());
    super::reprice::audit(work, &actor, ("reset", "*"), &json!({"spend": 0})).await?;
    room.commit(change).await?;
    let message = "Spend for all API Keys and Teams reset successfully";
    Ok(Json(json!({"message": message, "status": "success"})))
}
