//! Embeddings: OpenAI's requests and answers as those of Amazon's and Cohere's models, which are
//! invoked in words of their own.
use crate::providers::chat::{Lost, Malformed, Taking, Unreadable, object};
use bartizan_layers::facts::Usage;
use http::HeaderMap;
use serde_json::{Map, Value};

/// Whose words a model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Maker {
    Titan,
    Nova,
    Cohere,
}

/// Members of the models' own, which a client may give as they are.
const OWN: [&str; 8] = [
    "input_type",
    "truncate",
    "embedding_types",
    "output_dimension",
    "normalize",
    "embeddingTypes",
    "inputImage",
    "embeddingConfig",
];

/// Writes an OpenAI request for embeddings in the words of `model`.
///
/// # Errors
/// If there is nothing to embed, it is not text, or there are several texts for a model that takes
/// one.
pub fn write_embed(
    mut body: Map<String, Value>,
    model: &str,
    lost: &mut Lost,
) -> Result<Map<String, Value>, Malformed> {
    let maker = maker(model);
    let mut texts = texts(body.take("input"))?;
    let mut told = Map::new();
    for name in OWN {
        body.take(name).map(|value| told.insert(name.to_owned(), value));
    }
    let dimensions = body.take("dimensions");
    match maker {
        Maker::Cohere => {
            told.insert("texts".to_owned(), texts.into());
            told.entry("input_type").or_insert_with(|| "search_document".into());
            dimensions.map(|count| told.entry("output_dimension").or_insert(count));
        }
        Maker::Titan => {
            told.insert("inputText".to_owned(), one(&mut texts)?.into());
            dimensions.map(|count| told.entry("dimensions").or_insert(count));
        }
        Maker::Nova => {
            let text =
                object([("truncationMode", "END".into()), ("value", one(&mut texts)?.into())]);
            let mut asked = Map::from_iter([
                ("embeddingPurpose".to_owned(), Value::from("GENERIC_INDEX")),
                ("text".to_owned(), text),
            ]);
            dimensions.map(|count| asked.insert("embeddingDimension".to_owned(), count));
            told.insert("taskType".to_owned(), "SINGLE_EMBEDDING".into());
            told.insert("singleEmbeddingParams".to_owned(), asked.into());
        }
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

/// Reads an answer: a list of numbers for each input.
///
/// # Errors
/// If it has no embeddings.
pub fn read_embed(
    mut body: Map<String, Value>,
    _model: &str,
) -> Result<(Vec<Value>, Option<Usage>), Unreadable> {
    let used = body.take_count("inputTextTokenCount");
    let used = used.map(|used| Usage::tokens(i64::try_from(used).unwrap_or(i64::MAX), 0));
    let vectors = match (body.take("embedding"), body.take("embeddings")) {
        (Some(vector), _) => vec![vector],
        // Nova's are objects.
        (None, Some(Value::Array(vectors))) => vectors.into_iter().map(plain).collect(),
        (None, Some(Value::Object(mut kinds))) => {
            let known = ["float", "int8", "uint8", "binary", "ubinary"];
            let known = known.into_iter().find_map(|kind| kinds.take(kind));
            let Some(Value::Array(vectors)) = known else { return Err(Unreadable("Bedrock")) };
            vectors
        }
        _ => return Err(Unreadable("Bedrock")),
    };
    Ok((vectors, used))
}

/// What an answer's head tells of its usage: models of Cohere's do not say it in the body.
#[must_use]
pub fn usage(headers: &HeaderMap) -> Option<Usage> {
    let count = headers.get("x-amzn-bedrock-input-token-count")?.to_str().ok()?;
    Some(Usage::tokens(count.parse().ok()?, 0))
}

fn plain(vector: Value) -> Value {
    match vector {
        Value::Object(mut told) => told.take("embedding").unwrap_or_default(),
        vector => vector,
    }
}

fn maker(model: &str) -> Maker {
    match model {
        _ if model.contains("cohere.") => Maker::Cohere,
        _ if model.contains("amazon.nova") => Maker::Nova,
        _ => Maker::Titan,
    }
}

fn texts(input: Option<Value>) -> Result<Vec<String>, Malformed> {
    let texts = match input {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(elements)) => {
            let texts = elements.into_iter().map(|element| match element {
                Value::String(text) => Ok(text),
                _ => Err(Malformed::new("input", "Bedrock takes texts, not tokens")),
            });
            texts.collect::<Result<_, _>>()?
        }
        None => return Err(Malformed::new("input", "it is missing: give a text or a list")),
        Some(_) => return Err(Malformed::new("input", "it must be a text or a list of texts")),
    };
    match texts.is_empty() {
        true => Err(Malformed::new("input", "it is empty: give at least one text")),
        false => Ok(texts),
    }
}

fn one(texts: &mut Vec<String>) -> Result<String, Malformed> {
    match texts.pop() {
        Some(text) if texts.is_empty() => Ok(text),
        _ => Err(Malformed::new("input", "Amazon's models embed one text in each call")),
    }
}
