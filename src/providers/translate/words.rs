//! A request, read and written in the words of each dialect.
use super::Protocol;
use crate::providers::chat::{Lost, Malformed, Request, Target, Written};
use crate::providers::{anthropic, bedrock, cohere, gemini, ollama, openai, vertex};
use serde_json::{Map, Value};

/// Reads a client's chat.
pub(super) fn request(client: Protocol, body: Map<String, Value>) -> Result<Request, Malformed> {
    match client {
        Protocol::Completions => openai::completions::read_request(body),
        Protocol::Responses => openai::responses::read_request(body),
        Protocol::Messages => anthropic::read_request(body),
        Protocol::Gemini => gemini::read_request(body),
        Protocol::Cohere => cohere::read_request(body),
        Protocol::Ollama => ollama::read_request(body),
        Protocol::Generate => ollama::read_generate(body),
        // Embeddings are no chat.
        _ => openai::chat::read_request(body),
    }
}

/// Writes a chat for `target`, which speaks `provider`'s words.
pub(super) fn written(
    provider: Protocol,
    request: Request,
    target: &Target<'_>,
    lost: &mut Lost,
) -> Result<Written, Malformed> {
    match provider {
        Protocol::Responses => openai::responses::write_request(request, target, lost),
        Protocol::Messages => {
            let mut written = anthropic::write_request(request, target, lost)?;
            if target.is_in_googles_cloud() {
                vertex::fit_claude(&mut written.body);
            }
            Ok(written)
        }
        Protocol::Gemini => gemini::write_request(request, target, lost),
        Protocol::Cohere => cohere::write_request(request, target, lost),
        Protocol::Ollama => ollama::write_request(request, target, lost),
        Protocol::Converse => bedrock::write_request(request, target, lost),
        // No chat is asked of a provider in the others' words.
        _ => openai::chat::write_request(request, target, lost),
    }
}
