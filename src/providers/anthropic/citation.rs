//! Where a text comes from.
use crate::providers::chat::{Citation, Taking};
use serde_json::{Map, Value, json};

/// The citations of a text block; what is none is left out.
pub(super) fn read_citations(citations: Vec<Value>) -> Vec<Citation> {
    let objects = citations.into_iter().filter_map(|citation| match citation {
        Value::Object(citation) => Some(citation),
        _ => None,
    });
    objects.map(read_citation).collect()
}

/// One citation. Anthropic cites for a whole block of text, so it has no range.
pub(super) fn read_citation(mut citation: Map<String, Value>) -> Citation {
    let url = citation.take_text("url");
    let title = citation.take_text("title");
    Citation {
        url: url.or_else(|| citation.take_text("source")),
        title: title.or_else(|| citation.take_text("document_title")),
        cited: citation.take_text("cited_text"),
        range: None,
    }
}

/// A citation for a client: of a page, or of the first document if it has no address.
pub(super) fn write_citation(citation: Citation) -> Value {
    let Citation { url, title, cited, range } = citation;
    let cited = cited.unwrap_or_default();
    match url {
        Some(url) => json!({
            "type": "web_search_result_location",
            "cited_text": cited,
            "encrypted_index": "",
            "title": title,
            "url": url,
        }),
        None => {
            let (start, end) = range.unwrap_or_default();
            json!({
                "type": "char_location",
                "cited_text": cited,
                "document_index": 0,
                "document_title": title,
                "start_char_index": start,
                "end_char_index": end,
            })
        }
    }
}
