//! Where a text comes from.
use crate::providers::chat::{Citation, Taking};
use serde_json::{Map, Value};

/// Reads a citation: of a page, of what a search found, or of a document.
pub(super) fn read(mut told: Map<String, Value>) -> Citation {
    let web = told.take_object("location").and_then(|mut place| place.take_object("web"));
    let mut web = web.unwrap_or_default();
    let is_page = |text: &String| text.starts_with("https://") || text.starts_with("http://");
    let url = web.take_text("url").or_else(|| told.take_text("source").filter(is_page));
    let title = told.take_text("title").or_else(|| web.take_text("domain"));
    let texts = told.take_array("sourceContent").into_iter().filter_map(|text| match text {
        Value::Object(mut text) => text.take_text("text"),
        _ => None,
    });
    let cited: String = texts.collect();
    Citation { url, title, cited: (!cited.is_empty()).then_some(cited), range: None }
}
