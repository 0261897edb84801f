//! Where an operation is found at a provider.
use super::{CohereCall, Dialect, Operation};
use crate::data::{AuthScheme, Provider, Wire};
use bartizan_layers::query::target;
use http::{Uri, uri::InvalidUri};
use std::sync::LazyLock;

/// A base URL, and how the key is sent there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Everything before the operation's own path.
    pub base: String,
    /// How the key is sent.
    pub auth: AuthScheme,
}

/// Where `provider` answers calls in `dialect`; `None` if it does not speak it.
///
/// `base` is the deployment's: the provider's own, or what the config says. An OpenAI-style base
/// is used as it is written; for a provider whose own wire is another one, the OpenAI-compatible
/// endpoint is derived from it. So are the paths of the other dialects of a proxy that speaks all.
#[must_use]
pub fn endpoint(provider: &Provider, base: &Uri, dialect: Dialect) -> Option<Endpoint> {
    let base = base.to_string();
    let base = base.trim_end_matches('/');
    let own = |base: &str| Endpoint { base: base.to_owned(), auth: provider.auth };
    let bearer = |base: String| Endpoint { base, auth: AuthScheme::Bearer };
    match (provider.wire, dialect) {
        (_, Dialect::Anthropic) if provider.polyglot => {
            Some(own(&format!("{}/v1", without_v1(base))))
        }
        (_, Dialect::Gemini) if provider.polyglot => {
            Some(own(&format!("{}/v1beta", without_v1(base))))
        }
        (Wire::OpenAi, Dialect::OpenAi) | (Wire::Gemini, Dialect::Gemini) => Some(own(base)),
        (Wire::Anthropic, Dialect::Anthropic) => Some(own(&format!("{}/v1", without_v1(base)))),
        (Wire::Anthropic, Dialect::OpenAi) => Some(bearer(format!("{}/v1", without_v1(base)))),
        (Wire::Gemini, Dialect::OpenAi) => Some(bearer(format!("{base}/openai"))),
        // Of which models, their makers tell.
        (Wire::Vertex, Dialect::Anthropic | Dialect::Gemini) => Some(own(base)),
        (Wire::Converse, Dialect::OpenAi) => Some(own(&format!("{base}/openai/v1"))),
        _ => None,
    }
}

/// Where `provider` puts documents in order, if that is not below its OpenAI-compatible base: the
/// version that `/rerank` means, and that of `/v1/rerank`.
///
/// Cohere's compatible endpoint lacks it; its own API has it in two versions on the same host.
#[must_use]
pub fn rerank_endpoints(provider: &Provider, base: &Uri) -> Option<[Endpoint; 2]> {
    if !matches!(provider.name, "cohere" | "cohere_chat") {
        return None;
    }
    let base = base.to_string();
    let base = base.trim_end_matches('/');
    let root = ["/compatibility/v1", "/v1", "/v2"].iter().find_map(|end| base.strip_suffix(end));
    let root = root.unwrap_or(base);
    Some(
        ["v2", "v1"]
            .map(|version| Endpoint { base: format!("{root}/{version}"), auth: provider.auth }),
    )
}

/// Anthropic's base, and a LiteLLM proxy's, is written with and without its version.
pub(super) fn without_v1(base: &str) -> &str {
    base.strip_suffix("/v1").unwrap_or(base)
}

/// Parsed once: each call asks for one of them.
static PATHS: LazyLock<[Uri; 12]> = LazyLock::new(|| {
    [
        "/chat/completions",
        "/completions",
        "/embeddings",
        "/responses",
        "/messages",
        "/messages/count_tokens",
        "/images/generations",
        "/moderations",
        "/rerank",
        "/audio/speech",
        "/chat",
        "/embed",
    ]
    .map(Uri::from_static)
});

impl Operation {
    /// The path below [`Endpoint::base`], for the provider's `model`.
    ///
    /// # Errors
    ///
    /// When `model` or `query` cannot stand in a URI.
    pub fn path(&self, model: &str, query: Option<&str>) -> Result<Uri, InvalidUri> {
        let made;
        let path = match self {
            Self::ChatCompletions => &PATHS[0],
            Self::Completions => &PATHS[1],
            Self::Embeddings => &PATHS[2],
            Self::Responses => &PATHS[3],
            Self::Messages => &PATHS[4],
            Self::CountTokens => &PATHS[5],
            Self::ImageGenerations => &PATHS[6],
            Self::Moderations => &PATHS[7],
            Self::Rerank | Self::RerankV1 => &PATHS[8],
            Self::Speech => &PATHS[9],
            Self::Cohere(CohereCall::Chat) => &PATHS[10],
            Self::Cohere(CohereCall::Embed | CohereCall::EmbedV1) => &PATHS[11],
            Self::Gemini(path) => {
                let path = format!("/models/{model}:{}", path.action);
                return Uri::try_from(target(&path, query.unwrap_or_default()));
            }
            Self::ImageEdits
            | Self::TokenCounter
            | Self::Ollama(_)
            | Self::Upload(_)
            | Self::Realtime
            | Self::Unserved(..) => {
                made = Uri::from_static(self.route());
                &made
            }
            Self::Resource(resource) => {
                made = Uri::try_from(&*resource.path)?;
                &made
            }
            Self::Raw(raw) => {
                made = Uri::try_from(&*raw.path)?;
                &made
            }
        };
        match query {
            None => Ok(path.clone()),
            Some(query) => Uri::try_from(format!("{path}?{query}")),
        }
    }
}
