//! `/key/update` and `/key/bulk_update`.
use super::confined::{capped, confine, known};
use super::fields::KeyFields;
use super::issue::{free_alias, taken};
use super::rights::{Delegate, Task};
use super::text::id_of;
use super::unknown;
use super::written::written;
use crate::manage::revoke::Revoked;
use crate::manage::settled::settle;
use crate::manage::{Asked, Refusal, Room, Who};
use crate::revocations::Deed;
use crate::store::{Change, Doc, Kind, Thing};
use axum::Json;
use bartizan_layers::facts::Scope;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// Keys that are changed by one request at most.
const MOST: usize = 500;

/// Changes a key: what is not said stays, `null` takes a field away.
#[utoipa::path(
    post,
    path = "/key/update",
    request_body = KeyFields,
    responses((status = 200, description = "The key with all its fields"))
)]
pub(super) async fn update(
    room: Room,
    who: Who,
    asked: Asked<KeyFields>,
) -> Result<Revoked<Doc>, Refusal> {
    let delegate = Delegate::of(&who, Task::Update)?;
    let work = changed(&room, &who, delegate.as_ref(), &asked);
    // Only that it is blocked can wait for the store.
    let blocks = asked.doc.get("blocked") == Some(&true.into());
    let is_all = asked.doc.keys().all(|name| matches!(&**name, "key" | "blocked"));
    let Some(key) = asked.fields.key.as_deref().filter(|_| blocks && is_all) else {
        return work.await.map(Revoked::done);
    };
    let id = id_of(key);
    let told = || {
        let mut row = room.blocked_row(&id);
        row.insert("key".to_owned(), key.into());
        row
    };
    room.revoking(&who, &room.revocable(&id, Deed::Block), work, told).await
}

/// The keys that are to be changed, each with its fields.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Many {
    #[schema(value_type = Vec<KeyFields>)]
    keys: Vec<Doc>,
}

/// Changes several keys, each for itself.
#[utoipa::path(
    post,
    path = "/key/bulk_update",
    request_body = Many,
    responses((status = 200, description = "Which were changed, and which not"))
)]
pub(super) async fn bulk(
    room: Room,
    who: Who,
    Asked { fields, .. }: Asked<Many>,
) -> Result<Json<Value>, Refusal> {
    who.admin("/key/bulk_update")?;
    if fields.keys.is_empty() {
        return Err(Refusal::bad_request("No keys provided for update").param("keys"));
    }
    if fields.keys.len() > MOST {
        let message = format!("Maximum {MOST} keys can be updated at once");
        return Err(Refusal::bad_request(message).param("keys"));
    }
    let total = fields.keys.len();
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for doc in fields.keys {
        let key = doc.get("key").cloned();
        let made = match Asked::of(doc) {
            Ok(asked) => changed(&room, &who, None, &asked).await,
            Err(refusal) => Err(refusal),
        };
        match made {
            Ok(row) => done.push(json!({"key": key, "key_info": row})),
            Err(refusal) => {
                let reason = refusal.message();
                failed.push(json!({"key": key, "key_info": null, "failed_reason": reason}));
            }
        }
    }
    Ok(Json(json!({
        "total_requested": total, "successful_updates": done, "failed_updates": failed,
    })))
}

async fn changed(
    room: &Room,
    who: &Who,
    delegate: Option<&Delegate<'_>>,
    asked: &Asked<KeyFields>,
) -> Result<Doc, Refusal> {
    let Some(key) = asked.fields.key.as_deref() else {
        return Err(Refusal::invalid(&["body", "key"], "Field required"));
    };
    let mut change = room.store.change(who.actor()).await?;
    let before = change.work().thing(Kind::Key, &id_of(key)).await?.ok_or_else(unknown)?;
    let mut doc = rewritten(room, &mut change, who, delegate, &before, asked).await?;
    free_alias(&mut change, &doc, &before.id).await?;
    who.signs(&mut doc);
    let after = change.update(&before, doc).await.map_err(taken)?;
    let spend = asked.fields.spend;
    settle(&mut change, (Scope::Key, &after), Some(&before.doc), spend).await?;
    room.commit(change).await?;
    let mut row = room.key_row(&after).await?;
    row.insert("key".to_owned(), key.into());
    Ok(row)
}

/// The document of a key as a request wants it, where the one who asks may want that.
///
/// # Errors
///
/// If not.
pub(super) async fn rewritten(
    room: &Room,
    change: &mut Change,
    who: &Who,
    delegate: Option<&Delegate<'_>>,
    before: &Thing,
    asked: &Asked<KeyFields>,
) -> Result<Doc, Refusal> {
    if let Some(delegate) = delegate {
        delegate.check(change.work(), before).await?;
        delegate.may_set(asked, Some(before))?;
        capped(&room.issuing, &asked.doc)?;
    }
    let mut doc = written(before.doc.clone(), asked, change.now())?;
    match delegate {
        Some(delegate) => confine(change.work(), who, delegate, &mut doc, Some(before)).await?,
        None => {
            // What it refers to may be gone since; that is no reason not to change the rest.
            let mut new = doc.clone();
            new.retain(|name, _| asked.doc.contains_key(name));
            known(change.work(), &new).await?;
        }
    }
    Ok(doc)
}
