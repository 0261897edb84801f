//! Where a model is asked, below its project and location.
use crate::providers::{Dialect, Operation};
use bartizan_layers::query::target;

/// Who made a model. It decides which dialect the model is asked in, and by which path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// Gemini, models for embeddings, and endpoints of one's own, which are numbers.
    Google,
    /// Claude.
    Anthropic,
    /// Mistral, whose models are asked in OpenAI's dialect, each by a path of its own.
    Mistral,
    /// All who are named before the model, as in `meta/llama-…`: one path takes OpenAI's dialect.
    Other,
}

/// What is asked of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<'a> {
    /// A chat; whether its answer comes piece by piece.
    Chat {
        /// Whether a stream is wanted.
        stream: bool,
    },
    /// How many tokens a prompt has.
    Count,
    /// Embeddings.
    Embed,
    /// One of Google's own, as a client of Gemini names it.
    Named(&'a str),
}

impl<'a> Action<'a> {
    /// What an `operation` asks that is sent in its client's own words; `None` for what no model
    /// here takes.
    #[must_use]
    pub fn of(operation: &'a Operation, stream: bool) -> Option<Self> {
        match operation {
            Operation::ChatCompletions | Operation::Messages => Some(Self::Chat { stream }),
            Operation::CountTokens => Some(Self::Count),
            Operation::Gemini(path) => Some(Self::Named(&path.action)),
            _ => None,
        }
    }
}

/// A model here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// Who made it.
    pub maker: Maker,
    /// Its name, without what LiteLLM writes before some.
    pub name: &'a str,
}

impl<'a> Place<'a> {
    /// Of a model as a config names it: `gemini-2.5-pro`, `claude-opus-4-1@20250805`,
    /// `meta/llama-…`, `1234567890`, `gemini/1234567890`.
    #[must_use]
    pub fn of(model: &'a str) -> Self {
        let bare = |prefix| model.strip_prefix(prefix);
        let google = bare("gemini/").or_else(|| bare("google/"));
        if let Some(name) = google {
            return Self { maker: Maker::Google, name };
        }
        let named = bare("anthropic/").unwrap_or(model);
        let starts = |starts: &[&str]| starts.iter().any(|start| named.starts_with(start));
        let maker = match () {
            () if starts(&["claude"]) => Maker::Anthropic,
            () if starts(&["mistral", "codestral", "ministral"]) => Maker::Mistral,
            () if model.contains('/') => return Self { maker: Maker::Other, name: model },
            () => Maker::Google,
        };
        Self { maker, name: named }
    }

    /// Whether it takes an `operation` in its client's own words.
    #[must_use]
    pub fn takes(self, operation: &Operation) -> bool {
        let speaks = match self.maker {
            Maker::Google => Dialect::Gemini,
            Maker::Anthropic => Dialect::Anthropic,
            Maker::Mistral | Maker::Other => Dialect::OpenAi,
        };
        let action = Action::of(operation, false).filter(|_| operation.dialect() == speaks);
        action.is_some_and(|action| self.path(action).is_some())
    }

    /// Path and query of an `action`; `None` where its maker has no such thing.
    #[must_use]
    pub fn path(self, action: Action<'_>) -> Option<String> {
        match (self.maker, action) {
            (Maker::Google, _) => Some(self.googles(action)),
            (Maker::Anthropic, Action::Count) => {
                Some(publishers("anthropic", "count-tokens", "rawPredict"))
            }
            (Maker::Anthropic, Action::Chat { stream }) => {
                Some(publishers("anthropic", self.name, raw(stream)))
            }
            (Maker::Mistral, Action::Chat { stream }) => {
                Some(publishers("mistralai", self.name, raw(stream)))
            }
            (Maker::Other, Action::Chat { .. }) => {
                Some("/endpoints/openapi/chat/completions".to_owned())
            }
            _ => None,
        }
    }

