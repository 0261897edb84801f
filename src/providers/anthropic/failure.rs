//! Errors as Anthropic names them.
use crate::providers::chat::{InBand, Taking};
use serde_json::{Map, Value};

/// Anthropic's kinds of errors, with their statuses.
const KINDS: [(&str, u16); 10] = [
    ("invalid_request_error", 400),
    ("authentication_error", 401),
    ("billing_error", 402),
    ("permission_error", 403),
    ("not_found_error", 404),
    ("request_too_large", 413),
    ("rate_limit_error", 429),
    ("api_error", 500),
    ("timeout_error", 504),
    ("overloaded_error", 529),
];

/// What an error's body says: `{"type":"error","error":{"type","message"}}`, or what platforms that
/// host these models say instead. `None` if it is no error.
#[must_use]
pub fn read_error(body: &Map<String, Value>) -> Option<InBand> {
    match body.get("error") {
        Some(Value::Object(error)) => Some(told(error)),
        Some(Value::String(message)) => {
            Some(InBand { message: message.clone(), ..InBand::default() })
        }
        _ => {
            let is_answer = body.get("type").is_some_and(|kind| kind == "message");
            let message = body.get("message").or_else(|| body.get("Message"))?.as_str()?;
            (!is_answer).then(|| InBand { message: message.to_owned(), ..InBand::default() })
        }
    }
}

/// The error of a stream's `error` event.
pub(super) fn in_band(mut event: Map<String, Value>) -> InBand {
    event.take_object("error").map_or_else(InBand::default, |error| told(&error))
}

fn told(error: &Map<String, Value>) -> InBand {
    let text = |name| error.get(name).and_then(Value::as_str).map(str::to_owned);
    let kind = text("type");
    let status = KINDS.iter().find(|(name, _)| Some(*name) == kind.as_deref());
    let status = status.map(|(_, status)| *status);
    InBand { kind, status, message: text("message").unwrap_or_default() }
}

/// Anthropic's word for a failure: its own, or the one for its status.
pub(super) fn kind_of(failure: &InBand) -> &str {
    let named = |(name, _): &&(&str, u16)| Some(*name) == failure.kind.as_deref();
    if let Some((name, _)) = KINDS.iter().find(named) {
        return name;
    }
    match failure.status {
        Some(401) => "authentication_error",
        Some(402) => "billing_error",
        Some(403) => "permission_error",
        Some(404) => "not_found_error",
        Some(413) => "request_too_large",
        Some(429) => "rate_limit_error",
        Some(408 | 504) => "timeout_error",
        Some(503 | 529) => "overloaded_error",
        Some(400..=499) => "invalid_request_error",
        _ => "api_error",
    }
}
