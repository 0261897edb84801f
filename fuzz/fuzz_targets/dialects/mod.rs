//! Pairs of dialects, picked by a byte.
#![allow(dead_code, reason = "each target needs a part of it")]
use bartizan::config::Fit;
use bartizan::providers::chat::{Client, Target};
use bartizan::providers::translate::{Edits, Protocol, Reply, Translation};
use serde_json::Value;

/// Beyond this an input costs more than it finds.
pub(crate) const LONGEST: usize = 4096;

/// No edits.
pub(crate) const EDITS: Edits<'_> =
    Edits { defaults: &[], forced: &[], extra_body: &[], drop: &[], stream_usage: true };

/// What clients speak, and the least that they can ask.
const CLIENTS: [(Protocol, &[u8]); 10] = [
    (Protocol::Chat, br#"{"messages":[{"role":"user","content":"?"}]}"#),
    (Protocol::Completions, br#"{"prompt":"?"}"#),
    (Protocol::Responses, br#"{"input":"?"}"#),
    (Protocol::Messages, br#"{"max_tokens":9,"messages":[{"role":"user","content":"?"}]}"#),
    (Protocol::Gemini, br#"{"contents":[{"role":"user","parts":[{"text":"?"}]}]}"#),
    (Protocol::Cohere, br#"{"messages":[{"role":"user","content":"?"}]}"#),
    (Protocol::Ollama, br#"{"messages":[{"role":"user","content":"?"}]}"#),
    (Protocol::Generate, br#"{"prompt":"?"}"#),
    (Protocol::CohereEmbed, br#"{"texts":["?"]}"#),
    (Protocol::OllamaEmbed, br#"{"input":"?"}"#),
];

/// What providers speak.
const PROVIDERS: [Protocol; 7] = [
    Protocol::Chat,
    Protocol::Responses,
    Protocol::Messages,
    Protocol::Gemini,
    Protocol::Cohere,
    Protocol::Ollama,
    Protocol::Converse,
];

/// The pair that `pick` names.
pub(crate) fn translation(pick: u8) -> Translation {
    let (client, _) = CLIENTS[usize::from(pick) % CLIENTS.len()];
    let provider = PROVIDERS[usize::from(pick) / CLIENTS.len() % PROVIDERS.len()];
    Translation { client, provider }
}

/// A client, the same in each run.
pub(crate) fn client() -> Client {
    Client {
        id: "0".repeat(32),
        model: "a-model".to_owned(),
        stream_usage: true,
        ..Client::default()
    }
}

/// What reads the answers of the pair that `pick` names.
pub(crate) fn reply(pick: u8) -> Reply {
    let (_, least) = CLIENTS[usize::from(pick) % CLIENTS.len()];
    let draft = translation(pick).read(least, &EDITS, Fit::default()).expect("a request");
    let target = Target {
        provider: "a-provider",
        row: None,
        model: "a-model",
        like: "a-model",
        max_output: None,
        thinks: None,
        modify: false,
    };
    draft.write(&target, &EDITS, client()).expect("it can be asked").reply
}

/// Whether this is a JSON text.
pub(crate) fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<Value>(text).is_ok()
}

/// Whether these are whole events, each of them JSON or the ending.
pub(crate) fn is_stream(stream: &[u8]) -> bool {
    let text = std::str::from_utf8(stream).expect("UTF-8");
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    if text.starts_with('{') {
        return text.ends_with('\n') && text.lines().all(|line| is_json(line.as_bytes()));
    }
    let whole = text.is_empty() || text.ends_with("\n\n");
    whole && data.into_iter().all(|data| data == "[DONE]" || is_json(data.as_bytes()))
}
