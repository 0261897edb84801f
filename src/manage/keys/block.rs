//! `/key/block` and `/key/unblock`.
use super::rights::{Standing, standing};
use super::text::id_of;
use super::unknown;
use crate::identity::Role;
use crate::manage::{Asked, Refusal, Room, Who};
use crate::store::{Change, Doc, Kind, Thing};
use axum::Json;
use serde::Deserialize;
use utoipa::ToSchema;

/// Which key is meant, by its text or its digest.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Which {
    key: String,
}

/// Stops a key until it is unblocked.
#[utoipa::path(
    post,
    path = "/key/block",
    request_body = Which,
    responses((status = 200, description = "The key with all its fields"))
)]
pub(super) async fn block(
    room: Room,
    who: Who,
    Asked { fields, .. }: Asked<Which>,
) -> Result<Json<Doc>, Refusal> {
    set(&room, &who, &fields.key, true).await
}

/// Lets a key be used again.
#[utoipa::path(
    post,
    path = "/key/unblock",
    request_body = Which,
    responses((status = 200, description = "The key with all its fields"))
)]
pub(super) async fn unblock(
    room: Room,
    who: Who,
    Asked { fields, .. }: Asked<Which>,
) -> Result<Json<Doc>, Refusal> {
    set(&room, &who, &fields.key, false).await
}

async fn set(room: &Room, who: &Who, key: &str, blocked: bool) -> Result<Json<Doc>, Refusal> {
    let route = if blocked { "/key/block" } else { "/key/unblock" };
    if who.role() != Role::User {
        who.admin(route)?;
    }
    let mut change = room.store.change(who.actor()).await?;
    let before = change.work().thing(Kind::Key, &id_of(key)).await?.ok_or_else(unknown)?;
    may_block(&mut change, who, &before, route).await?;
    let mut doc = before.doc.clone();
    doc.insert("blocked".to_owned(), blocked.into());
    who.signs(&mut doc);
    let after = change.update(&before, doc).await?;
    room.commit(change).await?;
    Ok(Json(room.key_row(&after).await?))
}

/// Whether somebody may block a key: an admin, or one of its team.
///
/// # Errors
///
/// If not.
pub(super) async fn may_block(
    change: &mut Change,
    who: &Who,
    key: &Thing,
    route: &str,
) -> Result<(), Refusal> {
    let Err(refusal) = who.admin(route) else { return Ok(()) };
    let team = key.text("team_id").filter(|_| who.role() == Role::User);
    let (Some(team), Some(user)) = (team, who.user()) else { return Err(refusal) };
    let team = change.work().thing(Kind::Team, team).await?;
    let as_what = team.and_then(|team| standing(&team, user));
    if as_what == Some(Standing::Admin) { Ok(()) } else { Err(refusal) }
}
