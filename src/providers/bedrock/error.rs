//! What Bedrock says when it fails.
use crate::providers::chat::{InBand, Taking, parsed};
use serde_json::{Map, Value};

/// Exceptions of a stream, and the statuses that they have elsewhere.
const EXCEPTIONS: [(&str, u16); 6] = [
    ("throttlingException", 429),
    ("modelStreamErrorException", 424),
    ("modelTimeoutException", 408),
    ("serviceUnavailableException", 503),
    ("validationException", 400),
    ("internalServerException", 500),
];

/// Reads the body of an error: `{"message": "…"}`. `None` if it is none. What kind it is stands in
/// a header.
#[must_use]
pub fn read_error(body: &Map<String, Value>) -> Option<InBand> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
    let message = text("message").or_else(|| text("Message"))?;
    Some(InBand { kind: text("__type"), status: None, message })
}

/// The failure that an exception of a stream tells; `None` for an event.
pub(super) fn exception(name: &str, data: &[u8]) -> Option<InBand> {
    if !name.ends_with("Exception") {
        return None;
    }
    let mut told = parsed(data).unwrap_or_default();
    let message = ["message", "Message", "originalMessage"];
    let message = message.into_iter().find_map(|name| told.take_text(name));
    let status = EXCEPTIONS.iter().find(|(known, _)| *known == name).map(|(_, status)| *status);
    Some(InBand { kind: Some(name.to_owned()), status, message: message.unwrap_or_default() })
}
