//! Embeddings: OpenAI's requests and answers as those of `:predict` and `:embedContent`.
use super::Place;
use crate::providers::chat::{Lost, Malformed, Taking, Unreadable, object};
use bartizan_layers::facts::{Unit, Usage};
use serde_json::{Map, Value};

/// How a model takes what it embeds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A list of instances, each with a text.
    Texts,
    /// A list of instances, each with a text, a picture or a film.
    Mixed,
    /// One content, of any kind.
    Content,
}

/// Writes an OpenAI request for embeddings in Google's words. A client may give `task_type`,
/// `title` and `auto_truncate` as well. Pictures, sounds and PDFs are inputs that are `data:` URLs
/// or stand in Google's storage (`gs://`), where the model takes them.
///
/// # Errors
/// If there is nothing to embed, or more at once than the model takes, or it is not text: Google
/// takes no tokens.
pub fn write_embed(
    mut body: Map<String, Value>,
    model: &str,
    lost: &mut Lost,
) -> Result<Map<String, Value>, Malformed> {
    let place = Place::of(model);
    let form = match place.name {
        name if name.starts_with("multimodalembedding") => Form::Mixed,
        _ if place.embeds_contents() => Form::Content,
        _ => Form::Texts,
    };
    let inputs = inputs(&mut body, form)?;
    let options = Options::take(&mut body);
    if body.take("user").is_some() {
        lost.hint("user");
    }
    for (name, value) in body {
        if !value.is_null() && !matches!(name.as_str(), "model" | "encoding_format") {
            lost.part(name);
        }
    }
    Ok(match form {
        Form::Content => options.with_content(inputs),
        Form::Texts => options.with_instances(inputs, |text| object([("content", text.into())])),
        Form::Mixed => options.with_instances(inputs, mixed),
    })
}

/// What a client may say besides its inputs.
struct Options {
    dimensions: Option<Value>,
    truncates: Option<Value>,
    task: Option<Value>,
    title: Option<Value>,
}

impl Options {
    fn take(body: &mut Map<String, Value>) -> Self {
        let mut either = |own: &str, snake: &str| body.take(own).or_else(|| body.take(snake));
        let task = either("taskType", "task_type");
        let truncates = either("autoTruncate", "auto_truncate");
        Self {
            task: task.or_else(|| body.take("input_type").map(task_type)),
            title: body.take("title"),
            dimensions: body.take("dimensions"),
            truncates,
        }
    }

    fn with_instances(self, inputs: Vec<String>, form: fn(String) -> Value) -> Map<String, Value> {
        let instance = |input: String| {
            let mut instance = form(input);
            if let Some(members) = instance.as_object_mut() {
                put(members, "task_type", self.task.clone());
                put(members, "title", self.title.clone());
            }
            instance
        };
        let instances: Vec<Value> = inputs.into_iter().map(instance).collect();
        let is_mixed = instances.iter().any(|it| it.get("content").is_none());
        let mut body = Map::from_iter([("instances".to_owned(), instances.into())]);
        let mut parameters = Map::new();
        let dimensions = if is_mixed { "dimension" } else { "outputDimensionality" };
        put(&mut parameters, dimensions, self.dimensions);
        put(&mut parameters, "autoTruncate", self.truncates);
        put(&mut body, "parameters", (!parameters.is_empty()).then(|| parameters.into()));
        body
    }

    fn with_content(self, inputs: Vec<String>) -> Map<String, Value> {
        let parts: Vec<Value> = inputs.into_iter().map(part).collect();
        let content = object([("parts", parts.into())]);
        let mut body = Map::from_iter([("content".to_owned(), content)]);
        let mut config = Map::new();
        put(&mut config, "taskType", self.task);
        put(&mut config, "title", self.title);
        put(&mut config, "outputDimensionality", self.dimensions);
        put(&mut config, "autoTruncate", self.truncates);
        put(&mut body, "embedContentConfig", (!config.is_empty()).then(|| config.into()));
        body
    }
}

