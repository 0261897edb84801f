//! A message in a stream.
use super::super::super::answer::{message, refusal_part, text_part, write_citation};
use super::item::Item;
use super::lines::Lines;
use crate::providers::chat::Citation;
use serde_json::Value;

/// A message while it grows.
#[derive(Debug)]
pub(super) struct Message {
    item: Item,
    /// Its parts that are whole.
    parts: Vec<Value>,
    part: Option<Part>,
}

/// A text, or a refusal.
#[derive(Debug, Default)]
struct Part {
    refusal: bool,
    text: String,
    annotations: Vec<Value>,
    logprobs: Vec<Value>,
    /// How many characters there were, here and at the last two citations of different places.
    characters: u64,
    cited: (u64, u64),
}

impl Message {
    /// Begins a message.
    pub(super) fn new(item: Item, lines: &mut Lines, out: &mut Vec<u8>) -> Self {
        item.added(&message(&item.id, Vec::new(), "in_progress"), lines, out);
        Self { item, parts: Vec::new(), part: None }
    }

    fn index(&self) -> u64 {
        u64::try_from(self.parts.len()).unwrap_or(u64::MAX)
    }

    /// The part that grows: begins one if that is of the other kind, or there is none.
    fn part(&mut self, refusal: bool, lines: &mut Lines, out: &mut Vec<u8>) -> (&Item, &mut Part) {
        if self.part.as_ref().is_some_and(|part| part.refusal != refusal) {
            self.end_part(lines, out);
        }
        let index = self.index();
        let part = self.part.get_or_insert_with(|| {
            let part = Part { refusal, ..Part::default() };
            let event = self.item.event("response.content_part.added", lines, out);
            event
                .number("content_index", index)
                .value("part", &Part { refusal, ..Part::default() }.whole(String::new()))
                .end();
            part
        });
        (&self.item, part)
    }

    /// More text, or more of a refusal.
    pub(super) fn more(&mut self, refusal: bool, text: &str, lines: &mut Lines, out: &mut Vec<u8>) {
        let index = {
            let (_, part) = self.part(refusal, lines, out);
            part.text.push_str(text);
            let count = text.chars().count();
            part.characters += u64::try_from(count).unwrap_or(0);
            self.index()
        };
        let kind = if refusal { "response.refusal.delta" } else { "response.output_text.delta" };
        let event = self.item.event(kind, lines, out).number("content_index", index);
        let event = event.text("delta", text);
        if refusal { event.end() } else { event.list("logprobs", b"").end() }
    }

    /// The probabilities of the text just told: they come with an empty piece of it.
    pub(super) fn logprobs(&mut self, told: Vec<Value>, lines: &mut Lines, out: &mut Vec<u8>) {
        let index = self.index();
        let (item, part) = self.part(false, lines, out);
        let told = Value::Array(told);
        let event = item.event("response.output_text.delta", lines, out);
        let event = event.number("content_index", index).text("delta", "");
        event.value("logprobs", &told).end();
        if let Value::Array(told) = told {
            part.logprobs.extend(told);
        }
    }

    /// Where the text comes from.
    pub(super) fn citation(&mut self, citation: &Citation, lines: &mut Lines, out: &mut Vec<u8>) {
        self.part(false, lines, out);
        let index = self.index();
        let (item, part) = self.part(false, lines, out);
        if part.cited.1 != part.characters {
            part.cited = (part.cited.1, part.characters);
        }
        let annotation = write_citation(citation, part.cited);
        let number = u64::try_from(part.annotations.len()).unwrap_or(u64::MAX);
        let event = item.event("response.output_text.annotation.added", lines, out);
        let event = event.number("content_index", index).number("annotation_index", number);
        event.value("annotation", &annotation).end();
        part.annotations.push(annotation);
    }

    fn end_part(&mut self, lines: &mut Lines, out: &mut Vec<u8>) {
        let Some(mut part) = self.part.take() else { return };
        let index = self.index();
        let text = std::mem::take(&mut part.text);
        let logprobs = Value::Array(std::mem::take(&mut part.logprobs));
        let kind = if part.refusal { "response.refusal.done" } else { "response.output_text.done" };
        let event = self.item.event(kind, lines, out).number("content_index", index);
        if part.refusal {
            event.text("refusal", &text).end();
        } else {
            event.text("text", &text).value("logprobs", &logprobs).end();
        }
        if let Value::Array(logprobs) = logprobs {
            part.logprobs = logprobs;
        }
        let part = part.whole(text);
        let event = self.item.event("response.content_part.done", lines, out);
        event.number("content_index", index).value("part", &part).end();
        self.parts.push(part);
    }

    /// Ends the message: gives its place and what it is.
    pub(super) fn end(
        mut self,
        status: &str,
        lines: &mut Lines,
        out: &mut Vec<u8>,
    ) -> (u64, Value) {
        self.end_part(lines, out);
        (self.item.index, message(&self.item.id, self.parts, status))
    }
}

impl Part {
    /// It, whose text this is.
    fn whole(self, text: String) -> Value {
        match self.refusal {
            true => refusal_part(text),
            false => text_part(text, self.annotations, self.logprobs),
        }
    }
}
