//! Embeddings of other providers, as OpenAI answers them.
use crate::providers::chat::{Client, object};
use bartizan_layers::facts::Usage;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Writes an answer of these `vectors`, each a list of numbers, or a text that is base64 already.
#[must_use]
pub fn write_answer(vectors: Vec<Value>, usage: Option<&Usage>, client: &Client) -> Value {
    let data: Vec<Value> = (0_u64..)
        .zip(vectors)
        .map(|(index, vector)| {
            let vector = if client.base64 { encoded(vector) } else { vector };
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

/// Numbers as 32-bit floats, least byte first, in base64.
fn encoded(vector: Value) -> Value {
    let Value::Array(numbers) = vector else { return vector };
    #[expect(clippy::cast_possible_truncation, reason = "OpenAI hands out 32-bit floats")]
    let bytes = numbers.iter().filter_map(Value::as_f64).flat_map(|it| (it as f32).to_le_bytes());
    STANDARD.encode(bytes.collect::<Vec<u8>>()).into()
}
