//! Cohere chat, version 2.
use super::super::asked::TOOL;
use super::{FAILED, Speech, arguments, named_events, pieces};
use serde_json::{Value, json};

fn finish(speech: Speech) -> &'static str {
    if speech.calls.is_empty() { "COMPLETE" } else { "TOOL_CALL" }
}

fn usage() -> Value {
    json!({"tokens": {"input_tokens": 20, "output_tokens": 9}, "cached_tokens": 8})
}

fn call(id: &str, arguments: &str) -> Value {
    let function = json!({"name": TOOL, "arguments": arguments});
    json!({"id": id, "type": "function", "function": function})
}

pub(super) fn whole(speech: Speech) -> Value {
    let mut content = Vec::new();
    if !speech.thought.is_empty() {
        content.push(json!({"type": "thinking", "thinking": speech.thought}));
    }
    if !speech.text.is_empty() {
        content.push(json!({"type": "text", "text": speech.text}));
    }
    let mut message = json!({"role": "assistant", "content": content});
    if !speech.calls.is_empty() {
        let calls = speech.calls.iter();
        let calls = calls.map(|(id, harbour)| call(id, &arguments(harbour).to_string()));
        message["tool_calls"] = calls.collect();
    }
    json!({"id": "c1", "finish_reason": finish(speech), "message": message, "usage": usage()})
}

pub(super) fn stream(speech: Speech, fails: bool) -> String {
    let message = json!({"role": "assistant", "content": [], "tool_plan": "", "tool_calls": []});
    let begun = json!({"id": "c1", "type": "message-start", "delta": {"message": message}});
    let mut all = vec![begun];
    let kinds = [("thinking", speech.thought), ("text", speech.text)];
    for (index, (kind, text)) in kinds.into_iter().filter(|it| !it.1.is_empty()).enumerate() {
        let content = |event: &str, told: Value| json!({"type": event, "index": index, "delta": {"message": {"content": told}}});
        all.push(content("content-start", json!({"type": kind, kind: ""})));
        for piece in pieces(text) {
            all.push(content("content-delta", json!({kind: piece})));
        }
        all.push(json!({"type": "content-end", "index": index}));
    }
    for (index, (id, harbour)) in speech.calls.iter().enumerate() {
        let told = |event: &str, call: Value| json!({"type": event, "index": index, "delta": {"message": {"tool_calls": call}}});
        all.push(told("tool-call-start", call(id, "")));
        for piece in pieces(&arguments(harbour).to_string()) {
            all.push(told("tool-call-delta", json!({"function": {"arguments": piece}})));
        }
        all.push(json!({"type": "tool-call-end", "index": index}));
    }
    let mut end = json!({"finish_reason": finish(speech), "usage": usage()});
    if fails {
        end = json!({"finish_reason": "ERROR", "error": FAILED});
    }
    all.push(json!({"type": "message-end", "delta": end}));
    named_events(&all)
}
