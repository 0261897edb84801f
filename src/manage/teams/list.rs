//! `/team/list`, `/v2/team/list`, `/team/available`.
use super::row::{TEAMS, with_memberships};
use crate::manage::paging::Paging;
use crate::manage::users::sort;
use crate::manage::{Manage, Query, Refusal, Room, Who};
use crate::store::{Doc, Filter, Kind, Page, Thing};
use axum::Json;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use utoipa::IntoParams;

/// Which teams, and in which order.
#[derive(Clone, Debug, Deserialize, IntoParams)]
pub(super) struct Asked {
    /// Those of this user. Default: of whom asks, unless that is an admin.
    user_id: Option<String>,
    /// Those of this organisation; `default_organization` is none.
    organization_id: Option<String>,
    /// The one with this id.
    team_id: Option<String>,
    /// Those with this text somewhere in the alias.
    team_alias: Option<String>,
    /// Which page, from 1.
    page: Option<i64>,
    /// How many on each, 100 at most. Default 10.
    page_size: Option<i64>,
    /// `team_id`, `team_alias` or `created_at`.
    sort_by: Option<String>,
    /// `asc` or `desc`.
    sort_order: Option<String>,
}

/// Teams with their members and keys.
#[utoipa::path(
    get,
    path = "/team/list",
    params(Asked),
    responses((status = 200, description = "A list of teams"))
)]
pub(super) async fn list(
    room: Room,
    who: Who,
    Query(asked): Query<Asked>,
) -> Result<Json<Vec<Doc>>, Refusal> {
    let user = whose(&who, &asked)?;
    let teams = teams(&room, &asked, user.as_deref()).await?;
    let filter = Filter { user, ..Filter::default() };
    let places = room.store.things(Kind::TeamMember, &filter, Page::ALL).await?;
    let mut rows = with_memberships(&room, &teams, &places).await?;
    let keys = keys(&room, &teams).await?;
    for row in &mut rows {
        let own = row.get("team_id").and_then(Value::as_str).and_then(|id| keys.get(id));
        let own = own.cloned().unwrap_or_default();
        row.insert("keys".to_owned(), own.into());
    }
    Ok(Json(rows))
}

/// The keys of teams, by team.
async fn keys(room: &Manage, teams: &[Thing]) -> Result<HashMap<String, Vec<Value>>, Refusal> {
    let mut keys: HashMap<String, Vec<Value>> = HashMap::new();
    for team in teams {
        let filter = Filter { team: Some(team.id.clone()), ..Filter::default() };
        let own = room.store.things(Kind::Key, &filter, Page::ALL).await?;
        let rows = room.key_rows_with(&own, std::slice::from_ref(team)).await?;
        keys.insert(team.id.clone(), rows.into_iter().map(Value::Object).collect());
    }
    Ok(keys)
}

/// Teams, by pages.
#[utoipa::path(
    get,
    path = "/v2/team/list",
    params(Asked),
    responses((status = 200, description = "`{teams, total, page, page_size, total_pages}`"))
)]
pub(super) async fn pages(
    room: Room,
    who: Who,
    Query(asked): Query<Asked>,
) -> Result<Json<Doc>, Refusal> {
    let user = whose(&who, &asked)?;
    let paging = Paging::new(asked.page, asked.page_size, 10)?;
    if let Some(user) = &user
        && room.store.thing(Kind::User, user).await?.is_none()
    {
        let message = format!("User not found, passed user_id={user}");
        return Err(Refusal::because(StatusCode::NOT_FOUND, message));
    }
    let teams = teams(&room, &asked, user.as_deref()).await?;
    let total = teams.len() as i64;
    let mut rows = room.rows(&TEAMS, &teams).await?;
    let known = |column: &&str| ["team_id", "team_alias", "created_at"].contains(column);
    let column = asked.sort_by.as_deref().filter(known);
    // The youngest come first where nothing else is asked for.
    let descends = match asked.sort_order.as_deref().map(str::to_lowercase).as_deref() {
        Some("desc") => true,
        _ => column.is_none(),
    };
    sort(&mut rows, column.unwrap_or("created_at"), descends);
    Ok(Json(paging.answer("teams", paging.cut(rows), total)))
}

/// The teams that one may join who is none of them, as the config says.
#[utoipa::path(
    get,
    path = "/team/available",
    responses((status = 200, description = "A list of teams"))
)]
pub(super) async fn available(room: Room, who: Who) -> Result<Json<Vec<Doc>>, Refusal> {
    let offered = room.issuing.users.params.get("available_teams").and_then(Value::as_array);
    let Some(offered) = offered else {
        let message = "No available teams for user to join. \
            `litellm_settings.default_internal_user_params.available_teams` names them.";
        return Err(Refusal::wrong(message));
    };
    let user = who.user().unwrap_or_default();
    let Some(user) = room.store.thing(Kind::User, user).await? else {
        return Err(Refusal::because(StatusCode::NOT_FOUND, "User not found"));
    };
    let own = user.doc.get("teams").and_then(Value::as_array);
    let offered = offered.iter().filter(|team| !own.is_some_and(|own| own.contains(team)));
    let mut teams = Vec::new();
    for id in offered.filter_map(Value::as_str) {
        teams.extend(room.store.thing(Kind::Team, id).await?);
    }
    Ok(Json(room.rows(&TEAMS, &teams).await?))
}

/// Whose teams are asked for; `None` is everyone's.
fn whose(who: &Who, asked: &Asked) -> Result<Option<String>, Refusal> {
    let user = asked.user_id.as_deref().filter(|user| !user.is_empty());
    match (user, who.user()) {
        (user, _) if who.role().sees_all() => Ok(user.map(str::to_owned)),
        (Some(user), own) if own == Some(user) => Ok(Some(user.to_owned())),
        _ => {
            let role = who.role().name().unwrap_or("unknown");
            let message =
                format!("Only admin users can query all teams/other teams. Your user role={role}");
            Err(Refusal::because(StatusCode::UNAUTHORIZED, message))
        }
    }
}

/// The teams that are asked for.
async fn teams(room: &Manage, asked: &Asked, user: Option<&str>) -> Result<Vec<Thing>, Refusal> {
    let told = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let organization = told(&asked.organization_id);
    let none = organization.as_deref() == Some("default_organization");
    let filter = Filter {
        organization: organization.filter(|_| !none),
        id: told(&asked.team_id),
        alias_has: told(&asked.team_alias),
        ..Filter::default()
    };
    let mut teams = room.store.things(Kind::Team, &filter, Page::ALL).await?;
    teams.retain(|team| !none || team.text("organization_id").is_none());
    if let Some(user) = user {
        teams.retain(|team| super::has(&team.doc, user, None));
    }
    Ok(teams)
}
