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
    /// LiteLLM's count of a prompt's tokens.
    TokenCounter,
    /// A Gemini call, whose model and action stand in its path.
    Gemini(GeminiPath),
    /// One of Cohere's own calls.
    Cohere(CohereCall),
    /// One of Ollama's own calls.
    Ollama(OllamaCall),
    /// OpenAI images from text.
    ImageGenerations,
    /// OpenAI images from images that JSON names; with files it is an [`Upload`].
    ImageEdits,
    /// OpenAI moderations.
    Moderations,
    /// Documents put in order, as Cohere does it.
    Rerank,
    /// The same on `/v1/rerank`: Cohere has two versions of it.
    RerankV1,
    /// OpenAI speech from text.
    Speech,
    /// A form with a file and a model.
    Upload(Upload),
    /// Objects that live in an account at a provider: files, batches, vector stores, ….
    Resource(Box<Resource>),
    /// A provider's own path below its name: `/openai/…`, `/anthropic/…`, ….
    Raw(Box<Raw>),
    /// A path that LiteLLM has and this version does not serve: its first segment, and why.
    Unserved(&'static str, &'static str),
    /// OpenAI's realtime WebSocket.
    Realtime,
}

/// What Cohere's clients ask for, but for documents put in order: LiteLLM has that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CohereCall {
    /// `/v2/chat`.
    Chat,
    /// `/v2/embed`.
    Embed,
    /// `/v1/embed`.
    EmbedV1,
}

/// What Ollama's clients ask of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OllamaCall {
    /// `/api/chat`.
    Chat,
    /// `/api/generate`.
    Generate,
    /// `/api/embed`.
    Embed,
    /// `/api/embeddings`, which embeds one text.
    Embedding,
}

impl OllamaCall {
    /// Whether it streams unless it is told not to.
    #[must_use]
    pub const fn streams(self) -> bool {
        matches!(self, Self::Chat | Self::Generate)
    }
}

/// The model that a path names. A request fact, written by dispatch; it overrules the body's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathModel(pub Box<str>);

/// A multipart call (RFC 7578) that names its model in a field of its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upload {
    /// Speech to text.
    Transcriptions,
    /// Speech to English text.
    Translations,
    /// Images from images.
    ImageEdits,
    /// More images like one.
    ImageVariations,
}

/// A path of objects that belong to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The kind, as metrics and records name it: `/files`, `/batches`, ….
    pub kind: &'static str,
    /// The path below the provider's base URL, as the client wrote it: `/files/file-1/content`.
    pub path: Box<str>,
    /// The provider that the path names: `/{provider}/v1/files`.
    pub provider: Option<Box<str>>,
}

