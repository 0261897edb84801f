//! A client's stream: a line of JSON for each piece.
use crate::providers::chat::{
    Calls, Client, Event, Finish, ToolUse, Write, object, signed_id, write_text, written,
};
use crate::providers::ollama::answer::{Form, Line, reason};
use bartizan_layers::facts::Usage;
use serde_json::Value;
use std::time::Duration;

/// Writes a stream of `/api/chat` or `/api/generate`. Calls are told whole, when they are. Of several
/// answers the first is told.
#[derive(Debug)]
pub struct Writer {
    client: Client,
    form: Form,
    model: String,
    /// When the first piece came.
    began: Option<Duration>,
    over: bool,
    calls: Calls,
    finish: Option<Finish>,
    usage: Option<Usage>,
}

impl Writer {
    /// A writer for a client of `/api/chat`.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self::of(client, Form::Chat)
    }

    /// A writer for a client of `/api/generate`.
    #[must_use]
    pub fn generate(client: Client) -> Self {
        Self::of(client, Form::Generate)
    }

    fn of(client: Client, form: Form) -> Self {
        Self {
            model: client.model.clone(),
            client,
            form,
            began: None,
            over: false,
            calls: Calls::default(),
            finish: None,
            usage: None,
        }
    }

    fn line(&self, line: Line, out: &mut Vec<u8>) {
        let line = line.written(self.form, &self.model, &self.client);
        tell(&line.into(), out);
    }

    /// A line with a text alone, which most are.
    fn piece(&self, member: &str, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"model\":");
        write_text(&self.model, out);
        out.extend_from_slice(b",\"created_at\":");
        write_text(&self.client.time(), out);
        let (before, behind): (&[u8], &[u8]) = match self.form {
            Form::Chat => (b",\"message\":{\"role\":\"assistant\",", b"},\"done\":false}\n"),
            Form::Generate => (b",", b",\"done\":false}\n"),
        };
        out.extend_from_slice(before);
        if member == "thinking" {
            let empty: &[u8] = match self.form {
                Form::Chat => b"\"content\":\"\",",
                Form::Generate => b"\"response\":\"\",",
            };
            out.extend_from_slice(empty);
        }
        write_text(member, out);
        out.push(b':');
        write_text(text, out);
        out.extend_from_slice(behind);
    }

    fn text(&self, text: &str, out: &mut Vec<u8>) {
        if !text.is_empty() {
            let member = if self.form == Form::Chat { "content" } else { "response" };
            self.piece(member, text, out);
        }
    }

    /// Tells the calls that are whole: all of them where no more is to come.
    fn whole_calls(&mut self, all: bool, out: &mut Vec<u8>) {
        while all || self.calls.is_first_over() {
            let Some(call) = self.calls.first() else { return };
            let (id, name) = (std::mem::take(&mut call.id), std::mem::take(&mut call.name));
            let input = std::mem::take(&mut call.json);
            self.calls.pop();
            let call = ToolUse { id, name, input, signature: None };
            // One that was cut off is none.
            if self.form == Form::Chat && call.is_whole() {
                self.line(Line { calls: vec![call], ..Line::default() }, out);
            }
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.whole_calls(true, out);
        let mut line = Line::default().written(self.form, &self.model, &self.client);
        let total = self.client.elapsed.now();
        let writing = total.saturating_sub(self.began.unwrap_or(total));
        let (finish, usage) = (self.finish.take(), self.usage.unwrap_or_default());
        self.form.end(&mut line, reason(finish), usage, (total, writing));
        tell(&line.into(), out);
    }
}

fn tell(line: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(&written(line, 256));
    out.push(b'\n');
}

impl Write for Writer {
    fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.over {
            return;
        }
        if !matches!(event, Event::Start { .. } | Event::Usage(_)) && self.began.is_none() {
            self.began = Some(self.client.elapsed.now());
        }
        match event {
            Event::Start { model: Some(model), .. } => self.model = model,
            Event::Text(0, text) | Event::Refusal(0, text) => self.text(&text, out),
            Event::Thought(0, text) if !text.is_empty() => self.piece("thinking", &text, out),
            Event::ToolUse { choice: 0, tool, id, name, signature } => {
                let id = signed_id(id, signature.as_deref());
                self.calls.push(tool, id, name);
                self.whole_calls(false, out);
            }
            Event::Arguments { choice: 0, tool, json } => {
                self.calls.more(tool, &json);
                self.whole_calls(false, out);
            }
            Event::Media(0, media) => {
                if let (Some(picture), Form::Chat) = (media.picture(), self.form) {
                    self.line(Line { pictures: vec![picture], ..Line::default() }, out);
                }
            }
            Event::Logprobs(0, logprobs) => {
                self.line(Line { logprobs: Some(logprobs), ..Line::default() }, out);
            }
            Event::Finish(0, finish) => self.finish = Some(finish),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Error(failure) => {
                self.over = true;
                tell(&object([("error", failure.message.into())]), out);
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
