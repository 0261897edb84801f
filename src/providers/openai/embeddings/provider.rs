//! Embeddings of a provider that speaks OpenAI, for clients who do not.
use crate::providers::chat::{Lost, Taking, Unreadable};
use bartizan_layers::facts::Usage;
use serde_json::{Map, Value};

/// OpenAI's own members.
const OWN: [&str; 4] = ["input", "dimensions", "encoding_format", "user"];

/// Writes a request: what is OpenAI's, for this model.
#[must_use]
pub fn write_asked(
    mut body: Map<String, Value>,
    model: &str,
    lost: &mut Lost,
) -> Map<String, Value> {
    let mut told = Map::from_iter([("model".to_owned(), Value::from(model))]);
    for name in OWN {
        body.take(name).map(|value| told.insert(name.to_owned(), value));
    }
    body.remove("model");
    body.into_iter().for_each(|(name, _)| lost.hint(name));
    told
}

/// Reads an answer: a list of numbers for each input, or a text where base64 was asked for.
///
/// # Errors
/// If it has no embeddings.
pub fn read_answer(
    mut body: Map<String, Value>,
) -> Result<(Vec<Value>, Option<Usage>), Unreadable> {
    let Some(Value::Array(data)) = body.take("data") else { return Err(Unreadable("OpenAI")) };
    let vector = |told: Value| match told {
        Value::Object(mut told) => {
            let index = told.take_count("index").unwrap_or(u64::MAX);
            told.take("embedding").map(|vector| (index, vector))
        }
        _ => None,
    };
    let vectors: Option<Vec<(u64, Value)>> = data.into_iter().map(vector).collect();
    let mut vectors = vectors.ok_or(Unreadable("OpenAI"))?;
    // In the order of the inputs; those without an index stay where they are.
    vectors.sort_by_key(|(index, _)| *index);
    let used = body.take_object("usage").map(|mut told| {
        let tokens = told.take_count("prompt_tokens").or_else(|| told.take_count("total_tokens"));
        Usage::tokens(tokens.and_then(|count| i64::try_from(count).ok()).unwrap_or(0), 0)
    });
    Ok((vectors.into_iter().map(|(_, vector)| vector).collect(), used))
}
