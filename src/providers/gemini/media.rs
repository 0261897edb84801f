//! Pictures, sounds, films and documents: `inlineData` and `fileData`.
use super::fields::{pick, text};
use crate::providers::chat::{Lost, Media, MediaKind, Source, object, standard_base64};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Where files lie that were given to Gemini before.
const FILES: &str = "https://generativelanguage.googleapis.com/";

/// Of an `inlineData`; `None` if it holds no data.
pub(crate) fn of_blob(mut blob: Map<String, Value>) -> Option<Media> {
    let data = text(pick(&mut blob, "data")?)?;
    let media_type = pick(&mut blob, "mimeType").and_then(text);
    Some(Media {
        kind: media_type.as_deref().map_or(MediaKind::Document, kind_of),
        source: Source::Base64(standard_base64(data)),
        media_type,
        name: pick(&mut blob, "displayName").and_then(text),
        detail: None,
    })
}

/// Of a `fileData`; `None` if it names no file.
pub(crate) fn of_file(mut file: Map<String, Value>) -> Option<Media> {
    let uri = text(pick(&mut file, "fileUri")?)?;
    let media_type = pick(&mut file, "mimeType").and_then(text);
    let kind = match media_type.as_deref().or_else(|| type_by_name(&uri)) {
        Some(media_type) => kind_of(media_type),
        None if is_youtube(&uri) => MediaKind::Video,
        None => MediaKind::Document,
    };
    let is_file = uri.starts_with(FILES) || uri.starts_with("files/");
    Some(Media {
        kind,
        source: if is_file { Source::File(uri) } else { Source::Url(uri) },
        media_type,
        name: pick(&mut file, "displayName").and_then(text),
        detail: None,
    })
}

fn kind_of(media_type: &str) -> MediaKind {
    match media_type.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::Document,
    }
}

/// The part of a turn that holds `media`.
pub(crate) fn part(media: Media, lost: &mut Lost) -> Map<String, Value> {
    if media.detail.is_some() {
        lost.hint("detail");
    }
    let part = match inlined(media) {
        Ok((mime_type, data)) => {
            let blob = object([("mimeType", mime_type.into()), ("data", data.into())]);
            object([("inlineData", blob)])
        }
        Err(Media { source: Source::Text(mut text), name, .. }) => {
            if let Some(name) = name {
                text.insert_str(0, &format!("{name}\n\n"));
            }
            object([("text", text.into())])
        }
        Err(Media {
            source: Source::Url(uri) | Source::File(uri), media_type, name, kind, ..
        }) => {
            let mime_type = media_type
                .map(known)
                .or_else(|| type_by_name(&uri).map(str::to_owned))
                .or_else(|| Some(type_by_name(name.as_deref()?)?.to_owned()))
                .or_else(|| is_youtube(&uri).then(|| "video/mp4".to_owned()));
            let uri = if uri.starts_with("files/") { format!("{FILES}v1beta/{uri}") } else { uri };
            // Google knows the types of the files that it keeps.
            match mime_type.or_else(|| (!uri.starts_with(FILES)).then(|| usual(kind).to_owned())) {
                Some(mime_type) => json!({"fileData": {"mimeType": mime_type, "fileUri": uri}}),
                None => json!({"fileData": {"fileUri": uri}}),
            }
        }
        Err(Media { source: Source::Base64(_), .. }) => Value::Null,
    };
    match part {
        Value::Object(part) => part,
        _ => Map::new(),
    }
}

/// The type and base64 of media that are here; else what was given.
pub(crate) fn inlined(media: Media) -> Result<(String, String), Media> {
    let Media { kind, source, media_type, name, detail } = media;
    let (media_type, data) = match source {
        Source::Base64(data) => (media_type, data),
        Source::Url(url) => match of_data_url(&url) {
            Some((of_url, data)) => (media_type.or(of_url), data),
            None => {
                return Err(Media { kind, source: Source::Url(url), media_type, name, detail });
            }
        },
        source => return Err(Media { kind, source, media_type, name, detail }),
    };
    let unknown = ["", "application/octet-stream", "*/*"];
    let media_type = media_type
        .filter(|told| !unknown.contains(&told.as_str()))
        .or_else(|| Some(type_by_magic(&data)?.to_owned()))
        .or_else(|| Some(type_by_name(name.as_deref()?)?.to_owned()))
        .unwrap_or_else(|| usual(kind).to_owned());
    Ok((known(media_type), data))
}

