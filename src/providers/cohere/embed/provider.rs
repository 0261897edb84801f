//! Embeddings: OpenAI's requests and answers as those of `/v2/embed`.
use crate::providers::chat::{Lost, Malformed, Taking, Unreadable, object};
use crate::providers::cohere::usage;
use bartizan_layers::facts::{Unit, Usage};
use serde_json::{Map, Value, json};

/// Cohere's own members, which a client may give as they are.
const OWN: [&str; 8] = [
    "input_type",
    "embedding_types",
    "output_dimension",
    "truncate",
    "max_tokens",
    "priority",
    "images",
    "inputs",
];

/// Writes an OpenAI request for embeddings in Cohere's words. Pictures are inputs that are `data:`
/// URLs. Without an `input_type` the texts are documents to be searched.
///
/// # Errors
/// If there is nothing to embed, or it is not text: Cohere takes no tokens.
pub fn write_embed(
    mut body: Map<String, Value>,
    model: &str,
    lost: &mut Lost,
) -> Result<Map<String, Value>, Malformed> {
    let mut told = Map::from_iter([("model".to_owned(), Value::from(model))]);
    for name in OWN {
        body.take(name).map(|value| told.insert(name.to_owned(), value));
    }
    let mut kind = "search_document";
    match body.take("input") {
        Some(input) => kind = write_input(texts(input)?, &mut told),
        None if told.contains_key("images") => kind = "image",
        None if told.contains_key("inputs") => {}
        None => {
            return Err(Malformed::new("input", "it is missing: give a text or a list of them"));
        }
    }
    told.entry("input_type").or_insert_with(|| kind.into());
    if let Some(dimensions) = body.take("dimensions") {
        told.entry("output_dimension").or_insert(dimensions);
    }
    let encoding = body.take_text("encoding_format");
    let encoding = if encoding.as_deref() == Some("base64") { "base64" } else { "float" };
    told.entry("embedding_types").or_insert_with(|| json!([encoding]));
    body.take("model");
    if body.take("user").is_some() {
        lost.hint("user");
    }
    for (name, value) in body {
        if !value.is_null() {
            lost.part(name);
        }
    }
    Ok(told)
}

/// Reads an answer: a list of numbers for each input, or a text where base64 was asked for.
///
/// # Errors
/// If it has no embeddings.
pub fn read_embed(
    mut body: Map<String, Value>,
    _model: &str,
) -> Result<(Vec<Value>, Option<Usage>), Unreadable> {
    let used = body.take_object("meta").and_then(|mut meta| {
        let billed = meta.take_object("billed_units")?;
        let texts = Map::from_iter([("tokens".to_owned(), Value::Object(billed))]);
        usage::read(texts).map(|usage| usage.with(Unit::Output, 0))
    });
    let vectors = match body.take("embeddings") {
        // Version 1 has them without a type.
        Some(Value::Array(vectors)) => vectors,
        Some(Value::Object(mut kinds)) => {
            let kinds_of_one = ["float", "base64", "int8", "uint8", "binary", "ubinary"];
            let known = kinds_of_one.into_iter().find_map(|kind| kinds.take(kind));
            match known {
                Some(Value::Array(vectors)) => vectors,
                _ => return Err(Unreadable("Cohere")),
            }
        }
        _ => return Err(Unreadable("Cohere")),
    };
    Ok((vectors, used))
}

fn texts(input: Value) -> Result<Vec<String>, Malformed> {
    let texts = match input {
        Value::String(text) => vec![text],
        Value::Array(elements) => {
            let texts = elements.into_iter().map(|element| match element {
                Value::String(text) => Ok(text),
                _ => Err(Malformed::new("input", "Cohere takes texts, not tokens")),
            });
            texts.collect::<Result<_, _>>()?
        }
        _ => return Err(Malformed::new("input", "it must be a text or a list of texts")),
    };
    if texts.is_empty() {
        return Err(Malformed::new("input", "it is empty: give at least one text"));
    }
    Ok(texts)
}

/// Writes texts, pictures, or both, and tells the kind of input that they are.
fn write_input(texts: Vec<String>, told: &mut Map<String, Value>) -> &'static str {
    let is_picture = |text: &String| text.starts_with("data:image/");
    let pictures = texts.iter().filter(|text| is_picture(text)).count();
    if pictures == 0 {
        told.insert("texts".to_owned(), texts.into());
        return "search_document";
    }
    if pictures == texts.len() {
        told.insert("images".to_owned(), texts.into());
        return "image";
    }
    let input = |text: String| {
        let part = if is_picture(&text) {
            let url = object([("url", text.into())]);
            object([("type", "image_url".into()), ("image_url", url)])
        } else {
            object([("type", "text".into()), ("text", text.into())])
        };
        object([("content", vec![part].into())])
    };
    told.insert("inputs".to_owned(), texts.into_iter().map(input).collect::<Vec<_>>().into());
    "search_document"
}
