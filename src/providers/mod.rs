//! Wire formats: what a path means, how a request is edited, how an error looks. Pure functions.
mod endpoint;
mod operation;
mod passing;
mod problem;
mod prompt;

pub mod anthropic;
pub mod azure;
pub mod bedrock;
pub mod chat;
mod claude;
pub mod cohere;
pub mod echo;
pub mod gemini;
pub mod ollama;
pub mod openai;
pub mod translate;
pub mod vertex;

use self::endpoint::without_v1;
pub use self::endpoint::{Endpoint, endpoint, rerank_endpoints};
pub use self::operation::{
    CohereCall, GeminiPath, OllamaCall, Operation, PathModel, Raw, Resource, Upload,
};
pub use self::passing::{Fault, Form, Passing, Pictured, Place, Resumed, Selected};
pub use self::problem::{Class, Problem};
pub use self::prompt::{Contents, Elsewhere, Hold, Prompt};
pub use bartizan_layers::wire::is_of_type;

use bytes::Bytes;

/// The wire format that a client speaks on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI, and LiteLLM's own routes.
    OpenAi,
    /// Anthropic.
    Anthropic,
    /// Gemini.
    Gemini,
    /// Cohere, version 2.
    Cohere,
    /// Ollama.
    Ollama,
}

impl Dialect {
    /// What a parameter of OpenAI's is called in its requests; `None` where parameters stand
    /// elsewhere than at the top.
    #[must_use]
    pub fn parameter(self, name: &str) -> Option<&str> {
        match (self, name) {
            (Self::Gemini | Self::Ollama, _) => None,
            (Self::Cohere, "top_p") => Some("p"),
            (Self::Cohere, "top_k") => Some("k"),
            (Self::Cohere, "stop") => Some("stop_sequences"),
            (Self::Cohere, "max_completion_tokens") => Some("max_tokens"),
            _ => Some(name),
        }
    }

    /// The body of an error answer.
    #[must_use]
    pub fn error_body(self, problem: &Problem) -> Bytes {
        match self {
            Self::OpenAi => openai::error_body(problem),
            Self::Anthropic => anthropic::error_body(problem),
            Self::Gemini => gemini::error_body(problem),
            Self::Cohere => cohere::error_body(problem),
            Self::Ollama => ollama::error_body(problem),
        }
    }

    /// The event that tells a client that its stream broke off. It is never followed by the
    /// dialect's own ending.
    #[must_use]
    pub fn error_event(self, problem: &Problem) -> Bytes {
        let name: &[u8] = match self {
            Self::OpenAi | Self::Gemini => b"",
            Self::Anthropic => b"event: error\n",
            Self::Cohere => return cohere::error_event(problem),
            Self::Ollama => return ollama::error_event(problem),
        };
        [name, b"data: ", &self.error_body(problem), b"\n\n"].concat().into()
    }
}
