//! A translation with nothing around it.
use super::said::Answer;
use super::{of_chat, of_cohere, of_gemini, of_messages, of_ollama, of_responses};
use bartizan::config::Fit;
use bartizan::providers::chat::{Client, Target};
use bartizan::providers::translate::{Edits, Protocol, Reply, Translated, Translation};
use serde_json::{Value, json};

/// What clients speak.
pub(super) const CLIENTS: [Protocol; 8] = [
    Protocol::Chat,
    Protocol::Completions,
    Protocol::Responses,
    Protocol::Messages,
    Protocol::Gemini,
    Protocol::Cohere,
    Protocol::Ollama,
    Protocol::Generate,
];

/// What providers speak.
pub(super) const PROVIDERS: [Protocol; 7] = [
    Protocol::Chat,
    Protocol::Responses,
    Protocol::Messages,
    Protocol::Gemini,
    Protocol::Cohere,
    Protocol::Ollama,
    Protocol::Converse,
];

/// No edits.
pub(super) const EDITS: Edits<'_> =
    Edits { defaults: &[], forced: &[], extra_body: &[], drop: &[], stream_usage: true };

/// A client, the same in each run.
pub(super) fn client(array: bool) -> Client {
    Client {
        id: "0123456789abcdef0123456789abcdef".to_owned(),
        created: 1_760_000_000,
        model: "a-model".to_owned(),
        stream_usage: true,
        array,
        ..Client::default()
    }
}

/// The least that this dialect can ask.
fn least(client: Protocol) -> Value {
    let turn = json!({"role": "user", "content": "?"});
    match client {
        Protocol::Completions | Protocol::Generate => json!({"model": "a-model", "prompt": "?"}),
        Protocol::Responses => json!({"model": "a-model", "input": "?"}),
        Protocol::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": "?"}]}]}),
        Protocol::Messages => json!({"model": "a-model", "max_tokens": 9, "messages": [turn]}),
        _ => json!({"model": "a-model", "messages": [turn]}),
    }
}

/// Translates `body` for this provider's model.
pub(super) fn translated(
    translation: Translation,
    body: &[u8],
    (provider, model): (&str, &str),
    array: bool,
) -> Result<Translated, String> {
    let fit = Fit { drop: Some(true), ..Fit::default() };
    let draft = translation.read(body, &EDITS, fit).map_err(|error| error.to_string())?;
    let max_output = Some(4096);
    let target =
        Target { provider, row: None, model, like: model, max_output, thinks: None, modify: false };
    draft.write(&target, &EDITS, client(array)).map_err(|error| error.to_string())
}

/// What reads a provider's answer for a client who asked the least.
pub(super) fn reply(client: Protocol, provider: Protocol, array: bool) -> Reply {
    let body = least(client).to_string();
    let translation = Translation { client, provider };
    let name = ("a-provider", "a-model");
    translated(translation, body.as_bytes(), name, array).expect("it can be asked").reply
}

/// Hands `pieces` through a stream, and ends it.
pub(super) fn streamed<'a>(reply: &Reply, pieces: impl Iterator<Item = &'a [u8]>) -> String {
    let (mut stream, mut out) = (reply.stream(), Vec::new());
    pieces.for_each(|piece| stream.push(piece, &mut out));
    stream.finish(&mut out);
    String::from_utf8(out).expect("UTF-8")
}

/// What a client hears in a whole answer.
pub(super) fn heard(client: Protocol, body: &[u8]) -> Answer {
    let body = serde_json::from_slice(body).expect("an answer is JSON");
    match client {
        Protocol::Responses => of_responses::whole(&body),
        Protocol::Messages => of_messages::whole(&body),
        Protocol::Gemini => of_gemini::whole(&body),
        Protocol::Cohere => of_cohere::whole(&body),
        Protocol::Ollama | Protocol::Generate => of_ollama::whole(&body),
        _ => of_chat::whole(&body),
    }
}

/// What a client hears in a stream.
pub(super) fn heard_stream(client: Protocol, array: bool, stream: &str) -> Answer {
    match client {
        Protocol::Responses => of_responses::strict_stream(stream),
        Protocol::Messages => of_messages::stream(stream),
        Protocol::Gemini if array => of_gemini::array_stream(stream),
        Protocol::Gemini => of_gemini::stream(stream),
        Protocol::Cohere => of_cohere::stream(stream),
        Protocol::Ollama | Protocol::Generate => of_ollama::stream(stream),
        _ => of_chat::stream(stream),
    }
}
