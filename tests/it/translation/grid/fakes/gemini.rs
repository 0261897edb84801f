//! Gemini `generateContent` and `streamGenerateContent`.
use super::super::asked::TOOL;
use super::{Speech, arguments, error, events, pieces, proof};
use bartizan::providers::translate::Protocol;
use serde_json::{Value, json};

fn calls(speech: Speech) -> Vec<Value> {
    // Google gives no ids to the calls of this model, and proves the thought at the first one.
    let parts = speech.calls.iter().enumerate().map(|(at, (_, harbour))| {
        let mut part = json!({"functionCall": {"name": TOOL, "args": arguments(harbour)}});
        if at == 0 && !speech.thought.is_empty() {
            part["thoughtSignature"] = proof(Protocol::Gemini, "").into();
        }
        part
    });
    parts.collect()
}

fn document(parts: &[Value], last: Option<Speech>) -> Value {
    let mut candidate = json!({"content": {"role": "model", "parts": parts}, "index": 0});
    let mut document = json!({"modelVersion": "up", "responseId": "r1"});
    if let Some(speech) = last {
        candidate["finishReason"] = "STOP".into();
        let thoughts = if speech.thought.is_empty() { 0 } else { 4 };
        document["usageMetadata"] = json!({
            "promptTokenCount": 20,
            "cachedContentTokenCount": 8,
            "candidatesTokenCount": 9,
            "thoughtsTokenCount": thoughts,
            "totalTokenCount": 29 + thoughts,
        });
    }
    document["candidates"] = json!([candidate]);
    document
}

pub(super) fn whole(speech: Speech) -> Value {
    let mut parts = Vec::new();
    if !speech.thought.is_empty() {
        parts.push(json!({"text": speech.thought, "thought": true}));
    }
    if !speech.text.is_empty() {
        parts.push(json!({"text": speech.text}));
    }
    parts.extend(calls(speech));
    document(&parts, Some(speech))
}

pub(super) fn stream(speech: Speech, fails: bool) -> String {
    let thoughts = pieces(speech.thought).into_iter();
    let thoughts = thoughts.map(|text| json!({"text": text, "thought": true}));
    let texts = pieces(speech.text).into_iter().map(|text| json!({"text": text}));
    let told = thoughts.chain(texts).chain(calls(speech));
    let mut all: Vec<Value> = told.map(|part| document(&[part], None)).collect();
    all.push(if fails { error(Protocol::Gemini) } else { document(&[], Some(speech)) });
    events(&all)
}
