//! What is said of recordings is true of those that there are.
use crate::fixtures::{self, Exchange};
use bartizan::data::{self, About, Provider};
use serde_json::Value;
use std::collections::BTreeSet;

/// Folders of recordings that are named otherwise than their rows.
const ROWS: [(&str, &[&str]); 10] = [
    ("alibaba", &["dashscope"]),
    ("bedrock", &["bedrock", "bedrock_converse"]),
    ("cohere", &["cohere", "cohere_chat"]),
    ("ollama", &["ollama", "ollama_chat"]),
    ("together", &["together_ai"]),
    ("vercel-gateway", &["vercel_ai_gateway"]),
    ("vertex", &["vertex_ai"]),
    ("vllm", &["hosted_vllm", "vllm"]),
    // Their chats are judged elsewhere.
    ("replicate", &[]),
    ("voyage", &[]),
];

/// The part that an exchange is about, beside its tools.
fn part(exchange: &Exchange) -> Option<&'static str> {
    let endpoint = exchange.text("/endpoint");
    let chats = [
        "/chat/completions",
        "/chat",
        "/messages",
        "enerateContent",
        "awPredict",
        "/converse",
        "/converse-stream",
    ];
    let streams = ["/response/body_text", "/response/body_base64"];
    let is_chat = chats.iter().any(|end| endpoint.ends_with(end));
    match (exchange.status(), is_chat) {
        (400.., _) => Some("error"),
        (_, false) => None,
        _ if streams.iter().all(|told| exchange.text(told).is_empty()) => Some("chat"),
        _ => Some("stream"),
    }
}

fn has_tools(exchange: &Exchange) -> bool {
    let tags = exchange.file["tags"].as_array().into_iter().flatten();
    tags.filter_map(Value::as_str).any(|tag| tag.contains("tool"))
}

/// What of a row is recorded, in the order of its parts.
fn recorded(row: &str, all: &[Exchange]) -> String {
    let of_row = |exchange: &&Exchange| {
        let folder = exchange.text("/provider");
        let named = ROWS.iter().find(|(name, _)| *name == folder);
        named.map_or(folder == row, |(_, rows)| rows.contains(&row))
    };
    let mut parts = BTreeSet::new();
    for exchange in all.iter().filter(of_row) {
        let Some(part) = part(exchange) else { continue };
        parts.insert(part);
        parts.extend((part != "error" && has_tools(exchange)).then_some("tools"));
    }
    let parts: Vec<_> = data::PARTS.into_iter().filter(|part| parts.contains(part)).collect();
    parts.join(" ")
}

#[test]
fn what_is_said_to_be_recorded_is() {
    let Some(root) = fixtures::root("evidence of providers") else { return };
    let all = fixtures::all(&root);
    for row in data::providers() {
        assert_eq!(row.about().recorded, recorded(row.name, &all), "{}", row.name);
    }
}

#[test]
fn a_recorded_stream_ends_as_its_row_says() {
    let Some(root) = fixtures::root("ends of streams") else { return };
    for exchange in fixtures::all(&root).iter().filter(|it| part(it) == Some("stream")) {
        let folder = exchange.text("/provider");
        let named = ROWS.iter().find(|(name, _)| *name == folder);
        let row = named.map_or(Some(folder), |(_, rows)| rows.first().copied());
        let Some(About { ending, .. }) = row.and_then(data::provider).map(Provider::about) else {
            continue;
        };
        let told = exchange.text("/response/body_text");
        let done = told.contains("[DONE]") || told.contains("\"error\"");
        // One that was cut, or of a router whose hosts differ.
        let untold = !told.contains("\"finish_reason\":\"") || folder == "huggingface";
        assert!(ending.is_empty() || untold || done == (ending == "[DONE]"), "{}", exchange.name);
    }
}
