//! An answer for a client.
use super::super::carried::cipher;
use super::super::citation::write_citation;
use super::super::finish::write_finish;
use super::super::usage::write_usage;
use crate::providers::chat::{
    Answer, Block, Client, Content, Finish, Thought, ToolUse, object, signed_id,
};
use bartizan_layers::facts::Usage;
use serde_json::{Map, Value};

/// Writes an answer: of several ones the first, as this dialect has one.
#[must_use]
pub fn write_answer(answer: Answer, client: &Client) -> Value {
    let Answer { id, model, choices, usage, tier, .. } = answer;
    let choice = choices.into_iter().next().unwrap_or_default();
    let mut content = Vec::with_capacity(choice.blocks.len());
    let refuses = choice.blocks.iter().any(|it| matches!(it.content, Content::Refusal(_)));
    let finish = if refuses { Some(Finish::Refusal) } else { choice.finish };
    for block in choice.blocks {
        write_block(block, &mut content);
    }
    let has_tools = content.iter().any(|block: &Value| block["type"] == "tool_use");
    let (reason, sequence) = write_finish(finish.as_ref(), has_tools);
    let mut usage = write_usage(&usage.unwrap_or(Usage::default()));
    if let Some(tier @ ("standard" | "priority" | "batch")) = tier.as_deref() {
        usage.insert("service_tier".into(), tier.into());
    }
    object([
        ("id", id.unwrap_or_else(|| format!("msg_{}", client.id)).into()),
        ("type", "message".into()),
        ("role", "assistant".into()),
        ("model", model.unwrap_or_else(|| client.model.clone()).into()),
        ("content", content.into()),
        ("stop_reason", reason.into()),
        ("stop_sequence", sequence.into()),
        ("usage", usage.into()),
    ])
}

/// Media has no place in an answer of this dialect.
fn write_block(block: Block, content: &mut Vec<Value>) {
    match block.content {
        Content::Text(text, citations) => {
            if text.is_empty() && citations.is_empty() {
                return;
            }
            let mut block = Map::with_capacity(3);
            block.insert("type".into(), "text".into());
            block.insert("text".into(), text.into());
            if !citations.is_empty() {
                let citations = citations.into_iter().map(write_citation).collect();
                block.insert("citations".into(), citations);
            }
            content.push(Value::Object(block));
        }
        Content::Refusal(text) => {
            content.push(object([("type", "text".into()), ("text", text.into())]));
        }
        Content::Thought(thought) => write_thought(thought, content),
        Content::ToolUse(call) => {
            let input = call.object();
            let ToolUse { id, name, signature, .. } = call;
            content.push(object([
                ("type", "tool_use".into()),
                ("id", signed_id(id, signature.as_deref()).into()),
                ("name", name.into()),
                ("input", input.into()),
            ]));
        }
        // Blocks of this dialect, whoever answered in it.
        Content::Other(value) if value["type"].is_string() => content.push(value),
        Content::Other(_) | Content::Media(_) | Content::ToolResult(_) => {}
    }
}

fn write_thought(thought: Thought, content: &mut Vec<Value>) {
    let Thought { text, signature, hidden, id } = thought;
    if !text.is_empty() || signature.is_some() {
        content.push(object([
            ("type", "thinking".into()),
            ("thinking", text.into()),
            ("signature", signature.unwrap_or_default().into()),
        ]));
    }
    if let Some(data) = hidden {
        let data = cipher(data, id.as_deref());
        content.push(object([("type", "redacted_thinking".into()), ("data", data.into())]));
    }
}
