//! Requests, answers and streams of our own, in every dialect, and what becomes of them in every
//! other one.
//!
//! `tests/wire/<dialect>` holds what is translated, one conversation in each dialect's words;
//! `tests/wire/<client>-<provider>` what comes out. With `BARTIZAN_UPDATE` set, a run writes that:
//! read the difference.
use super::of_converse;
use super::setup::{CLIENTS, PROVIDERS, heard, heard_stream, reply, streamed, translated};
use bartizan::providers::translate::{Protocol, Translation};
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Whom each dialect's translation is tried with.
pub(super) const MODELS: [(Protocol, &str, &str); 7] = [
    (Protocol::Chat, "openai", "gpt-4.1"),
    (Protocol::Responses, "openai", "gpt-5.1"),
    (Protocol::Messages, "anthropic", "claude-sonnet-4-5"),
    (Protocol::Gemini, "gemini", "gemini-2.5-flash"),
    (Protocol::Cohere, "cohere", "command-a-03-2025"),
    (Protocol::Ollama, "ollama", "llama3.2"),
    (Protocol::Converse, "bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
];

fn name(protocol: Protocol) -> String {
    format!("{protocol:?}").to_lowercase()
}

pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire")
}

/// What is translated.
pub(super) fn given(protocol: Protocol, file: &str) -> Vec<u8> {
    let path = folder().join(name(protocol)).join(file);
    let read = std::fs::read(&path);
    let text = read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    match protocol {
        // What is sent is no text.
        Protocol::Converse if file.starts_with("stream") => {
            of_converse::frames(std::str::from_utf8(&text).expect("UTF-8"))
        }
        _ => text,
    }
}

/// Whether the two speak different words.
pub(super) fn needs_translation(client: Protocol, provider: Protocol) -> bool {
    client != provider && (client, provider) != (Protocol::Generate, Protocol::Ollama)
}

/// All pairs that need a translation.
pub(super) fn pairs() -> impl Iterator<Item = Translation> {
    let of = |client| PROVIDERS.into_iter().map(move |provider| Translation { client, provider });
    CLIENTS.into_iter().flat_map(of).filter(|it| needs_translation(it.client, it.provider))
}

/// JSON as people read it.
fn pretty(json: &[u8]) -> String {
    let json: Value = serde_json::from_slice(json).expect("JSON");
    serde_json::to_string_pretty(&json).expect("JSON in memory is written") + "\n"
}

/// What comes out of a pair: files and their contents.
fn made(translation: Translation) -> [(&'static str, String); 3] {
    let Translation { client, provider } = translation;
    let model = MODELS.iter().find(|(protocol, ..)| *protocol == provider).expect("a model");
    let request = given(client, "request.in.json");
    let asked = translated(translation, &request, (model.1, model.2), false).expect("a request");
    let answer = asked.reply.whole(&given(provider, "answer.in.json")).expect("an answer");
    let stream = given(provider, "stream.in.txt");
    let stream = streamed(&asked.reply, std::iter::once(stream.as_slice()));
    [
        ("request.out.json", pretty(&asked.body)),
        ("answer.out.json", pretty(&answer.body)),
        ("stream.out.txt", stream),
    ]
}

#[test]
fn every_pair_of_dialects_has_its_words() {
    let update = std::env::var_os("BARTIZAN_UPDATE").is_some();
    let mut wrong = String::new();
    for translation in pairs() {
        let pair = format!("{}-{}", name(translation.client), name(translation.provider));
        let folder = folder().join(&pair);
        for (file, made) in made(translation) {
            let path = folder.join(file);
            if update {
                std::fs::create_dir_all(&folder).expect("a writable folder");
                std::fs::write(&path, &made).expect("a writable folder");
            }
            let known = std::fs::read_to_string(&path).unwrap_or_default();
            if made != known {
                write!(wrong, "{pair}/{file}: is\n{made}instead of\n{known}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_stream_says_what_the_whole_answer_says() {
    for Translation { client, provider } in pairs() {
        let reply = reply(client, provider, false);
        let whole = reply.whole(&given(provider, "answer.in.json")).expect("an answer");
        let stream = given(provider, "stream.in.txt");
        let stream = streamed(&reply, std::iter::once(stream.as_slice()));
        let (whole, stream) = (heard(client, &whole.body), heard_stream(client, false, &stream));
        let unlike = whole.unlike(&stream);
        assert!(unlike.is_empty(), "{client:?} of {provider:?}:{unlike}");
    }
}