/// The type and data of `data:image/png;base64,…`.
fn of_data_url(url: &str) -> Option<(Option<String>, String)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let media_type = head.strip_suffix(";base64")?.split(';').next()?;
    Some((Some(media_type.to_owned()).filter(|told| !told.is_empty()), data.to_owned()))
}

/// Google takes few types by more than one name.
fn known(media_type: String) -> String {
    match media_type.as_str() {
        "image/jpg" => "image/jpeg".to_owned(),
        _ => media_type,
    }
}

/// What such media mostly are.
const fn usual(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image/jpeg",
        MediaKind::Audio => "audio/wav",
        MediaKind::Video => "video/mp4",
        MediaKind::Document => "application/pdf",
    }
}

fn is_youtube(uri: &str) -> bool {
    let rest = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
    host == "youtu.be" || host == "youtube.com" || host.ends_with(".youtube.com")
}

/// The type that the first bytes tell.
fn type_by_magic(data: &str) -> Option<&'static str> {
    let digits = data.get(..data.len().min(32) / 4 * 4)?;
    let bytes = STANDARD.decode(digits).ok()?;
    Some(match bytes.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => "audio/wav",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', b' ', ..] => "video/avi",
        [b'F', b'O', b'R', b'M', ..] => "audio/aiff",
        [b'%', b'P', b'D', b'F', ..] => "application/pdf",
        [b'I', b'D', b'3', ..] | [0xff, 0xf2 | 0xf3 | 0xfa | 0xfb, ..] => "audio/mp3",
        [0xff, 0xf0 | 0xf1 | 0xf8 | 0xf9, ..] => "audio/aac",
        [b'O', b'g', b'g', b'S', ..] => "audio/ogg",
        [b'f', b'L', b'a', b'C', ..] => "audio/flac",
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand {
            [b'h', b'e', b'i', ..] => "image/heic",
            [b'm', b'i', b'f', ..] => "image/heif",
            [b'a', b'v', b'i', ..] => "image/avif",
            [b'M', b'4', b'A', ..] => "audio/m4a",
            [b'q', b't', ..] => "video/quicktime",
            _ => "video/mp4",
        },
        [0x1a, 0x45, 0xdf, 0xa3, ..] => "video/webm",
        [b'B', b'M', ..] => "image/bmp",
        _ => return None,
    })
}

/// The type that the end of a file's name or of a URL tells.
fn type_by_name(name: &str) -> Option<&'static str> {
    let path = name.split(['?', '#']).next()?;
    let file = path.rsplit('/').next()?;
    let ending = file.rsplit_once('.')?.1.to_ascii_lowercase();
    Some(match ending.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "heic" => "image/heic",
        "heif" => "image/heif",
        "avif" => "image/avif",
        "bmp" => "image/bmp",
        "wav" => "audio/wav",
        "mp3" => "audio/mp3",
        "aac" => "audio/aac",
        "aiff" | "aif" => "audio/aiff",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "flac" => "audio/flac",
        "m4a" => "audio/m4a",
        "mp4" | "m4v" => "video/mp4",
        "mpeg" | "mpg" => "video/mpeg",
        "mov" => "video/quicktime",
        "avi" => "video/avi",
        "flv" => "video/x-flv",
        "webm" => "video/webm",
        "wmv" => "video/wmv",
        "3gp" | "3gpp" => "video/3gpp",
        "pdf" => "application/pdf",
        "txt" | "log" => "text/plain",
        "md" => "text/markdown",
        "html" | "htm" => "text/html",
        "css" => "text/css",
        "csv" => "text/csv",
        "xml" => "text/xml",
        "json" => "application/json",
        "js" => "text/javascript",
        "py" => "text/x-python",
        _ => return None,
    })
}
