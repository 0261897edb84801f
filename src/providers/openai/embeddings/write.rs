//! Embeddings of other providers, as OpenAI answers them.
use crate::providers::chat::{Client, object};
use bartizan_layers::facts::Usage;
use serde_json::{Value, json};

/// Writes an answer of these `vectors`, each a list of numbers, or a text that is their base64.
#[must_use]
pub fn write_answer(vectors: Vec<Value>, usage: Option<&Usage>, client: &Client) -> Value {
    let data: Vec<Value> = (0_u64..)
        .zip(vectors)
        .map(|(index, vector)| {
            object([("object", "embedding".into()), ("index", index.into()), ("embedding", vector)])
        })
        .collect();
    let tokens = usage.map_or(0, Usage::total);
    object([
        ("object", "list".into()),
        ("data", data.into()),
        ("model", client.model.as_str().into()),
        ("usage", json!({"prompt_tokens": tokens, "total_tokens": tokens})),
    ])
}
