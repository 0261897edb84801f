//! `/key/generate` and `/key/service-account/generate`.
use super::confined::{configured, confine, known};
use super::fields::KeyFields;
use super::issue::issue;
use super::making::may_make;
use super::rights::{Delegate, Task};
use super::written::written;
use crate::manage::settled::settle;
use crate::manage::{Asked, Refusal, Room, Who};
use crate::store::Doc;
use axum::Json;
use bartizan_layers::facts::Scope;
use serde_json::Value;

/// Makes a key, and shows its text this once.
#[utoipa::path(
    post,
    path = "/key/generate",
    request_body = KeyFields,
    responses((status = 200, description = "The key and all its fields"))
)]
pub(super) async fn generate(
    room: Room,
    who: Who,
    asked: Asked<KeyFields>,
) -> Result<Json<Doc>, Refusal> {
    make(&room, &who, asked, Task::Generate).await
}

/// Makes a key that is a team's, and nobody's in it.
#[utoipa::path(
    post,
    path = "/key/service-account/generate",
    request_body = KeyFields,
    responses((status = 200, description = "The key and all its fields"))
)]
pub(super) async fn service(
    room: Room,
    who: Who,
    mut asked: Asked<KeyFields>,
) -> Result<Json<Doc>, Refusal> {
    Delegate::of(&who, Task::Service)?;
    if asked.fields.team_id.as_deref().is_none_or(str::is_empty) {
        let message = "team_id is required for service account keys. Please specify `team_id` in \
                       the request body.";
        return Err(Refusal::bad_request(message).param("team_id"));
    }
    asked.doc.remove("user_id");
    asked.fields.user_id = None;
    make(&room, &who, asked, Task::Service).await
}

async fn make(
    room: &Room,
    who: &Who,
    asked: Asked<KeyFields>,
    task: Task,
) -> Result<Json<Doc>, Refusal> {
    let delegate = Delegate::of(who, task)?;
    let mut change = room.store.change(who.actor()).await?;
    may_make(change.work(), who, &room.issuing.keys, &asked.doc).await?;
    let asked = configured(&room.issuing, asked)?;
    let mut doc = written(Doc::new(), &asked, change.now())?;
    match &delegate {
        Some(delegate) => {
            delegate.may_set(&asked, None)?;
            confine(change.work(), who, delegate, &mut doc, None).await?;
        }
        None => drop(known(change.work(), &doc).await?),
    }
    who.signs_new(&mut doc);
    doc.retain(|_, value| !matches!(value, Value::Null));
    let (key, text) = issue(&mut change, doc, asked.fields.key).await?;
    settle(&mut change, (Scope::Key, &key), None, asked.fields.spend).await?;
    room.commit(change).await?;
    Ok(Json(room.new_key_row(&key, text).await?))
}
