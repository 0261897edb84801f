//! Counts the content of answers, for those that come without a usage report.
use super::Wire;
use crate::wire::scan::{Value, closing_quote, value};

/// Bytes of content: text, reasoning, names and arguments of tools, as they are escaped in JSON.
///
/// The events of a stream are built alike: a text stands at the same place in nearly all of them.
/// So the place is kept, and an event is only read where its text is not there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    /// Whether anybody wants to know.
    pub(super) counts: bool,
    pub(super) bytes: u64,
    place: Place,
}

/// Where a text begins in an event, and the end of the key before it.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    at: usize,
    before: [u8; 8],
}

impl Place {
    /// The length of the text, if it begins there.
    #[inline]
    fn len(&self, data: &[u8]) -> Option<usize> {
        let (before, _) = data.get(self.at.checked_sub(8)?..)?.split_first_chunk::<8>()?;
        if *before != self.before {
            return None;
        }
        // An empty one may stand there by chance, and the text under another key.
        Some(closing_quote(data, self.at)? - self.at).filter(|len| *len > 0)
    }

    fn of(data: &[u8], text: &[u8]) -> Option<Self> {
        let at = text.as_ptr().addr().checked_sub(data.as_ptr().addr())? + 1;
        Some(Self { at, before: *data.get(at.checked_sub(8)?..)?.first_chunk()? })
    }
}

impl Written {
    /// A chunk of OpenAI's.
    #[inline]
    pub(super) fn chat(&mut self, data: &[u8]) {
        self.count(data, |data, found| {
            let choices = value(data).get("choices");
            for (key, value) in
                choices.into_iter().flat_map(Value::elements).flat_map(Value::members)
            {
                match &*key {
                    b"delta" => delta(value, found),
                    b"text" => found.text(value),
                    _ => {}
                }
            }
        });
    }

    /// A delta of Anthropic's.
    #[inline]
    pub(super) fn message(&mut self, data: &[u8]) {
        self.count(data, |data, found| {
            let (delta, legacy) = (value(data).get("delta"), value(data).get("completion"));
            for (key, value) in delta.into_iter().flat_map(Value::members) {
                if matches!(&*key, b"text" | b"thinking" | b"partial_json") {
                    found.text(value);
                }
            }
            legacy.into_iter().for_each(|text| found.text(text));
        });
    }

    /// A delta of Cohere's.
    #[inline]
    pub(super) fn cohere(&mut self, data: &[u8]) {
        self.count(data, |data, found| {
            let message = value(data).get("delta").and_then(|delta| delta.get("message"));
            for (key, value) in message.into_iter().flat_map(Value::members) {
                match &*key {
                    b"content" => value.members().for_each(|(_, text)| found.text(text)),
                    b"tool_plan" => found.text(value),
                    b"tool_calls" => function(value.get("function"), found),
                    _ => {}
                }
            }
        });
    }

    /// A delta of the responses API.
    #[inline]
    pub(super) fn response(&mut self, kind: &[u8], data: &[u8]) {
        // Its audio has transcripts.
        if !kind.ends_with(b"audio.delta") {
            self.count(data, |data, found| {
                value(data).get("delta").into_iter().for_each(|text| found.text(text));
            });
        }
    }

    /// A text that was found, or an object of arguments.
    pub(super) fn text(&mut self, text: Value<'_>) {
        let quotes = if text.is_object() { 0 } else { 2 };
        self.bytes += (text.raw().len().saturating_sub(quotes)) as u64;
    }

    /// A member of a whole answer.
    pub(super) fn whole(&mut self, wire: Wire, key: &[u8], value: Value<'_>) {
        if !self.counts {
            return;
        }
        let mut found = Found::default();
        match (wire, key) {
            (Wire::Chat, b"choices") => {
                for (key, value) in value.elements().flat_map(Value::members) {
                    match &*key {
                        b"message" => delta(value, &mut found),
                        b"text" => found.text(value),
                        _ => {}
                    }
                }
            }
            (Wire::Messages, b"content")
            | (Wire::Responses, b"output")
            | (Wire::Cohere | Wire::Ollama, b"message")
            | (Wire::Ollama, b"response") => found.text(value),
            _ => {}
        }
        self.bytes += found.bytes;
    }

    #[inline]
    fn count<'e>(&mut self, data: &'e [u8], read: impl FnOnce(&'e [u8], &mut Found<'e>)) {
        if !self.counts {
            return;
        }
        match self.place.len(data) {
            Some(len) => self.bytes += len as u64,
            None => self.learn(data, read),
        }
    }

    /// Reads an event and keeps the place of its text in mind.
    #[cold]
    fn learn<'e>(&mut self, data: &'e [u8], read: impl FnOnce(&'e [u8], &mut Found<'e>)) {
        let mut found = Found::default();
        read(data, &mut found);
        self.bytes += found.bytes;
        if let Some(place) = found.last.and_then(|text| Place::of(data, text)) {
            self.place = place;
        }
    }
}

/// The texts of one event.
#[derive(Debug, Default)]
struct Found<'e> {
    bytes: u64,
    last: Option<&'e [u8]>,
}

impl<'e> Found<'e> {
    fn text(&mut self, text: Value<'e>) {
        let raw = text.raw();
        if raw.len() > 2 && !text.is_null() {
            self.bytes += raw.len() as u64 - 2;
            self.last = Some(raw).filter(|raw| raw.starts_with(b"\"")).or(self.last);
        }
    }
}

/// The texts of an OpenAI delta or message.
fn delta<'e>(delta: Value<'e>, found: &mut Found<'e>) {
    // Some servers send the reasoning under both names.
    let mut reasoning = 0;
    for (key, value) in delta.members() {
        match &*key {
            b"content" | b"refusal" => found.text(value),
            b"reasoning" | b"reasoning_content" if reasoning == 0 => {
                let so_far = found.bytes;
                found.text(value);
                reasoning = found.bytes - so_far;
            }
            b"tool_calls" => {
                value.elements().for_each(|call| function(call.get("function"), found));
            }
            b"function_call" => function(Some(value), found),
            b"audio" => value.get("transcript").into_iter().for_each(|text| found.text(text)),
            _ => {}
        }
    }
}

fn function<'e>(function: Option<Value<'e>>, found: &mut Found<'e>) {
    for (key, value) in function.into_iter().flat_map(Value::members) {
        if matches!(&*key, b"name" | b"arguments") {
            found.text(value);
        }
    }
}
