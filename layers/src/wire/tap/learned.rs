//! What the events of each wire tell.
use super::{
    InBand, Wire,
    key::{ERROR, Finish, USAGE, finish_of, has_object, is_tool_call},
    usage::Report,
    written::Written,
};
use crate::{
    facts::{Usage, UsageCell},
    wire::{
        cause::fault_of_event,
        scan::{Value, value},
    },
};

/// Members of an OpenAI delta that are content, whatever a provider calls them.
const CONTENT: [&str; 10] = [
    "content",
    "reasoning_content",
    "reasoning",
    "reasoning_details",
    "thinking_blocks",
    "refusal",
    "tool_calls",
    "function_call",
    "audio",
    "images",
];

/// The data of the event that closes an OpenAI stream.
pub(super) const DONE: &[u8] = b"[DONE]";

/// An event that a client need not, or must not, see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surplus {
    /// It only exists because usage was asked for.
    Usage,
    /// `[DONE]` behind an error: a broken stream has none.
    Done,
}

/// What the stream told so far.
#[derive(Debug)]
pub(super) struct Learned {
    pub(super) wire: Wire,
    pub(super) cell: Option<UsageCell>,
    pub(super) content: u64,
    pub(super) error: Option<Box<InBand>>,
    /// The choices with a finish, a bit each.
    pub(super) finished: u128,
    /// The choices that were seen in the events that were parsed.
    pub(super) seen: u128,
    /// The ending that stands for the whole stream.
    pub(super) ended: bool,
    /// Some event was too long to be read.
    pub(super) unread: bool,
    /// It is whole, and without a usage report.
    pub(super) begun: bool,
    /// Tools were called, on wires that stop in the same way then.
    pub(super) tools: bool,
    /// The answer has told its id.
    pub(super) has_id: bool,
    /// The answer has told its model.
    pub(super) has_model: bool,
    /// The content that was counted, for answers without a usage report.
    pub(super) written: Written,
    pub(super) report: Report,
    /// Usage stands on the cell already: it is not read.
    pub(super) told: bool,
}

impl Learned {
    pub(super) fn new(wire: Wire) -> Self {
        Self {
            wire,
            cell: None,
            content: 0,
            error: None,
            finished: 0,
            seen: 0,
            ended: false,
            unread: false,
            begun: false,
            tools: false,
            has_id: false,
            has_model: false,
            written: Written::default(),
            report: Report::default(),
            told: false,
        }
    }

    pub(super) fn usage(&self) -> Option<Usage> {
        match &self.cell {
            Some(cell) if self.told => cell.usage().filter(|_| !cell.is_estimated()),
            _ => self.report.usage(),
        }
    }

    /// Takes in one event and says whether it is a surplus one.
    #[inline]
    pub(super) fn event(&mut self, name: &[u8], data: &[u8], clipped: bool) -> Option<Surplus> {
        self.unread |= clipped;
        match self.wire {
            Wire::Chat => return self.chat(name, data),
            Wire::Responses => self.responses(kind(name, data), data),
            Wire::Messages => self.messages(kind(name, data), data),
            Wire::Gemini => self.gemini(data),
            Wire::Cohere => self.cohere(kind(name, data), data),
            Wire::Ollama => self.ollama(data),
            Wire::Media => self.media(kind(name, data), data),
        }
        None
    }

    #[inline]
    fn chat(&mut self, name: &[u8], data: &[u8]) -> Option<Surplus> {
        let finish = finish_of(data);
        let quiet = matches!(finish, Finish::Null) && self.content > 0 && name.is_empty();
        if quiet && !has_object(data, &USAGE) {
            self.content += 1;
            self.written.chat(data);
            return None;
        }
        self.chat_chunk(name, data, &finish)
    }

    /// A chunk that may hold more than content.
    fn chat_chunk(&mut self, name: &[u8], data: &[u8], finish: &Finish) -> Option<Surplus> {
        if data == DONE {
            self.ended = true;
            return self.broken().then_some(Surplus::Done);
        }
        let plain = matches!(finish, Finish::Absent) && self.content > 0 && name.is_empty();
        if plain && !has_object(data, &USAGE) && ERROR.find(data).is_none() {
            self.content += 1;
            self.written.chat(data);
            return None;
        }
        let (mut no_choices, mut some_choice, mut usage) = (false, false, None);
        let mut content = false;
        for (key, value) in value(data).members() {
            match &*key {
                b"choices" => {
                    let empty = is_empty_array(value);
                    no_choices |= empty;
                    some_choice |= !empty;
                    value.elements().for_each(|choice| content |= self.choice(choice));
                }
                b"usage" => usage = Some(value),
                // Groq's own place, before it took OpenAI's.
                b"x_groq" if usage.is_none() => usage = value.get("usage"),
                b"error" if !value.is_null() => self.failed(data),
                key => self.named(key, value),
            }
        }
        if name == b"error" {
            self.failed(data);
        }
        self.content += u64::from(content);
        if content {
            self.written.chat(data);
        }
        let usage = usage.filter(Value::is_object);
        if let Some(usage) = usage {
            self.used(usage);
        }
        (no_choices && !some_choice && usage.is_some()).then_some(Surplus::Usage)
    }

