//! `/user/list`.
use super::row::USERS;
use crate::manage::paging::Paging;
use crate::manage::{Manage, Query, Refusal, Room, Who};
use crate::store::{Doc, Filter, Kind, Page, Thing};
use axum::Json;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

/// Which users, and in which order.
#[derive(Clone, Debug, Deserialize, IntoParams)]
pub(super) struct Asked {
    /// Those of this role.
    role: Option<String>,
    /// Those with these ids, commas between them.
    user_ids: Option<String>,
    /// Those whom the identity provider calls so, commas between them.
    sso_user_ids: Option<String>,
    /// Those with this text somewhere in the address.
    user_email: Option<String>,
    /// Those of this team.
    team: Option<String>,
    /// Which page, from 1.
    page: Option<i64>,
    /// How many on each, 100 at most. Default 25.
    page_size: Option<i64>,
    /// `user_id`, `user_email`, `created_at`, `spend`, `user_alias` or `user_role`.
    sort_by: Option<String>,
    /// `asc` or `desc`. Default `asc`.
    sort_order: Option<String>,
}

const ORDERS: [&str; 6] =
    ["user_id", "user_email", "created_at", "spend", "user_alias", "user_role"];

/// Users, by pages.
#[utoipa::path(
    get,
    path = "/user/list",
    params(Asked),
    responses((status = 200, description = "`{users, total, page, page_size, total_pages}`"))
)]
pub(super) async fn list(
    room: Room,
    who: Who,
    Query(asked): Query<Asked>,
) -> Result<Json<Doc>, Refusal> {
    who.sees_all("/user/list")?;
    let paging = Paging::new(asked.page, asked.page_size, 25)?;
    let descends = descends(&asked)?;
    let email = asked.user_email.clone().filter(|text| !text.is_empty());
    let filter = Filter { alias_has: email, ..Filter::default() };
    let (mut rows, total) = if asked.is_plain() {
        let users = room.store.things(Kind::User, &filter, paging.page(!descends)).await?;
        (room.rows(&USERS, &users).await?, room.store.count(Kind::User, &filter).await?)
    } else {
        let mut users = room.store.things(Kind::User, &filter, Page::ALL).await?;
        users.retain(|user| asked.lets_through(user));
        let mut rows = room.rows(&USERS, &users).await?;
        sort(&mut rows, asked.sort_by.as_deref().unwrap_or("created_at"), descends);
        let total = rows.len() as i64;
        (paging.cut(rows), total)
    };
    count_keys(&room, &mut rows).await?;
    Ok(Json(paging.answer("users", rows, total)))
}

fn descends(asked: &Asked) -> Result<bool, Refusal> {
    if let Some(column) = asked.sort_by.as_deref()
        && !ORDERS.contains(&column)
    {
        let message = format!("Invalid sort column. Must be one of: {}", ORDERS.join(", "));
        return Err(Refusal::wrong(message));
    }
    match asked.sort_order.as_deref().map(str::to_lowercase).as_deref() {
        None | Some("asc") => Ok(false),
        Some("desc") => Ok(true),
        Some(_) => Err(Refusal::wrong("Invalid sort order. Must be 'asc' or 'desc'")),
    }
}

impl Asked {
    /// Whether the store can do it: it knows addresses and when a user was made.
    fn is_plain(&self) -> bool {
        let others = [&self.role, &self.user_ids, &self.sso_user_ids, &self.team];
        let by_age = self.sort_by.as_deref().is_none_or(|column| column == "created_at");
        by_age && others.into_iter().all(Option::is_none)
    }

    fn lets_through(&self, user: &Thing) -> bool {
        let among = |list: &Option<String>, own: Option<&str>| {
            list.as_deref().is_none_or(|list| list.split(',').any(|it| Some(it.trim()) == own))
        };
        let team = self.team.as_deref();
        let teams = user.doc.get("teams").and_then(Value::as_array);
        let is_in = |team: &str| teams.is_some_and(|teams| teams.iter().any(|own| *own == team));
        among(&self.user_ids, Some(&user.id))
            && among(&self.sso_user_ids, user.text("sso_user_id"))
            && self.role.as_deref().is_none_or(|role| user.text("user_role") == Some(role))
            && team.is_none_or(is_in)
    }
}

/// By a column; those that have nothing there come first.
pub(in crate::manage) fn sort(rows: &mut [Doc], column: &str, descends: bool) {
    rows.sort_by(|one, other| {
        let (one, other) = (one.get(column), other.get(column));
        let number = |value: Option<&Value>| value.and_then(Value::as_f64).unwrap_or(f64::MIN);
        let text = |value: Option<&Value>| {
            value.and_then(Value::as_str).unwrap_or_default().to_lowercase()
        };
        let order = number(one).total_cmp(&number(other));
        let order = order.then_with(|| text(one).cmp(&text(other)));
        if descends { order.reverse() } else { order }
    });
}

async fn count_keys(room: &Manage, rows: &mut [Doc]) -> Result<(), Refusal> {
    for row in rows {
        let user = row.get("user_id").and_then(Value::as_str).map(str::to_owned);
        let filter = Filter { user, ..Filter::default() };
        let count = room.store.count(Kind::Key, &filter).await?;
        row.insert("key_count".to_owned(), count.into());
    }
    Ok(())
}
