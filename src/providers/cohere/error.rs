//! What Cohere says when it fails.
use crate::providers::Problem;
use crate::providers::chat::{InBand, Taking};
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// Reads the body of an error: `{"message", "error_type"?}`. `None` if it is none.
#[must_use]
pub fn read_error(body: &Map<String, Value>) -> Option<InBand> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let message = text("message").or_else(|| text("error"))?;
    Some(InBand { kind: text("error_type"), status: None, message })
}

/// The failure that an ending tells, if it does.
pub(super) fn of_ending(ending: &mut Map<String, Value>) -> Option<InBand> {
    let message = ending.take_text("error").filter(|message| !message.is_empty())?;
    let kind = ending.take_text("error_type").or_else(|| ending.take_text("finish_reason"));
    Some(InBand { kind, status: None, message })
}

/// `{"message": "…"}`.
#[must_use]
pub fn error_body(problem: &Problem) -> Bytes {
    json!({"message": problem.message}).to_string().into()
}

/// The event that tells of an error in a stream: an ending that says so.
#[must_use]
pub fn error_event(problem: &Problem) -> Bytes {
    let mut out = Vec::new();
    write_failure(&problem.message, &mut out);
    out.into()
}

/// Writes that event, with these words.
pub(super) fn write_failure(message: &str, out: &mut Vec<u8>) {
    let delta = json!({"finish_reason": "ERROR", "error": message});
    let event = json!({"type": "message-end", "delta": delta});
    out.extend_from_slice(format!("event: message-end\ndata: {event}\n\n").as_bytes());
}
