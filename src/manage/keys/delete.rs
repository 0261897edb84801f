//! `/key/delete`.
use super::rights::{Delegate, Task};
use super::text::id_of;
use crate::manage::gone::disown;
use crate::manage::revoke::Revoked;
use crate::manage::{Asked, Manage, Refusal, Room, Who};
use crate::revocations::Deed;
use crate::store::{Change, Filter, Kind, StoreError, Thing};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// The keys that are to go, by their texts or digests, or by their aliases.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct Gone {
    keys: Option<Vec<String>>,
    key_aliases: Option<Vec<String>>,
}

/// Takes keys away, all or none, also while the store is away. From then on they open nothing.
#[utoipa::path(
    post,
    path = "/key/delete",
    request_body = Gone,
    responses((
        status = 200,
        description = "The keys that are gone, as they were told; with the header \
                       `x-bartizan-pending: store` while the store is away",
    ))
)]
pub(super) async fn delete(
    room: Room,
    who: Who,
    Asked { fields, .. }: Asked<Gone>,
) -> Result<Revoked<Value>, Refusal> {
    let (keys, aliases) = (fields.keys.unwrap_or_default(), fields.key_aliases.unwrap_or_default());
    if keys.is_empty() && aliases.is_empty() {
        return Err(Refusal::bad_request("Pass the `keys` or the `key_aliases` that are to go."));
    }
    let named = keys.into_iter().map(|key| (key, false));
    let named: Vec<_> = named.chain(aliases.into_iter().map(|alias| (alias, true))).collect();
    let known: Vec<_> = named.iter().flat_map(|told| room.known(told)).collect();
    let things: Vec<_> =
        known.iter().flat_map(|(_, id)| room.revocable(id, Deed::Delete)).collect();
    let told = || json!({"deleted_keys": Vec::from_iter(known.iter().map(|(told, _)| told))});
    room.revoking(&who, &things, gone(&room, &who, &named), told).await
}

impl Manage {
    /// A key as it was told, and its id, without a word of the store.
    fn known(&self, (told, is_alias): &(String, bool)) -> Option<(String, String)> {
        let id = match is_alias {
            true => self.directory.key_called(told)?.holder.id.to_string(),
            false => id_of(told),
        };
        (!self.revocable(&id, Deed::Delete).is_empty()).then(|| (told.clone(), id))
    }
}

async fn gone(room: &Room, who: &Who, named: &[(String, bool)]) -> Result<Value, Refusal> {
    let delegate = Delegate::of(who, Task::Delete)?;
    let mut change = room.store.change(who.actor()).await?;
    let mut deleted = Vec::new();
    for (told, is_alias) in named {
        let Some(key) = found(&mut change, told, *is_alias).await? else { continue };
        if let Some(delegate) = &delegate {
            delegate.check(change.work(), &key).await?;
        }
        remove(&mut change, &key.id).await?;
        deleted.push(told);
    }
    if deleted.is_empty() {
        let kind = "not_found_error";
        return Err(Refusal::python(StatusCode::NOT_FOUND, kind, "error", "No keys found"));
    }
    room.commit(change).await?;
    Ok(json!({"deleted_keys": deleted}))
}

async fn found(change: &mut Change, told: &str, alias: bool) -> Result<Option<Thing>, StoreError> {
    if !alias {
        return change.work().thing(Kind::Key, &id_of(told)).await;
    }
    let filter = Filter { alias: Some(told.to_owned()), ..Filter::default() };
    Ok(change.work().things(Kind::Key, &filter).await?.into_iter().next())
}

/// Takes a key away with its accounts: nobody who gets its text later begins with a debt.
///
/// # Errors
///
/// As the store says.
pub(super) async fn remove(change: &mut Change, id: &str) -> Result<(), Refusal> {
    change.delete(Kind::Key, id).await?;
    change.work().forget_key(id).await?;
    disown(change, Kind::Key, id).await
}
