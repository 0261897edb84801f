//! Where pieces of a text come from.
use crate::providers::chat::{Citation, Taking, object};
use serde_json::{Map, Value};

/// A citation as Cohere tells it: one for each of its sources.
#[derive(Debug, Default)]
pub(super) struct Cited {
    /// The part of the content whose text it is for, where that is told.
    pub part: Option<u64>,
    /// The same words, from each source.
    pub citations: Vec<Citation>,
}

/// Reads a citation. `None` for those of plans and thoughts: only a text has citations.
pub(super) fn read(told: Value) -> Option<Cited> {
    let Value::Object(mut told) = told else { return None };
    if told.take_text("type").is_some_and(|kind| kind != "TEXT_CONTENT") {
        return None;
    }
    let part = told.take_count("content_index");
    let range = told.take_count("start").zip(told.take_count("end"));
    let cited = told.take_text("text");
    let words = Citation { cited, range, ..Citation::default() };
    let of_one = |source: Citation| Citation { cited: words.cited.clone(), range, ..source };
    let sources = told.take_array("sources").into_iter().map(source);
    // Version 1 has ids of documents only.
    let ids = told
        .take_array("document_ids")
        .into_iter()
        .map(|id| Citation { title: id.as_str().map(str::to_owned), ..Citation::default() });
    let mut citations: Vec<_> = sources.chain(ids).map(of_one).collect();
    if citations.is_empty() {
        citations.push(words);
    }
    Some(Cited { part, citations })
}

/// A document, or what a tool gave back. Its id stands for a title that it does not have.
fn source(told: Value) -> Citation {
    let Value::Object(mut told) = told else { return Citation::default() };
    let within = ["document", "tool_output"].into_iter().find_map(|name| told.take_object(name));
    let mut within: Map<String, Value> = within.unwrap_or_default();
    let id = told.take_text("id").or_else(|| within.take_text("id"));
    let is_page = |id: &String| id.starts_with("https://") || id.starts_with("http://");
    let url = within.take_text("url").or_else(|| id.clone().filter(is_page));
    let title = within.take_text("title").or(id);
    Citation { url, title, ..Citation::default() }
}

/// Writes a citation of the text in `part`: its source is a document.
pub(super) fn write(citation: Citation, part: usize) -> Value {
    let Citation { url, title, cited, range } = citation;
    let mut document = Map::new();
    title.clone().map(|title| document.insert("title".to_owned(), title.into()));
    url.clone().map(|url| document.insert("url".to_owned(), url.into()));
    let id = url.or(title).unwrap_or_default();
    let source =
        object([("type", "document".into()), ("id", id.into()), ("document", document.into())]);
    let mut told = Map::new();
    if let Some((start, end)) = range {
        told.insert("start".to_owned(), start.into());
        told.insert("end".to_owned(), end.into());
    }
    cited.map(|words| told.insert("text".to_owned(), words.into()));
    told.insert("sources".to_owned(), vec![source].into());
    told.insert("content_index".to_owned(), part.into());
    told.insert("type".to_owned(), "TEXT_CONTENT".into());
    told.into()
}
