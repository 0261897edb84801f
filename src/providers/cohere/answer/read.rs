//! A whole answer.
use super::{read_finish, read_logprobs};
use crate::providers::chat::{
    Answer, Block, Choice, Content, Memo, Taking, Thought, ToolUse, Unreadable, text_of,
};
use crate::providers::cohere::citation::{self, Cited};
use crate::providers::cohere::usage;
use serde_json::{Map, Value};

/// Reads an answer of `/v2/chat`.
///
/// # Errors
/// If it has no message.
pub fn read_answer(mut body: Map<String, Value>, _memo: &Memo) -> Result<Answer, Unreadable> {
    let Some(message) = body.take_object("message") else {
        return Err(Unreadable("Cohere"));
    };
    let choice = Choice {
        blocks: read_message(message),
        finish: body.take_text("finish_reason").map(read_finish),
        logprobs: read_logprobs(body.take_array("logprobs")),
    };
    Ok(Answer {
        id: body.take_text("id"),
        choices: vec![choice],
        usage: body.take_object("usage").and_then(usage::read),
        ..Answer::default()
    })
}

/// Reads what the model said in a message.
pub(crate) fn read_message(mut message: Map<String, Value>) -> Vec<Block> {
    let plan = message.take_text("tool_plan").map(thought);
    let mut content: Vec<Content> = match message.take("content") {
        Some(Value::Array(parts)) => parts.into_iter().filter_map(part).collect(),
        Some(Value::String(text)) => vec![Content::Text(text, Vec::new())],
        _ => Vec::new(),
    };
    for cited in message.take_array("citations").into_iter().filter_map(citation::read) {
        cite(&mut content, cited);
    }
    let calls = message.take_array("tool_calls").into_iter().enumerate();
    let calls = calls.filter_map(|(index, told)| call(told, index));
    let told = plan.into_iter().chain(content).filter(|content| match content {
        Content::Text(text, _) => !text.is_empty(),
        Content::Thought(thought) => !thought.text.is_empty(),
        _ => true,
    });
    told.chain(calls.map(Content::ToolUse)).map(Block::new).collect()
}

fn thought(text: String) -> Content {
    Content::Thought(Thought { text, ..Thought::default() })
}

fn part(told: Value) -> Option<Content> {
    let Value::Object(mut told) = told else { return None };
    if let Some(text) = told.take_text("thinking") {
        return Some(thought(text));
    }
    // A part of an unknown kind stays, empty, since citations count parts.
    Some(Content::Text(told.take_text("text").unwrap_or_default(), Vec::new()))
}

/// Puts citations to the text that they are for: the first one, if that is not told.
fn cite(content: &mut [Content], cited: Cited) {
    let text = match cited.part {
        Some(part) => usize::try_from(part).ok().and_then(|part| content.get_mut(part)),
        None => content.iter_mut().find(|it| matches!(it, Content::Text(..))),
    };
    if let Some(Content::Text(_, citations)) = text {
        citations.extend(cited.citations);
    }
}

fn call(told: Value, index: usize) -> Option<ToolUse> {
    let Value::Object(mut told) = told else { return None };
    let mut function = told.take_object("function")?;
    Some(ToolUse {
        id: told.take_text("id").unwrap_or_else(|| format!("call_{index}")),
        name: function.take_text("name").unwrap_or_default(),
        input: function.take("arguments").map(text_of).unwrap_or_default(),
        signature: None,
    })
}
