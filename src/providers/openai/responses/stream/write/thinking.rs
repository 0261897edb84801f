//! A thought in a stream.
use super::super::super::answer::reasoning;
use super::item::Item;
use super::lines::Lines;
use serde_json::{Value, json};

/// A thought while it grows: a summary of one part.
#[derive(Debug)]
pub(super) struct Thinking {
    item: Item,
    text: String,
    encrypted: Option<String>,
}

impl Thinking {
    /// Begins a thought.
    pub(super) fn new(item: Item, lines: &mut Lines, out: &mut Vec<u8>) -> Self {
        item.added(&reasoning(&item.id, String::new(), None), lines, out);
        Self { item, text: String::new(), encrypted: None }
    }

    /// More of it.
    pub(super) fn more(&mut self, text: &str, lines: &mut Lines, out: &mut Vec<u8>) {
        if self.text.is_empty() {
            let event = self.item.event("response.reasoning_summary_part.added", lines, out);
            event.number("summary_index", 0).value("part", &part("")).end();
        }
        self.text.push_str(text);
        let event = self.item.event("response.reasoning_summary_text.delta", lines, out);
        event.number("summary_index", 0).text("delta", text).end();
    }

    /// What it has to be sent back with.
    pub(super) fn seal(&mut self, encrypted: String) {
        self.encrypted = Some(encrypted);
    }

    /// Ends the thought: gives its place and what it is.
    pub(super) fn end(self, lines: &mut Lines, out: &mut Vec<u8>) -> (u64, Value) {
        if !self.text.is_empty() {
            let event = self.item.event("response.reasoning_summary_text.done", lines, out);
            event.number("summary_index", 0).text("text", &self.text).end();
            let event = self.item.event("response.reasoning_summary_part.done", lines, out);
            event.number("summary_index", 0).value("part", &part(&self.text)).end();
        }
        (self.item.index, reasoning(&self.item.id, self.text, self.encrypted))
    }
}

fn part(text: &str) -> Value {
    json!({"type": "summary_text", "text": text})
}
