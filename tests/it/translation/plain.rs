//! What most of a stream is, is read in a shorter way: it says the same as the long one.
//!
//! The shorter way borrows words, and leaves an event to the long one whose words it cannot borrow:
//! so each event is told twice, once with a letter that is escaped.
use bartizan::providers::chat::{Memo, Read};
use bartizan::providers::{anthropic, cohere, gemini, ollama, openai};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A piece of a stream: which kind, of which answer or block, and its text.
type Piece = (usize, u32, String);

/// Kinds of pieces; each dialect has some.
const KINDS: usize = 8;

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let text = prop_oneof!["", "\\PC{0,12}", "[\"\\\\\\n\\t\u{0}äλ🜚 ]{0,6}"];
    vec((0..KINDS, 0..3_u32, text), 0..12)
}

/// An event with this word in it, plain or with its first letter escaped.
fn told(event: &Value, word: &str, plain: bool) -> String {
    let mut letters = word.chars();
    let first = letters.next().map_or(0, u32::from);
    let quoted = format!("\"{word}\"");
    let escaped = format!("\"\\u{first:04x}{}\"", letters.as_str());
    let event = event.to_string();
    assert!(event.contains(&quoted), "{event}");
    if plain { event } else { event.replacen(&quoted, &escaped, 1) }
}

