//! Failures.
use crate::providers::chat::InBand;
use serde_json::{Map, Value};

/// Reads an error's body: OpenAI's, xAI's with the words in `error` itself, a response that failed,
/// or an event of a stream. `None` if it tells no error.
#[must_use]
pub fn read_error(body: &Map<String, Value>) -> Option<InBand> {
    let inner = body.get("response").and_then(Value::as_object);
    let outer = inner.unwrap_or(body);
    match outer.get("error") {
        Some(Value::Object(error)) => failed(error, None),
        Some(Value::String(words)) => failed(outer, Some(words)),
        _ if inner.is_none() && outer.get("type").is_some_and(|kind| kind == "error") => {
            failed(outer, None)
        }
        _ => None,
    }
}

fn failed(error: &Map<String, Value>, words: Option<&String>) -> Option<InBand> {
    let text = |name: &str| error.get(name).and_then(Value::as_str);
    let message = words.map(String::as_str).or_else(|| text("message"));
    // Of an event `error` says no more than that it is one.
    let kind = text("code").or_else(|| text("type").filter(|kind| *kind != "error"));
    let number = |name: &str| error.get(name).and_then(Value::as_u64);
    let status = number("code").or_else(|| number("status"));
    let status = status.and_then(|status| u16::try_from(status).ok());
    (message.is_some() || kind.is_some()).then(|| InBand {
        kind: kind.map(str::to_owned),
        status: status.filter(|status| (400..600).contains(status)),
        message: message.unwrap_or_default().to_owned(),
    })
}
