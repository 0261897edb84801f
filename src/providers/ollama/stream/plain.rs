//! What most of a stream is: pieces of text, and calls. They are read without a tree of values.
use crate::providers::chat::read;
use crate::providers::ollama::answer::Piece;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// A line with a piece of a text or of a thought, or with calls. One with other members is not plain.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    model: Option<&'a str>,
    created_at: Option<&'a str>,
    message: Message,
    done: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    #[serde(rename = "role")]
    _role: Option<IgnoredAny>,
    content: Option<String>,
    thinking: Option<String>,
    #[serde(default)]
    tool_calls: Vec<Value>,
}

/// The line, if it is plain and not the last one. `before` is how many calls were told already.
pub(super) fn plain(line: &[u8], before: usize) -> Option<Piece> {
    let Line { model, created_at, message, done } = read(line).ok()?;
    if done {
        return None;
    }
    let some = |text: &String| !text.is_empty();
    Some(Piece {
        model: model.map(str::to_owned),
        thought: message.thinking.filter(some),
        text: message.content.filter(some),
        calls: Piece::calls(message.tool_calls, created_at.unwrap_or_default(), before),
        ..Piece::default()
    })
}
