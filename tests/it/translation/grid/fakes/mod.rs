//! Providers that say what they are to say, each in its own words.
mod chat;
mod cohere;
mod converse;
mod gemini;
mod messages;
mod ollama;
mod responses;

use super::rows::Column;
use crate::translation::said::Answer;
use crate::translation::{
    of_chat, of_cohere, of_converse, of_gemini, of_messages, of_ollama, of_responses,
};
use bartizan::providers::translate::Protocol;
use serde_json::{Value, json};

/// What a provider answers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Speech {
    pub(super) thought: &'static str,
    pub(super) text: &'static str,
    /// Ids and harbours of its calls.
    pub(super) calls: &'static [(&'static str, &'static str)],
}

/// What the provider's words for a failure are.
pub(super) const FAILED: &str = "prompt is too long: 9 tokens > 8 maximum";

/// What it answers in this column.
pub(super) fn speech(column: Column) -> Speech {
    let text = "9 m/s at Lisvik – at Oddøy it is calm. 🌊";
    let calls = [("windLisv1", "Lisvik"), ("windOddo1", "Oddøy")].as_slice();
    match column {
        Column::Tools => Speech { calls: &calls[..1], ..Speech::default() },
        Column::Parallel => Speech { calls, ..Speech::default() },
        Column::Reasoning => {
            Speech { thought: "Two harbours, so I ask twice.", text: "I look.", calls }
        }
        Column::Structured => {
            Speech { text: r#"{"harbour":"Oddøy","wind":0.5}"#, ..Speech::default() }
        }
        _ => Speech { text, ..Speech::default() },
    }
}

/// The proof that goes with a thought in this dialect, from this provider.
pub(super) fn proof(protocol: Protocol, provider: &str) -> Option<&'static str> {
    match (protocol, provider) {
        (Protocol::Messages | Protocol::Converse, _)
        | (Protocol::Chat, "openrouter" | "litellm_proxy") => Some("ErUBCkYIBRgCIkDm"),
        (Protocol::Gemini, _) => Some("CiQBCjE1"),
        (Protocol::Responses, _) => Some("gAAAAABoLisvik"),
        _ => None,
    }
}

/// The whole answer.
fn whole(protocol: Protocol, provider: &str, column: Column) -> Value {
    let speech = speech(column);
    match protocol {
        Protocol::Completions => chat::text(speech),
        Protocol::Responses => responses::whole(speech),
        Protocol::Messages => messages::whole(speech),
        Protocol::Gemini => gemini::whole(speech),
        Protocol::Cohere => cohere::whole(speech),
        Protocol::Ollama => ollama::whole(speech),
        Protocol::Converse => converse::whole(speech),
        _ => chat::whole(speech, provider),
    }
}

/// The answer as a stream, which breaks off with an error in the column of errors.
fn stream(protocol: Protocol, provider: &str, column: Column) -> String {
    let (speech, fails) = (speech(column), column == Column::Error);
    match protocol {
        Protocol::Completions => chat::text_stream(speech, fails),
        Protocol::Responses => responses::stream(speech, fails),
        Protocol::Messages => messages::stream(speech, fails),
        Protocol::Gemini => gemini::stream(speech, fails),
        Protocol::Cohere => cohere::stream(speech, fails),
        Protocol::Ollama => ollama::stream(speech, fails),
        Protocol::Converse => converse::stream(speech, fails),
        _ => chat::stream(speech, provider, fails),
    }
}

/// The error that the provider answers with status 400.
fn error(protocol: Protocol) -> Value {
    match protocol {
        Protocol::Messages => {
            let error = json!({"type": "invalid_request_error", "message": FAILED});
            json!({"type": "error", "error": error})
        }
        Protocol::Gemini => {
            json!({"error": {"code": 400, "message": FAILED, "status": "INVALID_ARGUMENT"}})
        }
        Protocol::Cohere | Protocol::Converse => json!({"message": FAILED}),
        Protocol::Ollama => json!({"error": FAILED}),
        _ => {
            let (kind, code) = ("invalid_request_error", "context_length_exceeded");
            json!({"error": {"message": FAILED, "type": kind, "param": null, "code": code}})
        }
    }
}

/// The bytes of the answer.
pub(super) fn answer(protocol: Protocol, provider: &str, column: Column, streamed: bool) -> String {
    match (streamed, column) {
        (true, _) => stream(protocol, provider, column),
        (false, Column::Error) => error(protocol).to_string(),
        _ => whole(protocol, provider, column).to_string(),
    }
}

/// What those who speak the provider's dialect hear in its answer.
pub(super) fn said(protocol: Protocol, provider: &str, column: Column, streamed: bool) -> Answer {
    let (whole, stream) = (whole(protocol, provider, column), stream(protocol, provider, column));
    match (protocol, streamed) {
        (Protocol::Responses, false) => of_responses::whole(&whole),
        (Protocol::Responses, true) => of_responses::strict_stream(&stream),
        (Protocol::Messages, false) => of_messages::whole(&whole),
        (Protocol::Messages, true) => of_messages::stream(&stream),
        (Protocol::Gemini, false) => of_gemini::whole(&whole),
        (Protocol::Gemini, true) => of_gemini::stream(&stream),
        (Protocol::Cohere, false) => of_cohere::whole(&whole),
        (Protocol::Cohere, true) => of_cohere::stream(&stream),
        (Protocol::Ollama, false) => of_ollama::whole(&whole),
        (Protocol::Ollama, true) => of_ollama::stream(&stream),
        (Protocol::Converse, false) => of_converse::whole(&whole),
        (Protocol::Converse, true) => of_converse::stream(&stream),
        (_, false) => of_chat::whole(&whole),
        (_, true) => of_chat::providers_stream(&stream),
    }
}

/// A text in two pieces; nothing of none.
fn pieces(text: &str) -> Vec<&str> {
    let middle = (text.len() / 2..text.len()).find(|at| text.is_char_boundary(*at));
    let (head, tail) = text.split_at(middle.unwrap_or_default());
    [head, tail].into_iter().filter(|piece| !piece.is_empty()).collect()
}

fn arguments(harbour: &str) -> Value {
    json!({"harbour": harbour})
}

/// Events with their data alone.
fn events(all: &[Value]) -> String {
    all.iter().map(|event| format!("data: {event}\n\n")).collect()
}

/// Events that have the names of their types.
fn named_events(all: &[Value]) -> String {
    let named = |event: &Value| {
        let name = event["type"].as_str().unwrap_or_default();
        format!("event: {name}\ndata: {event}\n\n")
    };
    all.iter().map(named).collect()
}
