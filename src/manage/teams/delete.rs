//! `/team/delete`.
use super::{not_there, roster, team_of};
use crate::manage::gone::{remove, remove_all, remove_member, shared_budget};
use crate::manage::{Asked, Refusal, Room, Who};
use crate::store::{Change, Filter, Kind, Thing};
use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Which teams.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub(super) struct Teams {
    /// Their ids.
    team_ids: Vec<String>,
}

/// Takes teams away, with their keys, and off their members.
#[utoipa::path(
    post,
    path = "/team/delete",
    request_body = Teams,
    responses(
        (status = 200, description = "`{deleted_teams}`"),
        (status = 404, description = "One is not there; then all stay"),
    )
)]
pub(super) async fn delete(
    room: Room,
    who: Who,
    Asked { fields, doc: _ }: Asked<Teams>,
) -> Result<Json<Value>, Refusal> {
    who.admin("/team/delete")?;
    let mut change = room.store.change(who.actor()).await?;
    for id in &fields.team_ids {
        let team = team_of(&mut change, id).await?.ok_or_else(|| not_there(id))?;
        take(&mut change, &team).await?;
    }
    room.commit(change).await?;
    Ok(Json(json!({"deleted_teams": fields.team_ids})))
}

/// Takes one team away.
///
/// # Errors
///
/// As the store says.
pub(in crate::manage) async fn take(change: &mut Change, team: &Thing) -> Result<(), Refusal> {
    for member in roster::members(&team.doc) {
        if let Some(user) = member["user_id"].as_str() {
            remove_member(change, team, user).await?;
        }
    }
    let filter = Filter { team: Some(team.id.clone()), ..Filter::default() };
    remove_all(change, Kind::Key, &filter).await?;
    if let Some(budget) = shared_budget(&team.doc) {
        remove(change, Kind::Budget, budget).await?;
    }
    remove(change, Kind::Team, &team.id).await?;
    Ok(())
}
