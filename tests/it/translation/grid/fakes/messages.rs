//! Anthropic messages.
use super::super::asked::TOOL;
use super::{Speech, arguments, error, named_events, pieces, proof};
use bartizan::providers::translate::Protocol;
use serde_json::{Value, json};

fn blocks(speech: Speech) -> Vec<Value> {
    let mut blocks = Vec::new();
    if !speech.thought.is_empty() {
        let proof = proof(Protocol::Messages, "");
        blocks.push(json!({"type": "thinking", "thinking": speech.thought, "signature": proof}));
    }
    if !speech.text.is_empty() {
        blocks.push(json!({"type": "text", "text": speech.text}));
    }
    for (id, harbour) in speech.calls {
        let input = arguments(harbour);
        blocks.push(json!({"type": "tool_use", "id": id, "name": TOOL, "input": input}));
    }
    blocks
}

fn reason(speech: Speech) -> &'static str {
    if speech.calls.is_empty() { "end_turn" } else { "tool_use" }
}

fn message(content: &[Value], reason: Option<&str>) -> Value {
    let usage = json!({"input_tokens": 10, "cache_read_input_tokens": 8, "cache_creation_input_tokens": 2, "output_tokens": 9});
    json!({
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "up",
        "content": content,
        "stop_reason": reason,
        "stop_sequence": null,
        "usage": usage,
    })
}

pub(super) fn whole(speech: Speech) -> Value {
    message(&blocks(speech), Some(reason(speech)))
}

pub(super) fn stream(speech: Speech, fails: bool) -> String {
    let begun = message(&[], None);
    let mut all = vec![json!({"type": "message_start", "message": begun})];
    for (index, block) in blocks(speech).into_iter().enumerate() {
        block_stream(index, block, &mut all);
        if fails {
            all.push(error(Protocol::Messages));
            return named_events(&all);
        }
        all.push(json!({"type": "content_block_stop", "index": index}));
    }
    let delta = json!({"stop_reason": reason(speech), "stop_sequence": null});
    all.push(json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 9}}));
    all.push(json!({"type": "message_stop"}));
    named_events(&all)
}

/// A block begins empty, and grows.
fn block_stream(index: usize, mut block: Value, all: &mut Vec<Value>) {
    let (kind, member, text, empty) = match block["type"].as_str() {
        Some("thinking") => ("thinking_delta", "thinking", block["thinking"].take(), "".into()),
        Some("text") => ("text_delta", "text", block["text"].take(), "".into()),
        _ => {
            let input = block["input"].take().to_string();
            ("input_json_delta", "partial_json", input.into(), json!({}))
        }
    };
    let signature = block["signature"].as_str().map(str::to_owned);
    let own = if member == "partial_json" { "input" } else { member };
    block[own] = empty;
    if signature.is_some() {
        block["signature"] = "".into();
    }
    all.push(json!({"type": "content_block_start", "index": index, "content_block": block}));
    let mut push = |delta: Value| {
        all.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
    };
    for piece in pieces(text.as_str().unwrap_or_default()) {
        push(json!({"type": kind, member: piece}));
    }
    if let Some(signature) = signature {
        push(json!({"type": "signature_delta", "signature": signature}));
    }
}
