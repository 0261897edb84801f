//! The items of an output, written.
use crate::providers::chat::object;
use serde_json::{Value, json};

/// What the model thought: its `text`, or nothing of it, and what it has to be sent back with.
pub(in super::super) fn reasoning(id: &str, text: String, encrypted: Option<String>) -> Value {
    let summary = match text.is_empty() {
        true => Vec::new(),
        false => vec![object([("type", "summary_text".into()), ("text", text.into())])],
    };
    let mut item =
        object([("id", id.into()), ("type", "reasoning".into()), ("summary", summary.into())]);
    if let Some(encrypted) = encrypted {
        item["encrypted_content"] = encrypted.into();
    }
    item
}

/// A message of these parts.
pub(in super::super) fn message(id: &str, parts: Vec<Value>, status: &str) -> Value {
    object([
        ("id", id.into()),
        ("type", "message".into()),
        ("status", status.into()),
        ("content", parts.into()),
        ("role", "assistant".into()),
    ])
}

/// A picture, in base64.
pub(in super::super) fn image(id: &str, data: Option<String>) -> Value {
    let status = if data.is_some() { "completed" } else { "in_progress" };
    let mut item = json!({"id": id, "type": "image_generation_call", "status": status});
    item["result"] = data.into();
    item
}

/// A part of a message: a text.
pub(in super::super) fn text_part(
    text: String,
    annotations: Vec<Value>,
    logprobs: Vec<Value>,
) -> Value {
    object([
        ("type", "output_text".into()),
        ("annotations", annotations.into()),
        ("logprobs", logprobs.into()),
        ("text", text.into()),
    ])
}

/// A part of a message: why the model does not answer.
pub(in super::super) fn refusal_part(refusal: String) -> Value {
    object([("type", "refusal".into()), ("refusal", refusal.into())])
}
