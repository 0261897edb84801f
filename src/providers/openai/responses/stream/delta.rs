//! The events that come for every word.
use crate::providers::chat::{Taking, read};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A piece of an item: an event whose name ends with `.delta`.
#[derive(Debug, Default)]
pub(super) struct Delta {
    /// The item's place in the output.
    pub(super) at: u64,
    /// Which part of a summary it belongs to.
    pub(super) part: u64,
    /// The piece.
    pub(super) text: String,
    /// How likely its words were.
    pub(super) logprobs: Vec<Value>,
}

impl Delta {
    /// Reads an event without making more of it than it needs: `None` for other events, and for
    /// those that are not written plainly.
    pub(super) fn read(name: &[u8], data: &[u8]) -> Option<(String, Self)> {
        if !name.is_empty() && !name.ends_with(b".delta") {
            return None;
        }
        let event: BTreeMap<&str, &RawValue> = read(data).ok()?;
        let raw = |name: &str| event.get(name).map(|value| value.get());
        let kind: String = serde_json::from_str(raw("type")?).ok()?;
        if !kind.ends_with(".delta") {
            return None;
        }
        let count = |name| raw(name).and_then(|count| count.parse().ok());
        // A number that is written otherwise is read the long way.
        let at = if event.contains_key("output_index") { count("output_index")? } else { 0 };
        let probable = raw("logprobs").filter(|told| *told != "[]");
        Some((
            kind,
            Self {
                at,
                part: count("summary_index").unwrap_or(0),
                text: serde_json::from_str(raw("delta")?).ok()?,
                logprobs: probable
                    .and_then(|told| serde_json::from_str(told).ok())
                    .unwrap_or_default(),
            },
        ))
    }

    /// The same of an event that was read the long way.
    pub(super) fn of(mut event: Map<String, Value>) -> Option<Self> {
        Some(Self {
            at: event.take_count("output_index").unwrap_or(0),
            part: event.take_count("summary_index").unwrap_or(0),
            text: event.take_text("delta")?,
            logprobs: event.take_array("logprobs"),
        })
    }
}
