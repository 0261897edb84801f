//! What Ollama says when it fails.
use crate::providers::Problem;
use crate::providers::chat::InBand;
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// Reads the body of an error: `{"error": "…"}`, or OpenAI's form of it, which Ollama's compatible
/// routes have. `None` if it is none.
#[must_use]
pub fn read_error(body: &Map<String, Value>) -> Option<InBand> {
    let status =
        ["StatusCode", "status_code", "status"].into_iter().find_map(|name| body.get(name));
    let status = status.and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match body.get("error")? {
        Value::String(message) => Some(InBand { kind: None, status, message: message.clone() }),
        Value::Object(error) => Some(InBand {
            kind: error.get("type").and_then(text),
            status,
            message: error.get("message").and_then(text)?,
        }),
        _ => None,
    }
}

/// `{"error": "…"}`.
#[must_use]
pub fn error_body(problem: &Problem) -> Bytes {
    json!({"error": problem.message}).to_string().into()
}

/// The line that tells of an error in a stream.
#[must_use]
pub fn error_event(problem: &Problem) -> Bytes {
    [&*error_body(problem), b"\n"].concat().into()
}
