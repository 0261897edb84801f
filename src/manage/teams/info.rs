//! `/team/info`.
use super::access::sees;
use super::row::{memberships, team_row};
use crate::manage::gone::shared_budget;
use crate::manage::shown::BUDGETS;
use crate::manage::{Query, Refusal, Room, Who};
use crate::store::{Filter, Kind, Page};
use axum::Json;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

/// Which team.
#[derive(Clone, Debug, Deserialize, IntoParams)]
pub(super) struct Asked {
    /// The team's id.
    team_id: Option<String>,
}

/// A team with its keys and members.
#[utoipa::path(
    get,
    path = "/team/info",
    params(Asked),
    responses(
        (status = 200, description = "`{team_id, team_info, keys, team_memberships}`"),
        (status = 403, description = "The caller is not of this team"),
        (status = 404, description = "There is no such team"),
    )
)]
pub(super) async fn info(
    room: Room,
    who: Who,
    Query(asked): Query<Asked>,
) -> Result<Json<Value>, Refusal> {
    let failed = |status, message: &str| Refusal::python(status, "auth_error", "message", message);
    let Some(id) = asked.team_id else {
        let message = "Malformed request. No team id passed in.";
        return Err(failed(StatusCode::UNPROCESSABLE_ENTITY, message));
    };
    let Some(team) = room.store.thing(Kind::Team, &id).await? else {
        let message = format!("Team not found, passed team id: {id}.");
        return Err(failed(StatusCode::NOT_FOUND, &message));
    };
    sees(&who, &team)?;
    let filter = Filter { team: Some(id.clone()), ..Filter::default() };
    let keys = room.store.things(Kind::Key, &filter, Page::ALL).await?;
    let members = room.store.things(Kind::TeamMember, &filter, Page::ALL).await?;
    let mut row = team_row(&room, &team).await?;
    if let Some(budget) = shared_budget(&team.doc) {
        let budget = room.store.thing(Kind::Budget, budget).await?;
        let budget = budget.map(|budget| BUDGETS.row(&budget));
        row.insert("team_member_budget_table".to_owned(), budget.into());
    }
    let keys = room.key_rows_with(&keys, std::slice::from_ref(&team)).await?;
    let places = memberships(&room, &members).await?;
    Ok(Json(json!({
        "team_id": id, "team_info": row, "keys": keys, "team_memberships": places
    })))
}
