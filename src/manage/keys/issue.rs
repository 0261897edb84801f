//! How a key comes into being, whoever asked for it.
use super::text::{chosen, id_of, name_of};
use crate::clock;
use crate::manage::Refusal;
use crate::store::{Change, Doc, Filter, Kind, StoreError, Thing};
use serde_json::Value;

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
    let text = chosen(text.as_deref())?;
    let id = id_of(&text);
    if change.work().thing(Kind::Key, &id).await?.is_some() {
        let message = "A key with this text exists already. Choose another one.";
        return Err(Refusal::bad_request(message).param("key"));
    }
    free_alias(change, &doc, &id).await?;
    doc.insert("key_name".to_owned(), name_of(&text).into());
    let thing = change.insert(Kind::Key, &id, doc).await.map_err(taken)?;
    Ok((thing, text))
}

/// Whether the key with that id may have the alias in its document: no two have the same.
///
/// # Errors
///
/// If another key has it.
pub(super) async fn free_alias(change: &mut Change, doc: &Doc, id: &str) -> Result<(), Refusal> {
    let Some(alias) = doc.get("key_alias").and_then(Value::as_str) else { return Ok(()) };
    let filter = Filter { alias: Some(alias.to_owned()), ..Filter::default() };
    let others = change.work().things(Kind::Key, &filter).await?;
    if others.iter().all(|other| other.id == id) {
        return Ok(());
    }
    let message = format!(
        "Key with alias '{alias}' already exists. Unique key aliases across all keys are required."
    );
    Err(Refusal::bad_request(message).param("key_alias"))
}

/// What a store says when another process was faster.
pub(super) fn taken(error: StoreError) -> Refusal {
    match error {
        StoreError::Exists => {
            let message = "Another key has this text or this alias.";
            Refusal::bad_request(message).param("key_alias")
        }
        error => error.into(),
    }
}

/// When a key ends that lasts so long from `now`, in milliseconds since 1970.
///
/// # Errors
///
/// If it is no duration.
pub(in crate::manage) fn expires(duration: &str, now: i64) -> Result<String, Refusal> {
    let lasts = seconds(duration).and_then(|seconds| seconds.checked_mul(1000));
    let end = lasts.and_then(|millis| now.checked_add(millis)).map(clock::iso);
    end.ok_or_else(|| {
        let message =
            format!("`{duration}` is no duration: write a number and s, m, h, d, w or mo.");
        Refusal::bad_request(message).param("duration")
    })
}

/// Seconds of `30s`, `30m`, `30h`, `30d`, `2w`, `1mo` (30 days).
pub(super) fn seconds(text: &str) -> Option<i64> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let each = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        "mo" => 30 * 86_400,
        _ => return None,
    };
    number.checked_mul(each)
}
