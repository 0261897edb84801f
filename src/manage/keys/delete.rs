//! `/key/delete`.
use super::rights::{Delegate, Task};
use super::text::id_of;
use crate::manage::gone::disown;
use crate::manage::{Asked, Refusal, Room, Who};
use crate::store::{Change, Filter, Kind, StoreError, Thing};
use axum::Json;
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

/// Takes keys away, all or none. From then on they open nothing.
#[utoipa::path(
    post,
    path = "/key/delete",
    request_body = Gone,
    responses((status = 200, description = "The keys that are gone, as they were told"))
)]
pub(super) async fn delete(
    room: Room,
    who: Who,
    Asked { fields, .. }: Asked<Gone>,
) -> Result<Json<Value>, Refusal> {
    let delegate = Delegate::of(&who, Task::Delete)?;
    let (keys, aliases) = (fields.keys.unwrap_or_default(), fields.key_aliases.unwrap_or_default());
    if keys.is_empty() && aliases.is_empty() {
        return Err(Refusal::bad_request("Pass the `keys` or the `key_aliases` that are to go."));
    }
    let mut change = room.store.change(who.actor()).await?;
    let mut deleted = Vec::new();
    let named = keys.into_iter().map(|key| (key, false));
    for (told, is_alias) in named.chain(aliases.into_iter().map(|alias| (alias, true))) {
        let Some(key) = found(&mut change, &told, is_alias).await? else { continue };
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
    Ok(Json(json!({"deleted_keys": deleted})))
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
