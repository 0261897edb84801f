//! A client's conversation.
use super::documents;
use crate::providers::chat::fields::{
    Object, into_object, list, required_text, text, within, wrong,
};
use crate::providers::chat::{
    Block, Content, Malformed, Media, MediaKind, Role, Taking, ToolResult, Turn, source_of_url,
    unsigned_id,
};
use crate::providers::cohere::answer::read_message;
use serde_json::Value;

/// Reads `messages`. Results of tools that follow each other are one turn.
pub(super) fn read(messages: Vec<Value>) -> Result<Vec<Turn>, Malformed> {
    let mut turns = Vec::with_capacity(messages.len());
    for (index, message) in messages.into_iter().enumerate() {
        let read = into_object(message).ok_or_else(|| wrong("", "an object"));
        let read = read.and_then(|message| read_one(message, &mut turns));
        read.map_err(|error| within(error, format_args!("messages[{index}]")))?;
    }
    Ok(turns)
}

fn read_one(mut message: Object, turns: &mut Vec<Turn>) -> Result<(), Malformed> {
    let role = match required_text(&mut message, "role")?.as_str() {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => {
            let blocks = assistant(message)?;
            turns.push(Turn::new(Role::Assistant, blocks));
            return Ok(());
        }
        "tool" => {
            let block = Block::new(Content::ToolResult(result(message)?));
            match turns.last_mut().filter(|turn| is_of_tools(turn)) {
                Some(turn) => turn.blocks.push(block),
                None => turns.push(Turn::new(Role::User, vec![block])),
            }
            return Ok(());
        }
        _ => return Err(wrong("role", "`system`, `user`, `assistant` or `tool`")),
    };
    turns.push(Turn::new(role, content(&mut message)?));
    Ok(())
}

fn is_of_tools(turn: &Turn) -> bool {
    turn.blocks.first().is_some_and(|block| matches!(block.content, Content::ToolResult(_)))
}

/// What the model said before, as it is read in an answer. Its plan is text here: the user has read
/// it, and other models hide thoughts that they cannot prove.
fn assistant(mut message: Object) -> Result<Vec<Block>, Malformed> {
    for (index, call) in
        message.get("tool_calls").and_then(Value::as_array).into_iter().flatten().enumerate()
    {
        if !call.get("function").is_some_and(Value::is_object) {
            return Err(wrong(&format!("tool_calls[{index}].function"), "an object"));
        }
    }
    let plan = text(&mut message, "tool_plan")?.filter(|plan| !plan.is_empty());
    let mut blocks: Vec<Block> = plan.map(Block::text).into_iter().collect();
    blocks.extend(read_message(message));
    for block in &mut blocks {
        if let Content::ToolUse(call) = &mut block.content {
            (call.id, call.signature) = unsigned_id(std::mem::take(&mut call.id));
        }
    }
    Ok(blocks)
}

fn result(mut message: Object) -> Result<ToolResult, Malformed> {
    let id = unsigned_id(required_text(&mut message, "tool_call_id")?).0;
    let blocks = content(&mut message)?;
    Ok(ToolResult { id, blocks, ..ToolResult::default() })
}

/// A text, or parts.
fn content(message: &mut Object) -> Result<Vec<Block>, Malformed> {
    if message.get("content").is_some_and(Value::is_string) {
        let text = text(message, "content")?.filter(|text| !text.is_empty());
        return Ok(text.map(Block::text).into_iter().collect());
    }
    let parts = list(message, "content")?.into_iter().enumerate();
    let read =
        |(index, told)| part(told).map_err(|error| within(error, format_args!("content[{index}]")));
    parts.map(read).collect()
}

fn part(told: Value) -> Result<Block, Malformed> {
    let mut told = into_object(told).ok_or_else(|| wrong("", "an object"))?;
    let kind = told.get("type").and_then(Value::as_str).unwrap_or("text").to_owned();
    match kind.as_str() {
        "text" => required_text(&mut told, "text").map(Block::text),
        "document" => documents::of_result(told.take("document")).map(Block::text),
        "image_url" => picture(told),
        _ => Ok(Block::new(Content::Other(told.into()))),
    }
}

fn picture(mut told: Object) -> Result<Block, Malformed> {
    let mut image = match told.take("image_url") {
        Some(Value::String(url)) => Object::from_iter([("url".to_owned(), url.into())]),
        image => image.and_then(into_object).ok_or_else(|| wrong("image_url", "an object"))?,
    };
    let url = required_text(&mut image, "url").map_err(|error| within(error, "image_url"))?;
    let (source, media_type) = source_of_url(url);
    let detail = text(&mut image, "detail").map_err(|error| within(error, "image_url"))?;
    let media = Media { kind: MediaKind::Image, source, media_type, name: None, detail };
    Ok(Block::new(Content::Media(media)))
}
