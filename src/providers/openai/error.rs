//! The envelope of errors (contract 4.3).
use crate::providers::Problem;
use bytes::Bytes;
use serde_json::json;

/// `{"error":{"message","type","param","code"}}`, where `code` is the status as a string.
#[must_use]
pub fn error_body(problem: &Problem) -> Bytes {
    let body = json!({"error": {
        "message": problem.message,
        "type": problem.kind,
        "param": problem.param,
        "code": problem.status.as_str(),
    }});
    body.to_string().into()
}

/// The event that tells of an error in a stream of `/v1/responses`.
#[must_use]
pub fn response_error_event(problem: &Problem) -> Bytes {
    let event = json!({
        "type": "error", "code": problem.kind, "message": problem.message,
        "param": problem.param, "sequence_number": 0,
    });
    format!("event: error\ndata: {event}\n\n").into()
}