/// Reads the same both ways.
fn same<R: Read>(
    reader: impl Fn() -> R,
    pieces: &[Piece],
    event: impl Fn(&Piece) -> (Value, &'static str),
) -> Result<(), TestCaseError> {
    let (mut short, mut long) = (reader(), reader());
    for piece in pieces {
        let (event, word) = event(piece);
        let (mut one, mut other) = (Vec::new(), Vec::new());
        short.event(b"", told(&event, word, true).as_bytes(), &mut one);
        long.event(b"", told(&event, word, false).as_bytes(), &mut other);
        prop_assert_eq!(one, other, "{}", event);
    }
    Ok(())
}

fn of_chat((kind, index, text): &Piece) -> (Value, &'static str) {
    let call = |call: Value| json!({"role": "assistant", "tool_calls": [call]});
    let (delta, finish) = match kind {
        0 => (json!({"content": text}), Value::Null),
        1 => (json!({"role": "assistant", "content": text, "refusal": null}), Value::Null),
        2 => (json!({"reasoning_content": text, "reasoning": "a", "content": null}), Value::Null),
        3 => (json!({"reasoning": text}), Value::Null),
        4 => {
            let function = json!({"name": "look", "arguments": text});
            (
                call(
                    json!({"index": index, "id": "call_1", "type": "function", "function": function}),
                ),
                Value::Null,
            )
        }
        5 => (
            call(json!({"index": index, "id": null, "function": {"arguments": text}})),
            Value::Null,
        ),
        6 => (json!({"refusal": text}), Value::Null),
        _ => (json!({}), "stop".into()),
    };
    let choice =
        json!({"index": index % 2, "delta": delta, "logprobs": null, "finish_reason": finish});
    let chunk = json!({"id": "tide", "object": "chat.completion.chunk", "model": "m-1", "choices": [choice], "usage": null});
    (chunk, "m-1")
}

fn of_messages((kind, index, text): &Piece) -> (Value, &'static str) {
    let delta =
        |delta: Value| json!({"type": "content_block_delta", "index": index, "delta": delta});
    let start = |block: Value| json!({"type": "content_block_start", "index": index, "content_block": block});
    match kind {
        0 => (delta(json!({"type": "text_delta", "text": text})), "content_block_delta"),
        1 => (delta(json!({"type": "thinking_delta", "thinking": text})), "content_block_delta"),
        2 | 3 => (
            delta(json!({"type": "input_json_delta", "partial_json": text})),
            "content_block_delta",
        ),
        4 => (delta(json!({"type": "signature_delta", "signature": text})), "content_block_delta"),
        5 => (start(json!({"type": "text", "text": text})), "content_block_start"),
        6 => {
            let block = json!({"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}});
            (start(block), "content_block_start")
        }
        _ => (json!({"type": "content_block_stop", "index": index}), "content_block_stop"),
    }
}

fn of_gemini((kind, index, text): &Piece) -> (Value, &'static str) {
    let call = json!({"name": "look", "args": {"at": text, "deep": [1, {"b": null}]}});
    let part = match kind {
        0 | 1 => json!({"text": text}),
        2 => json!({"text": text, "thought": true}),
        3 => json!({"functionCall": call}),
        4 => json!({"functionCall": call, "thoughtSignature": "c2lnbg=="}),
        5 => json!({"functionCall": {"name": "look", "id": text}, "thoughtSignature": text}),
        6 => json!({"text": text, "thoughtSignature": "c2lnbg=="}),
        _ => json!({"functionCall": {"name": "look", "args": text}}),
    };
    let candidate = json!({"content": {"parts": [part], "role": "model"}, "index": index});
    let used = json!({"promptTokenCount": 4, "candidatesTokenCount": index});
    let chunk = json!({"candidates": [candidate], "usageMetadata": used, "modelVersion": "m-1", "responseId": "tide"});
    (chunk, "tide")
}

fn of_cohere((kind, _, text): &Piece) -> (Value, &'static str) {
    let event = |kind: &'static str, message: Value| {
        (json!({"type": kind, "index": 0, "delta": {"message": message}}), kind)
    };
    let function = json!({"arguments": text});
    match kind {
        0 => event("content-delta", json!({"content": {"text": text}})),
        1 => event("content-delta", json!({"content": {"thinking": text}})),
        2 => event("content-delta", json!({"content": {"thinking": text, "text": text}})),
        3 => event(
            "tool-call-start",
            json!({"tool_calls": {"id": "look_1", "function": {"name": "look", "arguments": text}}}),
        ),
        4 => event("tool-call-delta", json!({"tool_calls": {"function": function}})),
        5 => event("tool-call-delta", json!({"tool_calls": [{"function": function}]})),
        6 => event("content-start", json!({"content": {"type": "text", "text": text}})),
        _ => event("tool-plan-delta", json!({"tool_plan": text})),
    }
}

fn of_ollama((kind, index, text): &Piece) -> (Value, &'static str) {
    let calls = |call: Value| json!({"role": "assistant", "content": "", "tool_calls": [call, {"function": {"name": "look", "arguments": {"at": text}}}]});
    let message = match kind {
        0 | 1 => json!({"role": "assistant", "content": text}),
        2 => json!({"role": "assistant", "content": "", "thinking": text}),
        3 => json!({"content": text, "thinking": text}),
        4 => calls(json!({"id": text, "function": {"name": "look", "index": index}})),
        5 => calls(json!({"function": {"arguments": text}})),
        6 => calls(json!(text)),
        _ => json!({"content": text, "images": [text]}),
    };
    let line = json!({"model": "m-1", "created_at": "2025-10-09T08:54:02Z", "message": message, "done": false});
    (line, "m-1")
}

proptest! {
    #[test]
    fn a_chunk_of_a_chat_says_the_same_both_ways(pieces in pieces()) {
        same(|| openai::chat::Reader::new(&Memo::default()), &pieces, of_chat)?;
    }

    #[test]
    fn an_event_of_messages_says_the_same_both_ways(pieces in pieces()) {
        same(|| anthropic::Reader::new(&Memo::default()), &pieces, of_messages)?;
    }

    #[test]
    fn a_response_of_gemini_says_the_same_both_ways(pieces in pieces()) {
        same(|| gemini::Reader::new(&Memo::default()), &pieces, of_gemini)?;
    }

    #[test]
    fn an_event_of_cohere_says_the_same_both_ways(pieces in pieces()) {
        same(|| cohere::Reader::new(&Memo::default()), &pieces, of_cohere)?;
    }

    #[test]
    fn a_line_of_ollama_says_the_same_both_ways(pieces in pieces()) {
        same(|| ollama::Reader::new(&Memo::default()), &pieces, of_ollama)?;
    }
}
