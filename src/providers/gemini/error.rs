//! The envelope of errors, as on <https://cloud.google.com/apis/design/errors>.
use crate::providers::Problem;
use bytes::Bytes;
use serde_json::json;

/// `{"error":{"code","message","status"}}`, where `code` is a number.
#[must_use]
pub fn error_body(problem: &Problem) -> Bytes {
    let status = match problem.status.as_u16() {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        408 | 504 => "DEADLINE_EXCEEDED",
        429 => "RESOURCE_EXHAUSTED",
        400..=499 => "INVALID_ARGUMENT",
        502 | 503 => "UNAVAILABLE",
        _ => "INTERNAL",
    };
    let code = problem.status.as_u16();
    let body = json!({"error": {"code": code, "message": problem.message, "status": status}});
    body.to_string().into()
}
