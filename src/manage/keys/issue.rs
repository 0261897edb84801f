//! How a key comes into being, whoever asked for it.
use crate::clock;
use crate::manage::Refusal;
use crate::store::{Change, Doc, Kind, StoreError, Thing};
use bartizan_layers::auth::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustix::rand::{GetRandomFlags, getrandom};

/// Makes a key with that document. Its text is the one that was asked for, or a new one; it is
/// told here and never again.
///
/// # Errors
///
/// If the text is none for a key, or another key has it or the alias.
pub(in crate::manage) async fn issue(
    change: &mut Change,
    mut doc: Doc,
    text: Option<String>,
) -> Result<(Thing, String), Refusal> {
    let text = match text {
        Some(text) if text.starts_with("sk-") => text,
        Some(_) => return Err(Refusal::bad_request("A key must begin with `sk-`.").param("key")),
        None => new_text()?,
    };
    let id: String = digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let last = text.get(text.len().saturating_sub(4)..).unwrap_or_default();
    doc.insert("key_name".to_owned(), format!("sk-...{last}").into());
    let thing = change.insert(Kind::Key, &id, doc).await.map_err(|error| match error {
        StoreError::Exists => {
            Refusal::bad_request("A key with this text or this alias exists already.").param("key")
        }
        error => error.into(),
    })?;
    Ok((thing, text))
}

/// When a key ends that lasts so long from `now`, in milliseconds since 1970.
///
/// # Errors
///
/// If it is no duration.
pub(in crate::manage) fn expires(duration: &str, now: i64) -> Result<String, Refusal> {
    Ok(clock::iso(now.saturating_add(lasting(duration)?)))
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
