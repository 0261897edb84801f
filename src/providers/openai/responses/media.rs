//! Pictures, sounds and documents: parts of messages.
use super::member::{members, text};
use crate::providers::chat::{
    Lost, Malformed, Media, MediaKind, Source, Taking, object, source_of_url,
};
use serde_json::{Map, Value, json};

/// Reads an `input_image`: a URL or a file.
pub(super) fn read_image(mut part: Map<String, Value>, place: &str) -> Result<Media, Malformed> {
    let url = text(&mut part, place, "image_url")?;
    let (source, media_type) = match (url, text(&mut part, place, "file_id")?) {
        (Some(url), _) => source_of_url(url),
        (None, Some(id)) => (Source::File(id), None),
        (None, None) => return Err(sourceless(place, "image", "`image_url` or `file_id`")),
    };
    let detail = text(&mut part, place, "detail")?;
    Ok(Media { kind: MediaKind::Image, source, media_type, name: None, detail })
}

/// Reads an `input_file`: bytes, a URL or a file that was uploaded.
pub(super) fn read_file(mut part: Map<String, Value>, place: &str) -> Result<Media, Malformed> {
    let name = text(&mut part, place, "filename")?;
    let data = text(&mut part, place, "file_data")?;
    let url = text(&mut part, place, "file_url")?;
    let (source, media_type) = match (data, url, text(&mut part, place, "file_id")?) {
        (Some(data), _, _) if data.starts_with("data:") => source_of_url(data),
        (Some(data), _, _) => (Source::Base64(data), media_type_of(name.as_deref())),
        (None, Some(url), _) => source_of_url(url),
        (None, None, Some(id)) => (Source::File(id), None),
        (None, None, None) => {
            return Err(sourceless(place, "file", "`file_data`, `file_url` or `file_id`"));
        }
    };
    let detail = text(&mut part, place, "detail")?;
    Ok(Media { kind: MediaKind::Document, source, media_type, name, detail })
}

/// Reads an `input_audio`, whose bytes are here.
pub(super) fn read_audio(mut part: Map<String, Value>, place: &str) -> Result<Media, Malformed> {
    let mut told = members(&mut part, place, "input_audio")?;
    let source = match text(&mut told, place, "data")? {
        Some(data) => Source::Base64(data),
        None => return Err(sourceless(place, "sound", "`input_audio.data`")),
    };
    let media_type = text(&mut told, place, "format")?.map(|format| match format.as_str() {
        "mp3" => "audio/mpeg".to_owned(),
        _ => format!("audio/{format}"),
    });
    Ok(Media { kind: MediaKind::Audio, source, media_type, name: None, detail: None })
}

/// Reads an `input_video` (OpenRouter).
pub(super) fn read_video(mut part: Map<String, Value>, place: &str) -> Result<Media, Malformed> {
    let url = text(&mut part, place, "video_url")?;
    let (source, media_type) =
        source_of_url(url.ok_or_else(|| sourceless(place, "film", "`video_url`"))?);
    Ok(Media { kind: MediaKind::Video, source, media_type, name: None, detail: None })
}

fn sourceless(place: &str, what: &str, names: &str) -> Malformed {
    Malformed::new(place, format!("The {what} at `{place}` must have {names}."))
}

/// From a file's name: data without a type of its own is mostly PDF.
fn media_type_of(name: Option<&str>) -> Option<String> {
    let (_, extension) = name?.rsplit_once('.')?;
    let media_type = match extension.to_ascii_lowercase().as_str() {
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "html" => "text/html",
        "json" => "application/json",
        _ => return None,
    };
    Some(media_type.to_owned())
}

/// Writes a part of a message or of a tool's result; `None` for what Responses cannot be given.
pub(super) fn write(media: Media, lost: &mut Lost) -> Option<Value> {
    match media.kind {
        MediaKind::Image => image(media, lost),
        MediaKind::Document => Some(document(media)),
        MediaKind::Audio => {
            lost.part("input_audio");
            None
        }
        MediaKind::Video => {
            lost.part("video_url");
            None
        }
    }
}

fn image(media: Media, lost: &mut Lost) -> Option<Value> {
    let detail = media.detail.unwrap_or_else(|| "auto".to_owned());
    let mut part = json!({"type": "input_image", "detail": detail});
    let media_type = media.media_type.as_deref().unwrap_or("image/png");
    match media.source {
        Source::Base64(data) => part["image_url"] = url_of(media_type, &data).into(),
        Source::Url(url) => part["image_url"] = url.into(),
        Source::File(id) => part["file_id"] = id.into(),
        Source::Text(_) => {
            lost.part("image_url");
            return None;
        }
    }
    Some(part)
}

fn document(media: Media) -> Value {
    let media_type = media.media_type.as_deref().unwrap_or("application/pdf");
    let kind = ("type", "input_file".into());
    match media.source {
        Source::Base64(data) => {
            let name = media.name.unwrap_or_else(|| name_for(media_type));
            let data = url_of(media_type, &data);
            object([kind, ("filename", name.into()), ("file_data", data.into())])
        }
        Source::Url(url) => object([kind, ("file_url", url.into())]),
        Source::File(id) => object([kind, ("file_id", id.into())]),
        Source::Text(text) => {
            let title = media.name.map(|name| format!("{name}\n\n")).unwrap_or_default();
            object([("type", "input_text".into()), ("text", format!("{title}{text}").into())])
        }
    }
}

/// OpenAI tells a file's kind by its name, so it needs one.
fn name_for(media_type: &str) -> String {
    let extension = match media_type {
        "text/plain" => "txt",
        "text/markdown" => "md",
        "text/csv" => "csv",
        "text/html" => "html",
        "application/json" => "json",
        _ => "pdf",
    };
    format!("document.{extension}")
}

fn url_of(media_type: &str, data: &str) -> String {
    format!("data:{media_type};base64,{data}")
}

/// A picture that the model made: an `image_generation_call`.
pub(super) fn read_made(mut item: Map<String, Value>) -> Option<Media> {
    let data = item.take_text("result").filter(|data| !data.is_empty())?;
    let format = item.take_text("output_format").unwrap_or_else(|| "png".to_owned());
    let (source, of_url) = match data.starts_with("data:") {
        true => source_of_url(data),
        false => (Source::Base64(data), None),
    };
    let media_type = of_url.or_else(|| Some(format!("image/{format}")));
    Some(Media { kind: MediaKind::Image, source, media_type, name: None, detail: None })
}
