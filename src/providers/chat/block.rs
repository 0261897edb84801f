//! What turns and answers are made of.
use serde_json::{Map, Value};

/// One piece of a turn or of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// What it is.
    pub content: Content,
    /// Anthropic's `cache_control`: the prompt up to here should be kept by the provider.
    pub cache: Option<Value>,
}

/// What a [`Block`] holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Text, and where it comes from.
    Text(String, Vec<Citation>),
    /// A picture, sound, film or document.
    Media(Media),
    /// The model calls a tool.
    ToolUse(ToolUse),
    /// What a tool gave back.
    ToolResult(ToolResult),
    /// What the model thought.
    Thought(Thought),
    /// The model's words for why it does not answer.
    Refusal(String),
    /// Something of one dialect that has no meaning in others, as it was.
    Other(Value),
}

/// Where a piece of a text comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Citation {
    /// The page.
    pub url: Option<String>,
    /// The page's or document's title.
    pub title: Option<String>,
    /// The words that are cited.
    pub cited: Option<String>,
    /// Which characters of the text it is for, where that is told.
    pub range: Option<(u64, u64)>,
}

/// A picture, sound, film or document.
#[derive(Clone, Debug, PartialEq)]
pub struct Media {
    /// Which of them.
    pub kind: MediaKind,
    /// Its bytes, or where they are.
    pub source: Source,
    /// For example `image/png`, where known.
    pub media_type: Option<String>,
    /// A file's name or a document's title.
    pub name: Option<String>,
    /// How closely a picture is to be looked at: OpenAI's `detail`.
    pub detail: Option<String>,
}

/// Kinds of [`Media`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// A film.
    Video,
    /// A PDF or a text file.
    Document,
}

/// Where the bytes of [`Media`] are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Here, in base64 (RFC 4648, 4).
    Base64(String),
    /// Here, as text: a plain document.
    Text(String),
    /// At this URL.
    Url(String),
    /// In a file that was given to the provider before.
    File(String),
}

/// The model calls a tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolUse {
    /// What the result will name.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its arguments: JSON text, as the model wrote it; empty for none.
    pub input: String,
    /// Gemini's proof of the thought behind it, to be sent back with it.
    pub signature: Option<String>,
}

/// What a tool gave back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolResult {
    /// The call's id.
    pub id: String,
    /// The tool, where the client's dialect says it.
    pub name: Option<String>,
    /// The result: texts and media.
    pub blocks: Vec<Block>,
    /// Whether the tool failed.
    pub failed: bool,
}

/// What the model thought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thought {
    /// The words; empty where the provider hides them.
    pub text: String,
    /// The provider's proof that they are its own, to be sent back with them.
    pub signature: Option<String>,
    /// The thought in the provider's cipher: Anthropic's `redacted_thinking`, OpenAI's
    /// `encrypted_content`.
    pub hidden: Option<String>,
    /// The item's id, where the dialect gives one to thoughts (OpenAI responses).
    pub id: Option<String>,
}

impl Block {
    /// A block without a cache hint.
    #[must_use]
    pub const fn new(content: Content) -> Self {
        Self { content, cache: None }
    }

    /// Plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Content::Text(text.into(), Vec::new()))
    }

    /// Its words, if it is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text, _) => Some(text),
            _ => None,
        }
    }
}

impl Media {
    /// The bytes of a picture, in base64; `None` if they are elsewhere, or it is none.
    #[must_use]
    pub fn picture(self) -> Option<String> {
        match self.source {
            Source::Base64(data) if self.kind == MediaKind::Image => Some(data),
            _ => None,
        }
    }
}

impl ToolUse {
    /// The arguments as an object. What is no JSON, or no object, is none: providers that want an
    /// object refuse everything else.
    #[must_use]
    pub fn object(&self) -> Map<String, Value> {
        serde_json::from_str(&self.input).unwrap_or_default()
    }

    /// Whether the arguments are an object or none: an answer may end in the middle of them.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let is_object = || serde_json::from_str::<Map<String, Value>>(&self.input).is_ok();
        self.input.is_empty() || is_object()
    }
}

impl ToolResult {
    /// Its texts, line by line.
    #[must_use]
    pub fn text(&self) -> String {
        let texts: Vec<&str> = self.blocks.iter().filter_map(Block::as_text).collect();
        texts.join("\n")
    }
}