/// A provider's own path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// The name of the provider's row: the path's first segment, but for `/vllm`.
    pub provider: &'static str,
    /// The rest of the path, as the client wrote it; begins with a slash, or is empty.
    pub path: Box<str>,
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
    /// Whether a model reads or writes text for it: what that takes is counted where the provider
    /// does not tell.
    #[must_use]
    pub fn writes(&self) -> bool {
        match self {
            Self::ChatCompletions
            | Self::Completions
            | Self::Embeddings
            | Self::Responses
            | Self::Messages
            | Self::Cohere(_)
            | Self::Ollama(_) => true,
            Self::Gemini(path) => path.action.ends_with("enerateContent"),
            _ => false,
        }
    }

    /// Whether it makes embeddings, which are no text.
    #[must_use]
    pub const fn embeds(&self) -> bool {
        matches!(
            self,
            Self::Embeddings
                | Self::Cohere(CohereCall::Embed | CohereCall::EmbedV1)
                | Self::Ollama(OllamaCall::Embed | OllamaCall::Embedding)
        )
    }

    /// Whether it only asks how many tokens a prompt has.
    #[must_use]
    pub fn counts_tokens(&self) -> bool {
        match self {
            Self::CountTokens | Self::TokenCounter => true,
            Self::Gemini(path) => &*path.action == "countTokens",
            _ => false,
        }
    }

    /// Whether its answer is images, which may cost something each.
    #[must_use]
    pub const fn makes_images(&self) -> bool {
        matches!(
            self,
            Self::ImageGenerations
                | Self::ImageEdits
                | Self::Upload(Upload::ImageEdits | Upload::ImageVariations)
        )
    }

    /// The member of a request that says how long its answer may be.
    #[must_use]
    pub const fn bound(&self) -> &'static str {
        match self {
            Self::Responses => "max_output_tokens",
            Self::Gemini(_) => "generationConfig.maxOutputTokens",
            Self::Ollama(_) => "options.num_predict",
            _ => "max_tokens",
        }
    }

    /// The format that the client speaks, and wants its errors in.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Messages | Self::CountTokens => Dialect::Anthropic,
            Self::Gemini(_) => Dialect::Gemini,
            Self::Cohere(_) => Dialect::Cohere,
            Self::Ollama(_) => Dialect::Ollama,
            Self::Raw(raw) => match raw.provider.as_bytes() {
                b"anthropic" => Dialect::Anthropic,
                b"gemini" => Dialect::Gemini,
                _ => Dialect::OpenAi,
            },
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
            Self::TokenCounter => "/utils/token_counter",
            Self::Gemini(_) => "/v1beta/models/{model}",
            Self::Cohere(CohereCall::Chat) => "/v2/chat",
            Self::Cohere(CohereCall::Embed) => "/v2/embed",
            Self::Cohere(CohereCall::EmbedV1) => "/v1/embed",
            Self::Ollama(OllamaCall::Chat) => "/api/chat",
            Self::Ollama(OllamaCall::Generate) => "/api/generate",
            Self::Ollama(OllamaCall::Embed) => "/api/embed",
            Self::Ollama(OllamaCall::Embedding) => "/api/embeddings",
            Self::ImageGenerations => "/images/generations",
            Self::Moderations => "/moderations",
            Self::Rerank | Self::RerankV1 => "/rerank",
            Self::Speech => "/audio/speech",
            Self::Upload(Upload::Transcriptions) => "/audio/transcriptions",
            Self::Upload(Upload::Translations) => "/audio/translations",
            Self::ImageEdits | Self::Upload(Upload::ImageEdits) => "/images/edits",
            Self::Upload(Upload::ImageVariations) => "/images/variations",
            Self::Resource(resource) => resource.kind,
            Self::Raw(raw) => raw.provider,
            Self::Unserved(path, _) => path,
            Self::Realtime => "/realtime",
        }
    }

    /// The field that a request must have besides its model.
    #[must_use]
    pub const fn required_field(&self) -> Option<&'static str> {
        match self {
            Self::ChatCompletions
            | Self::Messages
            | Self::CountTokens
            | Self::Cohere(CohereCall::Chat) => Some("messages"),
            Self::Completions | Self::ImageGenerations | Self::ImageEdits => Some("prompt"),
            Self::Embeddings | Self::Moderations | Self::Speech => Some("input"),
            Self::Rerank | Self::RerankV1 => Some("query"),
            _ => None,
        }
    }

    /// Whether the body goes straight through to the upstream, instead of being read first: it is
    /// large, or not ours to understand.
    #[must_use]
    pub const fn goes_through(&self) -> bool {
        matches!(self, Self::Upload(_) | Self::Resource(_) | Self::Raw(_) | Self::Realtime)
    }

    /// Whether several models may be asked at once (`model: "a,b"`): an answer is JSON, and a list
    /// of answers as well.
    #[must_use]
    pub const fn takes_several_models(&self) -> bool {
        matches!(
            self,
            Self::ChatCompletions
                | Self::Completions
                | Self::Embeddings
                | Self::Responses
                | Self::ImageGenerations
                | Self::ImageEdits
                | Self::Moderations
                | Self::Rerank
                | Self::RerankV1
        )
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
