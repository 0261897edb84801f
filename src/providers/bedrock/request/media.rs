//! Pictures, documents, films and sound. Their bytes stand in the request, or in S3.
use super::documents::Documents;
use crate::providers::chat::{Lost, Media, MediaKind, Source, object};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// A block; `None` for what Converse does not take.
pub(super) fn write(media: Media, documents: &mut Documents, lost: &mut Lost) -> Option<Value> {
    let Media { kind, source, media_type, name, detail } = media;
    if detail.is_some_and(|detail| detail != "auto") {
        lost.hint("detail");
    }
    let (word, part) = match kind {
        MediaKind::Image => ("image", "image_url"),
        MediaKind::Document => ("document", "file"),
        MediaKind::Audio => ("audio", "input_audio"),
        MediaKind::Video => ("video", "video_url"),
    };
    let format = format(kind, media_type.as_deref(), name.as_deref(), &source);
    let (Some(format), Some(source)) = (format, place(kind, source)) else {
        lost.part(part);
        return None;
    };
    let mut block = Map::with_capacity(3);
    block.insert("format".into(), format.into());
    if kind == MediaKind::Document {
        block.insert("name".into(), documents.name(name.as_deref()).into());
    } else if name.is_some() {
        lost.hint("filename");
    }
    block.insert("source".into(), source);
    Some(object([(word, block.into())]))
}

/// Where the bytes are; `None` where Converse does not look.
fn place(kind: MediaKind, source: Source) -> Option<Value> {
    let bytes = match source {
        Source::Base64(data) => data,
        Source::Text(text) if kind == MediaKind::Document => STANDARD.encode(text),
        Source::Url(uri) if uri.starts_with("s3://") => {
            let place = object([("uri", uri.into())]);
            return Some(object([("s3Location", place)]));
        }
        Source::Url(url) => {
            let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
            if head.ends_with(";base64") { data.to_owned() } else { STANDARD.encode(data) }
        }
        Source::Text(_) | Source::File(_) => return None,
    };
    Some(object([("bytes", bytes.into())]))
}

/// How files of these kinds begin, in base64.
const STARTS: [(&str, &str); 5] = [
    ("iVBORw0KGgo", "png"),
    ("/9j/", "jpeg"),
    ("R0lGOD", "gif"),
    ("UklGR", "webp"),
    ("JVBERi", "pdf"),
];

/// What is in the bytes, in Converse's word: as they begin, as they are said to be, or as the
/// file's name ends.
fn format(
    kind: MediaKind,
    media_type: Option<&str>,
    name: Option<&str>,
    source: &Source,
) -> Option<&'static str> {
    let begun = match source {
        Source::Base64(data) => STARTS.iter().find(|(start, _)| data.starts_with(start)),
        _ => None,
    };
    let begun = begun.map(|(_, format)| *format).filter(|_| kind != MediaKind::Audio);
    let of_url = match source {
        Source::Url(url) => match url.strip_prefix("data:") {
            Some(data) => data.split([';', ',']).next().and_then(|told| known(kind, told)),
            None => ending(kind, url),
        },
        _ => None,
    };
    let told = || media_type.and_then(|told| known(kind, told));
    let named = || name.and_then(|name| ending(kind, name));
    let found = begun.or(of_url).or_else(told).or_else(named);
    match (kind, source) {
        (MediaKind::Document, Source::Text(_)) => Some(found.unwrap_or("txt")),
        (MediaKind::Image, Source::Base64(_)) => Some(found.unwrap_or("png")),
        _ => found,
    }
}

fn ending(kind: MediaKind, name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    let ending = ending.to_ascii_lowercase();
    formats(kind).iter().find(|(_, format)| *format == ending).map(|(_, format)| *format)
}

fn known(kind: MediaKind, media_type: &str) -> Option<&'static str> {
    let told = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let word = told.rsplit('/').next().unwrap_or_default();
    let formats = formats(kind);
    let found = formats.iter().find(|(known, format)| *known == told || *format == word);
    let text = told.starts_with("text/") && kind == MediaKind::Document;
    found.map(|(_, format)| *format).or(text.then_some("txt"))
}

/// Media types, and Converse's words for them. A word that ends a media type needs no row of its
/// own, but one here.
const fn formats(kind: MediaKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        MediaKind::Image => {
            &[("image/jpg", "jpeg"), ("", "png"), ("", "gif"), ("image/webp", "webp")]
        }
        MediaKind::Document => &[
            ("application/pdf", "pdf"),
            ("text/csv", "csv"),
            ("application/msword", "doc"),
            ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"),
            ("application/vnd.ms-excel", "xls"),
            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
            ("text/html", "html"),
            ("text/plain", "txt"),
            ("text/markdown", "md"),
        ],
        MediaKind::Video => &[
            ("video/x-matroska", "mkv"),
            ("video/quicktime", "mov"),
            ("video/mp4", "mp4"),
            ("video/webm", "webm"),
            ("video/x-flv", "flv"),
            ("video/mpeg", "mpeg"),
            ("video/mpg", "mpg"),
            ("video/x-ms-wmv", "wmv"),
            ("video/3gpp", "three_gp"),
        ],
        MediaKind::Audio => &[
            ("audio/mpeg", "mp3"),
            ("audio/x-wav", "wav"),
            ("audio/opus", "opus"),
            ("audio/aac", "aac"),
            ("audio/flac", "flac"),
            ("audio/mp4", "m4a"),
            ("audio/ogg", "ogg"),
            ("audio/webm", "webm"),
            ("audio/pcm", "pcm"),
        ],
    }
}
