//! Parts of messages.
use crate::providers::chat::{
    Block, Content, Lost, Media, MediaKind, Source, Taking, object, picture_type,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// A part of text.
pub(super) fn text_part(text: String) -> Value {
    object([("type", "text".into()), ("text", text.into())])
}

/// Parts as a message's content: one text is that text. `None` without any.
pub(super) fn joined(mut parts: Vec<Value>) -> Option<Value> {
    if parts.len() > 1 {
        return Some(parts.into());
    }
    let mut part = parts.pop()?;
    match part.get_mut("text").map(Value::take) {
        Some(text) => Some(text),
        None => Some(vec![part].into()),
    }
}

/// A picture; given back where Cohere cannot take it.
pub(super) fn picture(media: Media, lost: &mut Lost) -> Result<Value, Media> {
    if media.kind != MediaKind::Image {
        return Err(media);
    }
    let url = match media.source {
        Source::Url(url) => url,
        Source::Base64(mut data) => {
            let kind = media.media_type.as_deref().unwrap_or_else(|| picture_type(&data));
            // In place: it may be long.
            data.insert_str(0, &format!("data:{kind};base64,"));
            data
        }
        source => return Err(Media { source, ..media }),
    };
    let mut told = Map::from_iter([("url".to_owned(), Value::String(url))]);
    match media.detail {
        Some(detail) if matches!(detail.as_str(), "auto" | "low" | "high") => {
            told.insert("detail".to_owned(), detail.into());
        }
        Some(_) => lost.hint("detail"),
        None => {}
    }
    Ok(object([("type", "image_url".into()), ("image_url", told.into())]))
}

/// A document that is text, as Cohere's `data`; given back if it is none.
pub(super) fn document(media: Media) -> Result<Map<String, Value>, Media> {
    let is_text = media.media_type.as_deref().is_some_and(|kind| kind.starts_with("text/"));
    let text = match media.source {
        Source::Text(text) => text,
        Source::Base64(data) if is_text && media.kind == MediaKind::Document => {
            let bytes = STANDARD.decode(&data).ok();
            match bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
                Some(text) => text,
                None => return Err(Media { source: Source::Base64(data), ..media }),
            }
        }
        source => return Err(Media { source, ..media }),
    };
    let mut data = Map::new();
    media.name.map(|name| data.insert("title".to_owned(), name.into()));
    data.insert("text".to_owned(), text.into());
    Ok(data)
}

/// A document that the client told in Cohere's own words; given back if it is something else.
pub(super) fn own_document(mut told: Value) -> Result<Value, Value> {
    let document = told.get_mut("document").filter(|it| it.get("data").is_some());
    document.map(Value::take).ok_or(told)
}

/// A document within a message.
pub(super) fn inline(mut data: Map<String, Value>) -> Value {
    let mut text = data.take_text("text").unwrap_or_default();
    if let Some(title) = data.take_text("title") {
        text.insert_str(0, &format!("{title}\n\n"));
    }
    text_part(text)
}

/// Notes what Cohere has no place for.
pub(super) fn lose(block: &Block, lost: &mut Lost) {
    match &block.content {
        Content::Media(media) => lost.part(match media.kind {
            MediaKind::Image => "image_url",
            MediaKind::Audio => "input_audio",
            MediaKind::Video => "video_url",
            MediaKind::Document => "file",
        }),
        Content::Other(value) => match value.get("type").and_then(Value::as_str) {
            Some(kind) => lost.part(format!("messages.content.{kind}")),
            None => lost.part("messages.content"),
        },
        Content::ToolUse(_) => lost.part("tool_calls"),
        Content::ToolResult(_) => lost.part("tool"),
        Content::Thought(_) => lost.hint("reasoning_content"),
        Content::Text(..) | Content::Refusal(_) => lost.part("messages.content"),
    }
}
