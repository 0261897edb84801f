//! What is read from Cohere, and embeddings.
use super::embed::{read_embed, write_embed};
use super::{Reader, read_answer};
use crate::providers::chat::{
    Block, Citation, Content, Event, Finish, InBand, Lost, Memo, Read, Thought, ToolUse,
};
use bartizan_layers::facts::{Unit, Usage};
use serde_json::{Map, Value, json};

fn map(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn thought(text: &str) -> Block {
    Block::new(Content::Thought(Thought { text: text.to_owned(), ..Thought::default() }))
}

#[test]
fn an_answer_has_thoughts_text_calls_and_sources() {
    let source =
        json!({"type": "document", "id": "doc:0", "document": {"text": "…", "title": "Ruby"}});
    let body = json!({
        "id": "a", "finish_reason": "TOOL_CALL",
        "message": {
            "role": "assistant", "tool_plan": "look it up",
            "content": [
                {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "It is red."},
            ],
            "tool_calls": [{
                "id": "f_1", "type": "function", "function": {"name": "f", "arguments": "{}"},
            }],
            "citations": [
                {"start": 6, "end": 9, "text": "red", "sources": [source], "content_index": 1},
                {"start": 0, "end": 4, "text": "look", "sources": [], "type": "PLAN"},
            ],
        },
        "usage": {
            "billed_units": {"input_tokens": 3, "output_tokens": 4}, "cached_tokens": 96,
            "tokens": {
                "input_tokens": 100.0, "output_tokens": 9, "reasoning_tokens": 5, "image_tokens": 20,
            },
        },
    });
    let answer = read_answer(map(&body), &Memo::default()).unwrap();
    let (title, cited) = (Some("Ruby".to_owned()), Some("red".to_owned()));
    let citation = Citation { url: None, title, cited, range: Some((6, 9)) };
    let (id, name, input) = ("f_1".to_owned(), "f".to_owned(), "{}".to_owned());
    let wanted = [
        thought("look it up"),
        thought("hm"),
        Block::new(Content::Text("It is red.".to_owned(), vec![citation])),
        Block::new(Content::ToolUse(ToolUse { id, name, input, signature: None })),
    ];
    assert_eq!(answer.choices[0].blocks, wanted);
    assert_eq!(answer.choices[0].finish, Some(Finish::Tools));
    let usage = Usage::tokens(120, 9).with(Unit::CacheRead, 96);
    let usage = usage.with(Unit::Reasoning, 5).with(Unit::ImageInput, 20);
    assert_eq!(answer.usage, Some(usage));
}

#[test]
fn an_answer_without_a_message_is_none_of_coheres() {
    assert!(read_answer(map(&json!({"message": "no such model"})), &Memo::default()).is_err());
}

fn told(events: &[Value]) -> Vec<Event> {
    let (mut reader, mut out) = (Reader::new(&Memo::default()), Vec::new());
    for event in events {
        reader.event(b"", event.to_string().as_bytes(), &mut out);
    }
    reader.event(b"", b"[DONE]", &mut out);
    reader.end(&mut out);
    out
}

#[test]
fn a_stream_tells_plans_texts_and_calls() {
    let event = |kind: &str, name: &str, piece: Value| json!({"type": kind, "index": 0, "delta": {"message": {name: piece}}});
    let content = |part: Value| event("content-delta", "content", part);
    let calls = |kind: &str, call: Value| event(kind, "tool_calls", call);
    let start =
        json!({"id": "f_1", "type": "function", "function": {"name": "f", "arguments": ""}});
    let usage = json!({"tokens": {"input_tokens": 5, "output_tokens": 6}, "cached_tokens": 4});
    let events = told(&[
        json!({"type": "message-start", "id": "a", "delta": {"message": {"role": "assistant"}}}),
        json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "plan"}}}),
        content(json!({"thinking": "hm"})),
        content(json!({"text": "red"})),
        calls("tool-call-start", start),
        calls("tool-call-delta", json!({"function": {"arguments": "{}"}})),
        json!({"type": "tool-call-end", "index": 0}),
        json!({"type": "message-end", "delta": {"finish_reason": "TOOL_CALL", "usage": usage}}),
    ]);
    let (id, name) = ("f_1".to_owned(), "f".to_owned());
    let wanted = [
        Event::Start { id: Some("a".to_owned()), model: None },
        Event::Thought(0, "plan".to_owned()),
        Event::Thought(0, "hm".to_owned()),
        Event::Text(0, "red".to_owned()),
        Event::ToolUse { choice: 0, tool: 0, id, name, signature: None },
        Event::Arguments { choice: 0, tool: 0, json: "{}".to_owned() },
        Event::Usage(Usage::tokens(5, 6).with(Unit::CacheRead, 4)),
        Event::Finish(0, Finish::Tools),
        Event::End,
    ];
    assert_eq!(events, wanted);
}

#[test]
fn a_stream_that_fails_tells_why() {
    let delta =
        json!({"finish_reason": "ERROR", "usage": {}, "error": "bad call", "error_type": "E"});
    let kind = Some("E".to_owned());
    let failure = InBand { kind, status: None, message: "bad call".to_owned() };
    let start = Event::Start { id: None, model: None };
    let ending = json!({"type": "message-end", "delta": delta});
    assert_eq!(told(&[ending.clone(), ending]), [start, Event::Error(failure)]);
    let cut = told(&[json!({"type": "message-start", "id": "a"})]);
    assert!(!cut.contains(&Event::End));
}

#[test]
fn embeddings_are_asked_for_by_type() {
    let ask = |body: Value| {
        let told = write_embed(map(&body), "embed", &mut Lost::default());
        told.map(Value::Object).map_err(|refused| refused.param)
    };
    let wanted = json!({
        "model": "embed", "texts": ["a"], "input_type": "search_document",
        "output_dimension": 256, "embedding_types": ["base64"],
    });
    assert_eq!(
        ask(json!({"input": "a", "dimensions": 256, "encoding_format": "base64"})),
        Ok(wanted)
    );
    let wanted = json!({
        "model": "embed", "images": ["data:image/png;base64,AAAA"], "input_type": "image",
        "embedding_types": ["float"],
    });
    assert_eq!(ask(json!({"input": ["data:image/png;base64,AAAA"]})), Ok(wanted));
    assert_eq!(ask(json!({"input": [[1, 2]]})), Err("input".to_owned()));
    let billed = json!({"billed_units": {"input_tokens": 4, "image_tokens": 2}});
    let body = json!({"embeddings": {"float": [[0.5]]}, "meta": billed});
    let (vectors, usage) = read_embed(map(&body), "embed").unwrap();
    assert_eq!(vectors, [json!([0.5])]);
    assert_eq!(usage.map(|usage| usage[Unit::Input]), Some(6));
}
