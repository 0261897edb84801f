//! What the grid is made of: providers, clients, and what is asked.
use bartizan::providers::translate::Protocol;

/// A provider, as it is called for one of its models.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The name of its model group.
    pub(super) title: &'static str,
    /// The model of its deployment: `provider/model`.
    pub(super) model: &'static str,
    /// What its `api_base` has behind the host.
    pub(super) base: &'static str,
}

/// The providers of the grid.
pub(super) const ROWS: [Row; 15] = [
    row("openai", "openai/gpt-5.1", "/v1"),
    row("openai-responses", "openai/responses/gpt-5.1", "/v1"),
    row("anthropic", "anthropic/claude-sonnet-4-5", ""),
    row("gemini", "gemini/gemini-2.5-flash", "/v1beta"),
    row("vertex-gemini", "vertex_ai/gemini-2.5-flash", ""),
    row("vertex-claude", "vertex_ai/claude-sonnet-4-5@20250929", ""),
    row("bedrock", "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", ""),
    row("cohere", "cohere/command-a-reasoning-08-2025", ""),
    row("ollama", "ollama/qwen3", ""),
    row("mistral", "mistral/magistral-medium-latest", "/v1"),
    row("openrouter", "openrouter/anthropic/claude-sonnet-4.5", "/api/v1"),
    row("groq", "groq/openai/gpt-oss-120b", "/openai/v1"),
    row("deepseek", "deepseek/deepseek-v4-flash", ""),
    row("xai", "xai/grok-3-mini", "/v1"),
    row("litellm_proxy", "litellm_proxy/a-group", ""),
];

const fn row(title: &'static str, model: &'static str, base: &'static str) -> Row {
    Row { title, model, base }
}

impl Row {
    /// As the page names it.
    pub(super) fn shown(&self) -> String {
        let families = ["/responses/", "/gemini-", "/claude-"];
        let family = families.iter().find(|family| self.model.contains(*family));
        match family.filter(|family| **family == "/responses/" || self.provider() == "vertex_ai") {
            Some(family) => format!("`{}{family}…`", self.provider()),
            None => format!("`{}`", self.provider()),
        }
    }

    /// The provider's name in the program's table.
    pub(super) fn provider(&self) -> &'static str {
        self.model.split('/').next().unwrap_or_default()
    }
}

/// What is asked, and how it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// Text, answered whole.
    Plain,
    /// Text, answered piece by piece.
    Stream,
    /// One tool, which must be called.
    Tools,
    /// Two calls of a tool at once, and both results.
    Parallel,
    /// A picture, by its bytes.
    Image,
    /// A PDF, by its bytes.
    Document,
    /// How much the model thinks; its thoughts, and their proof on the way back.
    Reasoning,
    /// JSON by a schema.
    Structured,
    /// The provider refuses, fails, or breaks a stream off.
    Error,
}

/// The columns, and how the page heads them.
pub(super) const COLUMNS: [(Column, &str); 9] = [
    (Column::Plain, "plain"),
    (Column::Stream, "stream"),
    (Column::Tools, "tools"),
    (Column::Parallel, "parallel tools"),
    (Column::Image, "image"),
    (Column::Document, "PDF"),
    (Column::Reasoning, "reasoning"),
    (Column::Structured, "JSON schema"),
    (Column::Error, "error"),
];

/// The clients' dialects, and how the page names them.
pub(super) const CLIENTS: [(Protocol, &str); 7] = [
    (Protocol::Chat, "OpenAI chat completions"),
    (Protocol::Completions, "OpenAI completions of text"),
    (Protocol::Responses, "OpenAI responses"),
    (Protocol::Messages, "Anthropic messages"),
    (Protocol::Gemini, "Gemini"),
    (Protocol::Cohere, "Cohere"),
    (Protocol::Ollama, "Ollama"),
];

impl Column {
    /// Whether it is answered whole, piece by piece, or is tried in both ways.
    pub(super) const fn ways(self) -> &'static [bool] {
        match self {
            Self::Plain => &[false],
            Self::Stream => &[true],
            _ => &[false, true],
        }
    }

    /// Whether the client goes on with results of tools.
    pub(super) const fn goes_on(self) -> bool {
        matches!(self, Self::Tools | Self::Parallel | Self::Reasoning)
    }
}
