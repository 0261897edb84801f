//! `/key/regenerate` and `/key/{key}/regenerate`: another text for the same key.
use super::fields::KeyFields;
use super::issue::issue;
use super::rights::{Delegate, Task};
use super::spend;
use super::text::id_of;
use super::unknown;
use super::update::rewritten;
use crate::identity::Tenant;
use crate::manage::settled::settle;
use crate::manage::{Asked, Refusal, Room, Who};
use crate::store::{Doc, Kind};
use axum::Json;
use axum::extract::Path;
use bartizan_layers::facts::Scope;
use http::StatusCode;
use serde_json::Value;

/// Gives a key another text, which is shown this once; the old one opens nothing from then on. What
/// was spent stays. Fields can be changed with it, as by `/key/update`.
#[utoipa::path(
    post,
    path = "/key/regenerate",
    request_body = KeyFields,
    responses((status = 200, description = "The key and all its fields"))
)]
pub(super) async fn regenerate(
    room: Room,
    who: Who,
    asked: Asked<KeyFields>,
) -> Result<Json<Doc>, Refusal> {
    let Some(key) = asked.fields.key.clone() else {
        Delegate::of(&who, Task::Regenerate)?;
        return Err(Refusal::bad_request("Pass the `key` that is to be made anew.").param("key"));
    };
    Ok(Json(renew(&room, &who, &key, asked).await?))
}

/// What is done to the key that stands in the path. Its text may hold slashes.
pub(super) async fn of_path(
    room: Room,
    who: Who,
    Path(path): Path<String>,
    asked: Asked<Doc>,
) -> Result<Json<Value>, Refusal> {
    if let Some(key) = path.strip_suffix("/regenerate") {
        let asked = Asked::of(asked.doc)?;
        return Ok(Json(renew(&room, &who, key, asked).await?.into()));
    }
    if let Some(key) = path.strip_suffix("/reset_spend") {
        return Ok(Json(spend::reset(&room, &who, key, asked.doc).await?));
    }
    Err(Refusal::detail(StatusCode::NOT_FOUND, "Not Found"))
}

async fn renew(room: &Room, who: &Who, key: &str, asked: Asked<KeyFields>) -> Result<Doc, Refusal> {
    let delegate = Delegate::of(who, Task::Regenerate)?;
    let mut change = room.store.change(who.actor()).await?;
    let before = change.work().thing(Kind::Key, &id_of(key)).await?.ok_or_else(unknown)?;
    let doc = rewritten(room, &mut change, who, delegate.as_ref(), &before, &asked).await;
    let mut doc = doc?;
    who.signs(&mut doc);
    change.delete(Kind::Key, &before.id).await?;
    let (after, text) = issue(&mut change, doc, asked.fields.new_key).await?;
    change.work().carry_accounts(&before.id, &after.id).await?;
    let [from, to] = [&before.id, &after.id].map(|id| Tenant::key(id));
    change.work().carry_objects(from.name(), to.name()).await?;
    let spend = asked.fields.spend;
    settle(&mut change, (Scope::Key, &after), Some(&before.doc), spend).await?;
    // What is carried over is told as if it had been set.
    for account in change.work().accounts_of_key(&after.id).await? {
        change.set_account(account).await?;
    }
    room.commit(change).await?;
    room.new_key_row(&after, text).await
}