fn put(members: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    value.map(|value| members.insert(name.to_owned(), value));
}

fn inputs(body: &mut Map<String, Value>, form: Form) -> Result<Vec<String>, Malformed> {
    let wrong = |message| Malformed::new("input", message);
    let inputs = match body.take("input") {
        Some(Value::Array(inputs)) => inputs,
        Some(input) => vec![input],
        None => return Err(wrong("it is missing: give a text or a list of them")),
    };
    let text = |input| match input {
        Value::String(text) => Ok(text),
        _ => Err(wrong("Vertex AI takes texts, not tokens")),
    };
    let inputs: Vec<String> = inputs.into_iter().map(text).collect::<Result<_, _>>()?;
    match inputs.len() {
        0 => Err(wrong("it is empty: give at least one text")),
        2.. if form == Form::Content => Err(wrong("this model takes one input in each call")),
        _ => Ok(inputs),
    }
}

/// An input as one instance of a model that takes pictures and films.
fn mixed(input: String) -> Value {
    if let Some((kind, data)) = inline(&input) {
        let kind = if kind.starts_with("video/") { "video" } else { "image" };
        return object([(kind, object([("bytesBase64Encoded", data.into())]))]);
    }
    if input.starts_with("gs://") {
        let films = [".mp4", ".mov", ".mpeg", ".mpg", ".avi", ".wmv", ".webm", ".flv"];
        let is_film = films.iter().any(|end| input.ends_with(end));
        let kind = if is_film { "video" } else { "image" };
        return object([(kind, object([("gcsUri", input.into())]))]);
    }
    object([("text", input.into())])
}

/// An input as one part of a content.
fn part(input: String) -> Value {
    if let Some((kind, data)) = inline(&input) {
        let blob = object([("mimeType", kind.into()), ("data", data.into())]);
        return object([("inlineData", blob)]);
    }
    match input.starts_with("gs://") {
        true => object([("fileData", object([("fileUri", input.into())]))]),
        false => object([("text", input.into())]),
    }
}

/// What a `data:` URL in base64 holds.
fn inline(url: &str) -> Option<(&str, &str)> {
    url.strip_prefix("data:")?.split_once(";base64,")
}

/// Google's word for what the embeddings are for. Others of its own are as they are.
fn task_type(told: Value) -> Value {
    match told.as_str() {
        Some("search_document" | "document" | "passage") => "RETRIEVAL_DOCUMENT".into(),
        Some("search_query" | "query") => "RETRIEVAL_QUERY".into(),
        Some("classification") => "CLASSIFICATION".into(),
        Some("clustering") => "CLUSTERING".into(),
        _ => told,
    }
}

/// Reads the `predictions` of an answer: a list of numbers for each input, and the tokens of all of
/// them where they are told. Answers with a content are Gemini's.
///
/// # Errors
/// If a prediction holds no numbers.
pub fn read_predictions(
    predictions: Vec<Value>,
) -> Result<(Vec<Value>, Option<Usage>), Unreadable> {
    let (mut vectors, mut tokens) = (Vec::with_capacity(predictions.len()), None);
    for mut prediction in predictions {
        let told = prediction.pointer("/embeddings/statistics/token_count");
        if let Some(count) = told.and_then(Value::as_f64) {
            #[expect(clippy::cast_possible_truncation, reason = "a cast stops at the ends")]
            let count = count as i64;
            tokens = Some(count.saturating_add(tokens.unwrap_or_default()));
        }
        let places = ["/embeddings/values", "/textEmbedding", "/imageEmbedding"];
        let films = "/videoEmbeddings/0/embedding";
        let found = places.into_iter().chain([films]).find(|it| prediction.pointer(it).is_some());
        let values = found.and_then(|it| prediction.pointer_mut(it)).map(Value::take);
        vectors.push(values.filter(Value::is_array).ok_or(Unreadable("Vertex AI"))?);
    }
    Ok((vectors, tokens.map(|tokens| Usage::default().with(Unit::Input, tokens))))
}
