//! A message: one text, and pictures beside it.
use crate::providers::chat::{Content, Lost, Media, MediaKind, Source};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// What a message holds.
#[derive(Debug, Default)]
pub(super) struct Message {
    texts: Vec<String>,
    pictures: Vec<Value>,
    thoughts: Vec<String>,
    calls: Vec<Value>,
}

impl Message {
    /// Adds a thought.
    pub(super) fn thought(&mut self, text: String) {
        self.thoughts.push(text);
    }

    /// Adds a call of a tool.
    pub(super) fn call(&mut self, call: Value) {
        self.calls.push(call);
    }

    /// Adds a picture or a document that is text. Nothing else can be sent, nor anything that is
    /// not in the request itself.
    pub(super) fn media(&mut self, media: Media, lost: &mut Lost) {
        if media.detail.is_some() {
            lost.hint("detail");
        }
        match (media.kind, media.source) {
            (MediaKind::Image, Source::Base64(data)) => self.pictures.push(data.into()),
            (_, Source::Text(text)) => self.document(media.name, text),
            (MediaKind::Document, Source::Base64(data)) => {
                let is_text = media.media_type.is_some_and(|kind| kind.starts_with("text/"));
                let bytes = is_text.then(|| STANDARD.decode(data).ok()).flatten();
                match bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
                    Some(text) => self.document(media.name, text),
                    None => lost.part("file"),
                }
            }
            (MediaKind::Image, _) => lost.part("image_url"),
            (MediaKind::Document, _) => lost.part("file"),
            (MediaKind::Audio, _) => lost.part("input_audio"),
            (MediaKind::Video, _) => lost.part("video_url"),
        }
    }

    fn document(&mut self, name: Option<String>, mut text: String) {
        if let Some(name) = name {
            text.insert_str(0, &format!("{name}\n\n"));
        }
        self.texts.push(text);
    }

    /// Adds what everybody may say; notes what has no place.
    pub(super) fn add(&mut self, content: Content, lost: &mut Lost) {
        match content {
            Content::Text(text, citations) => {
                if !citations.is_empty() {
                    lost.hint("annotations");
                }
                self.texts.push(text);
            }
            Content::Refusal(text) => self.texts.push(text),
            Content::Media(media) => self.media(media, lost),
            Content::Other(value) => match value.get("type").and_then(Value::as_str) {
                Some(kind) => lost.part(format!("messages.content.{kind}")),
                None => lost.part("messages.content"),
            },
            Content::ToolUse(_) => lost.part("tool_calls"),
            Content::ToolResult(_) => lost.part("tool"),
            Content::Thought(_) => lost.hint("reasoning_content"),
        }
    }

    /// Whether nothing was added.
    pub(super) const fn is_empty(&self) -> bool {
        self.texts.is_empty()
            && self.pictures.is_empty()
            && self.thoughts.is_empty()
            && self.calls.is_empty()
    }

    /// As JSON.
    pub(super) fn written(mut self, role: &str) -> Map<String, Value> {
        let only = if self.texts.len() == 1 { self.texts.pop() } else { None };
        let content = only.unwrap_or_else(|| self.texts.join("\n"));
        let mut message = Map::from_iter([
            ("role".to_owned(), Value::from(role)),
            ("content".to_owned(), content.into()),
        ]);
        let mut put = |name: &str, value: Value| message.insert(name.to_owned(), value);
        if !self.pictures.is_empty() {
            put("images", self.pictures.into());
        }
        if !self.thoughts.is_empty() {
            put("thinking", self.thoughts.join("\n").into());
        }
        if !self.calls.is_empty() {
            put("tool_calls", self.calls.into());
        }
        message
    }
}
