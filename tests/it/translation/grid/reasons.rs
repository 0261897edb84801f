//! Why a cell does not work.
use super::rows::{Column, Row};
use bartizan::providers::translate::Protocol;

/// A reason: what it holds for, and a sentence.
#[derive(Debug)]
pub(super) struct Reason {
    pub(super) whose: Whose,
    pub(super) column: Column,
    pub(super) text: &'static str,
}

/// Who cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// A client's dialect has no words for it.
    Client(Protocol),
    /// A dialect of providers has no words for it.
    Wire(Protocol),
    /// A provider does not do what its dialect could say.
    Provider(&'static str),
    /// A provider's chat completions do not do it.
    Chat(&'static str),
}

const fn client(protocol: Protocol, column: Column, text: &'static str) -> Reason {
    Reason { whose: Whose::Client(protocol), column, text }
}

const fn wire(protocol: Protocol, column: Column, text: &'static str) -> Reason {
    Reason { whose: Whose::Wire(protocol), column, text }
}

const fn provider(provider: &'static str, column: Column, text: &'static str) -> Reason {
    Reason { whose: Whose::Provider(provider), column, text }
}

const TEXT: &str = "completions of text are text alone";

const REASONS: [Reason; 17] = [
    client(Protocol::Completions, Column::Tools, TEXT),
    client(Protocol::Completions, Column::Parallel, TEXT),
    client(Protocol::Completions, Column::Image, TEXT),
    client(Protocol::Completions, Column::Document, TEXT),
    client(Protocol::Completions, Column::Reasoning, TEXT),
    client(Protocol::Completions, Column::Structured, TEXT),
    client(
        Protocol::Cohere,
        Column::Document,
        "clients of Cohere send documents of text, but no PDF",
    ),
    client(
        Protocol::Ollama,
        Column::Document,
        "clients of Ollama send pictures and text, but no PDF",
    ),
    client(
        Protocol::Ollama,
        Column::Tools,
        "clients of Ollama cannot say that a tool must be called",
    ),
    wire(Protocol::Cohere, Column::Document, "Cohere takes documents of text, but no PDF"),
    wire(Protocol::Ollama, Column::Document, "Ollama takes pictures and text, but no PDF"),
    wire(Protocol::Ollama, Column::Tools, "Ollama cannot be told that a tool must be called"),
    Reason {
        whose: Whose::Chat("openai"),
        column: Column::Reasoning,
        text: "OpenAI's chat completions take an effort, but tell no thoughts",
    },
    provider("deepseek", Column::Document, "DeepSeek takes no files"),
    provider("deepseek", Column::Structured, "DeepSeek makes JSON, but by no schema"),
    provider("groq", Column::Document, "Groq takes no files"),
    provider("xai", Column::Document, "xAI takes files by URL or id, not their bytes"),
];

/// All reasons.
pub(super) fn all() -> &'static [Reason] {
    &REASONS
}

/// The reason of a cell.
pub(super) fn reason(
    client: Protocol,
    spoken: Protocol,
    row: &Row,
    column: Column,
) -> Option<&'static Reason> {
    let of = |reason: &&Reason| {
        reason.column == column
            && match reason.whose {
                Whose::Client(protocol) => protocol == client,
                Whose::Wire(protocol) => protocol == spoken,
                Whose::Provider(name) => name == row.provider(),
                Whose::Chat(name) => name == row.provider() && spoken == Protocol::Chat,
            }
    };
    REASONS.iter().find(of)
}
