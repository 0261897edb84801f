//! Where an answer comes from: `groundingMetadata` and `citationMetadata`.
use super::fields::members;
use super::ruler::Ruler;
use crate::providers::chat::{Citation, Taking, object};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Pages that one piece of text may name.
const MOST: usize = 32;

/// What an answer comes from, in the order of its pieces. Ranges are in bytes.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// The places in the answer's parts.
    pub(crate) found: Vec<Found>,
}

/// A source.
#[derive(Debug)]
pub(crate) struct Found {
    /// Which of the answer's parts it is for.
    pub(crate) part: usize,
    /// The source. Its range is in bytes.
    pub(crate) citation: Citation,
}

impl Sources {
    /// Adds a candidate's `groundingMetadata`. Where it does not say what its pages are for, each
    /// of them is told once.
    pub(crate) fn ground(&mut self, mut metadata: Map<String, Value>) {
        let pages: Vec<_> = metadata.take_array("groundingChunks").into_iter().map(page).collect();
        let supports = metadata.take_array("groundingSupports");
        if supports.is_empty() {
            let told = pages.into_iter().flatten();
            self.found.extend(told.map(|citation| Found { part: 0, citation }));
            return;
        }
        for mut support in supports.into_iter().filter_map(members) {
            let mut segment = support.take_object("segment").unwrap_or_default();
            let part = segment.take_count("partIndex").unwrap_or(0);
            let start = segment.take_count("startIndex").unwrap_or(0);
            let range = segment.take_count("endIndex").map(|end| (start, end));
            let cited = segment.take_text("text");
            let numbers = support.take_array("groundingChunkIndices").into_iter().take(MOST);
            for number in numbers.filter_map(|number| usize::try_from(number.as_u64()?).ok()) {
                let Some(Some(page)) = pages.get(number) else { continue };
                let citation = Citation { cited: cited.clone(), range, ..page.clone() };
                self.found.push(Found { part: usize::try_from(part).unwrap_or(0), citation });
            }
        }
    }

    /// Adds a candidate's `citationMetadata`: texts that it repeats.
    pub(crate) fn cite(&mut self, mut metadata: Map<String, Value>) {
        let names = ["citations", "citationSources"];
        let all = names.into_iter().flat_map(|name| metadata.take_array(name)).collect::<Vec<_>>();
        for mut source in all.into_iter().filter_map(members) {
            let start = source.take_count("startIndex").unwrap_or(0);
            let citation = Citation {
                url: source.take_text("uri"),
                title: source.take_text("title"),
                cited: None,
                range: source.take_count("endIndex").map(|end| (start, end)),
            };
            if citation.url.is_some() || citation.title.is_some() {
                self.found.push(Found { part: 0, citation });
            }
        }
    }
}

/// A page, a document or a place of a `groundingChunk`.
fn page(chunk: Value) -> Option<Citation> {
    let mut chunk = members(chunk)?;
    let names = ["web", "retrievedContext", "maps", "image"];
    let mut page = names.into_iter().find_map(|name| chunk.take_object(name))?;
    let url = ["uri", "sourceUri", "imageUri", "fileSearchStore"]
        .into_iter()
        .find_map(|name| page.take_text(name));
    Some(Citation { url, title: page.take_text("title"), ..Citation::default() })
}

/// A `groundingMetadata` that is written piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Grounding {
    chunks: Vec<Value>,
    numbers: HashMap<(Option<String>, Option<String>), usize>,
    supports: Vec<Value>,
}

impl Grounding {
    /// Adds a source of a part's text. The ruler measures that text.
    pub(crate) fn add(&mut self, citation: Citation, part: usize, ruler: &Ruler) {
        let Citation { url, title, cited, range } = citation;
        let number = *self.numbers.entry((url, title)).or_insert_with_key(|(url, title)| {
            let told = [("uri", url), ("title", title)];
            let told = told.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
            let web = told.map(|(name, value)| (name.to_owned(), Value::from(value.as_str())));
            self.chunks.push(object([("web", web.collect())]));
            self.chunks.len() - 1
        });
        if cited.is_none() && range.is_none() {
            return;
        }
        let mut segment = Map::new();
        if part > 0 {
            segment.insert("partIndex".to_owned(), part.into());
        }
        if let Some((start, end)) = range {
            segment.insert("startIndex".to_owned(), ruler.byte(start).into());
            segment.insert("endIndex".to_owned(), ruler.byte(end).into());
        }
        if let Some(cited) = cited {
            segment.insert("text".to_owned(), cited.into());
        }
        let indices = vec![Value::from(number)];
        self.supports.push(object([
            ("segment", Value::Object(segment)),
            ("groundingChunkIndices", indices.into()),
        ]));
    }

    /// The whole; `None`, if there are no sources.
    pub(crate) fn into_value(self) -> Option<Value> {
        if self.chunks.is_empty() {
            return None;
        }
        Some(object([
            ("groundingChunks", self.chunks.into()),
            ("groundingSupports", self.supports.into()),
        ]))
    }
}
