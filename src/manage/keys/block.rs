//! `/key/block` and `/key/unblock`.
use super::rights::{Standing, standing};
use super::text::id_of;
use super::unknown;
use crate::identity::Role;
use crate::manage::revoke::Revoked;
use crate::manage::{Asked, Manage, Refusal, Room, Who};
use crate::revocations::Deed;
use crate::store::{Change, Doc, Kind, Thing};
use axum::Json;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Which key is meant, by its text or its digest.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Which {
    key: String,
}

/// Stops a key until it is unblocked, also while the store is away.
#[utoipa::path(
    post,
    path = "/key/block",
    request_body = Which,
    responses((
        status = 200,
        description = "The key with all its fields; with the header `x-bartizan-pending: store`, \
                       while the store is away, those that are known",
    ))
)]
pub(super) async fn block(
    room: Room,
    who: Who,
    Asked { fields, .. }: Asked<Which>,
) -> Result<Revoked<Doc>, Refusal> {
    let id = id_of(&fields.key);
    let things = room.revocable(&id, Deed::Block);
    let work = set(&room, &who, &fields.key, true);
    room.revoking(&who, &things, work, || room.blocked_row(&id)).await
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
    set(&room, &who, &fields.key, false).await.map(Json)
}

impl Manage {
    /// A key that is to be revoked; nothing, where it is known that there is none.
    pub(super) fn revocable(&self, id: &str, deed: Deed) -> Vec<(Kind, String, Deed)> {
        let is_known = !self.directory.is_complete() || self.directory.key_of(id).is_some();
        let named = is_known.then(|| (Kind::Key, id.to_owned(), deed));
        named.into_iter().collect()
    }

    /// What is known of a key that is blocked, without a word of the store.
    pub(super) fn blocked_row(&self, id: &str) -> Doc {
        let key = self.directory.key_of(id);
        let alias = key.as_ref().and_then(|key| key.holder.alias.as_deref());
        let row = json!({"token": id, "key_alias": alias, "blocked": true});
        match row {
            Value::Object(row) => row,
            _ => Doc::new(),
        }
    }
}

async fn set(room: &Room, who: &Who, key: &str, blocked: bool) -> Result<Doc, Refusal> {
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
    room.key_row(&after).await
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
