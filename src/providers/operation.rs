//! What a path asks for.
use super::Dialect;

/// One kind of call that needs a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// OpenAI chat completions.
    ChatCompletions,
    /// OpenAI completions.
    Completions,
    /// OpenAI embeddings.
    Embeddings,
    /// OpenAI responses.
    Responses,
    /// Anthropic messages.
    Messages,
    /// Anthropic's count of a prompt's tokens.
    CountTokens,
    /// A Gemini call, whose model and action stand in its path.
    Gemini(GeminiPath),
}

/// The parts of `/v1beta/models/{model}:{action}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GeminiPath {
    /// The model that the client asks for, percent-decoded.
    pub model: Box<str>,
    /// `generateContent`, `streamGenerateContent`, `countTokens`, `embedContent`, …
    pub action: Box<str>,
}

impl Operation {
    /// The format that the client speaks, and wants its errors in.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Messages | Self::CountTokens => Dialect::Anthropic,
            Self::Gemini(_) => Dialect::Gemini,
            _ => Dialect::OpenAi,
        }
    }

    /// The path as metrics and records name it, and error messages begin with.
    #[must_use]
    pub const fn route(&self) -> &'static str {
        match self {
            Self::ChatCompletions => "/chat/completions",
            Self::Completions => "/completions",
            Self::Embeddings => "/embeddings",
            Self::Responses => "/v1/responses",
            Self::Messages => "/v1/messages",
            Self::CountTokens => "/v1/messages/count_tokens",
            Self::Gemini(_) => "/v1beta/models/{model}",
        }
    }

    /// The field that a request must have besides its model.
    #[must_use]
    pub const fn required_field(&self) -> Option<&'static str> {
        match self {
            Self::ChatCompletions | Self::Messages | Self::CountTokens => Some("messages"),
            Self::Completions => Some("prompt"),
            Self::Embeddings => Some("input"),
            Self::Responses | Self::Gemini(_) => None,
        }
    }

    /// Whether `stream_options.include_usage` means something here.
    #[must_use]
    pub const fn has_stream_options(&self) -> bool {
        matches!(self, Self::ChatCompletions | Self::Completions)
    }

    /// Whether LiteLLM's own fields are taken out of the request: on OpenAI's paths only.
    #[must_use]
    pub const fn strips_litellm_fields(&self) -> bool {
        matches!(self.dialect(), Dialect::OpenAi)
    }
}