    /// Reads a choice and says whether it has content.
    fn choice(&mut self, choice: Value<'_>) -> bool {
        let (mut bit, mut finished, mut content) = (1, false, false);
        for (key, value) in choice.members() {
            match &*key {
                b"index" => bit = 1 << value.as_u64().unwrap_or(0).min(127),
                b"finish_reason" => finished = self.stopped(value),
                b"text" => content |= !is_empty(value),
                b"delta" => {
                    content |= value.members().any(|(key, value)| {
                        CONTENT.iter().any(|name| *key == *name.as_bytes()) && !is_empty(value)
                    });
                }
                _ => {}
            }
        }
        self.seen |= bit;
        if finished {
            self.finished |= bit;
        }
        content
    }

    fn responses(&mut self, kind: &[u8], data: &[u8]) {
        match kind {
            b"response.completed" | b"response.incomplete" | b"response.failed" => {
                self.ended = true;
                if let Some(response) = value(data).get("response") {
                    self.response(response);
                }
                if kind == b"response.failed" {
                    self.failed(data);
                }
            }
            b"error" => self.failed(data),
            kind if kind.ends_with(b".delta") => {
                self.content += 1;
                self.tools |= is_tool_call(kind);
                self.written.response(kind, data);
            }
            _ => {}
        }
    }

    fn messages(&mut self, kind: &[u8], data: &[u8]) {
        match kind {
            b"content_block_delta" => {
                self.content += 1;
                self.written.message(data);
            }
            b"message_start" => self.message(value(data).get("message")),
            b"message_delta" => {
                let delta = value(data);
                if let Some(stop) = delta.get("delta").and_then(|it| it.get("stop_reason")) {
                    self.finished |= u128::from(self.stopped(stop));
                }
                if let Some(usage) = delta.get("usage") {
                    self.used(usage);
                }
            }
            b"message_stop" => self.ended = true,
            b"error" => self.failed(data),
            // The legacy text completions.
            b"completion" => {
                self.content += 1;
                self.written.message(data);
                let stop = value(data).get("stop_reason");
                self.ended |= stop.is_some_and(|stop| self.stopped(stop));
            }
            _ => {}
        }
    }

    pub(super) fn used(&mut self, usage: Value<'_>) {
        if !self.told {
            self.report.merge(self.wire, usage);
            self.tell();
        }
    }

    /// Writes the usage so far on the call's bill.
    pub(super) fn tell(&self) {
        if let (Some(cell), Some(usage)) = (&self.cell, self.report.usage()) {
            cell.set(usage);
        }
    }

    /// An OpenAI stream that had an error.
    pub(super) const fn broken(&self) -> bool {
        matches!(self.wire, Wire::Chat) && self.error.is_some()
    }

    pub(super) fn failed(&mut self, data: &[u8]) {
        if self.error.is_none() {
            let error = InBand::new(data);
            if let Some(cell) = &self.cell {
                cell.fail(fault_of_event(&error));
            }
            self.error = Some(Box::new(error));
        }
    }
}

/// Whether `data` is the event that an OpenAI server adds because usage was asked for: no choices,
/// and a usage object.
pub(super) fn is_usage_event(data: &[u8]) -> bool {
    has_object(data, &USAGE)
        && Learned::new(Wire::Chat).chat_chunk(b"", data, &Finish::Absent).is_some()
}

/// The type of an event: its name, or, where a server leaves names out, its `type` member.
fn kind<'e>(name: &'e [u8], data: &'e [u8]) -> &'e [u8] {
    if !name.is_empty() {
        return name;
    }
    let kind = value(data).members().find(|(key, _)| **key == *b"type").map(|(_, kind)| kind.raw());
    let kind = kind.and_then(|kind| kind.strip_prefix(b"\"")?.strip_suffix(b"\""));
    kind.unwrap_or_default()
}

pub(super) fn is_empty(value: Value<'_>) -> bool {
    matches!(value.raw(), b"null" | b"\"\"" | b"[]" | b"{}" | b"false")
}

fn is_empty_array(value: Value<'_>) -> bool {
    let inside = value.raw().strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    inside.is_some_and(|inside| inside.trim_ascii().is_empty())
}
