//! Ollama's own chat.
use super::super::asked::TOOL;
use super::{FAILED, Speech, arguments, pieces};
use serde_json::{Value, json};

fn calls(speech: Speech) -> Vec<Value> {
    let calls = speech.calls.iter().enumerate().map(|(index, (id, harbour))| {
        let function = json!({"index": index, "name": TOOL, "arguments": arguments(harbour)});
        json!({"id": id, "function": function})
    });
    calls.collect()
}

fn piece(message: Value, done: bool) -> Value {
    let mut piece = json!({"model": "up", "created_at": "2025-10-09T08:54:02.000000Z"});
    (piece["message"], piece["done"]) = (message, done.into());
    if done {
        piece["done_reason"] = "stop".into();
        piece["prompt_eval_count"] = 20.into();
        piece["eval_count"] = 9.into();
    }
    piece
}

fn message(name: &str, told: Value) -> Value {
    let mut message = json!({"role": "assistant", "content": ""});
    message[name] = told;
    message
}

pub(super) fn whole(speech: Speech) -> Value {
    let mut message = message("content", speech.text.into());
    if !speech.thought.is_empty() {
        message["thinking"] = speech.thought.into();
    }
    if !speech.calls.is_empty() {
        message["tool_calls"] = calls(speech).into();
    }
    piece(message, true)
}

pub(super) fn stream(speech: Speech, fails: bool) -> String {
    let thoughts = pieces(speech.thought).into_iter().map(|text| message("thinking", text.into()));
    let texts = pieces(speech.text).into_iter().map(|text| message("content", text.into()));
    let calls = calls(speech).into_iter().map(|call| message("tool_calls", json!([call])));
    let told = thoughts.chain(texts).chain(calls).map(|message| piece(message, false));
    let end = match fails {
        true => json!({"error": FAILED}),
        false => piece(message("content", "".into()), true),
    };
    told.chain([end]).map(|line| format!("{line}\n")).collect()
}
