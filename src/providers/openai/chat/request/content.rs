//! What messages are made of.
use crate::data::{Documents, Quirks};
use crate::providers::chat::{
    Block, Content, Lost, Malformed, Media, MediaKind, Source, Taking, object, source_of_url,
    text_of,
};
use serde_json::{Map, Value};

/// Reads a `content`: a text, or a list of parts.
pub(super) fn read(content: Option<Value>, place: &str) -> Result<Vec<Block>, Malformed> {
    match content {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![Block::text(text)]),
        Some(Value::Array(parts)) => parts.into_iter().map(|part| read_part(part, place)).collect(),
        Some(_) => {
            Err(Malformed::new(place, format!("`{place}` must be a text or a list of parts.")))
        }
    }
}

fn read_part(part: Value, place: &str) -> Result<Block, Malformed> {
    let mut part = match part {
        Value::Object(part) => part,
        Value::String(text) => return Ok(Block::text(text)),
        _ => return Err(Malformed::new(place, format!("A part of `{place}` must be an object."))),
    };
    let cache = part.take("cache_control");
    let kind = part.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let content = match kind.as_str() {
        "text" | "input_text" | "output_text" => text(&mut part, "text", place)?,
        "refusal" => Content::Refusal(part.take_text("refusal").unwrap_or_default()),
        "image_url" | "input_image" => media(MediaKind::Image, &mut part, "image_url", place)?,
        "video_url" => media(MediaKind::Video, &mut part, "video_url", place)?,
        "document_url" => media(MediaKind::Document, &mut part, "document_url", place)?,
        "audio_url" => media(MediaKind::Audio, &mut part, "audio_url", place)?,
        "input_audio" => audio(&mut part),
        "file" | "input_file" => file(part.take_object("file").unwrap_or(part)),
        "thinking" => super::history::thought(part),
        _ => Content::Other(Value::Object(part)),
    };
    Ok(Block { content, cache })
}

fn text(part: &mut Map<String, Value>, name: &str, place: &str) -> Result<Content, Malformed> {
    let missing = || Malformed::new(place, format!("A text part of `{place}` must have a `text`."));
    Ok(Content::Text(part.take_text(name).ok_or_else(missing)?, Vec::new()))
}

/// `{NAME: {url, detail}}`, or `{NAME: url}` as some write it.
fn media(
    kind: MediaKind,
    part: &mut Map<String, Value>,
    name: &str,
    place: &str,
) -> Result<Content, Malformed> {
    let mut told = match part.take(name) {
        Some(Value::Object(told)) => told,
        Some(Value::String(url)) => Map::from_iter([("url".to_owned(), Value::String(url))]),
        _ => Map::new(),
    };
    let missing = || {
        let message = format!("An image, video or sound of `{place}` must have a URL.");
        Malformed::new(format!("{place}.{name}.url"), message)
    };
    let (source, of_url) = source_of_url(told.take_text("url").ok_or_else(missing)?);
    let media_type = told.take_text("format").or(of_url);
    let detail = told.take_text("detail").or_else(|| part.take_text("detail"));
    Ok(Content::Media(Media { kind, source, media_type, name: None, detail }))
}

fn audio(part: &mut Map<String, Value>) -> Content {
    let mut told = part.take_object("input_audio").unwrap_or_default();
    let format = told.take_text("format");
    let media_type = format.map(|format| match format.as_str() {
        "mp3" => "audio/mpeg".to_owned(),
        _ => format!("audio/{format}"),
    });
    Content::Media(Media {
        kind: MediaKind::Audio,
        source: Source::Base64(told.take_text("data").unwrap_or_default()),
        media_type,
        name: None,
        detail: None,
    })
}

fn file(mut told: Map<String, Value>) -> Content {
    let media_type = told.take_text("format");
    let name = told.take_text("filename");
    let data = told.take_text("file_data").or_else(|| told.take_text("file_url"));
    let (source, of_url) = match (data, told.take_text("file_id")) {
        // LiteLLM's clients name files of the web by `file_id` too.
        (None, Some(id)) if id.starts_with("http") || id.starts_with("gs://") => {
            (Source::Url(id), None)
        }
        (None, id) => (Source::File(id.unwrap_or_default()), None),
        (Some(data), _) if data.starts_with("data:") || data.contains("://") => source_of_url(data),
        (Some(data), _) => (Source::Base64(data), None),
    };
    let media_type = of_url.or(media_type);
    let kind = kind_of(media_type.as_deref());
    Content::Media(Media { kind, source, media_type, name, detail: None })
}

