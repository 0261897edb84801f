//! The operations whose words are known, by their paths.
use super::replay::Form;
use super::tap::Wire;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// OpenAI chat completions.
    Chat,
    /// OpenAI completions.
    Completions,
    /// OpenAI responses.
    Responses,
    /// OpenAI embeddings.
    Embeddings,
    /// Anthropic messages.
    Messages,
}

impl Endpoint {
    /// By the end of a path, whatever stands before it.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        let (before, last) = path.trim_end_matches('/').rsplit_once('/')?;
        match last {
            "completions" if before.ends_with("/chat") => Some(Self::Chat),
            "completions" => Some(Self::Completions),
            "responses" => Some(Self::Responses),
            "embeddings" => Some(Self::Embeddings),
            // A thread's are notes: no model reads them yet.
            "messages" if !is_in(before, "/threads") => Some(Self::Messages),
            _ => None,
        }
    }

    /// Whose words it uses.
    #[must_use]
    pub const fn wire(self) -> Wire {
        match self {
            Self::Chat | Self::Completions | Self::Embeddings => Wire::Chat,
            Self::Responses => Wire::Responses,
            Self::Messages => Wire::Messages,
        }
    }

    /// For keys and labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completions => "completions",
            Self::Responses => "responses",
            Self::Embeddings => "embeddings",
            Self::Messages => "messages",
        }
    }

    /// How its answers are told; `None` where they are never streams.
    #[must_use]
    pub const fn form(self) -> Option<Form> {
        Some(match self {
            Self::Chat => Form::Chat,
            Self::Completions => Form::Completions,
            Self::Responses => Form::Responses,
            Self::Messages => Form::Messages,
            Self::Embeddings => return None,
        })
    }

    /// Whether its answers are text.
    #[must_use]
    pub const fn writes(self) -> bool {
        !matches!(self, Self::Embeddings)
    }

    /// Whether its streams tell usage only to those who ask.
    pub(super) const fn hides_usage(self) -> bool {
        matches!(self, Self::Chat | Self::Completions)
    }
}

/// Whether `path` is that of one object in a collection.
fn is_in(path: &str, collection: &str) -> bool {
    path.rsplit_once('/').is_some_and(|(before, _)| before.ends_with(collection))
}
