//! What clients of `/v2/embed` and `/v1/embed` ask and are told.
use crate::providers::chat::fields::{
    Object, count, into_object, into_text, list, nested, text, wrong,
};
use crate::providers::chat::{Client, Lost, Malformed, Taking, object};
use bartizan_layers::facts::{Unit, Usage};
use serde_json::{Map, Value, json};

/// Which version of Cohere's API a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `/v1/embed`.
    One,
    /// `/v2/embed`.
    Two,
}

/// What of a request the answer depends on or repeats: the texts, and the types that are asked for.
#[must_use]
pub fn echo(body: &Object) -> Map<String, Value> {
    let kept = |name: &str| Some((name.to_owned(), body.get(name)?.clone()));
    ["texts", "embedding_types"].into_iter().filter_map(kept).collect()
}

/// Reads a request in OpenAI's words. Where the provider takes `pictures`, they are inputs that are
/// `data:` URLs.
///
/// # Errors
/// When there is nothing to embed, or it is of the wrong type.
pub fn read_asked(mut body: Object, pictures: bool, lost: &mut Lost) -> Result<Object, Malformed> {
    let strings = |told: Vec<Value>, name| {
        let texts: Option<Vec<_>> = told.into_iter().map(into_text).collect();
        texts.ok_or_else(|| wrong(name, "a list of strings"))
    };
    let mut input = strings(list(&mut body, "texts")?, "texts")?;
    for mixed in list(&mut body, "inputs")? {
        input.extend(words(mixed, pictures, lost)?);
    }
    let images = strings(list(&mut body, "images")?, "images")?;
    match pictures {
        true => input.extend(images),
        false if images.is_empty() => {}
        false => lost.part("images"),
    }
    if input.is_empty() {
        return Err(Malformed::new("texts", "`texts` must be a list of at least one string."));
    }
    let mut asked = Object::from_iter([("input".to_owned(), Value::from(input))]);
    if let Some(dimensions) = count(&mut body, "output_dimension")? {
        asked.insert("dimensions".to_owned(), dimensions.into());
    }
    if let Some(kind) = text(&mut body, "input_type")? {
        asked.insert("input_type".to_owned(), kind.into());
    }
    let kinds = list(&mut body, "embedding_types")?;
    asked.insert("encoding_format".to_owned(), encoding(&kinds, lost));
    body.take("model");
    let told = body.into_iter().filter(|(_, value)| !value.is_null());
    told.for_each(|(name, _)| lost.hint(name));
    Ok(asked)
}

/// How the numbers are to be told. Other providers have floats only, and their bytes in base64.
fn encoding(kinds: &[Value], lost: &mut Lost) -> Value {
    let is = |word: &'static str| move |kind: &Value| kind == word;
    if kinds.iter().any(|kind| !is("float")(kind) && !is("base64")(kind)) {
        lost.part("embedding_types");
    }
    let base64 = kinds.iter().any(is("base64")) && !kinds.iter().any(is("float"));
    if base64 { "base64" } else { "float" }.into()
}

/// The text of an input of parts; a picture, if it is one alone.
fn words(input: Value, pictures: bool, lost: &mut Lost) -> Result<Option<String>, Malformed> {
    let mut input = into_object(input).ok_or_else(|| wrong("inputs", "a list of objects"))?;
    let (mut texts, mut urls) = (Vec::new(), Vec::new());
    for part in list(&mut input, "content")? {
        let mut part = into_object(part).ok_or_else(|| wrong("content", "a list of objects"))?;
        texts.extend(text(&mut part, "text")?);
        urls.extend(nested(&mut part, "image_url")?.and_then(|mut image| image.take_text("url")));
    }
    if texts.is_empty() && urls.len() == 1 && pictures {
        return Ok(urls.pop());
    }
    if !urls.is_empty() {
        lost.part("inputs.content.image_url");
    }
    Ok((!texts.is_empty()).then(|| texts.join("\n")))
}

/// Writes an answer for a client that asked for what its `echo` says.
#[must_use]
pub fn write_told(
    vectors: Vec<Value>,
    usage: Option<&Usage>,
    client: &Client,
    version: Version,
) -> Value {
    let kinds = client.echo.get("embedding_types").and_then(Value::as_array);
    let by_type = version == Version::Two || kinds.is_some_and(|kinds| !kinds.is_empty());
    let base64 = vectors.first().is_some_and(Value::is_string);
    let (kind, vectors) = match (by_type, if base64 { "base64" } else { "float" }) {
        (true, name) => ("embeddings_by_type", object([(name, vectors.into())])),
        (false, _) => ("embeddings_floats", vectors.into()),
    };
    let number = if version == Version::One { "1" } else { "2" };
    let input = usage.map_or(0, |usage| usage[Unit::Input]);
    object([
        ("id", client.uuid().into()),
        ("texts", client.echo.get("texts").cloned().unwrap_or_else(|| json!([]))),
        ("embeddings", vectors),
        (
            "meta",
            json!({
                "api_version": {"version": number},
                "billed_units": {"input_tokens": input},
            }),
        ),
        ("response_type", kind.into()),
    ])
}
