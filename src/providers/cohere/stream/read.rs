//! A stream of `/v2/chat`: events whose `type` says what they are. `message-end` ends it.
use super::plain::{Message, plain};
use crate::providers::chat::{Event, InBand, Memo, Read, Taking, parsed, text_of};
use crate::providers::cohere::answer::{read_finish, read_logprobs};
use crate::providers::cohere::{citation, error, usage};
use serde_json::{Map, Value};

/// Reads a stream of Cohere's chat.
#[derive(Debug, Default)]
pub struct Reader {
    started: bool,
    ended: bool,
    /// How many calls have begun. Pieces of arguments belong to the last one: Cohere writes one
    /// call after the other.
    calls: u32,
}

impl Reader {
    /// For the answer to a request with this memo: Cohere's needs none.
    #[must_use]
    pub fn new(_memo: &Memo) -> Self {
        Self::default()
    }

    fn start(&mut self, id: Option<String>, out: &mut Vec<Event>) {
        if !self.started {
            self.started = true;
            out.push(Event::Start { id, model: None });
        }
    }

    fn fail(&mut self, error: InBand, out: &mut Vec<Event>) {
        self.ended = true;
        out.push(Event::Error(error));
    }

    /// More of the answer.
    fn plain(&mut self, message: Message, out: &mut Vec<Event>) {
        if let Some(content) = message.content {
            tell(content.thinking, content.text, out);
        }
        let json = message.tool_calls.map(|call| call.function.arguments);
        self.arguments(json, out);
    }

    /// More of the last call.
    fn arguments(&self, json: Option<String>, out: &mut Vec<Event>) {
        let json = json.filter(|json| !json.is_empty());
        if let Some((json, tool)) = json.zip(self.calls.checked_sub(1)) {
            out.push(Event::Arguments { choice: 0, tool, json });
        }
    }

    fn take(&mut self, kind: &str, mut told: Map<String, Value>, out: &mut Vec<Event>) {
        let id = told.take_text("id");
        self.start(id, out);
        let mut delta = told.take_object("delta").unwrap_or_default();
        let mut message = delta.take_object("message").unwrap_or_default();
        match kind {
            "content-start" | "content-delta" => {
                content(message.take("content"), out);
                let logprobs = told.take("logprobs").and_then(|piece| read_logprobs(vec![piece]));
                out.extend(logprobs.map(|logprobs| Event::Logprobs(0, logprobs)));
            }
            "tool-plan-delta" => {
                out.extend(message.take_text("tool_plan").map(|text| Event::Thought(0, text)));
            }
            "tool-call-start" | "tool-call-delta" => {
                for call in one_or_more(message.take("tool_calls")) {
                    self.call(call, kind == "tool-call-start", out);
                }
            }
            "citation-start" => {
                let told = one_or_more(message.take("citations")).filter_map(citation::read);
                let citations = told.flat_map(|cited| cited.citations);
                out.extend(citations.map(|citation| Event::Citation(0, citation)));
            }
            "message-end" => self.end_of_message(delta, out),
            _ => {}
        }
    }

    fn call(&mut self, told: Value, is_new: bool, out: &mut Vec<Event>) {
        let Value::Object(mut told) = told else { return };
        let mut function = told.take_object("function").unwrap_or_default();
        if is_new {
            let tool = self.calls;
            self.calls = self.calls.saturating_add(1);
            let id = told.take_text("id").unwrap_or_else(|| format!("call_{tool}"));
            let name = function.take_text("name").unwrap_or_default();
            out.push(Event::ToolUse { choice: 0, tool, id, name, signature: None });
        }
        self.arguments(function.take("arguments").map(text_of), out);
    }

    fn end_of_message(&mut self, mut ending: Map<String, Value>, out: &mut Vec<Event>) {
        out.extend(ending.take_object("usage").and_then(usage::read).map(Event::Usage));
        if let Some(failure) = error::of_ending(&mut ending) {
            return self.fail(failure, out);
        }
        let finish = ending.take_text("finish_reason").map(read_finish);
        out.extend(finish.map(|finish| Event::Finish(0, finish)));
        out.push(Event::End);
        self.ended = true;
    }
}

impl Read for Reader {
    fn event(&mut self, name: &[u8], data: &[u8], out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        // The first event has more in it: the answer's id.
        if let Some(message) = self.started.then(|| plain(data)).flatten() {
            return self.plain(message, out);
        }
        // What is no object says nothing: `[DONE]`.
        let Some(mut told) = parsed(data) else { return };
        let kind = match told.take_text("type") {
            Some(kind) => kind,
            None => String::from_utf8_lossy(name).into_owned(),
        };
        match error::read_error(&told) {
            Some(failure) if kind.is_empty() || kind == "error" => self.fail(failure, out),
            _ => self.take(&kind, told, out),
        }
    }

    fn end(&mut self, _out: &mut Vec<Event>) {}
}

fn content(told: Option<Value>, out: &mut Vec<Event>) {
    let Some(Value::Object(mut told)) = told else { return };
    tell(told.take_text("thinking"), told.take_text("text"), out);
}

fn tell(thought: Option<String>, text: Option<String>, out: &mut Vec<Event>) {
    let some = |text: &String| !text.is_empty();
    out.extend(thought.filter(some).map(|text| Event::Thought(0, text)));
    out.extend(text.filter(some).map(|text| Event::Text(0, text)));
}

/// Cohere tells one where its other dialects have lists.
fn one_or_more(told: Option<Value>) -> impl Iterator<Item = Value> {
    let (one, more) = match told {
        Some(Value::Array(more)) => (None, more),
        one => (one, Vec::new()),
    };
    one.into_iter().chain(more)
}
