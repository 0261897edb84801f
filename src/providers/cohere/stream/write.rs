//! A client's stream: events, each called like its `type`.
use crate::providers::chat::{
    Call, Calls, Citation, Client, Event, Finish, Write, object, signed_id, write_text,
};
use crate::providers::cohere::answer::{write_finish, write_logprobs};
use crate::providers::cohere::{citation, error, usage};
use bartizan_layers::facts::Usage;
use serde_json::{Value, json};

/// Writes a stream of `/v2/chat`. Parts and calls are told one after the other; of several answers
/// the first is told. Pictures and sounds have no place in it.
#[derive(Debug)]
pub struct Writer {
    client: Client,
    started: bool,
    over: bool,
    open: Option<Open>,
    /// How many parts of the content have begun.
    parts: usize,
    /// How many calls have begun, and how many citations.
    told: (usize, usize),
    calls: Calls,
    finish: Option<Finish>,
    usage: Option<Usage>,
}

/// What is being told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Text,
    Thought,
    Call,
}

impl Writer {
    /// A writer for `client`.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            started: false,
            over: false,
            open: None,
            parts: 0,
            told: (0, 0),
            calls: Calls::default(),
            finish: None,
            usage: None,
        }
    }

    fn start(&mut self, id: Option<String>, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let message = json!({
            "role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": [],
        });
        let start = object([
            ("id", id.unwrap_or_else(|| self.client.uuid()).into()),
            ("type", "message-start".into()),
            ("delta", object([("message", message)])),
        ]);
        tell("message-start", &start, out);
    }

    /// The part of the content that is told.
    fn part(&self) -> usize {
        self.parts.saturating_sub(1)
    }

    /// A piece of a text or of a thought, whose `member` that is; its part begins with it.
    fn piece(&mut self, open: Open, member: &str, text: &str, out: &mut Vec<u8>) {
        if text.is_empty() {
            return;
        }
        self.begin(open, member, out);
        out.extend_from_slice(
            b"event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":",
        );
        out.extend_from_slice(self.part().to_string().as_bytes());
        out.extend_from_slice(b",\"delta\":{\"message\":{\"content\":{");
        write_text(member, out);
        out.push(b':');
        write_text(text, out);
        out.extend_from_slice(b"}}}}\n\n");
    }

    fn begin(&mut self, open: Open, member: &str, out: &mut Vec<u8>) {
        if self.open == Some(open) {
            return;
        }
        self.close(out);
        self.open = Some(open);
        self.parts += 1;
        let content = object([("type", member.into()), (member, "".into())]);
        event("content-start", self.part(), Some(("content", content)), out);
    }

    /// Ends what is told, and all calls that wait.
    fn close(&mut self, out: &mut Vec<u8>) {
        match self.open.take() {
            Some(Open::Call) => {
                self.end_call(out);
                while self.calls.first().is_some() {
                    self.tell_call(out);
                    self.end_call(out);
                }
            }
            Some(_) => event("content-end", self.part(), None, out),
            None => {}
        }
        self.open = None;
    }

    fn call(&mut self, tool: u32, id: String, name: String, out: &mut Vec<u8>) {
        if self.open.is_some_and(|open| open != Open::Call) {
            self.close(out);
        }
        self.calls.push(tool, id, name);
        self.go_on(out);
    }

    /// Tells what can be told of the calls now.
    fn go_on(&mut self, out: &mut Vec<u8>) {
        self.tell_call(out);
        while self.calls.is_first_over() {
            self.end_call(out);
            self.tell_call(out);
        }
    }

    fn tell_call(&mut self, out: &mut Vec<u8>) {
        let Some(Call { id, name, json, is_open, .. }) = self.calls.first() else { return };
        let json = std::mem::take(json);
        if !std::mem::replace(is_open, true) {
            let (id, name) = (std::mem::take(id), std::mem::take(name));
            let function = object([("name", name.into()), ("arguments", "".into())]);
            let call =
                object([("id", id.into()), ("type", "function".into()), ("function", function)]);
            event("tool-call-start", self.told.0, Some(("tool_calls", call)), out);
            self.open = Some(Open::Call);
        }
        if !json.is_empty() {
            let call = object([("function", object([("arguments", json.into())]))]);
            event("tool-call-delta", self.told.0, Some(("tool_calls", call)), out);
        }
    }

    fn end_call(&mut self, out: &mut Vec<u8>) {
        self.calls.pop();
        self.open = None;
        event("tool-call-end", self.told.0, None, out);
        self.told.0 += 1;
    }

    /// A citation belongs to a text: one that comes within something else is left out.
    fn cite(&mut self, told: Citation, out: &mut Vec<u8>) {
        if matches!(self.open, Some(Open::Call | Open::Thought)) {
            return;
        }
        self.begin(Open::Text, "text", out);
        let citation = citation::write(told, self.part());
        event("citation-start", self.told.1, Some(("citations", citation)), out);
        event("citation-end", self.told.1, None, out);
        self.told.1 += 1;
    }

    /// The probability of a token whose text was told.
    fn logprobs(&mut self, told: &Value, out: &mut Vec<u8>) {
        for piece in write_logprobs(told) {
            self.begin(Open::Text, "text", out);
            let content = json!({"message": {"content": {"text": ""}}});
            let delta = object([
                ("type", "content-delta".into()),
                ("index", self.part().into()),
                ("delta", content),
                ("logprobs", piece),
            ]);
            tell("content-delta", &delta, out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.start(None, out);
        self.close(out);
        let reason = write_finish(self.finish.as_ref(), self.told.0 > 0);
        let usage = usage::write(&self.usage.unwrap_or_default());
        let delta = object([("finish_reason", reason.into()), ("usage", usage)]);
        let end = object([("type", "message-end".into()), ("delta", delta)]);
        tell("message-end", &end, out);
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

/// An event about one part, call or citation, with this member of a message.
fn event(kind: &str, index: usize, member: Option<(&str, Value)>, out: &mut Vec<u8>) {
    let mut told = json!({"type": kind, "index": index});
    if let Some((name, value)) = member {
        told["delta"] = object([("message", object([(name, value)]))]);
    }
    tell(kind, &told, out);
}

fn tell(kind: &str, data: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("event: {kind}\ndata: {data}\n\n").as_bytes());
}

impl Write for Writer {
    fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        match &event {
            Event::Start { .. } | Event::Error(_) | Event::Usage(_) => {}
            _ => self.start(None, out),
        }
        match event {
            Event::Start { id, .. } => self.start(id, out),
            Event::Text(0, text) | Event::Refusal(0, text) => {
                self.piece(Open::Text, "text", &text, out);
            }
            Event::Thought(0, text) => self.piece(Open::Thought, "thinking", &text, out),
            Event::Citation(0, citation) => self.cite(citation, out),
            Event::ToolUse { choice: 0, tool, id, name, signature } => {
                self.call(tool, signed_id(id, signature.as_deref()), name, out);
            }
            Event::Arguments { choice: 0, tool, json } => {
                self.calls.more(tool, &json);
                self.go_on(out);
            }
            Event::Logprobs(0, logprobs) => self.logprobs(&logprobs, out),
            Event::Finish(0, finish) => self.finish = Some(finish),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Error(failure) => {
                self.over = true;
                error::write_failure(&failure.message, out);
            }
            Event::End => {
                self.over = true;
                self.end(out);
            }
            _ => {}
        }
    }

    fn kept(&self) -> usize {
        self.calls.kept()
    }
}
