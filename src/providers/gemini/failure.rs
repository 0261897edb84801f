//! Errors, as Google tells them and as its clients read them.
use crate::providers::chat::{InBand, Taking};
use serde_json::{Map, Value, json};

/// What an error body or an error in a stream says; `None` for what is none.
#[must_use]
pub fn read_error(body: &Map<String, Value>) -> Option<InBand> {
    let mut error = body.get("error")?.as_object()?.clone();
    let status = error.take_count("code").and_then(|code| u16::try_from(code).ok());
    Some(InBand {
        kind: error.take_text("status"),
        status,
        message: error.take_text("message").unwrap_or_default(),
    })
}

/// An error in a stream.
pub(crate) fn write(error: &InBand) -> Value {
    let code = error.status.unwrap_or(500);
    let is_googles =
        |kind: &&str| kind.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let status = error.kind.as_deref().filter(is_googles).unwrap_or(match code {
        400 | 422 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        408 | 504 => "DEADLINE_EXCEEDED",
        429 => "RESOURCE_EXHAUSTED",
        502 | 503 | 529 => "UNAVAILABLE",
        _ => "INTERNAL",
    });
    json!({"error": {"code": code, "message": error.message, "status": status}})
}
