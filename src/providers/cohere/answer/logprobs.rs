//! Probabilities of words.
use crate::providers::chat::Taking;
use serde_json::{Value, json};

/// Cohere's pieces of text with the logarithm of each token's probability, as OpenAI's `logprobs`.
/// A piece of several tokens has one entry: their product. `None` without any.
pub(crate) fn read_logprobs(pieces: Vec<Value>) -> Option<Value> {
    let content: Vec<Value> = pieces.into_iter().filter_map(entry).collect();
    (!content.is_empty()).then(|| json!({"content": content}))
}

fn entry(piece: Value) -> Option<Value> {
    let Value::Object(mut piece) = piece else { return None };
    let told = piece.take_array("logprobs");
    let sum: f64 = told.iter().filter_map(Value::as_f64).sum();
    let token = piece.take_text("text").unwrap_or_default();
    let bytes = token.as_bytes();
    (!told.is_empty())
        .then(|| json!({"token": token, "logprob": sum, "bytes": bytes, "top_logprobs": []}))
}

/// OpenAI's `logprobs` as Cohere's pieces of text: one for each token, whose number only the
/// provider knows.
pub(crate) fn write_logprobs(told: &Value) -> Vec<Value> {
    let entries = told.get("content").and_then(Value::as_array).into_iter().flatten();
    let piece = |entry: &Value| {
        let logprob = entry.get("logprob").and_then(Value::as_f64)?;
        json!({"text": entry.get("token"), "token_ids": [], "logprobs": [logprob]}).into()
    };
    entries.filter_map(piece).collect()
}
