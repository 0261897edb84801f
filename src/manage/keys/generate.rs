//! `/key/generate`.
use super::fields::KeyFields;
use super::issue::{expires, issue};
use super::row::row;
use crate::manage::{Asked, Refusal, Room, Who};
use crate::store::Doc;
use axum::Json;
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
    Asked { fields, doc: _ }: Asked<KeyFields>,
) -> Result<Json<Doc>, Refusal> {
    who.admin("/key/generate")?;
    let mut doc = match serde_json::to_value(&fields) {
        Ok(Value::Object(doc)) => doc,
        _ => Doc::new(),
    };
    doc.retain(|_, value| !value.is_null());
    let mut change = room.store.change(who.actor()).await?;
    if let Some(duration) = &fields.duration {
        doc.insert("expires".to_owned(), expires(duration, change.now())?.into());
    }
    doc.insert("created_by".to_owned(), who.0.user.to_string().into());
    doc.insert("updated_by".to_owned(), who.0.user.to_string().into());
    let (thing, text) = issue(&mut change, doc, fields.key).await?;
    room.commit(change).await?;
    let mut shown = row(&thing, 0.0);
    shown.insert("key".to_owned(), text.into());
    shown.insert("token_id".to_owned(), thing.id.into());
    Ok(Json(shown))
}
