//! `/key/list`.
use super::rights::{Standing, standing};
use super::text::id_of;
use crate::clock;
use crate::manage::paging::Paging;
use crate::manage::{Query, Refusal, Room, Who};
use crate::store::{Filter, Kind, Page, Thing};
use axum::Json;
use bartizan_layers::facts::Scope;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::cmp::Ordering;
use std::collections::HashMap;
use utoipa::IntoParams;

/// Keys on a page, where nobody said.
const USUAL: i64 = 10;

/// By what keys can be put in order.
const COLUMNS: [&str; 8] = [
    "created_at",
    "updated_at",
    "spend",
    "max_budget",
    "token",
    "key_name",
    "key_alias",
    "expires",
];

/// Which keys are asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
pub(super) struct Asking {
    page: Option<i64>,
    size: Option<i64>,
    user_id: Option<String>,
    team_id: Option<String>,
    organization_id: Option<String>,
    /// A key's digest, or its text.
    key_hash: Option<String>,
    key_alias: Option<String>,
    /// Whether keys are shown with all fields, not by their digests.
    return_full_object: bool,
    /// Whether the keys of teams that the user leads are there too.
    include_team_keys: bool,
    sort_by: Option<String>,
    /// `asc` or `desc`.
    sort_order: Option<String>,
    /// `active`, `blocked` or `expired`.
    status: Option<String>,
}

/// Lists keys: one's own, or all for an admin.
#[utoipa::path(
    get,
    path = "/key/list",
    params(Asking),
    responses((status = 200, description = "The keys of one page"))
)]
pub(super) async fn list(
    room: Room,
    who: Who,
    Query(asking): Query<Asking>,
) -> Result<Json<Value>, Refusal> {
    let paging = Paging::new(asking.page, asking.size, USUAL)?;
    let order = Order::of(&asking)?;
    let filters = filters(&room, &who, &asking).await?;
    let alone = match &*filters {
        [one] if order.column == "created_at" && asking.status.is_none() => Some(one),
        _ => None,
    };
    let (keys, total) = match alone {
        Some(filter) => {
            let page = paging.page(order.ascending);
            let keys = room.store.things(Kind::Key, filter, page).await?;
            (keys, room.store.count(Kind::Key, filter).await?)
        }
        None => {
            let all = sorted(&room, &filters, &asking, &order).await?;
            let total = i64::try_from(all.len()).unwrap_or(i64::MAX);
            (paging.cut(all), total)
        }
    };
    let size = paging.page(true).size;
    let shown: Vec<Value> = if asking.return_full_object {
        room.key_rows(&keys).await?.into_iter().map(Value::Object).collect()
    } else {
        keys.into_iter().map(|key| key.id.into()).collect()
    };
    Ok(Json(json!({
        "keys": shown,
        "total_count": total,
        "current_page": asking.page.unwrap_or(1),
        "total_pages": total.saturating_add(size - 1) / size,
    })))
}

/// In which order.
struct Order<'a> {
    column: &'a str,
    ascending: bool,
}

impl<'a> Order<'a> {
    fn of(asking: &'a Asking) -> Result<Self, Refusal> {
        let column = asking.sort_by.as_deref().unwrap_or("created_at");
        if !COLUMNS.contains(&column) {
            let message = format!("Invalid sort column. Must be one of: {}", COLUMNS.join(", "));
            return Err(Refusal::bad_request(message).param("sort_by"));
        }
        let ascending = match asking.sort_order.as_deref() {
            None => false,
            Some(word) if word.eq_ignore_ascii_case("desc") => false,
            Some(word) if word.eq_ignore_ascii_case("asc") => true,
            Some(_) => {
                let message = "Invalid sort order. Must be one of: asc, desc";
                return Err(Refusal::bad_request(message).param("sort_order"));
            }
        };
        Ok(Self { column, ascending })
    }
}

/// The user whose own keys somebody sees who sees no others.
///
/// # Errors
///
/// If there is none.
pub(super) fn own_user(who: &Who) -> Result<&str, Refusal> {
    who.user().ok_or_else(|| {
        let message = "You are not authorized to access this endpoint. No 'user_id' is associated \
                       with your API key.";
        Refusal::error(StatusCode::FORBIDDEN, "bad_request_error", message)
    })
}

