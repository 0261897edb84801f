//! What turns are written of.
use crate::providers::chat::object;
use crate::providers::gemini::ids;
use serde_json::Value;

/// A turn of the model's. Google's proof of a thought stands at the part after it.
#[derive(Default)]
pub(super) struct Answer {
    pub(super) parts: Vec<Value>,
    /// What goes with the next part.
    pub(super) proof: Option<String>,
}

impl Answer {
    pub(super) fn push(&mut self, mut part: Value) {
        if let (Some(proof), Some(members)) = (self.proof.take(), part.as_object_mut()) {
            members.insert("thoughtSignature".to_owned(), proof.into());
        }
        self.parts.push(part);
    }

    /// A proof that no part follows has one of its own.
    pub(super) fn prove(&mut self) {
        if self.proof.is_some() {
            self.push(text_part(String::new()));
        }
    }
}

pub(super) fn text_part(text: String) -> Value {
    object([("text", text.into())])
}

pub(super) fn content(role: &str, parts: Vec<Value>) -> Value {
    object([("role", role.into()), ("parts", parts.into())])
}

/// What a tool gave back, as an object.
pub(super) fn given(text: String, failed: bool) -> Value {
    let own = || serde_json::from_str(&text).ok().map(Value::Object);
    let is_object = text.trim_start().starts_with('{');
    match (is_object.then(own).flatten(), failed) {
        (Some(own), false) => own,
        (Some(own), true) if own.get("error").is_some() => own,
        (Some(own), true) => object([("error", own)]),
        (None, true) => object([("error", text.into())]),
        (None, false) => object([("content", text.into())]),
    }
}

/// Gemini 3 refuses calls that nobody proves to come of its own thoughts. Those of other models
/// cannot be proved; it lets them pass when it is told so.
pub(super) fn sign(content: &mut Value) {
    let parts = content["parts"].as_array_mut().into_iter().flatten();
    let mut calls = parts.filter(|part| part.get("functionCall").is_some());
    if let Some(first) = calls.next().and_then(Value::as_object_mut) {
        first.entry("thoughtSignature").or_insert(ids::UNSIGNED.into());
    }
}
