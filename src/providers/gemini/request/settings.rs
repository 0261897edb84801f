//! How a client wants the answer: `generationConfig`.
use crate::providers::chat::{Format, Malformed, Request, Sampling};
use crate::providers::gemini::fields::{Fields, members, pick};
use crate::providers::gemini::{schema, thinking};
use serde_json::{Map, Value, json};

const PATH: &str = "generationConfig";

/// Reads the `generationConfig`. What the model has no word for is left in it.
pub(super) fn read(body: &mut Map<String, Value>, request: &mut Request) -> Result<(), Malformed> {
    let Some(mut config) = Fields::of(body, "").object(PATH)? else { return Ok(()) };
    request.sampling = sampling(&mut config)?;
    let path = "generationConfig.thinkingConfig";
    if let Some(own) = Fields::of(&mut config, PATH).object("thinkingConfig")? {
        request.thinking = Some(thinking::read(own, path)?);
    }
    request.format = format(&mut config)?;
    // Text is what all answers are.
    if let Some(kinds) = pick(&mut config, "responseModalities").filter(|it| *it != json!(["TEXT"]))
    {
        config.insert("responseModalities".to_owned(), kinds);
    }
    if !config.is_empty() {
        body.insert(PATH.to_owned(), Value::Object(config));
    }
    Ok(())
}

fn sampling(config: &mut Map<String, Value>) -> Result<Sampling, Malformed> {
    let mut fields = Fields::of(config, PATH);
    let choices = fields.count("candidateCount")?.map(u32::try_from).transpose();
    Ok(Sampling {
        max_tokens: fields.count("maxOutputTokens")?,
        temperature: fields.number("temperature")?,
        top_p: fields.number("topP")?,
        top_k: fields.number("topK")?,
        stop: fields.texts("stopSequences")?,
        seed: fields.integer("seed")?,
        presence_penalty: fields.number("presencePenalty")?,
        frequency_penalty: fields.number("frequencyPenalty")?,
        choices: choices.map_err(|_| fields.wrong("candidateCount", "a small number"))?,
        logprobs: fields.truth("responseLogprobs")?,
        top_logprobs: fields.count("logprobs")?,
        logit_bias: None,
    })
}

/// What the text must look like. Types of text other than JSON are left.
fn format(config: &mut Map<String, Value>) -> Result<Option<Format>, Malformed> {
    let mut fields = Fields::of(config, PATH);
    let kind = fields.text("responseMimeType")?;
    let standard = fields.any("responseJsonSchema").or_else(|| fields.any("_responseJsonSchema"));
    let googles = fields.object("responseSchema")?;
    let newer = text_format(config);
    if let Some(schema) = standard {
        return Ok(Some(with_schema(schema)));
    }
    match (kind.as_deref(), googles) {
        (None | Some("application/json"), Some(googles)) => {
            Ok(Some(with_schema(schema::standard(Value::Object(googles)))))
        }
        (Some("application/json"), None) => Ok(newer.or(Some(Format::Json))),
        (None | Some("text/plain"), None) => Ok(newer),
        (Some(kind), googles) => {
            config.insert("responseMimeType".to_owned(), kind.into());
            if let Some(googles) = googles {
                config.insert("responseSchema".to_owned(), Value::Object(googles));
            }
            Ok(None)
        }
    }
}

/// The newer way to say it: `responseFormat.text`.
fn text_format(config: &mut Map<String, Value>) -> Option<Format> {
    let mut formats = pick(config, "responseFormat").and_then(members)?;
    let mut text = pick(&mut formats, "text").and_then(members).unwrap_or_default();
    if !formats.is_empty() {
        config.insert("responseFormat".to_owned(), Value::Object(formats));
    }
    let kind = pick(&mut text, "mimeType");
    match pick(&mut text, "schema") {
        Some(schema) => Some(with_schema(schema)),
        None => (kind? == "APPLICATION_JSON").then_some(Format::Json),
    }
}

const fn with_schema(schema: Value) -> Format {
    Format::Schema { name: None, description: None, schema, strict: None }
}
