//! What providers are asked, by requests that were recorded.
use super::prompt::{self, Piece};
use super::recording::{Recording, answered};
use super::setup::translated;
use bartizan::providers::translate::{Protocol, Translation};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Who is asked in the place of the one who was.
pub(super) const TARGETS: [(Protocol, &str, &str); 8] = [
    (Protocol::Chat, "openai", "gpt-4.1"),
    (Protocol::Chat, "mistral", "mistral-large-latest"),
    (Protocol::Responses, "openai", "gpt-4.1"),
    (Protocol::Messages, "anthropic", "claude-sonnet-4-5"),
    (Protocol::Gemini, "gemini", "gemini-2.5-flash"),
    (Protocol::Cohere, "cohere", "command-a-03-2025"),
    (Protocol::Ollama, "ollama", "llama3.2"),
    (Protocol::Converse, "bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
];

/// What is lost on its way, and why that is right: recording, protocol, reason.
const MISSES: [(&str, Protocol, &str); 22] = [
    ("anthropic/chat-tool-choice-and-calls-control-", Protocol::Ollama, UNCALLED),
    ("mistral/chat-tool-choice-and-calls-control-", Protocol::Ollama, UNCALLED),
    ("openai/responses-thinking-tool-choice-matrix-none-", Protocol::Ollama, UNCALLED),
    ("anthropic/chat-tool-choice-and-calls-control-", Protocol::Converse, UNCALLED),
    ("mistral/chat-tool-choice-and-calls-control-", Protocol::Converse, UNCALLED),
    ("openai/responses-thinking-tool-choice-matrix-none-", Protocol::Converse, UNCALLED),
    ("cohere/cache-tool-choice-matrix-none-", Protocol::Ollama, UNCALLED),
    ("cohere/cache-tool-choice-matrix-none-", Protocol::Converse, UNCALLED),
    ("cohere/stream-citations-chat-citations-with-", Protocol::Converse, DOTLESS),
    ("anthropic/stream-tool-results-anthropic-completion-", Protocol::Gemini, NAMELESS),
    ("replay-own-reasoning-history-1-", Protocol::Messages, BEGINS),
    ("replay-own-reasoning-history-8698db", Protocol::Messages, BEGINS),
    ("replay-own-reasoning-history-1-", Protocol::Converse, BEGINS),
    ("replay-own-reasoning-history-8698db", Protocol::Converse, BEGINS),
    ("openai/responses-pdf-response-with-mixed-prompt", Protocol::Messages, ELSEWHERE),
    ("openai/responses-pdf-response-with-mixed-prompt", Protocol::Cohere, ELSEWHERE),
    ("openai/responses-pdf-response-with-mixed-prompt", Protocol::Ollama, ELSEWHERE),
    ("openai/responses-pdf-response-with-mixed-prompt", Protocol::Converse, ELSEWHERE),
    ("huggingface/tools-tool-choice-matrix-list-single-", Protocol::Cohere, ALONE),
    ("huggingface/tools-tool-choice-matrix-list-single-", Protocol::Ollama, ALONE),
    ("huggingface/tools-tool-choice-matrix-none-with-output-", Protocol::Cohere, ALONE),
    ("huggingface/tools-tool-choice-matrix-none-with-output-", Protocol::Ollama, ALONE),
];

const UNCALLED: &str = "It cannot be told that no tool may be called, so it is offered none.";
const DOTLESS: &str = "Bedrock takes no dots in the names of documents.";
const ALONE: &str = "The one tool to be called cannot be named, so it is offered alone.";
const NAMELESS: &str =
    "Gemini wants the name of the tool that gave a result, and no call tells it.";
const BEGINS: &str = "The model speaks first, which Claude does not take.";
const ELSEWHERE: &str = "The prompt is one that OpenAI keeps: nothing of it is here.";

/// A written request, taken apart.
#[derive(Debug, Default)]
pub(super) struct Written {
    texts: Vec<String>,
    values: Vec<Value>,
}

impl Written {
    pub(super) fn of(body: &Value) -> Self {
        let mut written = Self::default();
        written.take(body);
        written
    }

    fn take(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                self.texts.push(text.clone());
                // A document that is text is a file for some.
                self.texts.extend(plain(text).filter(|text| !text.is_empty()));
                if let Ok(json @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text)
                {
                    self.take(&json);
                }
            }
            Value::Array(all) => all.iter().for_each(|it| self.take(it)),
            Value::Object(all) => all.values().for_each(|it| self.take(it)),
            _ => {}
        }
        self.values.push(value.clone());
    }

    pub(super) fn has(&self, piece: &Piece) -> bool {
        let within = |text: &str| self.texts.iter().any(|it| it.contains(text));
        let is = |value: &Value| self.values.contains(value);
        match piece {
            Piece::Text(text) => within(text),
            Piece::Media(data) => within(data) || plain(data).is_some_and(|text| within(&text)),
            Piece::Name(name) => self.texts.contains(name),
            Piece::Arguments(arguments) => is(arguments),
            Piece::Result(Value::String(text)) => {
                within(text) || serde_json::from_str(text).is_ok_and(|json| is(&json))
            }
            // An object with one member is what that holds.
            Piece::Result(told) => {
                let only = told.as_object().filter(|it| it.len() == 1);
                let only = only.and_then(|it| it.values().next());
                is(told) || only.is_some_and(is)
            }
        }
    }
}

