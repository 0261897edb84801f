//! The envelope of errors, as on <https://docs.anthropic.com/en/api/errors>.
use crate::providers::Problem;
use bytes::Bytes;
use serde_json::json;

/// `{"type":"error","error":{"type","message"}}`.
#[must_use]
pub fn error_body(problem: &Problem) -> Bytes {
    let kind = match problem.status.as_u16() {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        400..=499 => "invalid_request_error",
        _ => "api_error",
    };
    let body = json!({"type": "error", "error": {"type": kind, "message": problem.message}});
    body.to_string().into()
}
