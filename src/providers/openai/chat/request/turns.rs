//! Messages.
use super::{content, history};
use crate::data::Quirks;
use crate::providers::chat::{
    Block, Content, Lost, Malformed, Role, Taking, Thought, ToolResult, ToolUse, Turn, object,
    split_proof, text_of,
};
use serde_json::{Map, Value, json};

/// Reads `messages`. Results of tools that follow each other are one turn.
pub(super) fn read(messages: Vec<Value>) -> Result<Vec<Turn>, Malformed> {
    let mut turns: Vec<Turn> = Vec::with_capacity(messages.len());
    for (at, message) in messages.into_iter().enumerate() {
        let Value::Object(mut message) = message else {
            let text = "A message must be an object with a `role` and a `content`.";
            return Err(Malformed::new(format!("messages[{at}]"), text));
        };
        let role = message.take_text("role").unwrap_or_default();
        let place = format!("messages[{at}].content");
        match role.as_str() {
            "tool" | "function" => {
                let result = result(message, &place)?;
                match turns.last_mut().filter(|turn| is_of_tools(turn)) {
                    Some(turn) => turn.blocks.push(result),
                    None => turns.push(Turn::new(Role::User, vec![result])),
                }
                continue;
            }
            "assistant" => turns.push(assistant(message, &place)?),
            "system" => turns.push(plain(Role::System, message, &place)?),
            "developer" => turns.push(plain(Role::Developer, message, &place)?),
            "user" => turns.push(plain(Role::User, message, &place)?),
            _ => {
                return Err(Malformed::new(
                    format!("messages[{at}].role"),
                    format!(
                        "The role `{role}` of a message is not known: use `system`, `developer`, \
                         `user`, `assistant` or `tool`."
                    ),
                ));
            }
        }
    }
    Ok(turns)
}

fn is_of_tools(turn: &Turn) -> bool {
    let is_result = |block: &Block| matches!(block.content, Content::ToolResult(_));
    turn.role == Role::User && !turn.blocks.is_empty() && turn.blocks.iter().all(is_result)
}

fn plain(role: Role, mut message: Map<String, Value>, place: &str) -> Result<Turn, Malformed> {
    let mut blocks = content::read(message.take("content"), place)?;
    hint(&mut blocks, message.take("cache_control"));
    Ok(Turn { role, name: message.take_text("name"), blocks })
}

/// LiteLLM's clients may hint at the whole message: at its end.
fn hint(blocks: &mut [Block], cache: Option<Value>) {
    if let (Some(last), Some(cache)) = (blocks.last_mut(), cache) {
        last.cache = Some(cache);
    }
}

fn result(mut message: Map<String, Value>, place: &str) -> Result<Block, Malformed> {
    let blocks = content::read(message.take("content"), place)?;
    let name = message.take_text("name");
    let id = message.take_text("tool_call_id").or_else(|| name.clone()).unwrap_or_default();
    let id = split_proof(&id).0.to_owned();
    let content = Content::ToolResult(ToolResult { id, name, blocks, failed: false });
    Ok(Block { content, cache: message.take("cache_control") })
}

fn assistant(mut message: Map<String, Value>, place: &str) -> Result<Turn, Malformed> {
    let mut blocks = history::read(&mut message);
    let empty = |block: &Block| block.as_text() == Some("");
    let said = content::read(message.take("content"), place)?;
    blocks.extend(said.into_iter().filter(|block| !empty(block)));
    if let Some(refusal) = message.take_text("refusal") {
        blocks.push(Block::new(Content::Refusal(refusal)));
    }
    hint(&mut blocks, message.take("cache_control"));
    blocks.extend(calls(&mut message).into_iter().map(|call| Block::new(Content::ToolUse(call))));
    Ok(Turn { role: Role::Assistant, name: message.take_text("name"), blocks })
}

/// The tools that a message calls: `tool_calls`, and `function_call`, its older form.
pub(in super::super) fn calls(message: &mut Map<String, Value>) -> Vec<ToolUse> {
    let calls = message.take_array("tool_calls").into_iter().filter_map(call);
    let mut calls: Vec<ToolUse> = calls.collect();
    if let Some(mut older) = message.take_object("function_call") {
        let name = older.take_text("name").unwrap_or_default();
        let input = arguments(older.take("arguments"));
        calls.push(ToolUse { id: name.clone(), name, input, signature: None });
    }
    calls
}

/// Gemini's proof of the thought behind a call, where LiteLLM or Google's OpenAI-compatible endpoint
/// keeps it.
pub(in super::super) fn signature_of(call: &mut Map<String, Value>) -> Option<String> {
    let litellm = |told: &mut Map<String, Value>| {
        told.take_object("provider_specific_fields")?.take_text("thought_signature")
    };
    let google = |told: &mut Map<String, Value>| {
        told.take_object("extra_content")?.take_object("google")?.take_text("thought_signature")
    };
    litellm(call).or_else(|| google(call))
}

