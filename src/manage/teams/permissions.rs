//! `/team/permissions_list` and `/team/permissions_update`.
use super::member_add::reached;
use super::row::team_row;
use crate::manage::{Asked, Query, Refusal, Room, Who};
use crate::store::Doc;
use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

/// What plain members may do with keys where nobody said anything.
const USUAL: [&str; 2] = ["/key/info", "/key/health"];

/// What they may be let do.
const ALL: [&str; 10] = [
    "/key/generate",
    "/key/update",
    "/key/delete",
    "/key/info",
    "/key/{key}/regenerate",
    "/key/service-account/generate",
    "/key/list",
    "/key/block",
    "/key/unblock",
    "/key/health",
];

/// Which team.
#[derive(Clone, Debug, Deserialize, IntoParams)]
pub(super) struct Team {
    /// The team's id.
    team_id: String,
}

/// What plain members of a team may do with its keys.
#[utoipa::path(
    get,
    path = "/team/permissions_list",
    params(Team),
    responses((
        status = 200,
        description = "`{team_id, team_member_permissions, all_available_permissions}`"
    ))
)]
pub(super) async fn list(
    room: Room,
    who: Who,
    Query(asked): Query<Team>,
) -> Result<Json<Value>, Refusal> {
    let mut change = room.store.change(who.actor()).await?;
    let team = reached(&mut change, &who, &asked.team_id, "/team/permissions_list").await?;
    let own = team.doc.get("team_member_permissions").cloned().unwrap_or_else(|| json!(USUAL));
    Ok(Json(json!({
        "team_id": team.id, "team_member_permissions": own, "all_available_permissions": ALL
    })))
}

/// What they may do from now on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Permissions {
    /// The team's id.
    team_id: String,
    /// Routes of keys.
    team_member_permissions: Vec<String>,
}

/// Says what plain members of a team may do with its keys.
#[utoipa::path(
    post,
    path = "/team/permissions_update",
    request_body = Permissions,
    responses(
        (status = 200, description = "The team"),
        (status = 403, description = "The caller is no admin of the team"),
    )
)]
pub(super) async fn update(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Permissions>,
) -> Result<Json<Doc>, Refusal> {
    let mut change = room.store.change(who.actor()).await?;
    let team = reached(&mut change, &who, &fields.team_id, "/team/permissions_update").await?;
    if let Some(other) = fields.team_member_permissions.iter().find(|it| !ALL.contains(&&***it)) {
        let message = format!("`{other}` is no permission. There are: {}", ALL.join(", "));
        return Err(Refusal::invalid(&["body", "team_member_permissions"], &message));
    }
    let mut doc = team.doc.clone();
    doc.insert("team_member_permissions".to_owned(), json!(fields.team_member_permissions));
    let team = change.update(&team, doc).await?;
    room.commit(change).await?;
    Ok(Json(team_row(&room, &team).await?))
}
