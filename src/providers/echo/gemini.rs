//! generateContent and its siblings.
use super::prompt::Said;
use super::{data, id};
use serde_json::{Value, json};

pub(super) fn answer(action: &str, said: &Said) -> Value {
    match action {
        "countTokens" => json!({"totalTokens": said.input_tokens}),
        _ => chunk(&id(""), &said.text, Some("STOP"), said),
    }
}

pub(super) fn stream(said: &Said) -> Vec<String> {
    let id = id("");
    let mut events: Vec<_> = said.words().map(|word| data(&chunk(&id, word, None, said))).collect();
    events.push(data(&chunk(&id, "", Some("STOP"), said)));
    events
}

fn chunk(id: &str, text: &str, finish: Option<&str>, said: &Said) -> Value {
    let mut candidate = json!({
        "content": {"role": "model", "parts": [{"text": text}]}, "index": 0,
    });
    if let Some(reason) = finish {
        candidate["finishReason"] = reason.into();
    }
    json!({
        "candidates": [candidate], "modelVersion": said.model, "responseId": id,
        "usageMetadata": {
            "promptTokenCount": said.input_tokens, "candidatesTokenCount": said.output_tokens,
            "totalTokenCount": said.input_tokens + said.output_tokens,
        },
    })
}
