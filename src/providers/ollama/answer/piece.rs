//! A line of an answer. A whole answer is one line, and says the same things.
use crate::providers::chat::{Finish, Media, MediaKind, Source, Taking, ToolUse, object, text_of};
use crate::providers::ollama::usage;
use bartizan_layers::facts::Usage;
use serde_json::{Map, Value};

/// What a line tells.
#[derive(Debug, Default)]
pub(crate) struct Piece {
    /// The model.
    pub model: Option<String>,
    /// More of a thought; not empty.
    pub thought: Option<String>,
    /// More text; not empty.
    pub text: Option<String>,
    /// Whole pictures.
    pub pictures: Vec<Media>,
    /// Whole calls.
    pub calls: Vec<ToolUse>,
    /// OpenAI's `logprobs`.
    pub logprobs: Option<Value>,
    /// Whether it is the last one.
    pub done: bool,
    /// Why the answer ends, in Ollama's word.
    pub reason: Option<String>,
    /// What the answer used.
    pub usage: Option<Usage>,
}

impl Piece {
    /// Reads a line of `/api/chat` or `/api/generate`. `before` is how many calls of the answer
    /// were told already. `None` if it is none.
    pub(crate) fn read(mut told: Map<String, Value>, before: usize) -> Option<Self> {
        let message = told.take_object("message");
        let is_one =
            ["response", "thinking", "done", "image"].iter().any(|it| told.contains_key(*it));
        if message.is_none() && !is_one {
            return None;
        }
        let created = told.take_text("created_at").unwrap_or_default();
        let mut piece = Self {
            model: told.take_text("model"),
            logprobs: logprobs(&mut told),
            done: told.take_bool("done").unwrap_or(false),
            reason: told.take_text("done_reason").filter(|reason| !reason.is_empty()),
            usage: usage::read(&mut told),
            ..Self::default()
        };
        let (mut said, text) = match message {
            Some(message) => (message, "content"),
            None => (told, "response"),
        };
        let some = |text: &String| !text.is_empty();
        piece.thought = said.take_text("thinking").filter(some);
        piece.text = said.take_text(text).filter(some);
        let pictures = said.take_array("images").into_iter().chain(said.take("image"));
        piece.pictures = pictures.filter_map(picture).collect();
        piece.calls = Self::calls(said.take_array("tool_calls"), &created, before);
        Some(piece)
    }

    /// The calls of a line that was made at this time.
    pub(crate) fn calls(told: Vec<Value>, created: &str, before: usize) -> Vec<ToolUse> {
        let calls = (before..).zip(told);
        calls.filter_map(|(index, told)| call(told, created, index)).collect()
    }
}

/// Why an answer ends. An answer to no prompt only loads or unloads the model.
pub(crate) fn read_finish(reason: Option<&str>, calls: bool) -> Finish {
    match reason {
        None | Some("stop") if calls => Finish::Tools,
        None | Some("stop" | "load" | "unload") => Finish::Stop,
        Some("length") => Finish::Length,
        Some("tool_calls") => Finish::Tools,
        Some("content_filter") => Finish::Filter,
        Some(other) => Finish::Failed(other.to_owned()),
    }
}

/// Ollama's list has OpenAI's entries.
fn logprobs(told: &mut Map<String, Value>) -> Option<Value> {
    let entries = told.take_array("logprobs");
    (!entries.is_empty()).then(|| object([("content", entries.into())]))
}

/// Ollama does not say what kind of picture it is: those that it makes are PNG.
fn picture(data: Value) -> Option<Media> {
    let Value::String(data) = data else { return None };
    let media_type = Some("image/png".to_owned());
    let source = Source::Base64(data);
    let media = Media { kind: MediaKind::Image, source, media_type, name: None, detail: None };
    Some(media)
}

/// A call. Older servers give it no id: it gets one of the line's time and its place in the answer,
/// so that no other call of a conversation has it.
fn call(told: Value, created: &str, index: usize) -> Option<ToolUse> {
    let Value::Object(mut told) = told else { return None };
    let mut function = told.take_object("function")?;
    let id = told.take_text("id").filter(|id| !id.is_empty()).unwrap_or_else(|| {
        let time: String = created.chars().filter(char::is_ascii_alphanumeric).collect();
        format!("call_{time}_{index}")
    });
    let name = function.take_text("name").unwrap_or_default();
    let input = function.take("arguments").map(text_of).unwrap_or_default();
    Some(ToolUse { id, name, input, signature: None })
}
