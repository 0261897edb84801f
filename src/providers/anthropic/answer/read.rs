//! A provider's answer.
use super::super::carried::hidden;
use super::super::citation::read_citations;
use super::super::finish::read_finish;
use super::super::usage::Report;
use crate::providers::chat::{
    Answer, Block, Choice, Content, Finish, Memo, Taking, Thought, ToolUse, Unreadable, text_of,
};
use serde_json::{Map, Value};

/// Reads an answer.
///
/// # Errors
/// It has no `content`.
pub fn read_answer(mut body: Map<String, Value>, memo: &Memo) -> Result<Answer, Unreadable> {
    let Some(Value::Array(content)) = body.take("content") else {
        return Err(Unreadable("Anthropic"));
    };
    let mut blocks: Vec<Block> =
        content.into_iter().filter_map(read_block).map(|block| as_text(block, memo)).collect();
    let calls = |block: &Block| matches!(block.content, Content::ToolUse(_));
    let has_tools = blocks.iter().any(calls);
    let sequence = body.take_text("stop_sequence");
    let finish = body.take_text("stop_reason").map(|reason| read_finish(&reason, sequence));
    let finish = match finish {
        // Of the hidden tool alone.
        Some(Finish::Tools) if memo.json_tool.is_some() && !has_tools => Some(Finish::Stop),
        finish => finish,
    };
    if finish == Some(Finish::Refusal) {
        let why = body.take_object("stop_details");
        let why = why.and_then(|mut details| details.take_text("explanation"));
        blocks.extend(why.map(|why| Block::new(Content::Refusal(why))));
    }
    let mut usage = body.take_object("usage");
    let tier = usage.as_mut().and_then(|usage| usage.take_text("service_tier"));
    let usage = usage.map(|usage| {
        let mut report = Report::default();
        report.merge(usage);
        report.usage()
    });
    Ok(Answer {
        id: body.take_text("id"),
        model: body.take_text("model"),
        created: None,
        choices: vec![Choice { blocks, finish, logprobs: None }],
        usage,
        tier,
    })
}

fn read_block(block: Value) -> Option<Block> {
    let Value::Object(mut block) = block else { return None };
    let content = match block.get("type").and_then(Value::as_str)? {
        "text" => {
            let citations = read_citations(block.take_array("citations"));
            Content::Text(block.take_text("text")?, citations)
        }
        "thinking" => Content::Thought(Thought {
            text: block.take_text("thinking").unwrap_or_default(),
            signature: block.take_text("signature").filter(|signature| !signature.is_empty()),
            ..Thought::default()
        }),
        "redacted_thinking" => Content::Thought(hidden(block.take_text("data")?)),
        "tool_use" => Content::ToolUse(ToolUse {
            id: block.take_text("id").unwrap_or_default(),
            name: block.take_text("name").unwrap_or_default(),
            input: block.take("input").map(text_of).unwrap_or_default(),
            signature: None,
        }),
        _ => Content::Other(Value::Object(block)),
    };
    Some(Block::new(content))
}

/// A call of the hidden tool is the answer's text.
fn as_text(block: Block, memo: &Memo) -> Block {
    match block.content {
        Content::ToolUse(call) if Some(call.name.as_str()) == memo.json_tool => {
            Block::text(call.input)
        }
        content => Block { content, ..block },
    }
}
