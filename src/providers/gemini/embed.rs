//! Embeddings: OpenAI's requests and answers as those of `models/{model}:batchEmbedContents`.
use crate::providers::chat::{Lost, Malformed, Taking, Unreadable, object};
use bartizan_layers::facts::{Unit, Usage};
use serde_json::{Map, Value};

/// Writes an OpenAI request for embeddings in Gemini's words: one request for each input. Pictures,
/// sounds and PDFs are inputs that are `data:` URLs. A client may give `taskType` and `title`. The
/// answer has numbers, whatever `encoding_format` says.
///
/// # Errors
/// If there is nothing to embed, or it is not text: Gemini takes no tokens.
pub fn write_embed(
    mut body: Map<String, Value>,
    model: &str,
    lost: &mut Lost,
) -> Result<Map<String, Value>, Malformed> {
    let inputs = inputs(&mut body)?;
    let task = body.take("taskType").or_else(|| body.take("task_type"));
    let task = task.or_else(|| body.take("input_type")).map(task_type);
    let own = [
        ("taskType", task),
        ("title", body.take("title")),
        ("outputDimensionality", body.take("dimensions")),
    ];
    let model = if model.contains('/') { model.to_owned() } else { format!("models/{model}") };
    let mut requests = Vec::with_capacity(inputs.len());
    for input in inputs {
        let content = object([("parts", vec![part(input)?].into())]);
        let mut request = Map::from_iter([
            ("model".to_owned(), model.clone().into()),
            ("content".to_owned(), content),
        ]);
        for (name, value) in &own {
            value.clone().map(|value| request.insert((*name).to_owned(), value));
        }
        requests.push(request.into());
    }
    if body.take("user").is_some() {
        lost.hint("user");
    }
    for (name, value) in body {
        if !value.is_null() && !matches!(name.as_str(), "model" | "encoding_format") {
            lost.part(name);
        }
    }
    Ok(Map::from_iter([("requests".to_owned(), Value::Array(requests))]))
}

fn inputs(body: &mut Map<String, Value>) -> Result<Vec<Value>, Malformed> {
    let inputs = match body.take("input") {
        Some(Value::Array(inputs)) => inputs,
        Some(input) => vec![input],
        None => {
            return Err(Malformed::new("input", "it is missing: give a text or a list of them"));
        }
    };
    if inputs.is_empty() {
        return Err(Malformed::new("input", "it is empty: give at least one text"));
    }
    Ok(inputs)
}

/// Reads an answer: a list of numbers for each input. Usage is told by the newest models only.
///
/// # Errors
/// If it has no embeddings.
pub fn read_embed(
    mut body: Map<String, Value>,
    _model: &str,
) -> Result<(Vec<Value>, Option<Usage>), Unreadable> {
    let told = match (body.take("embeddings"), body.take("embedding")) {
        (Some(Value::Array(told)), _) => told,
        (None, Some(one)) => vec![one],
        _ => return Err(Unreadable("Gemini")),
    };
    let vectors: Option<Vec<Value>> = told.into_iter().map(values).collect();
    let vectors = vectors.ok_or(Unreadable("Gemini"))?;
    let usage = body.take_object("usageMetadata").and_then(|mut usage| {
        let tokens = i64::try_from(usage.take_count("promptTokenCount")?).unwrap_or(i64::MAX);
        Some(Usage::default().with(Unit::Input, tokens))
    });
    Ok((vectors, usage))
}

fn values(told: Value) -> Option<Value> {
    let Value::Object(mut told) = told else { return None };
    told.take("values").filter(Value::is_array)
}

fn part(input: Value) -> Result<Value, Malformed> {
    let Value::String(text) = input else {
        return Err(Malformed::new("input", "Gemini takes texts, not tokens"));
    };
    Ok(match media(&text) {
        Some(media) => object([("inlineData", media)]),
        None => object([("text", text.into())]),
    })
}

/// What a `data:` URL in base64 holds.
fn media(url: &str) -> Option<Value> {
    let (kind, data) = url.strip_prefix("data:")?.split_once(";base64,")?;
    Some(object([("mimeType", kind.into()), ("data", data.into())]))
}

/// Gemini's word for what the embeddings are for. Others of its own are as they are.
fn task_type(told: Value) -> Value {
    match told.as_str() {
        Some("search_document" | "document" | "passage") => "RETRIEVAL_DOCUMENT".into(),
        Some("search_query" | "query") => "RETRIEVAL_QUERY".into(),
        Some("classification") => "CLASSIFICATION".into(),
        Some("clustering") => "CLUSTERING".into(),
        _ => told,
    }
}

#[cfg(test)]
mod tests {
    use super::{read_embed, write_embed};
    use crate::providers::chat::Lost;
    use serde_json::{Map, Value, json};

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn each_input_is_a_request() {
        let mut lost = Lost::default();
        let asked = json!({
            "model": "e", "input": ["one", "data:image/png;base64,AAAA"], "dimensions": 64,
            "encoding_format": "base64", "user": "u", "input_type": "search_query", "other": 1,
        });
        let told = write_embed(map(&asked), "gemini-embedding-2", &mut lost).unwrap();
        let request = |part: Value| {
            json!({
                "model": "models/gemini-embedding-2", "content": {"parts": [part]},
                "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 64,
            })
        };
        let picture = json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}});
        let wanted = json!({"requests": [request(json!({"text": "one"})), request(picture)]});
        assert_eq!(Value::Object(told), wanted);
        assert_eq!((lost.hints, lost.parts), (vec!["user".into()], vec!["other".into()]));
    }

    #[test]
    fn tokens_are_refused() {
        for input in [json!([[1, 2]]), json!([1, 2]), json!([]), json!(null), json!({})] {
            let asked = map(&json!({"input": input}));
            let refused = write_embed(asked, "m", &mut Lost::default()).unwrap_err();
            assert_eq!(refused.param, "input");
        }
    }

    #[test]
    fn an_answer_has_the_numbers_of_each_input() {
        let body = json!({"embeddings": [{"values": [0.5, -1]}, {"values": []}]});
        let (vectors, usage) = read_embed(map(&body), "m").unwrap();
        assert_eq!((vectors, usage), (vec![json!([0.5, -1]), json!([])], None));
        assert!(read_embed(map(&json!({"embeddings": [3]})), "m").is_err());
        assert!(read_embed(map(&json!({"error": {}})), "m").is_err());
    }
}
