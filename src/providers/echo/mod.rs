//! The built-in model `echo`: says the prompt back, with usage, in every dialect.
//!
//! It makes a first call answer on a machine without a key and without a network.
mod anthropic;
mod gemini;
mod mock;
mod openai;
mod prompt;
#[cfg(test)]
mod tests;

pub use self::mock::Mock;

use super::{Operation, Problem, Prompt};
use bartizan_layers::body::{Body, Parts};
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use prompt::Said;
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};

/// Answers a prompt.
#[must_use]
pub fn answer(operation: &Operation, prompt: &Prompt) -> Response<Body> {
    let request = serde_json::from_slice(&prompt.text.whole()).unwrap_or(Value::Null);
    spoken(operation, prompt.stream, &request, &Said::new(&request))
}

/// Puts what is said into the answer of an operation.
fn spoken(operation: &Operation, stream: bool, request: &Value, said: &Said) -> Response<Body> {
    match (operation, stream) {
        (Operation::ChatCompletions, false) => json(&openai::chat(request, said)),
        (Operation::ChatCompletions, true) => events(openai::chat_stream(request, said)),
        (Operation::Completions, false) => json(&openai::completion(said)),
        (Operation::Completions, true) => events(openai::completion_stream(request, said)),
        (Operation::Embeddings, _) => json(&openai::embeddings(request)),
        (Operation::Responses, false) => json(&openai::response(said)),
        (Operation::Responses, true) => events(openai::response_stream(said)),
        (Operation::Messages, false) => json(&anthropic::message(said)),
        (Operation::Messages, true) => events(anthropic::message_stream(said)),
        (Operation::CountTokens, _) => json(&anthropic::count(said)),
        (Operation::Gemini(path), true) if &*path.action == "streamGenerateContent" => {
            events(gemini::stream(said))
        }
        (Operation::Gemini(path), _) => json(&gemini::answer(&path.action, said)),
        _ => not_spoken(operation),
    }
}

/// What has no words to say back.
fn not_spoken(operation: &Operation) -> Response<Body> {
    let message = format!("{}: the model `echo` only speaks of text.", operation.route());
    let body = super::openai::error_body(&Problem::bad_request(message));
    let mut rsp = answered("application/json", Body::Full(body));
    *rsp.status_mut() = StatusCode::BAD_REQUEST;
    rsp
}

fn json(body: &Value) -> Response<Body> {
    answered("application/json", Body::Full(body.to_string().into()))
}

/// Each event is a frame of its own, as from a real upstream.
fn events(events: Vec<String>) -> Response<Body> {
    let frames = events.into_iter().map(Bytes::from).collect();
    answered("text/event-stream; charset=utf-8", Body::Parts(Parts::new(frames)))
}

fn answered(content_type: &'static str, body: Body) -> Response<Body> {
    let mut rsp = Response::new(body);
    rsp.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    rsp
}

/// An SSE event without a name.
fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}

/// An SSE event that is named by its `type`.
fn named(value: &Value) -> String {
    let name = value.get("type").and_then(Value::as_str).unwrap_or_default();
    format!("event: {name}\ndata: {value}\n\n")
}

fn id(prefix: &str) -> String {
    format!("{prefix}{:032x}", fastrand::u128(..))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
