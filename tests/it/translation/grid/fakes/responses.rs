//! OpenAI responses.
use super::super::asked::TOOL;
use super::{FAILED, Speech, arguments, named_events, pieces, proof};
use bartizan::providers::translate::Protocol;
use serde_json::{Value, json};

fn items(speech: Speech) -> Vec<Value> {
    let mut items = Vec::new();
    if !speech.thought.is_empty() {
        let summary = json!([{"type": "summary_text", "text": speech.thought}]);
        let proof = proof(Protocol::Responses, "");
        items.push(json!({"type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": proof}));
    }
    if !speech.text.is_empty() {
        items.push(message(speech.text, "completed"));
    }
    for (id, harbour) in speech.calls {
        items.push(call(id, &arguments(harbour).to_string(), "completed"));
    }
    items
}

fn message(text: &str, status: &str) -> Value {
    let part = json!({"type": "output_text", "text": text, "annotations": []});
    json!({"type": "message", "id": "msg_1", "role": "assistant", "status": status, "content": [part]})
}

fn call(id: &str, arguments: &str, status: &str) -> Value {
    json!({"type": "function_call", "id": format!("fc_{id}"), "call_id": id, "name": TOOL, "arguments": arguments, "status": status})
}

pub(super) fn whole(speech: Speech) -> Value {
    let reasoning = if speech.thought.is_empty() { 0 } else { 4 };
    json!({
        "id": "resp_1",
        "object": "response",
        "created_at": 1_760_000_000,
        "status": "completed",
        "error": null,
        "incomplete_details": null,
        "model": "up",
        "output": items(speech),
        "parallel_tool_calls": true,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 20,
            "input_tokens_details": {"cached_tokens": 8},
            "output_tokens": 9,
            "output_tokens_details": {"reasoning_tokens": reasoning},
            "total_tokens": 29,
        },
    })
}

pub(super) fn stream(speech: Speech, fails: bool) -> String {
    let begun = || {
        let mut begun = whole(Speech::default());
        (begun["status"], begun["usage"]) = ("in_progress".into(), Value::Null);
        begun
    };
    let mut all = vec![json!({"type": "response.created", "response": begun()})];
    for (at, item) in items(speech).into_iter().enumerate() {
        item_stream(at, &item, &mut all);
        if fails {
            let mut failed = begun();
            failed["status"] = "failed".into();
            failed["error"] = json!({"code": "server_error", "message": FAILED});
            all.push(json!({"type": "response.failed", "response": failed}));
            return numbered(all);
        }
    }
    all.push(json!({"type": "response.completed", "response": whole(speech)}));
    numbered(all)
}

fn numbered(mut all: Vec<Value>) -> String {
    let events = all.iter_mut().enumerate();
    events.for_each(|(number, event)| event["sequence_number"] = number.into());
    named_events(&all)
}

/// The events of an item: it begins empty, grows, and is done.
fn item_stream(at: usize, item: &Value, all: &mut Vec<Value>) {
    let id = &item["id"];
    let event = |kind: &str| json!({"type": kind, "output_index": at, "item_id": id});
    let mut empty = item.clone();
    let (kind, text, member) = match item["type"].as_str() {
        Some("reasoning") => {
            empty["summary"] = json!([]);
            empty.as_object_mut().expect("members").remove("encrypted_content");
            ("reasoning_summary_text", item["summary"][0]["text"].as_str(), "summary")
        }
        Some("message") => {
            (empty["content"], empty["status"]) = (json!([]), "in_progress".into());
            ("output_text", item["content"][0]["text"].as_str(), "content")
        }
        _ => {
            (empty["arguments"], empty["status"]) = ("".into(), "in_progress".into());
            ("function_call_arguments", item["arguments"].as_str(), "")
        }
    };
    let text = text.unwrap_or_default();
    all.push(json!({"type": "response.output_item.added", "output_index": at, "item": empty}));
    for piece in pieces(text) {
        let mut delta = event(&format!("response.{kind}.delta"));
        delta["delta"] = piece.into();
        if !member.is_empty() {
            delta[format!("{member}_index")] = 0.into();
        }
        all.push(delta);
    }
    let mut done = event(&format!("response.{kind}.done"));
    done[if member.is_empty() { "arguments" } else { "text" }] = text.into();
    all.push(done);
    all.push(json!({"type": "response.output_item.done", "output_index": at, "item": item}));
}