    fn googles(self, action: Action<'_>) -> String {
        let (action, query) = match action {
            Action::Chat { stream: true } => ("streamGenerateContent", "alt=sse"),
            Action::Chat { stream: false } => ("generateContent", ""),
            Action::Count => ("countTokens", ""),
            Action::Embed if self.embeds_contents() => ("embedContent", ""),
            Action::Embed => ("predict", ""),
            Action::Named(name) => (name, ""),
        };
        let path = match self.name.bytes().all(|byte| byte.is_ascii_digit()) {
            true => format!("/endpoints/{}:{action}", self.name),
            false => publishers("google", self.name, action),
        };
        target(&path, query)
    }

    /// Whether it takes one content of any kind at once, as Gemini does: models for embeddings from
    /// the second Gemini on.
    pub(super) fn embeds_contents(self) -> bool {
        let version = self.name.strip_prefix("gemini-embedding-");
        version.is_some_and(|version| !version.starts_with('0') && !version.starts_with("exp"))
    }
}

fn publishers(publisher: &str, model: &str, action: &str) -> String {
    format!("/publishers/{publisher}/models/{model}:{action}")
}

const fn raw(stream: bool) -> &'static str {
    if stream { "streamRawPredict" } else { "rawPredict" }
}

#[cfg(test)]
mod tests {
    use super::{Action, Maker, Place};

    #[test]
    fn a_models_name_tells_its_maker() {
        for (model, maker, name) in [
            ("gemini-2.5-pro", Maker::Google, "gemini-2.5-pro"),
            ("text-embedding-005", Maker::Google, "text-embedding-005"),
            ("gemini/4965075652664360960", Maker::Google, "4965075652664360960"),
            ("claude-opus-4-1@20250805", Maker::Anthropic, "claude-opus-4-1@20250805"),
            ("anthropic/claude-haiku-4-5", Maker::Anthropic, "claude-haiku-4-5"),
            ("mistral-medium-3", Maker::Mistral, "mistral-medium-3"),
            (
                "meta/llama-4-scout-17b-16e-instruct-maas",
                Maker::Other,
                "meta/llama-4-scout-17b-16e-instruct-maas",
            ),
        ] {
            assert_eq!(Place::of(model), Place { maker, name }, "{model}");
        }
    }

    #[test]
    fn each_action_has_its_path() {
        let (whole, stream) = (Action::Chat { stream: false }, Action::Chat { stream: true });
        let google = "/publishers/google/models";
        let claude = "/publishers/anthropic/models";
        for (model, action, path) in [
            ("gemini-2.5-pro", whole, format!("{google}/gemini-2.5-pro:generateContent")),
            ("gemini-x", stream, format!("{google}/gemini-x:streamGenerateContent?alt=sse")),
            ("gemini-x", Action::Count, format!("{google}/gemini-x:countTokens")),
            ("gemini-x", Action::Named("any"), format!("{google}/gemini-x:any")),
            ("12345", whole, "/endpoints/12345:generateContent".to_owned()),
            ("text-embedding-005", Action::Embed, format!("{google}/text-embedding-005:predict")),
            (
                "gemini-embedding-001",
                Action::Embed,
                format!("{google}/gemini-embedding-001:predict"),
            ),
            (
                "gemini-embedding-2",
                Action::Embed,
                format!("{google}/gemini-embedding-2:embedContent"),
            ),
            ("claude-x@1", whole, format!("{claude}/claude-x@1:rawPredict")),
            ("claude-x@1", stream, format!("{claude}/claude-x@1:streamRawPredict")),
            ("claude-x@1", Action::Count, format!("{claude}/count-tokens:rawPredict")),
            (
                "mistral-x",
                stream,
                "/publishers/mistralai/models/mistral-x:streamRawPredict".to_owned(),
            ),
            ("meta/llama", stream, "/endpoints/openapi/chat/completions".to_owned()),
        ] {
            assert_eq!(Place::of(model).path(action), Some(path), "{model}");
        }
        assert_eq!(Place::of("claude-x").path(Action::Embed), None);
        assert_eq!(Place::of("meta/llama").path(Action::Count), None);
    }
}
