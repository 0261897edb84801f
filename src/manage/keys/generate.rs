//! `/key/generate`.
use super::fields::KeyFields;
use super::row::row;
use crate::clock;
use crate::manage::{Asked, Refusal, Room, Who};
use crate::store::{Doc, Kind, StoreError};
use axum::Json;
use bartizan_layers::auth::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustix::rand::{GetRandomFlags, getrandom};
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
    let text = match &fields.key {
        Some(text) if text.starts_with("sk-") => text.clone(),
        Some(_) => return Err(Refusal::bad_request("A key must begin with `sk-`.").param("key")),
        None => new_text()?,
    };
    let id: String = digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut doc = match serde_json::to_value(&fields) {
        Ok(Value::Object(doc)) => doc,
        _ => Doc::new(),
    };
    doc.retain(|_, value| !value.is_null());
    let mut change = room.store.change(who.actor()).await?;
    let lasts = fields.duration.as_deref().map(lasting).transpose()?;
    let expires = lasts.map(|millis| clock::iso(change.now().saturating_add(millis)));
    let last = text.len().saturating_sub(4);
    doc.insert(
        "key_name".to_owned(),
        format!("sk-...{}", text.get(last..).unwrap_or_default()).into(),
    );
    doc.extend(expires.map(|time| ("expires".to_owned(), time.into())));
    doc.insert("created_by".to_owned(), who.0.user.to_string().into());
    doc.insert("updated_by".to_owned(), who.0.user.to_string().into());
    let thing = change.insert(Kind::Key, &id, doc).await.map_err(|error| match error {
        StoreError::Exists => {
            Refusal::bad_request("A key with this text or this alias exists already.").param("key")
        }
        error => error.into(),
    })?;
    room.commit(change).await?;
    let mut shown = row(&thing, 0.0);
    shown.insert("key".to_owned(), text.into());
    shown.insert("token_id".to_owned(), id.into());
    Ok(Json(shown))
}

/// 128 random bits of the operating system, as LiteLLM writes them.
fn new_text() -> Result<String, Refusal> {
    let mut bits = [0; 16];
    let filled = getrandom(&mut bits, GetRandomFlags::empty());
    if filled.is_ok_and(|bytes| bytes == bits.len()) {
        return Ok(format!("sk-{}", URL_SAFE_NO_PAD.encode(bits)));
    }
    Err(Refusal::error(
        http::StatusCode::INTERNAL_SERVER_ERROR,
        "internal_server_error",
        "The system gives no random bits.",
    ))
}

/// Milliseconds of `30s`, `30m`, `30h`, `30d`, `2w`, `1mo` (30 days).
fn lasting(text: &str) -> Result<i64, Refusal> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: Option<i64> = text.strip_suffix(unit).and_then(|number| number.parse().ok());
    let seconds = match unit {
        "s" => Some(1),
        "m" => Some(60),
        "h" => Some(3_600),
        "d" => Some(86_400),
        "w" => Some(7 * 86_400),
        "mo" => Some(30 * 86_400),
        _ => None,
    };
    let millis = seconds.and_then(|each| number?.checked_mul(each)?.checked_mul(1000));
    millis.ok_or_else(|| {
        let message = format!("`{text}` is no duration: write a number and s, m, h, d, w or mo.");
        Refusal::bad_request(message).param("duration")
    })
}
