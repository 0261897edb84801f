//! Whose words an answer uses, and how they come.

/// Whose words an answer uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// OpenAI chat completions, completions and embeddings.
    Chat,
    /// OpenAI responses.
    Responses,
    /// Anthropic messages.
    Messages,
    /// Gemini `generateContent` and `streamGenerateContent`.
    Gemini,
    /// Cohere chat and embeddings.
    Cohere,
    /// Ollama's own API.
    Ollama,
    /// OpenAI images, speech and transcriptions: events whose type ends in `.delta` or
    /// `.partial_image` while it goes on, and in `.done` or `.completed` at its end.
    Media,
}

/// How an answer is cut into events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// `text/event-stream`.
    Events,
    /// A JSON array that is written as it grows (Gemini without `alt=sse`).
    Array,
    /// A JSON object in each line (Ollama).
    Lines,
    /// One JSON object.
    Whole,
}
