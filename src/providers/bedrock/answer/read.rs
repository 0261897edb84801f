//! A whole answer.
use super::{block, read_finish};
use crate::providers::bedrock::usage;
use crate::providers::chat::{Answer, Block, Choice, Content, Finish, Memo, Taking, Unreadable};
use serde_json::{Map, Value};

/// Reads an answer of Converse.
///
/// # Errors
/// If it has no message.
pub fn read_answer(mut body: Map<String, Value>, memo: &Memo) -> Result<Answer, Unreadable> {
    let message = body.take_object("output").and_then(|mut output| output.take_object("message"));
    let mut message = message.ok_or(Unreadable("Bedrock"))?;
    let blocks = block::read(message.take_array("content"), memo);
    let calls = |block: &Block| matches!(block.content, Content::ToolUse(_));
    let finish = match body.take_text("stopReason").map(read_finish) {
        // Of the hidden tool alone.
        Some(Finish::Tools) if memo.json_tool.is_some() && !blocks.iter().any(calls) => {
            Some(Finish::Stop)
        }
        finish => finish,
    };
    let tier = body.take_object("serviceTier").and_then(|mut tier| tier.take_text("type"));
    Ok(Answer {
        choices: vec![Choice { blocks, finish, logprobs: None }],
        usage: body.take_object("usage").map(usage::read),
        tier,
        ..Answer::default()
    })
}