/// A text file is text for some.
fn plain(data: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(data).ok()?).ok()
}

/// What the provider is not asked, though the client asked it, and nobody was told.
fn lost(recording: &Recording, to: (Protocol, &str, &str)) -> String {
    let (client, body) = (recording.protocol, recording.request.to_string());
    let translation = Translation { client, provider: to.0 };
    let translated = match translated(translation, body.as_bytes(), (to.1, to.2), false) {
        Ok(translated) => translated,
        Err(error) => return format!(" it is refused: {error}"),
    };
    let written: Value = serde_json::from_slice(&translated.body).expect("JSON");
    let written = Written::of(&written);
    let pieces = prompt::read(client, &recording.request).pieces;
    let named = translated.reply.dropped().unwrap_or_default();
    let told = |piece: &Piece| {
        let kinds = ["file", "image", "audio", "video"];
        matches!(piece, Piece::Media(_)) && kinds.iter().any(|kind| named.contains(kind))
    };
    let lost = pieces.iter().filter(|piece| !written.has(piece) && !told(piece));
    let lost: Vec<String> = lost.map(|it| format!("{it:?}").chars().take(150).collect()).collect();
    if lost.is_empty() { String::new() } else { format!(" without {lost:?}; it names {named:?}") }
}

/// Requests of clients' dialects.
fn requests(test: &str) -> Option<Vec<Recording>> {
    let mut all = answered(test)?;
    let asked = |recording: &Recording| {
        let converse = recording.protocol == Protocol::Converse;
        recording.request.is_object() && !converse && !goes_on(recording)
    };
    all.retain(asked);
    Some(all)
}

/// Whether a request goes on with a conversation that its provider keeps.
fn goes_on(recording: &Recording) -> bool {
    recording.request["previous_response_id"].is_string()
}

fn judge(test: &str, wanted: impl Fn(Protocol, Protocol) -> bool) {
    let Some(all) = requests(test) else { return };
    let (mut asked, mut known, mut wrong) = (0, 0, Vec::new());
    for recording in &all {
        for to in TARGETS.into_iter().filter(|to| wanted(recording.protocol, to.0)) {
            asked += 1;
            let lost = lost(recording, to);
            let miss = |(name, protocol, _): &(&str, Protocol, &str)| {
                recording.name.contains(name) && *protocol == to.0
            };
            match (lost.is_empty(), MISSES.iter().any(miss)) {
                (true, _) => {}
                (false, true) => known += 1,
                (false, false) => wrong.push(format!("{} to {}:{lost}", recording.name, to.2)),
            }
        }
    }
    let of = |(.., protocol, _): &&(&str, Protocol, &str)| !wanted(*protocol, *protocol);
    let expected = MISSES.iter().filter(of).count();
    assert_eq!(known, expected, "each known miss is there");
    eprintln!("{test}: {} of {asked} are whole, {known} known", asked - wrong.len() - known);
    assert!(wrong.is_empty(), "{} of {asked} lose something:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_recorded_request_asks_every_provider_all_of_it() {
    judge("requests to other providers", |client, provider| client != provider);
}

#[test]
fn a_recorded_request_is_all_there_in_its_own_dialect() {
    judge("requests in their own dialect", |client, provider| client == provider);
}

#[test]
fn a_conversation_that_another_provider_keeps_is_not_gone_on_with() {
    let Some(all) = answered("conversations that a provider keeps") else { return };
    for recording in all.iter().filter(|recording| goes_on(recording)) {
        let lost = lost(recording, TARGETS[0]);
        assert!(lost.contains("`previous_response_id`"), "{}:{lost}", recording.name);
    }
}
