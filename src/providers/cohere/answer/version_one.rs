//! Answers of Cohere's chat, version 1. Its calls have no ids.
use super::{after_calls, read_finish};
use crate::providers::chat::{Answer, Block, Choice, Content, Taking, ToolUse, text_of};
use crate::providers::cohere::{citation, usage};
use serde_json::{Map, Value};

/// Reads a whole answer. `None` if it is none.
pub(super) fn read(mut body: Map<String, Value>) -> Option<Answer> {
    let text = body.take_text("text");
    let calls = body.take_array("tool_calls");
    if text.is_none() && calls.is_empty() {
        return None;
    }
    let id = body.take_text("response_id").or_else(|| body.take_text("generation_id"));
    let calls = read_calls(calls, id.as_deref().unwrap_or_default(), 0);
    let finish = body.take_text("finish_reason").map(read_finish);
    let finish = after_calls(finish, !calls.is_empty());
    let citations = body.take_array("citations").into_iter().filter_map(citation::read);
    let citations = citations.flat_map(|cited| cited.citations).collect();
    let text = text.filter(|text| !text.is_empty()).map(|text| Content::Text(text, citations));
    let calls = calls.into_iter().map(Content::ToolUse);
    let blocks = text.into_iter().chain(calls).map(Block::new).collect();
    Some(Answer {
        id,
        choices: vec![Choice { blocks, finish, logprobs: None }],
        usage: body.take_object("meta").and_then(usage::read),
        ..Answer::default()
    })
}

/// Reads calls of the answer with this `id`, of which `before` were told already. Their own ids are
/// made of both, so that no other call of a conversation has them.
pub(crate) fn read_calls(told: Vec<Value>, id: &str, before: usize) -> Vec<ToolUse> {
    let call = |(index, told): (usize, Value)| {
        let Value::Object(mut told) = told else { return None };
        let name = told.take_text("name")?;
        let input = told.take("parameters").map(text_of).unwrap_or_default();
        let id = id.replace('-', "");
        Some(ToolUse { id: format!("call_{id}_{index}"), name, input, signature: None })
    };
    (before..).zip(told).filter_map(call).collect()
}
