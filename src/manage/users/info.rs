//! `/user/info`, and what else is asked of single users.
use super::row::USERS;
use crate::identity::Role;
use crate::manage::{Manage, Query, Refusal, Room, Who, teams};
use crate::store::{Doc, Filter, Kind, Page, Thing};
use axum::Json;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

/// Which user.
#[derive(Clone, Debug, Deserialize, IntoParams)]
pub(super) struct Asked {
    /// The user's id. Default: whose key asks; everything for an admin.
    user_id: Option<String>,
}

/// A user with its keys and teams.
#[utoipa::path(
    get,
    path = "/user/info",
    params(Asked),
    responses(
        (status = 200, description = "`{user_id, user_info, keys, teams}`"),
        (status = 403, description = "The caller is another user"),
        (status = 404, description = "There is no such user"),
    )
)]
pub(super) async fn info(
    room: Room,
    who: Who,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let Some(user) = whom(&room, &who, asked.user_id).await? else {
        return everything(&room).await.map(Json);
    };
    let filter = Filter { user: Some(user.id.clone()), ..Filter::default() };
    let keys = room.store.things(Kind::Key, &filter, Page::ALL).await?;
    let memberships = room.store.things(Kind::TeamMember, &filter, Page::ALL).await?;
    let mut teams = Vec::new();
    for membership in &memberships {
        let id = membership.text("team_id").unwrap_or_default();
        teams.extend(room.store.thing(Kind::Team, id).await?);
    }
    let shown = teams::with_memberships(&room, &teams, &memberships).await?;
    let row = room.row(&USERS, &user).await?;
    let keys = room.key_rows_with(&keys, &teams).await?;
    Ok(Json(json!({"user_id": user.id, "user_info": row, "keys": keys, "teams": shown})))
}

/// A user alone.
#[utoipa::path(
    get,
    path = "/v2/user/info",
    params(Asked),
    responses(
        (status = 200, description = "The user"),
        (status = 403, description = "The caller is another user"),
        (status = 404, description = "There is no such user"),
    )
)]
pub(super) async fn own_row(
    room: Room,
    who: Who,
    Query(asked): Query<Asked>,
) -> Result<Json<Doc>, Refusal> {
    let own = asked.user_id.or_else(|| who.user().map(str::to_owned));
    let Some(user) = whom(&room, &who, own).await? else { return Err(unknown("None")) };
    Ok(Json(room.row(&USERS, &user).await?))
}

/// The roles that a user may have.
#[utoipa::path(
    get,
    path = "/user/available_roles",
    responses((status = 200, description = "`{role: {description, ui_label}}`"))
)]
pub(super) async fn roles(who: Who) -> Result<Json<Value>, Refusal> {
    who.sees_all("/user/available_roles")?;
    Ok(Json(json!({
        "proxy_admin": {
            "description": "sees and changes everything", "ui_label": "Admin (All Permissions)"
        },
        "proxy_admin_viewer": {
            "description": "sees everything and changes nothing", "ui_label": "Admin (View Only)"
        },
        "internal_user": {
            "description": "sees and changes what is its own",
            "ui_label": "Internal User (Create/Delete/View)"
        },
        "internal_user_viewer": {
            "description": "sees what is its own", "ui_label": "Internal User (View Only)"
        },
    })))
}

/// The user that is asked for; `None` for an admin who names none.
async fn whom(room: &Manage, who: &Who, id: Option<String>) -> Result<Option<Thing>, Refusal> {
    let id = match id.filter(|id| !id.is_empty()) {
        Some(id) => Some(spelt(room, id).await?),
        None => None,
    };
    let id = match (id, who.user()) {
        (None, _) if who.role() == Role::Admin => return Ok(None),
        (None, Some(own)) => own.to_owned(),
        (None, None) => return Err(unknown("None")),
        (Some(id), own) if who.role().sees_all() || own == Some(&id) => id,
        (Some(id), own) => {
            let message = format!(
                "key not allowed to access this user's info. user_id={id}, key's user_id={}",
                own.unwrap_or("None")
            );
            return Err(Refusal::forbidden(message));
        }
    };
    match room.store.thing(Kind::User, &id).await? {
        Some(user) => Ok(Some(user)),
        None => Err(unknown(&id)),
    }
}

/// The id that is meant: a plus sign that stands in a query as it is reads as a space.
async fn spelt(room: &Manage, id: String) -> Result<String, Refusal> {
    if id.contains(' ') && room.store.thing(Kind::User, &id).await?.is_none() {
        return Ok(id.replace(' ', "+"));
    }
    Ok(id)
}

fn unknown(id: &str) -> Refusal {
    let message = format!("User {id} not found");
    Refusal::error(StatusCode::NOT_FOUND, "internal_server_error", message).param("None")
}

/// All teams and all keys, as LiteLLM shows them to an admin who names no user.
async fn everything(room: &Manage) -> Result<Value, Refusal> {
    let keys = room.store.things(Kind::Key, &Filter::default(), Page::ALL).await?;
    let teams = room.store.things(Kind::Team, &Filter::default(), Page::ALL).await?;
    let shown = room.rows(&teams::TEAMS, &teams).await?;
    let keys = room.key_rows_with(&keys, &teams).await?;
    Ok(json!({"user_id": null, "user_info": null, "keys": keys, "teams": shown}))
}
