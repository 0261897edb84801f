//! The dialects that chats are spoken in.
use super::Translation;
use crate::data::{AuthScheme, Provider, Wire};
use crate::providers::vertex::{Action, Maker, Place};
use crate::providers::{CohereCall, Dialect, Endpoint, OllamaCall, Operation, without_v1};
use bartizan_layers::query::{encoded, target};
use http::Uri;
use http::uri::InvalidUri;

/// A dialect in which a model is asked and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// OpenAI chat completions.
    Chat,
    /// OpenAI completions, of text.
    Completions,
    /// OpenAI embeddings: no chat, but asked of the same providers.
    Embeddings,
    /// OpenAI responses.
    Responses,
    /// Anthropic messages.
    Messages,
    /// Gemini `generateContent` and `streamGenerateContent`.
    Gemini,
    /// Cohere chat, version 2.
    Cohere,
    /// Ollama's own chat.
    Ollama,
    /// Converse and ConverseStream of AWS Bedrock.
    Converse,
    /// Ollama's `/api/generate`, of clients alone: its providers chat.
    Generate,
    /// Embeddings, as Cohere's clients ask for them in version 2.
    CohereEmbed,
    /// The same in version 1.
    CohereEmbedV1,
    /// Embeddings, as Ollama's clients ask for them.
    OllamaEmbed,
    /// One embedding: the older way of that.
    OllamaEmbedding,
}

impl Protocol {
    /// What a client of `operation` speaks; `None` where nothing is translated.
    #[must_use]
    pub fn of(operation: &Operation) -> Option<Self> {
        match operation {
            Operation::ChatCompletions => Some(Self::Chat),
            Operation::Completions => Some(Self::Completions),
            Operation::Embeddings => Some(Self::Embeddings),
            Operation::Responses => Some(Self::Responses),
            Operation::Messages => Some(Self::Messages),
            Operation::Cohere(call) => Some(match call {
                CohereCall::Chat => Self::Cohere,
                CohereCall::Embed => Self::CohereEmbed,
                CohereCall::EmbedV1 => Self::CohereEmbedV1,
            }),
            Operation::Ollama(call) => Some(match call {
                OllamaCall::Chat => Self::Ollama,
                OllamaCall::Generate => Self::Generate,
                OllamaCall::Embed => Self::OllamaEmbed,
                OllamaCall::Embedding => Self::OllamaEmbedding,
            }),
            Operation::Gemini(path) if path.action.ends_with("enerateContent") => {
                Some(Self::Gemini)
            }
            _ => None,
        }
    }

    /// What a `provider` that has models of several makers is asked in for this `model`; `None` for
    /// one that speaks the same for all of them.
    #[must_use]
    pub fn of_model(provider: &Provider, model: &str) -> Option<Self> {
        (provider.wire == Wire::Vertex).then(|| match Place::of(model).maker {
            Maker::Google => Self::Gemini,
            Maker::Anthropic => Self::Messages,
            Maker::Mistral | Maker::Other => Self::Chat,
        })
    }

    /// Whether it is one of OpenAI's: LiteLLM's own fields may stand in its requests.
    #[must_use]
    pub const fn is_openais(self) -> bool {
        matches!(self, Self::Chat | Self::Completions | Self::Embeddings | Self::Responses)
    }

    /// Whether a client asks for embeddings in it.
    #[must_use]
    pub const fn is_embeddings(self) -> bool {
        matches!(
            self,
            Self::Embeddings
                | Self::CohereEmbed
                | Self::CohereEmbedV1
                | Self::OllamaEmbed
                | Self::OllamaEmbedding
        )
    }

    /// Whose it is: the one of which an error for the client is told.
    #[must_use]
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::Messages => Dialect::Anthropic,
            Self::Gemini => Dialect::Gemini,
            Self::Cohere | Self::CohereEmbed | Self::CohereEmbedV1 => Dialect::Cohere,
            Self::Ollama | Self::Generate | Self::OllamaEmbed | Self::OllamaEmbedding => {
                Dialect::Ollama
            }
            _ => Dialect::OpenAi,
        }
    }

    /// Whether a provider that speaks this makes embeddings in words of its own.
    #[must_use]
    pub const fn embeds(self) -> bool {
        matches!(self, Self::Gemini | Self::Cohere | Self::Ollama | Self::Converse)
    }

    /// Whether media must stand in the request itself, since the provider fetches none.
    #[must_use]
    pub const fn wants_media_inside(self) -> bool {
        matches!(self, Self::Gemini | Self::Ollama | Self::Converse)
    }
}

