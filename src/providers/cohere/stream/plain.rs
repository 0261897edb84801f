//! What most of a stream is: pieces of text and of arguments. They are read without a tree of values.
use crate::providers::chat::read;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// An event.
#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    delta: Delta,
    // With it the event is not plain.
    logprobs: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Delta {
    message: Message,
}

/// What there is more of.
#[derive(Deserialize)]
pub(super) struct Message {
    pub(super) content: Option<Content>,
    pub(super) tool_calls: Option<Call>,
}

#[derive(Deserialize)]
pub(super) struct Content {
    pub(super) thinking: Option<String>,
    pub(super) text: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Call {
    pub(super) function: Function,
}

#[derive(Deserialize)]
pub(super) struct Function {
    pub(super) arguments: String,
}

/// The piece, if the event is one of text, of a thought or of arguments.
pub(super) fn plain(data: &[u8]) -> Option<Message> {
    let Piece { kind, delta: Delta { message }, logprobs } = read(data).ok()?;
    let is_plain = match kind {
        "content-delta" => logprobs.is_none() && message.tool_calls.is_none(),
        "tool-call-delta" => message.content.is_none(),
        _ => false,
    };
    is_plain.then_some(message)
}
