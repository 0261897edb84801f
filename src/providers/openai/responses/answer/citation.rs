//! Annotations: where a text comes from.
use crate::providers::chat::{Citation, Taking};
use serde_json::{Map, Value, json};

/// Reads `annotations`; what is none is left out.
pub(in super::super) fn read(annotations: Vec<Value>) -> Vec<Citation> {
    let objects = annotations.into_iter().filter_map(|annotation| match annotation {
        Value::Object(annotation) => Some(annotation),
        _ => None,
    });
    objects.filter_map(read_one).collect()
}

/// Reads an annotation: of a page, or of a file.
pub(in super::super) fn read_one(mut annotation: Map<String, Value>) -> Option<Citation> {
    let range = match (annotation.take_count("start_index"), annotation.take_count("end_index")) {
        (Some(start), Some(end)) => Some((start, end)),
        _ => None,
    };
    let url = annotation.take_text("url").filter(|url| !url.is_empty());
    let title = annotation.take_text("title").or_else(|| annotation.take_text("filename"));
    let title = title.filter(|title| !title.is_empty());
    let cited = annotation.take_text("cited_text");
    (url.is_some() || title.is_some()).then_some(Citation { url, title, cited, range })
}

/// Writes an annotation. `told` are the characters of the text that it is for where it does not say
/// so itself.
pub(in super::super) fn write(citation: &Citation, told: (u64, u64)) -> Value {
    let (start, end) = citation.range.unwrap_or(told);
    let title = citation.title.as_deref().unwrap_or_default();
    match &citation.url {
        Some(url) => json!({
            "type": "url_citation",
            "start_index": start,
            "end_index": end,
            "url": url,
            "title": title,
        }),
        None => json!({
            "type": "file_citation",
            "file_id": "",
            "filename": title,
            "index": end,
        }),
    }
}