impl Translation {
    /// To the built-in models, for clients in whose words they do not answer.
    #[must_use]
    pub fn to_built_in(client: Protocol) -> Option<Self> {
        let provider = if client.is_embeddings() { Protocol::Embeddings } else { Protocol::Chat };
        let is_native = matches!(client.dialect(), Dialect::Cohere | Dialect::Ollama);
        is_native.then_some(Self { client, provider })
    }

    /// What a built-in model is asked for.
    #[must_use]
    pub const fn of_built_in(self) -> Operation {
        match self.provider {
            Protocol::Embeddings => Operation::Embeddings,
            _ => Operation::ChatCompletions,
        }
    }

    /// The path below [`Endpoint::base`] of `provider` for a `model` and a `stream`.
    ///
    /// # Errors
    /// When the model's name cannot stand in a URI.
    pub fn path(self, provider: &Provider, model: &str, stream: bool) -> Result<Uri, InvalidUri> {
        let embeds = self.client.is_embeddings();
        if provider.wire == Wire::Vertex {
            let action = if embeds { Action::Embed } else { Action::Chat { stream } };
            return Uri::try_from(Place::of(model).path(action).unwrap_or_default());
        }
        Ok(Uri::from_static(match self.provider {
            Protocol::Embeddings => "/embeddings",
            Protocol::Completions => "/completions",
            Protocol::Responses => "/responses",
            Protocol::Messages => "/messages",
            Protocol::Cohere if embeds => "/embed",
            Protocol::Ollama if embeds => "/api/embed",
            Protocol::Cohere => "/chat",
            Protocol::Ollama => "/api/chat",
            Protocol::Converse => {
                let action = match (embeds, stream) {
                    (true, _) => "invoke",
                    (_, true) => "converse-stream",
                    (_, false) => "converse",
                };
                return Uri::try_from(format!("/model/{}/{action}", encoded(model)));
            }
            Protocol::Gemini => {
                let (action, query) = match (embeds, stream) {
                    (true, _) => ("batchEmbedContents", ""),
                    (_, true) => ("streamGenerateContent", "alt=sse"),
                    (_, false) => ("generateContent", ""),
                };
                return Uri::try_from(target(&format!("/models/{model}:{action}"), query));
            }
            // No provider is asked in the words of the others.
            _ => "/chat/completions",
        }))
    }
}

/// Where `provider` takes chats in its own dialect, and which that is. Its `base` is the
/// deployment's.
#[must_use]
pub fn native(provider: &Provider, base: &Uri) -> (Protocol, Endpoint) {
    let base = base.to_string();
    let base = base.trim_end_matches('/');
    let own = |base: String| Endpoint { base, auth: provider.auth };
    match (provider.name, provider.wire) {
        ("cohere" | "cohere_chat", _) => {
            // Written as the API itself, one of its versions, or its OpenAI-compatible path.
            let ends = ["/compatibility/v1", "/v2/chat", "/v1/chat", "/v1", "/v2"];
            let root = ends.iter().find_map(|end| base.strip_suffix(end)).unwrap_or(base);
            (Protocol::Cohere, own(format!("{root}/v2")))
        }
        ("ollama" | "ollama_chat", _) => {
            let root = ["/api/chat", "/api/generate", "/api", "/v1"];
            let root = root.iter().find_map(|end| base.strip_suffix(end)).unwrap_or(base);
            let root = root.trim_end_matches('/').to_owned();
            (Protocol::Ollama, Endpoint { base: root, auth: AuthScheme::Bearer })
        }
        (_, Wire::Anthropic) => (Protocol::Messages, own(format!("{}/v1", without_v1(base)))),
        (_, Wire::Gemini | Wire::Vertex) => (Protocol::Gemini, own(base.to_owned())),
        (_, Wire::Converse) => (Protocol::Converse, own(base.to_owned())),
        (_, Wire::OpenAi) => (Protocol::Chat, own(base.to_owned())),
    }
}
