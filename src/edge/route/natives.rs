//! The paths of Cohere's own API, and of Ollama's.
use super::pattern::Captures;
use super::rows::row;
use super::table::{At, Row};
use super::{AdminRoute, Route};
use crate::providers::{CohereCall, OllamaCall, Operation};

const fn call(
    path: &'static str,
    summary: &'static str,
    to: fn(&Captures<'_>) -> Option<Route>,
) -> Row {
    row(path, At::Root, "POST", summary, to)
}

const fn cohere(call: CohereCall) -> Option<Route> {
    Some(Route::Call(Operation::Cohere(call)))
}

const fn ollama(call: OllamaCall) -> Option<Route> {
    Some(Route::Call(Operation::Ollama(call)))
}

/// All of them, but for documents put in order, which LiteLLM has too.
pub(super) const ROWS: [Row; 11] = [
    call("/v2/chat", "Cohere chat", |_| cohere(CohereCall::Chat)),
    call("/v2/embed", "Cohere embeddings", |_| cohere(CohereCall::Embed)),
    call("/v1/embed", "Cohere embeddings", |_| cohere(CohereCall::EmbedV1)),
    call("/api/chat", "Ollama chat", |_| ollama(OllamaCall::Chat)),
    call("/api/generate", "Ollama completion", |_| ollama(OllamaCall::Generate)),
    call("/api/embed", "Ollama embeddings", |_| ollama(OllamaCall::Embed)),
    call("/api/embeddings", "Ollama embedding", |_| ollama(OllamaCall::Embedding)),
    row("/api/tags", At::Root, "GET", "The models, for Ollama's clients", |_| {
        Some(Route::Admin(AdminRoute::OllamaModels))
    }),
    row("/api/ps", At::Root, "GET", "The models that are loaded, for Ollama's clients", |_| {
        Some(Route::Admin(AdminRoute::OllamaLoaded))
    }),
    row("/api/show", At::Root, "POST", "One model, for Ollama's clients", |_| {
        Some(Route::Admin(AdminRoute::OllamaModel))
    }),
    row("/api/version", At::Root, "GET", "The version, for Ollama's clients", |_| {
        Some(Route::Admin(AdminRoute::OllamaVersion))
    }),
];
