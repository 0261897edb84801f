//! A whole answer.
use super::{Piece, read_finish};
use crate::providers::chat::{Answer, Block, Choice, Content, Memo, Thought, Unreadable};
use serde_json::{Map, Value};

/// Reads an answer of `/api/chat` or `/api/generate`.
///
/// # Errors
/// If it is neither.
pub fn read_answer(body: Map<String, Value>, _memo: &Memo) -> Result<Answer, Unreadable> {
    let piece = Piece::read(body, 0).ok_or(Unreadable("Ollama"))?;
    let calls = !piece.calls.is_empty();
    let thought = piece.thought.map(|text| Thought { text, ..Thought::default() });
    let thought = thought.map(Content::Thought);
    let text = piece.text.map(|text| Content::Text(text, Vec::new()));
    let pictures = piece.pictures.into_iter().map(Content::Media);
    let uses = piece.calls.into_iter().map(Content::ToolUse);
    let told = thought.into_iter().chain(text).chain(pictures).chain(uses);
    let choice = Choice {
        blocks: told.map(Block::new).collect(),
        finish: piece.done.then(|| read_finish(piece.reason.as_deref(), calls)),
        logprobs: piece.logprobs,
    };
    let (model, usage) = (piece.model, piece.usage);
    Ok(Answer { model, usage, choices: vec![choice], ..Answer::default() })
}
