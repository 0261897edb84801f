//! What most of a stream is: pieces of text, of thoughts and of arguments. They are read without a
//! tree of values.
use crate::providers::chat::read;
use serde::Deserialize;

/// More of a block.
#[derive(Deserialize)]
pub(super) struct Piece {
    #[serde(rename = "contentBlockIndex", default)]
    pub(super) block: u64,
    pub(super) delta: Delta,
}

/// What there is more of. One with other members is not plain.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Delta {
    Text(String),
    ToolUse(Arguments),
    ReasoningContent(Thought),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    pub(super) input: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Thought {
    pub(super) text: String,
}

/// The piece, if it is plain.
pub(super) fn plain(data: &[u8]) -> Option<Piece> {
    read(data).ok()
}
