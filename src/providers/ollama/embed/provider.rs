//! Embeddings: OpenAI's requests and answers as those of `/api/embed`.
use crate::providers::chat::{Lost, Malformed, Taking, Unreadable};
use crate::providers::ollama::usage;
use bartizan_layers::facts::Usage;
use serde_json::{Map, Value};

/// Ollama's own members, which a client may give as they are.
const OWN: [&str; 4] = ["dimensions", "truncate", "keep_alive", "options"];

/// Writes an OpenAI request for embeddings in Ollama's words. The answer has numbers, whatever
/// `encoding_format` says.
///
/// # Errors
/// If there is nothing to embed, or it is not text: Ollama takes no tokens.
pub fn write_embed(
    mut body: Map<String, Value>,
    model: &str,
    lost: &mut Lost,
) -> Result<Map<String, Value>, Malformed> {
    let Some(input) = body.take("input") else {
        return Err(Malformed::new("input", "it is missing: give a text or a list of them"));
    };
    let is_text = match &input {
        Value::String(_) => true,
        Value::Array(texts) => !texts.is_empty() && texts.iter().all(Value::is_string),
        _ => false,
    };
    if !is_text {
        return Err(Malformed::new("input", "Ollama takes a text or a list of texts, not tokens"));
    }
    let mut told =
        Map::from_iter([("model".to_owned(), model.into()), ("input".to_owned(), input)]);
    for name in OWN {
        body.take(name).map(|value| told.insert(name.to_owned(), value));
    }
    if body.take("user").is_some() {
        lost.hint("user");
    }
    for (name, value) in body {
        if !value.is_null() && !matches!(name.as_str(), "model" | "encoding_format") {
            lost.part(name);
        }
    }
    Ok(told)
}

/// Reads an answer: a list of numbers for each input. The older `/api/embeddings` has one only.
///
/// # Errors
/// If it has no embeddings.
pub fn read_embed(
    mut body: Map<String, Value>,
    _model: &str,
) -> Result<(Vec<Value>, Option<Usage>), Unreadable> {
    let vectors = match (body.take("embeddings"), body.take("embedding")) {
        (Some(Value::Array(vectors)), _) => vectors,
        (None, Some(vector @ Value::Array(_))) => vec![vector],
        _ => return Err(Unreadable("Ollama")),
    };
    Ok((vectors, usage::read(&mut body)))
}
