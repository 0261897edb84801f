//! A client's stream.
use super::super::carried::cipher;
use super::super::citation::write_citation;
use super::super::failure::kind_of;
use super::super::finish::write_finish;
use super::super::usage::write_usage;
use crate::providers::chat::{
    Call, Calls, Citation, Client, Event, Finish, InBand, Write, signed_id, write_text,
};
use bartizan_layers::facts::Usage;
use serde_json::{Value, json};
use std::io::Write as _;

/// Writes a stream of this dialect. Blocks are told one after the other; of several answers the
/// first is told. Pictures and sounds have no place in it.
#[derive(Debug)]
pub struct Writer {
    client: Client,
    has_started: bool,
    is_over: bool,
    open: Option<Open>,
    /// The index of the next block.
    next: u64,
    calls: Calls,
    has_tools: bool,
    is_refused: bool,
    finish: Option<Finish>,
    usage: Option<Usage>,
}

/// The block that is being told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Text,
    Thought,
    Tool,
}

impl Writer {
    /// A writer for `client`.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            has_started: false,
            is_over: false,
            open: None,
            next: 0,
            calls: Calls::default(),
            has_tools: false,
            is_refused: false,
            finish: None,
            usage: None,
        }
    }

    fn start(&mut self, id: Option<String>, model: Option<&str>, out: &mut Vec<u8>) {
        if self.has_started {
            return;
        }
        self.has_started = true;
        let message = json!({
            "type": "message_start",
            "message": {
                "id": id.unwrap_or_else(|| format!("msg_{}", self.client.id)),
                "type": "message",
                "role": "assistant",
                "model": model.unwrap_or(&self.client.model),
                "content": [],
                "stop_reason": null,
                "stop_sequence": null,
                "usage": write_usage(&self.usage.unwrap_or_default()),
            },
        });
        event("message_start", &message, out);
    }

    /// Begins a block, unless one of its kind goes on.
    fn begin(&mut self, open: Open, block: impl FnOnce() -> Value, out: &mut Vec<u8>) {
        if self.open == Some(open) {
            return;
        }
        self.end_block(out);
        self.start_block(&block(), out);
        self.open = Some(open);
    }

    fn start_block(&self, block: &Value, out: &mut Vec<u8>) {
        let index = self.next;
        // Writing into memory does not fail.
        write!(
            out,
            "event: content_block_start\ndata: {{\"type\":\"content_block_start\",\"index\":{index},\
             \"content_block\":{block}}}\n\n"
        )
        .ok();
    }

    /// Ends the block that goes on, and the calls that wait.
    fn end_block(&mut self, out: &mut Vec<u8>) {
        match self.open {
            Some(Open::Tool) => {
                self.end_call(out);
                while self.calls.first().is_some() {
                    self.tell_call(out);
                    self.end_call(out);
                }
            }
            Some(_) => self.stop(out),
            None => {}
        }
    }

    fn stop(&mut self, out: &mut Vec<u8>) {
        let index = self.next;
        // Writing into memory does not fail.
        write!(
            out,
            "event: content_block_stop\ndata: {{\"type\":\"content_block_stop\",\"index\":{index}}}\n\n"
        )
        .ok();
        self.next += 1;
        self.open = None;
    }

    /// A piece of the block that goes on: `member` of a `kind` of delta.
    fn delta(&self, kind: &str, member: &str, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(
            b"event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":",
        );
        // Writing into memory does not fail.
        write!(out, "{},\"delta\":{{\"type\":\"{kind}\",\"{member}\":", self.next).ok();
        write_text(text, out);
        out.extend_from_slice(b"}}\n\n");
    }

    fn text(&mut self, text: &str, out: &mut Vec<u8>) {
        if !text.is_empty() {
            self.begin(Open::Text, || json!({"type": "text", "text": ""}), out);
            self.delta("text_delta", "text", text, out);
        }
    }

    fn think(&mut self, out: &mut Vec<u8>) {
        let block = || json!({"type": "thinking", "thinking": "", "signature": ""});
        self.begin(Open::Thought, block, out);
    }

    fn thought(&mut self, text: &str, out: &mut Vec<u8>) {
        if !text.is_empty() {
            self.think(out);
            self.delta("thinking_delta", "thinking", text, out);
        }
    }

    fn signature(&mut self, signature: &str, out: &mut Vec<u8>) {
        self.think(out);
        self.delta("signature_delta", "signature", signature, out);
        self.stop(out);
    }

    fn hidden(&mut self, data: String, id: Option<&str>, out: &mut Vec<u8>) {
        self.end_block(out);
        let data = cipher(data, id);
        self.start_block(&json!({"type": "redacted_thinking", "data": data}), out);
        self.stop(out);
    }

    /// A citation belongs to a text: one that comes within a call is left out.
    fn cite(&mut self, citation: Citation, out: &mut Vec<u8>) {
        if self.open == Some(Open::Tool) {
            return;
        }
        self.begin(Open::Text, || json!({"type": "text", "text": ""}), out);
        let delta = json!({"type": "citations_delta", "citation": write_citation(citation)});
        let delta = json!({"type": "content_block_delta", "index": self.next, "delta": delta});
        event("content_block_delta", &delta, out);
    }

    fn call(&mut self, tool: u32, id: String, name: String, out: &mut Vec<u8>) {
        self.has_tools = true;
        if self.open.is_some_and(|open| open != Open::Tool) {
            self.end_block(out);
        }
        self.calls.push(tool, id, name);
        self.go_on(out);
    }

    fn arguments(&mut self, tool: u32, json: &str, out: &mut Vec<u8>) {
        self.calls.more(tool, json);
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

    /// Tells what is known of the first call.
    fn tell_call(&mut self, out: &mut Vec<u8>) {
        let Some(Call { id, name, json, is_open, .. }) = self.calls.first() else { return };
        let json = std::mem::take(json);
        if !std::mem::replace(is_open, true) {
            let (id, name) = (std::mem::take(id), std::mem::take(name));
            let block = || json!({"type": "tool_use", "id": id, "name": name, "input": {}});
            self.begin(Open::Tool, block, out);
        }
        if !json.is_empty() {
            self.delta("input_json_delta", "partial_json", &json, out);
        }
    }

    fn end_call(&mut self, out: &mut Vec<u8>) {
        self.calls.pop();
        self.stop(out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.start(None, None, out);
        self.end_block(out);
        let refused = self.is_refused.then_some(Finish::Refusal);
        let finish = refused.or_else(|| self.finish.take());
        let (reason, sequence) = write_finish(finish.as_ref(), self.has_tools);
        let delta = json!({
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": sequence},
            "usage": write_usage(&self.usage.unwrap_or_default()),
        });
        event("message_delta", &delta, out);
        event("message_stop", &json!({"type": "message_stop"}), out);
    }
}

fn fail(failure: &InBand, out: &mut Vec<u8>) {
    let error = json!({"type": kind_of(failure), "message": failure.message});
    event("error", &json!({"type": "error", "error": error}), out);
}

fn event(name: &str, data: &Value, out: &mut Vec<u8>) {
    // Writing into memory does not fail.
    write!(out, "event: {name}\ndata: {data}\n\n").ok();
}

impl Write for Writer {
    fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.is_over {
            return;
        }
        match &event {
            Event::Start { .. } | Event::Error(_) | Event::Usage(_) => {}
            _ => self.start(None, None, out),
        }
        match event {
            Event::Start { id, model } => self.start(id, model.as_deref(), out),
            Event::Text(0, text) => self.text(&text, out),
            Event::Citation(0, citation) => self.cite(citation, out),
            Event::Refusal(0, text) => {
                self.is_refused = true;
                self.text(&text, out);
            }
            Event::Thought(0, text) => self.thought(&text, out),
            Event::Signature(0, signature) => self.signature(&signature, out),
            Event::Hidden(0, data, id) => self.hidden(data, id.as_deref(), out),
            Event::ToolUse { choice: 0, tool, id, name, signature } => {
                self.call(tool, signed_id(id, signature.as_deref()), name, out);
            }
            Event::Arguments { choice: 0, tool, json } => self.arguments(tool, &json, out),
            Event::Finish(0, finish) => self.finish = Some(finish),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Error(failure) => {
                self.is_over = true;
                fail(&failure, out);
            }
            Event::End => {
                self.is_over = true;
                self.end(out);
            }
            _ => {}
        }
    }
}