fn kind_of(media_type: Option<&str>) -> MediaKind {
    match media_type.and_then(|it| it.split('/').next()) {
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::Document,
    }
}

/// Writes blocks as a `content`: a text where they are one, else a list.
pub(super) fn write(blocks: Vec<Block>, quirks: &Quirks, lost: &mut Lost) -> Value {
    let keeps = quirks.cache_hints();
    let plain = blocks.iter().all(|it| it.as_text().is_some() && (it.cache.is_none() || !keeps));
    if plain && blocks.len() == 1 {
        return blocks.into_iter().next().map_or(Value::Null, |it| text_block(it.content));
    }
    let mut parts = Vec::with_capacity(blocks.len());
    for block in blocks {
        let cache = block.cache.filter(|_| keeps);
        let Some(mut part) = write_part(block.content, quirks, lost) else { continue };
        if let (Some(cache), Some(part)) = (cache, part.as_object_mut()) {
            part.insert("cache_control".to_owned(), cache);
        }
        parts.push(part);
    }
    Value::Array(parts)
}

fn text_block(content: Content) -> Value {
    match content {
        Content::Text(text, _) => text.into(),
        _ => Value::Null,
    }
}

fn write_part(content: Content, quirks: &Quirks, lost: &mut Lost) -> Option<Value> {
    match content {
        Content::Text(text, _) => Some(part("text", "text", text.into())),
        Content::Refusal(refusal) => Some(part("refusal", "refusal", refusal.into())),
        Content::Media(media) => write_media(media, quirks, lost),
        Content::Other(told) => {
            let kind = told.get("type").cloned().map_or_else(|| "part".to_owned(), text_of);
            lost.part(format!("messages.content.{kind}"));
            None
        }
        Content::ToolUse(_) | Content::ToolResult(_) | Content::Thought(_) => None,
    }
}

/// `{type: KIND, NAME: told}`.
fn part(kind: &str, name: &str, told: Value) -> Value {
    object([("type", kind.into()), (name, told)])
}

fn write_media(media: Media, quirks: &Quirks, lost: &mut Lost) -> Option<Value> {
    let Media { kind, source, media_type, name, detail } = media;
    let default = match kind {
        MediaKind::Image => "image/png",
        MediaKind::Audio => "audio/wav",
        MediaKind::Video => "video/mp4",
        MediaKind::Document => "application/pdf",
    };
    let media_type = media_type.as_deref().unwrap_or(default);
    let (link, here) = match source {
        Source::File(id) => return Some(part("file", "file", object([("file_id", id.into())]))),
        Source::Text(text) => {
            let title = name.map(|name| format!("{name}\n\n")).unwrap_or_default();
            return Some(part("text", "text", format!("{title}{text}").into()));
        }
        Source::Base64(data) if kind == MediaKind::Audio => return Some(sound(media_type, data)),
        Source::Base64(data) => (format!("data:{media_type};base64,{data}"), true),
        Source::Url(link) => (link, false),
    };
    match kind {
        MediaKind::Image => {
            let mut image = Map::from_iter([("url".to_owned(), link.into())]);
            detail.map(|detail| image.insert("detail".to_owned(), detail.into()));
            Some(part("image_url", "image_url", image.into()))
        }
        MediaKind::Video => Some(part("video_url", "video_url", object([("url", link.into())]))),
        MediaKind::Document if quirks.documents() == Some(Documents::Url) => {
            Some(part("document_url", "document_url", link.into()))
        }
        // OpenAI's chat takes a file's bytes, but not its URL.
        _ if here || quirks.documents() == Some(Documents::File) => {
            let name = name.unwrap_or_else(|| "document.pdf".to_owned());
            let file = object([("filename", name.into()), ("file_data", link.into())]);
            Some(part("file", "file", file))
        }
        _ => {
            lost.part("messages.content.file");
            None
        }
    }
}

fn sound(media_type: &str, data: String) -> Value {
    let format = match media_type.rsplit('/').next() {
        Some("mpeg" | "mp3") => "mp3",
        Some("x-wav" | "wave") | None => "wav",
        Some(other) => other,
    };
    let told = object([("data", data.into()), ("format", format.into())]);
    part("input_audio", "input_audio", told)
}