/// What is asked for, as far as whoever asks may see it: the keys that one of them lets through.
async fn filters(room: &Room, who: &Who, asking: &Asking) -> Result<Vec<Filter>, Refusal> {
    let told = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let mut asked = Filter {
        user: told(&asking.user_id),
        team: told(&asking.team_id),
        organization: told(&asking.organization_id),
        alias: told(&asking.key_alias),
        id: told(&asking.key_hash).map(|hash| id_of(&hash)),
        alias_has: None,
    };
    let sees_all = who.role().sees_all();
    let user = if sees_all { asked.user.clone() } else { Some(own_user(who)?.to_owned()) };
    let teams = match &user {
        Some(user) if !sees_all || asking.include_team_keys => led(room, user).await?,
        _ => Vec::new(),
    };
    if !sees_all {
        let forbidden = |message: &str| Err(Refusal::forbidden(message));
        if asked.user.is_some() && asked.user != user {
            return forbidden("You are not authorized to check another user's keys");
        }
        let leads = asked.team.as_ref().is_some_and(|team| teams.contains(team));
        if asked.team.is_some() && !leads {
            // Its own keys of the team it may see all the same.
            asked.user.clone_from(&user);
        } else if asked.team.is_none() {
            asked.user.clone_from(&user);
        }
    }
    let mut filters = Vec::new();
    if asking.include_team_keys && asked.team.is_none() {
        let of_team = |team: String| Filter { team: Some(team), user: None, ..asked.clone() };
        filters.extend(teams.into_iter().map(of_team));
    }
    filters.insert(0, asked);
    Ok(filters)
}

/// The teams that a user leads.
async fn led(room: &Room, user: &str) -> Result<Vec<String>, Refusal> {
    let Some(thing) = room.store.thing(Kind::User, user).await? else { return Ok(Vec::new()) };
    let teams = thing.doc.get("teams").and_then(Value::as_array);
    let mut led = Vec::new();
    for id in teams.into_iter().flatten().filter_map(Value::as_str) {
        let team = room.store.thing(Kind::Team, id).await?;
        let as_what = team.and_then(|team| standing(&team, user));
        if as_what == Some(Standing::Admin) {
            led.push(id.to_owned());
        }
    }
    Ok(led)
}

/// All that `filters` let through, each once, in the order that is asked for.
async fn sorted(
    room: &Room,
    filters: &[Filter],
    asking: &Asking,
    order: &Order<'_>,
) -> Result<Vec<Thing>, Refusal> {
    let mut all: Vec<Thing> = Vec::new();
    for filter in filters {
        all.extend(room.store.things(Kind::Key, filter, Page::ALL).await?);
    }
    all.sort_by(|one, other| one.id.cmp(&other.id));
    all.dedup_by(|one, other| one.id == other.id);
    let now = clock::now();
    if let Some(status) = asking.status.as_deref().filter(|status| !status.is_empty()) {
        let wanted = status_of(status)?;
        all.retain(|key| wanted == Status::of(key, now));
    }
    let mut spent = HashMap::new();
    if order.column == "spend" {
        let accounts = room.store.accounts().await?.into_iter();
        let own = accounts.filter(|account| account.scope == Scope::Key.name());
        spent.extend(own.map(|account| (account.subject, account.spend)));
    }
    all.sort_by(|one, other| {
        let ordered = match order.column {
            "created_at" => one.created_at.cmp(&other.created_at),
            "updated_at" => one.updated_at.cmp(&other.updated_at),
            "token" => one.id.cmp(&other.id),
            "spend" => spent.get(&one.id).cmp(&spent.get(&other.id)),
            "max_budget" => by_number(one, other, "max_budget"),
            column => one.text(column).cmp(&other.text(column)),
        };
        let ordered = ordered.then_with(|| one.id.cmp(&other.id));
        if order.ascending { ordered } else { ordered.reverse() }
    });
    Ok(all)
}

fn by_number(one: &Thing, other: &Thing, field: &str) -> Ordering {
    let number = |thing: &Thing| thing.doc.get(field).and_then(Value::as_f64);
    number(one).partial_cmp(&number(other)).unwrap_or(Ordering::Equal)
}

/// Whether a key can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Active,
    Blocked,
    Expired,
    /// None of those that there are: gone keys are not kept.
    Deleted,
}

impl Status {
    fn of(key: &Thing, now: i64) -> Self {
        let ends = key.text("expires").and_then(clock::parse).unwrap_or(i64::MAX);
        match key.doc.get("blocked") {
            Some(Value::Bool(true)) => Self::Blocked,
            _ if ends <= now => Self::Expired,
            _ => Self::Active,
        }
    }
}

fn status_of(word: &str) -> Result<Status, Refusal> {
    match word {
        "active" => Ok(Status::Active),
        "blocked" => Ok(Status::Blocked),
        "expired" => Ok(Status::Expired),
        "deleted" => Ok(Status::Deleted),
        _ => {
            let message = "Invalid status. Must be one of: active, blocked, expired, deleted";
            Err(Refusal::bad_request(message).param("status"))
        }
    }
}
