//! A provider's answer, read.
use super::super::request::{calls, history_of, texts};
use super::super::usage;
use super::finish::read_finish;
use crate::providers::chat::{
    Answer, Block, Choice, Citation, Content, InBand, Media, MediaKind, Memo, Source, Taking,
    Thought, Unreadable, source_of_url, text_of,
};
use serde_json::{Map, Value};

/// Reads a chat completion.
///
/// # Errors
/// When it has no `choices`.
pub fn read_answer(mut body: Map<String, Value>, _: &Memo) -> Result<Answer, Unreadable> {
    let Some(Value::Array(choices)) = body.take("choices") else {
        return Err(Unreadable("an OpenAI chat completion"));
    };
    let choices = choices.into_iter().filter_map(|choice| match choice {
        Value::Object(choice) => Some(read_choice(choice)),
        _ => None,
    });
    Ok(Answer {
        id: body.take_text("id").filter(|id| !id.is_empty()),
        model: body.take_text("model").filter(|model| !model.is_empty()),
        created: body.take_count("created"),
        choices: choices.collect(),
        usage: body.take_object("usage").and_then(usage::read),
        tier: body.take_text("service_tier"),
    })
}

fn read_choice(mut choice: Map<String, Value>) -> Choice {
    let mut message = choice.take_object("message").unwrap_or_default();
    let mut blocks = blocks(&mut message);
    blocks.extend(calls(&mut message).into_iter().map(|call| Block::new(Content::ToolUse(call))));
    let finish = choice.take_text("finish_reason").map(|told| read_finish(&told));
    Choice { blocks, finish, logprobs: choice.take("logprobs") }
}

/// What a message, or a piece of one, says beside its calls.
pub(in super::super) fn blocks(message: &mut Map<String, Value>) -> Vec<Block> {
    let mut blocks = history_of(message);
    let citations = citations(message);
    match message.take("content") {
        Some(Value::String(text)) if !text.is_empty() => {
            blocks.push(Block::new(Content::Text(text, citations)));
        }
        Some(Value::Array(parts)) => blocks.extend(parts.into_iter().filter_map(part)),
        // Cloudflare tells JSON that was asked for as itself, not as its text.
        Some(told @ Value::Object(_)) => {
            blocks.push(Block::new(Content::Text(told.to_string(), citations)));
        }
        _ => {}
    }
    // What is said aloud; the sound itself is for those who asked for it.
    let spoken = message.take_object("audio").and_then(|mut audio| audio.take_text("transcript"));
    blocks.extend(spoken.filter(|it| !it.is_empty()).map(Block::text));
    if let Some(refusal) = message.take_text("refusal").filter(|it| !it.is_empty()) {
        blocks.push(Block::new(Content::Refusal(refusal)));
    }
    let images = message.take_array("images").into_iter().filter_map(image);
    blocks.extend(images.map(Block::new));
    blocks
}

/// A part of a content that is a list: Mistral's and Databricks' thoughts, and texts.
fn part(part: Value) -> Option<Block> {
    let mut part = match part {
        Value::Object(part) => part,
        Value::String(text) => return Some(Block::text(text)),
        _ => return None,
    };
    let thought = |text: String| Content::Thought(Thought { text, ..Thought::default() });
    let content = match part.get("type").and_then(Value::as_str)? {
        "text" => Content::Text(part.take_text("text")?, Vec::new()),
        "thinking" => match part.take("thinking")? {
            Value::Array(parts) => thought(texts(parts)),
            told => thought(text_of(told)),
        },
        "reasoning" => thought(texts(part.take_array("summary"))),
        "image_url" => return image(Value::Object(part)).map(Block::new),
        _ => return None,
    };
    Some(Block::new(content))
}

/// `{type: image_url, image_url: {url}}`, as OpenRouter and others hand pictures out.
fn image(told: Value) -> Option<Content> {
    let Value::Object(mut told) = told else { return None };
    let url = match told.take("image_url")? {
        Value::Object(mut inner) => inner.take_text("url")?,
        other => text_of(other),
    };
    let (source, media_type): (Source, _) = source_of_url(url);
    let kind = MediaKind::Image;
    Some(Content::Media(Media { kind, source, media_type, name: None, detail: None }))
}

/// Where a message's text comes from: `annotations`.
pub(in super::super) fn citations(message: &mut Map<String, Value>) -> Vec<Citation> {
    let told = message.take_array("annotations").into_iter();
    let cited = told.filter_map(|told| {
        let Value::Object(mut told) = told else { return None };
        let mut told = told.take_object("url_citation")?;
        let range = told.take_count("start_index").zip(told.take_count("end_index"));
        Some(Citation {
            url: told.take_text("url"),
            title: told.take_text("title"),
            cited: told.take_text("content"),
            range,
        })
    });
    cited.collect()
}

/// The error in an answer, or in an event. Some servers have it without OpenAI's `error`: Mistral
/// says it in `detail`, others in an object of the kind `error`.
#[must_use]
pub fn read_error(body: &Map<String, Value>) -> Option<InBand> {
    let told = body.get("error").filter(|told| !told.is_null());
    if told.is_none() && body.get("object").is_some_and(|object| object == "error") {
        return Some(failure(body));
    }
    match told.or_else(|| body.get("detail"))? {
        Value::Object(told) => Some(failure(told)),
        told => Some(InBand {
            kind: body.get("code").and_then(Value::as_str).map(str::to_owned),
            status: None,
            message: text_of(told.clone()),
        }),
    }
}

fn failure(told: &Map<String, Value>) -> InBand {
    let text = |name: &str| told.get(name).and_then(Value::as_str).map(str::to_owned);
    let code = told.get("code");
    let status = code.and_then(Value::as_u64).or_else(|| code?.as_str()?.parse().ok());
    InBand {
        kind: text("type").or_else(|| text("code")),
        status: status.and_then(|status| u16::try_from(status).ok()),
        message: text("message").unwrap_or_else(|| Value::Object(told.clone()).to_string()),
    }
}
