//! What clients of `/api/embed` and of the older `/api/embeddings` ask and are told.
use crate::providers::chat::fields::{Object, count};
use crate::providers::chat::{Client, Lost, Malformed, Taking, object};
use bartizan_layers::facts::{Unit, Usage};
use serde_json::{Value, json};

/// Reads a request in OpenAI's words. How a model is run elsewhere is not the client's to say.
///
/// # Errors
/// When there is nothing to embed, or it is no text.
pub fn read_asked(mut body: Object, lost: &mut Lost) -> Result<Object, Malformed> {
    let input = body.take("input").or_else(|| body.take("prompt"));
    let is_text = |input: &Value| match input {
        Value::String(_) => true,
        Value::Array(texts) => !texts.is_empty() && texts.iter().all(Value::is_string),
        _ => false,
    };
    let input = input
        .filter(is_text)
        .ok_or_else(|| Malformed::new("input", "`input` must be a string or a list of strings."))?;
    let mut asked = Object::from_iter([("input".to_owned(), input)]);
    if let Some(dimensions) = count(&mut body, "dimensions")? {
        asked.insert("dimensions".to_owned(), dimensions.into());
    }
    body.take("model");
    for (name, value) in body.into_iter().filter(|(_, value)| !value.is_null()) {
        // Elsewhere texts are cut, or not, as the provider likes.
        if name != "truncate" || value == false {
            lost.hint(name);
        }
    }
    Ok(asked)
}

/// Writes an answer of `/api/embed`.
#[must_use]
pub fn write_told(vectors: Vec<Value>, usage: Option<&Usage>, client: &Client) -> Value {
    let taken = u64::try_from(client.elapsed.now().as_nanos()).unwrap_or(u64::MAX);
    object([
        ("model", client.model.as_str().into()),
        ("embeddings", vectors.into()),
        ("total_duration", taken.into()),
        ("load_duration", 0.into()),
        ("prompt_eval_count", usage.map_or(0, |usage| usage[Unit::Input]).into()),
    ])
}

/// Writes an answer of `/api/embeddings`: of several vectors the first.
#[must_use]
pub fn write_one(vectors: Vec<Value>) -> Value {
    object([("embedding", vectors.into_iter().next().unwrap_or_else(|| json!([])))])
}
