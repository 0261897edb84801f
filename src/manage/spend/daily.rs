//! `/user/daily/activity`, `/team/daily/activity`, `/tag/daily/activity`: what became of each day,
//! by everything that can be told apart.
use super::seen::{Seen, foreign};
use super::{dollars, key_id, span};
use crate::ledger::{By, Days, Totals};
use crate::manage::{Query, Refusal, Room, Who};
use crate::store::Kind;
use axum::Json;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Which days, and whose.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub(super) struct Wanted {
    /// The first day.
    start_date: Option<String>,
    /// The last day.
    end_date: Option<String>,
    /// A user.
    user_id: Option<String>,
    /// Teams, parted by commas.
    team_ids: Option<String>,
    /// Tags, parted by commas.
    tags: Option<String>,
    /// A model or its group.
    model: Option<String>,
    /// A key or its digest.
    api_key: Option<String>,
    /// Which page; the first is 1.
    page: Option<usize>,
    /// Days on a page, up to 1000. Default 50.
    page_size: Option<usize>,
}

/// The days of one user, or of all.
#[utoipa::path(
    get,
    path = "/user/daily/activity",
    params(Wanted),
    responses((status = 200, description = "`{results, metadata}`"))
)]
pub(super) async fn user(
    room: Room,
    who: Who,
    query: Query<Wanted>,
) -> Result<Json<Value>, Refusal> {
    let days = of_user(&who, &query.0)?;
    answer(&room, days, paged(&query.0)).await
}

/// The same, all days at once.
#[utoipa::path(
    get,
    path = "/user/daily/activity/aggregated",
    params(Wanted),
    responses((status = 200, description = "`{results, metadata}`"))
)]
pub(super) async fn user_aggregated(
    room: Room,
    who: Who,
    query: Query<Wanted>,
) -> Result<Json<Value>, Refusal> {
    let days = of_user(&who, &query.0)?;
    answer(&room, days, (1, usize::MAX)).await
}

/// The days of teams: those of which the caller is an admin, and its own calls in others.
#[utoipa::path(
    get,
    path = "/team/daily/activity",
    params(Wanted),
    responses((status = 200, description = "`{results, metadata}`"))
)]
pub(super) async fn team(
    room: Room,
    who: Who,
    query: Query<Wanted>,
) -> Result<Json<Value>, Refusal> {
    let mut days = of(&query.0, "team", listed(query.0.team_ids.as_deref()))?;
    if Seen::by(&who) != Seen::All {
        for team in &days.subjects {
            may_see(&room, &who, team).await?;
        }
        if days.subjects.is_empty() {
            days.subjects = vec![who.0.team.as_deref().ok_or_else(foreign)?.to_owned()];
            may_see(&room, &who, &days.subjects[0]).await?;
        }
    }
    answer(&room, days, paged(&query.0)).await
}

/// The days of tags.
#[utoipa::path(
    get,
    path = "/tag/daily/activity",
    params(Wanted),
    responses((status = 200, description = "`{results, metadata}`"))
)]
pub(super) async fn tag(
    room: Room,
    who: Who,
    query: Query<Wanted>,
) -> Result<Json<Value>, Refusal> {
    who.sees_all("/tag/daily/activity")?;
    let days = of(&query.0, "tag", listed(query.0.tags.as_deref()))?;
    answer(&room, days, paged(&query.0)).await
}

fn of_user(who: &Who, wanted: &Wanted) -> Result<Days, Refusal> {
    let mut days = of(wanted, "user", wanted.user_id.iter().cloned().collect())?;
    match Seen::by(who) {
        Seen::All => {}
        Seen::User(user) => {
            if days.subjects.iter().any(|wanted| *wanted != user) {
                return Err(foreign());
            }
            days.subjects = vec![user];
        }
        Seen::Key(key) => {
            if !days.subjects.is_empty() || days.key.is_some_and(|wanted| wanted != key) {
                return Err(foreign());
            }
            days.key = Some(key);
        }
    }
    Ok(days)
}

fn of(wanted: &Wanted, kind: &'static str, subjects: Vec<String>) -> Result<Days, Refusal> {
    let (Some(start), Some(end)) = (&wanted.start_date, &wanted.end_date) else {
        let message = "Please provide start_date and end_date";
        return Err(Refusal::bad_request(message).param("start_date"));
    };
    let (from, to) = span::days(Some(start), Some(end), 30)?;
    let key = wanted.api_key.as_deref().map(key_id);
    Ok(Days { kind, from, to, subjects, key, model: wanted.model.clone() })
}

