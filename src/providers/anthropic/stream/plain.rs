//! What most of a stream is: pieces of blocks. They are read without a tree of values.
use crate::providers::chat::read;
use serde::Deserialize;

/// More of a block.
#[derive(Deserialize)]
pub(super) struct Piece<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    pub(super) index: Option<u64>,
    #[serde(borrow)]
    pub(super) delta: Delta<'a>,
}

/// What there is more of: the member that goes with its kind.
#[derive(Deserialize)]
pub(super) struct Delta<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    pub(super) text: Option<String>,
    pub(super) thinking: Option<String>,
    pub(super) partial_json: Option<String>,
}

/// The piece, if the event is one of text, of a thought or of arguments.
pub(super) fn plain<'a>(name: &[u8], data: &'a [u8]) -> Option<Piece<'a>> {
    if !name.is_empty() && name != b"content_block_delta" {
        return None;
    }
    let piece: Piece<'a> = read(data).ok()?;
    let known = ["text_delta", "thinking_delta", "input_json_delta"].contains(&piece.delta.kind);
    (known && piece.kind == "content_block_delta").then_some(piece)
}
