//! `/team/new`.
use super::fields::{TeamFields, into_metadata};
use super::roster::{Member, Rank, enlist, has, known, seat};
use super::row::team_row;
use super::shared::share;
use crate::manage::bounds::{check_bounds, id_or_new};
use crate::manage::organizations::{check_within, is_admin};
use crate::manage::{Asked, Manage, Refusal, Room, Who};
use crate::store::{Change, Doc, Kind};
use axum::Json;
use http::StatusCode;

/// Makes a team. Whoever makes it is an admin there.
#[utoipa::path(
    post,
    path = "/team/new",
    request_body = TeamFields,
    responses(
        (status = 200, description = "The team"),
        (status = 400, description = "There is one with this id, or its organisation has less"),
    )
)]
pub(super) async fn new(
    room: Room,
    who: Who,
    asked: Asked<TeamFields>,
) -> Result<Json<Doc>, Refusal> {
    let wrong = |error: String| Refusal::internal(StatusCode::BAD_REQUEST, error);
    let fields = &asked.fields;
    let mut change = room.store.change(who.actor()).await?;
    may(&mut change, &who, fields.organization_id.as_deref(), "/team/new").await?;
    let id = id_or_new("team_id", fields.team_id.as_deref()).map_err(wrong)?;
    if change.work().thing(Kind::Team, &id).await?.is_some() {
        let message = format!("Team id = {id} already exists. Please use a different team id.");
        return Err(wrong(message));
    }
    let mut doc = document(&room, &asked);
    check_bounds(&doc).map_err(wrong)?;
    check_within(&mut change, &doc).await?;
    share(&mut change, &who, (&id, &mut doc), (fields, &asked.doc)).await?;
    fill(&mut change, &who, (&id, &mut doc), fields.members_with_roles.as_deref()).await?;
    into_metadata(&mut doc, None);
    let team = change.insert(Kind::Team, id, doc).await?;
    room.commit(change).await?;
    Ok(Json(team_row(&room, &team).await?))
}

/// Goes on for the proxy's admins and those of the organisation.
///
/// # Errors
///
/// 401 for all others, as LiteLLM tells it.
pub(super) async fn may(
    change: &mut Change,
    who: &Who,
    organization: Option<&str>,
    route: &str,
) -> Result<(), Refusal> {
    match organization {
        Some(organization) if is_admin(change, who, organization).await? => Ok(()),
        _ => who.admin(route),
    }
}

/// What is kept of it, with what the config gives to those of whom nothing else was said.
fn document(room: &Manage, asked: &Asked<TeamFields>) -> Doc {
    let mut doc = asked.said();
    doc.retain(|_, value| !value.is_null());
    for (name, value) in &room.issuing.teams {
        doc.entry(name.as_str()).or_insert_with(|| value.clone());
    }
    doc
}

/// Lets the first members in, and whoever makes the team.
async fn fill(
    change: &mut Change,
    who: &Who,
    (id, team): (&str, &mut Doc),
    members: Option<&[Member]>,
) -> Result<(), Refusal> {
    for member in members.unwrap_or_default() {
        let user = known(change, member).await?;
        if user.is_some_and(|user| has(team, &user.id, None)) {
            continue;
        }
        let place = seat(change, who, (id, team), member, None).await?;
        enlist(team, &[place]);
    }
    let Some(own) = who.user().filter(|user| !has(team, user, None)) else { return Ok(()) };
    let own = Member { user_id: Some(own.to_owned()), user_email: None, role: Rank::Admin };
    let place = seat(change, who, (id, team), &own, None).await?;
    enlist(team, &[place]);
    Ok(())
}
