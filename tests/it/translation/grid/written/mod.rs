//! What providers are asked: requests, read by readers that know nothing of the program's own.
mod chat;
mod converse;
mod gemini;
mod messages;
mod others;
mod responses;

use super::asked::{Asked, Piece};
use bartizan::providers::translate::Protocol;
use serde_json::Value;

/// Reads a request. Where its dialect says in the path whether it wants a stream, `stream` does.
pub(super) fn read(protocol: Protocol, body: &Value, stream: bool) -> Asked {
    let mut reading = Reading::default();
    let in_path = matches!(protocol, Protocol::Gemini | Protocol::Converse);
    reading.asked.stream = if in_path { stream } else { body["stream"] == true };
    match protocol {
        Protocol::Responses => reading.responses(body),
        Protocol::Messages => reading.messages(body),
        Protocol::Gemini => reading.gemini(body),
        Protocol::Cohere => reading.cohere(body),
        Protocol::Ollama => reading.ollama(body),
        Protocol::Converse => reading.converse(body),
        _ => reading.chat(body),
    }
    reading.asked
}

/// A request that is being read.
#[derive(Debug, Default)]
struct Reading {
    asked: Asked,
    /// Ids and names of the calls so far, and whether they have results.
    calls: Vec<(String, String, bool)>,
}

impl Reading {
    fn push(&mut self, kind: fn(String) -> Piece, text: &str) {
        if !text.is_empty() {
            self.asked.said.push(kind(text.to_owned()));
        }
    }

    /// What everybody says: a text, in a turn of this kind.
    fn words(&mut self, role: &str, text: &str) {
        let kind = match role {
            "system" | "developer" => Piece::System,
            "assistant" | "model" => Piece::Model,
            _ => Piece::User,
        };
        self.push(kind, text);
    }

    fn proof(&mut self, proof: &Value) {
        let proof = proof.as_str().filter(|proof| !proof.is_empty());
        self.asked.proofs.extend(proof.map(str::to_owned));
    }

    fn call(&mut self, id: &str, name: &str, input: Value) {
        self.calls.push((id.to_owned(), name.to_owned(), false));
        self.asked.said.push(Piece::Call(name.to_owned(), input));
    }

    /// A result of the call with this id, or else of the first one of this name that has none.
    fn result(&mut self, id: &str, name: &str, text: &str) {
        let mut calls = self.calls.iter_mut();
        let of = match id {
            "" => calls.position(|(_, own, done)| own == name && !*done),
            id => calls.position(|(own, ..)| own == id),
        };
        if let Some(at) = of {
            self.calls[at].2 = true;
        }
        self.asked.said.push(Piece::Result(of, text.to_owned()));
    }

    fn tool(&mut self, name: &Value, about: &Value, schema: &Value) {
        let text = |told: &Value| told.as_str().unwrap_or_default().to_owned();
        self.asked.tools.push((text(name), text(about), schema.clone()));
    }

    /// The bytes in a URL, or the URL.
    fn media(&mut self, kind: fn(String) -> Piece, url: &str) {
        let bytes = url.split_once(";base64,").map_or(url, |(_, bytes)| bytes);
        self.push(kind, bytes);
    }
}

/// JSON in a text.
fn json(text: &Value) -> Value {
    let text = text.as_str().expect("JSON in a text");
    serde_json::from_str(text).expect("JSON in a text")
}