fn call(call: Value) -> Option<ToolUse> {
    let Value::Object(mut call) = call else { return None };
    let id = call.take_text("id").unwrap_or_default();
    let (id, in_id) = split_proof(&id);
    let signature = signature_of(&mut call).or_else(|| in_id.map(str::to_owned));
    let id = id.to_owned();
    if let Some(mut custom) = call.take_object("custom") {
        let input = custom.take_text("input").unwrap_or_default();
        let input = json!({"input": input}).to_string();
        let name = custom.take_text("name").unwrap_or_default();
        return Some(ToolUse { id, name, input, signature });
    }
    let mut function = call.take_object("function")?;
    let signature = signature.or_else(|| signature_of(&mut function));
    let name = function.take_text("name").unwrap_or_default();
    Some(ToolUse { id, name, input: arguments(function.take("arguments")), signature })
}

/// Arguments are JSON in a text; some write the object itself.
pub(in super::super) fn arguments(told: Option<Value>) -> String {
    told.map(text_of).unwrap_or_default()
}

/// Writes `messages`.
pub(super) fn write(turns: Vec<Turn>, quirks: &Quirks, lost: &mut Lost) -> Vec<Value> {
    let mut messages = Vec::with_capacity(turns.len());
    for turn in turns {
        match turn.role {
            Role::Assistant => messages.push(write_assistant(turn, quirks, lost)),
            Role::User => write_user(turn, quirks, lost, &mut messages),
            Role::System | Role::Developer => {
                let developer = turn.role == Role::Developer && quirks.newest();
                let role = if developer { "developer" } else { "system" };
                let content = content::write(turn.blocks, quirks, lost);
                messages.push(message(role, turn.name, content));
            }
        }
    }
    messages
}

fn message(role: &str, name: Option<String>, content: Value) -> Value {
    let mut message = object([("role", role.into()), ("content", content)]);
    if let (Some(name), Some(message)) = (name, message.as_object_mut()) {
        message.insert("name".to_owned(), name.into());
    }
    message
}

/// Each result of a tool is a message. What else a result holds than text follows as the user's:
/// a tool's message takes texts only.
fn write_user(turn: Turn, quirks: &Quirks, lost: &mut Lost, messages: &mut Vec<Value>) {
    let mut rest = Vec::new();
    for block in turn.blocks {
        let Content::ToolResult(result) = block.content else {
            rest.push(block);
            continue;
        };
        let mut text = result.text();
        if result.failed && text.is_empty() {
            "error".clone_into(&mut text);
        }
        messages.push(object([
            ("role", "tool".into()),
            ("tool_call_id", tool_id(result.id, quirks).into()),
            ("content", text.into()),
        ]));
        rest.extend(result.blocks.into_iter().filter(|block| block.as_text().is_none()));
    }
    if !rest.is_empty() {
        let content = content::write(rest, quirks, lost);
        if content != json!([]) {
            messages.push(message("user", turn.name, content));
        }
    }
}

fn write_assistant(turn: Turn, quirks: &Quirks, lost: &mut Lost) -> Value {
    let (mut thoughts, mut calls, mut said) = (Vec::<Thought>::new(), Vec::new(), Vec::new());
    for block in turn.blocks {
        match block.content {
            Content::Thought(thought) => thoughts.push(thought),
            Content::ToolUse(call) => calls.push(call),
            _ => said.push(block),
        }
    }
    let mut written = Map::new();
    written.insert("role".to_owned(), "assistant".into());
    let none = said.is_empty();
    let content = if none { Value::Null } else { content::write(said, quirks, lost) };
    written.insert("content".to_owned(), content);
    if !thoughts.is_empty() {
        history::write(thoughts, &mut written, quirks, lost);
    }
    if none && calls.is_empty() {
        written.insert("content".to_owned(), "".into());
    }
    if !calls.is_empty() {
        let calls = calls.into_iter().map(|call| write_call(call, quirks)).collect();
        written.insert("tool_calls".to_owned(), calls);
    }
    if let Some(name) = turn.name {
        written.insert("name".to_owned(), name.into());
    }
    Value::Object(written)
}

fn write_call(call: ToolUse, quirks: &Quirks) -> Value {
    let input = if call.input.is_empty() { "{}".to_owned() } else { call.input };
    let id = tool_id(call.id, quirks);
    let function = object([("name", call.name.into()), ("arguments", input.into())]);
    let mut written =
        object([("id", id.into()), ("type", "function".into()), ("function", function)]);
    if let (true, Some(signature), Some(call)) =
        (quirks.proofs(), call.signature, written.as_object_mut())
    {
        let told = json!({"thought_signature": signature});
        call.insert("provider_specific_fields".to_owned(), told);
    }
    written
}

/// An id without what another dialect put into it of a thought's proof, unless another LiteLLM reads
/// it.
fn tool_id(id: String, quirks: &Quirks) -> String {
    match id.split_once("__thought__") {
        Some((bare, _)) if !quirks.proofs() => bare.to_owned(),
        _ => id,
    }
}
