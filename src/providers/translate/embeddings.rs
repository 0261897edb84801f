//! Embeddings. OpenAI's words stand between those of all clients and all providers.
use super::Protocol;
use crate::providers::chat::{Client, Lost, Malformed, Taking, Target, Unreadable};
use crate::providers::cohere::embed::Version;
use crate::providers::{bedrock, cohere, gemini, ollama, openai, vertex};
use bartizan_layers::facts::Usage;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// Reads a client's request in OpenAI's words, for this provider.
pub(super) fn asked(
    client: Protocol,
    provider: Protocol,
    body: Object,
    lost: &mut Lost,
) -> Result<Object, Malformed> {
    match client {
        Protocol::CohereEmbed | Protocol::CohereEmbedV1 => {
            cohere::embed::read_asked(body, provider.embeds(), lost)
        }
        Protocol::OllamaEmbed | Protocol::OllamaEmbedding => ollama::embed::read_asked(body, lost),
        _ => Ok(body),
    }
}

/// What of a client's request its answer depends on.
pub(super) fn echo(client: Protocol, body: &Object) -> Object {
    match client {
        Protocol::CohereEmbed | Protocol::CohereEmbedV1 => cohere::embed::echo(body),
        _ => Map::new(),
    }
}

/// Writes a request in a provider's words.
pub(super) fn written(
    provider: Protocol,
    body: Object,
    target: &Target<'_>,
    lost: &mut Lost,
) -> Result<Object, Malformed> {
    let model = target.model;
    match provider {
        _ if target.is_in_googles_cloud() => vertex::embed::write_embed(body, model, lost),
        Protocol::Converse => bedrock::embed::write_embed(body, model, lost),
        Protocol::Cohere => cohere::embed::write_embed(body, model, lost),
        Protocol::Ollama => ollama::embed::write_embed(body, model, lost),
        Protocol::Gemini => gemini::embed::write_embed(body, model, lost),
        _ => Ok(openai::embeddings::write_asked(body, model, lost)),
    }
}

/// Reads a provider's answer, and tells it to `client`, who speaks `from`. What was used stands in
/// it, or was `heard` of its head.
pub(super) fn told(
    (from, provider): (Protocol, Protocol),
    (mut body, heard): (Object, Option<Usage>),
    client: &Client,
) -> Result<(Value, Option<Usage>), Unreadable> {
    let (mut vectors, usage) = match provider {
        // Gemini's maker has them under another name in its cloud.
        Protocol::Gemini if body.contains_key("predictions") => {
            vertex::embed::read_predictions(body.take_array("predictions"))
        }
        Protocol::Converse => bedrock::embed::read_embed(body, &client.model),
        Protocol::Cohere => cohere::embed::read_embed(body, &client.model),
        Protocol::Ollama => ollama::embed::read_embed(body, &client.model),
        Protocol::Gemini => gemini::embed::read_embed(body, &client.model),
        _ => openai::embeddings::read_answer(body),
    }?;
    if client.base64 {
        vectors.iter_mut().for_each(encode);
    }
    let usage = usage.or(heard);
    let used = usage.as_ref();
    let told = match from {
        Protocol::CohereEmbed => cohere::embed::write_told(vectors, used, client, Version::Two),
        Protocol::CohereEmbedV1 => cohere::embed::write_told(vectors, used, client, Version::One),
        Protocol::OllamaEmbed => ollama::embed::write_told(vectors, used, client),
        Protocol::OllamaEmbedding => ollama::embed::write_one(vectors),
        _ => openai::embeddings::write_answer(vectors, used, client),
    };
    Ok((told, usage))
}

/// Numbers as 32-bit floats, least byte first, in base64.
fn encode(vector: &mut Value) {
    let Value::Array(numbers) = vector else { return };
    #[expect(clippy::cast_possible_truncation, reason = "providers hand out 32-bit floats")]
    let bytes = numbers.iter().filter_map(Value::as_f64).flat_map(|it| (it as f32).to_le_bytes());
    *vector = STANDARD.encode(bytes.collect::<Vec<u8>>()).into();
}