/// Whoever is an admin of a team sees what all its members have spent.
async fn may_see(room: &Room, who: &Who, team: &str) -> Result<(), Refusal> {
    let thing = room.store.thing(Kind::Team, team).await?.ok_or_else(foreign)?;
    let members = thing.doc.get("members_with_roles").and_then(Value::as_array);
    let is_admin = members.into_iter().flatten().any(|member| {
        member["user_id"] == *who.0.user && !who.0.user.is_empty() && member["role"] == "admin"
    });
    is_admin.then_some(()).ok_or_else(foreign)
}

fn listed(told: Option<&str>) -> Vec<String> {
    let names = told.into_iter().flat_map(|told| told.split(','));
    names.map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn paged(wanted: &Wanted) -> (usize, usize) {
    (wanted.page.unwrap_or(1).max(1), wanted.page_size.unwrap_or(50).clamp(1, 1000))
}

/// Sums, by the names of what they are of.
type Sums = BTreeMap<String, Totals>;

/// One day: together, and by model, group, provider, key and whose it is.
#[derive(Default)]
struct Day {
    all: Totals,
    parts: [Sums; 5],
}

const PARTS: [&str; 5] = ["models", "model_groups", "providers", "api_keys", "entities"];

async fn answer(
    room: &Room,
    days: Days,
    (page, size): (usize, usize),
) -> Result<Json<Value>, Refusal> {
    room.booked().await?;
    let by = [By::Day, By::Model, By::Group, By::Provider, By::Key, By::Subject];
    let mut all = Totals::default();
    let mut found: BTreeMap<String, Day> = BTreeMap::new();
    for (names, sums) in days.by(&room.store, &by).await? {
        let mut names = names.into_iter();
        let day = found.entry(names.next().unwrap_or_default()).or_default();
        all += sums;
        day.all += sums;
        for (part, name) in day.parts.iter_mut().zip(names) {
            *part.entry(name).or_default() += sums;
        }
    }
    let pages = found.len().div_ceil(size);
    let results = found.iter().rev().skip((page - 1).saturating_mul(size)).take(size);
    let results = results.map(|(day, sums)| {
        json!({"date": day, "metrics": metrics(&sums.all), "breakdown": breakdown(room, sums)})
    });
    Ok(Json(json!({
        "results": results.collect::<Vec<_>>(),
        "metadata": {
            "total_spend": dollars(all.spend),
            "total_prompt_tokens": all.prompt,
            "total_completion_tokens": all.completion,
            "total_tokens": all.prompt.saturating_add(all.completion),
            "total_api_requests": all.requests,
            "total_successful_requests": all.successful,
            "total_failed_requests": all.failed,
            "total_cache_read_input_tokens": all.cache_read,
            "total_cache_creation_input_tokens": all.cache_write,
            "page": page,
            "total_pages": pages,
            "has_more": page < pages,
        },
    })))
}

fn breakdown(room: &Room, day: &Day) -> Value {
    let mut shown = Map::new();
    for name in ["mcp_servers", "endpoints", "entities"] {
        shown.insert(name.to_owned(), json!({}));
    }
    for (name, sums) in PARTS.into_iter().zip(&day.parts) {
        let part = sums.iter().map(|(subject, sums)| {
            let metadata = if name == "api_keys" { of_key(room, subject) } else { json!({}) };
            let shown =
                json!({"metrics": metrics(sums), "metadata": metadata, "api_key_breakdown": {}});
            (subject.clone(), shown)
        });
        shown.insert(name.to_owned(), part.collect::<Map<_, _>>().into());
    }
    shown.into()
}

fn of_key(room: &Room, key: &str) -> Value {
    let key = room.directory.key_of(key);
    let alias = key.as_ref().and_then(|key| key.holder.alias.as_deref());
    json!({"key_alias": alias, "team_id": key.as_ref().and_then(|key| key.team.as_deref())})
}

fn metrics(sums: &Totals) -> Value {
    json!({
        "spend": dollars(sums.spend),
        "prompt_tokens": sums.prompt,
        "completion_tokens": sums.completion,
        "cache_read_input_tokens": sums.cache_read,
        "cache_creation_input_tokens": sums.cache_write,
        "total_tokens": sums.prompt.saturating_add(sums.completion),
        "successful_requests": sums.successful,
        "failed_requests": sums.failed,
        "api_requests": sums.requests,
    })
}
