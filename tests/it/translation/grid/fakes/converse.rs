//! Converse of AWS Bedrock; its streams as lines, each an event's name and its JSON.
use super::super::asked::TOOL;
use super::{FAILED, Speech, arguments, pieces, proof};
use bartizan::providers::translate::Protocol;
use serde_json::{Value, json};
use std::fmt::Write;

fn reason(speech: Speech) -> &'static str {
    if speech.calls.is_empty() { "end_turn" } else { "tool_use" }
}

fn usage() -> Value {
    json!({
        "inputTokens": 10, "cacheReadInputTokens": 8, "cacheWriteInputTokens": 2,
        "outputTokens": 9, "totalTokens": 29,
    })
}

fn call(id: &str) -> Value {
    json!({"toolUseId": id, "name": TOOL})
}

pub(super) fn whole(speech: Speech) -> Value {
    let mut content = Vec::new();
    if !speech.thought.is_empty() {
        let signature = proof(Protocol::Converse, "");
        let said = json!({"text": speech.thought, "signature": signature});
        content.push(json!({"reasoningContent": {"reasoningText": said}}));
    }
    if !speech.text.is_empty() {
        content.push(json!({"text": speech.text}));
    }
    for (id, harbour) in speech.calls {
        let mut call = call(id);
        call["input"] = arguments(harbour);
        content.push(json!({"toolUse": call}));
    }
    let message = json!({"role": "assistant", "content": content});
    json!({
        "output": {"message": message}, "stopReason": reason(speech),
        "usage": usage(), "metrics": {"latencyMs": 7},
    })
}

/// Events that are told one after the other.
#[derive(Default)]
struct Told {
    lines: String,
    block: u32,
}

impl Told {
    fn tell(&mut self, name: &str, event: &Value) {
        writeln!(self.lines, "{name} {event}").expect("strings take everything");
    }

    fn delta(&mut self, delta: &Value) {
        let event = json!({"contentBlockIndex": self.block, "delta": delta, "p": "abc"});
        self.tell("contentBlockDelta", &event);
    }

    fn stop(&mut self) {
        self.tell("contentBlockStop", &json!({"contentBlockIndex": self.block, "p": "a"}));
        self.block += 1;
    }
}

pub(super) fn stream(speech: Speech, fails: bool) -> String {
    let mut told = Told::default();
    told.tell("messageStart", &json!({"role": "assistant", "p": "ab"}));
    if !speech.thought.is_empty() {
        for piece in pieces(speech.thought) {
            told.delta(&json!({"reasoningContent": {"text": piece}}));
        }
        told.delta(&json!({"reasoningContent": {"signature": proof(Protocol::Converse, "")}}));
        told.stop();
    }
    for piece in pieces(speech.text) {
        told.delta(&json!({"text": piece}));
    }
    if fails {
        told.tell("modelStreamErrorException", &json!({"message": FAILED}));
        return told.lines;
    }
    if !speech.text.is_empty() {
        told.stop();
    }
    for (id, harbour) in speech.calls {
        let start = json!({"contentBlockIndex": told.block, "start": {"toolUse": call(id)}});
        told.tell("contentBlockStart", &start);
        for piece in pieces(&arguments(harbour).to_string()) {
            told.delta(&json!({"toolUse": {"input": piece}}));
        }
        told.stop();
    }
    told.tell("messageStop", &json!({"stopReason": reason(speech)}));
    told.tell("metadata", &json!({"usage": usage(), "metrics": {"latencyMs": 7}}));
    told.lines
}
