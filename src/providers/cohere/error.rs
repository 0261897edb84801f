//! What Cohere says when it fails.
use crate::providers::chat::{InBand, Taking};
use serde_json::{Map, Value};

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
