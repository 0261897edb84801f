//! Pictures and documents.
use super::Betas;
use super::fields::{Object, nested, required, required_text, text, within, wrong};
use crate::providers::chat::{Lost, Malformed, Media, MediaKind, Source, object};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

/// An `image` block.
pub(super) fn read_image(mut block: Object) -> Result<Media, Malformed> {
    let (source, media_type) = read_source(&mut block)?;
    Ok(Media { kind: MediaKind::Image, source, media_type, name: None, detail: None })
}

/// A `document` block.
pub(super) fn read_document(mut block: Object) -> Result<Media, Malformed> {
    let name = text(&mut block, "title")?;
    let (source, media_type) = read_source(&mut block)?;
    Ok(Media { kind: MediaKind::Document, source, media_type, name, detail: None })
}

fn read_source(block: &mut Object) -> Result<(Source, Option<String>), Malformed> {
    let source = nested(block, "source")?.ok_or_else(|| wrong("source", "an object"))?;
    source_of(source).map_err(|error| within(error, "source"))
}

fn source_of(mut source: Object) -> Result<(Source, Option<String>), Malformed> {
    let media_type = text(&mut source, "media_type")?;
    let source = match required_text(&mut source, "type")?.as_str() {
        "base64" => Source::Base64(required_text(&mut source, "data")?),
        "text" => Source::Text(required_text(&mut source, "data")?),
        "url" => Source::Url(required_text(&mut source, "url")?),
        "file" => Source::File(required_text(&mut source, "file_id")?),
        "content" => {
            let content = required(&mut source, "content", "a string or a list of blocks", Some)?;
            return Ok((Source::Text(texts(content)), Some("text/plain".into())));
        }
        _ => return Err(wrong("type", "`base64`, `text`, `url`, `file` or `content`")),
    };
    Ok((source, media_type))
}

/// The texts of a document that is made of blocks.
fn texts(content: Value) -> String {
    match content {
        Value::String(text) => text,
        Value::Array(blocks) => {
            let texts: Vec<&str> =
                blocks.iter().filter_map(|block| block.get("text")?.as_str()).collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

/// A picture's or a document's block; `None` for what Anthropic does not look at.
pub(super) fn write_media(media: Media, betas: &mut Betas, lost: &mut Lost) -> Option<Value> {
    let Media { kind, source, media_type, name, detail } = media;
    if detail.is_some_and(|detail| detail != "auto") {
        lost.hint("detail");
    }
    let (word, source, part) = match kind {
        MediaKind::Image => ("image", image(source, media_type, betas), "image_url"),
        MediaKind::Document => ("document", document(source, media_type, betas), "file"),
        MediaKind::Audio => ("audio", None, "input_audio"),
        MediaKind::Video => ("video", None, "video_url"),
    };
    let Some(source) = source else {
        lost.part(part);
        return None;
    };
    let mut block = Map::with_capacity(4);
    block.insert("type".into(), word.into());
    block.insert("source".into(), source);
    if let Some(name) = name {
        if kind == MediaKind::Document {
            block.insert("title".into(), name.into());
        } else {
            lost.hint("filename");
        }
    }
    Some(Value::Object(block))
}

fn image(source: Source, media_type: Option<String>, betas: &mut Betas) -> Option<Value> {
    match apart(source, media_type) {
        (Source::Base64(data), media_type) => {
            // The server refuses pictures of another type than they are said to be.
            let known = IMAGES.iter().find(|(start, _)| data.starts_with(start));
            let media_type = match (known, media_type.as_deref()) {
                (Some((_, known)), _) => (*known).into(),
                (None, Some("image/jpg")) => "image/jpeg".into(),
                (None, _) => media_type.unwrap_or_else(|| "image/png".into()),
            };
            Some(base64(media_type, data))
        }
        (Source::Text(_), _) => None,
        (source, _) => elsewhere(source, betas),
    }
}

/// How files of these types begin, in base64.
const IMAGES: [(&str, &str); 4] = [
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
];

/// PDFs, and texts: those are decoded.
fn document(source: Source, media_type: Option<String>, betas: &mut Betas) -> Option<Value> {
    match apart(source, media_type) {
        (Source::Base64(data), media_type) => {
            let is_pdf = media_type.as_deref() == Some("application/pdf");
            if is_pdf || data.starts_with("JVBERi") {
                return Some(base64("application/pdf".into(), data));
            }
            let text = String::from_utf8(STANDARD.decode(data.as_bytes()).ok()?).ok()?;
            (!text.contains('\0')).then(|| plain(text))
        }
        (Source::Text(text), _) => Some(plain(text)),
        (source, _) => elsewhere(source, betas),
    }
}

fn base64(media_type: String, data: String) -> Value {
    object([("type", "base64".into()), ("media_type", media_type.into()), ("data", data.into())])
}

fn plain(text: String) -> Value {
    object([("type", "text".into()), ("media_type", "text/plain".into()), ("data", text.into())])
}

/// What is not in the request itself.
fn elsewhere(source: Source, betas: &mut Betas) -> Option<Value> {
    match source {
        Source::Url(url) => Some(object([("type", "url".into()), ("url", url.into())])),
        Source::File(id) => {
            betas.add("files-api-2025-04-14");
            Some(object([("type", "file".into()), ("file_id", id.into())]))
        }
        Source::Base64(_) | Source::Text(_) => None,
    }
}

/// A `data:` URL as what it holds, in base64.
fn apart(source: Source, media_type: Option<String>) -> (Source, Option<String>) {
    let Source::Url(url) = source else { return (source, media_type) };
    let Some((head, data)) = url.strip_prefix("data:").and_then(|url| url.split_once(',')) else {
        return (Source::Url(url), media_type);
    };
    let told = head.split(';').next().filter(|told| !told.is_empty()).map(str::to_owned);
    let data = if head.ends_with(";base64") { data.to_owned() } else { STANDARD.encode(data) };
    (Source::Base64(data), told.or(media_type))
}
