//! The items of a request's `input`.
use super::super::member::{list, missing, needed, object, text, within, wrong};
use super::super::{free_text, namespace, sealed};
use super::conversation::Conversation;
use super::{content, tools};
use crate::providers::chat::{
    Block, Content, Malformed, Role, Taking, Thought, Tool, ToolResult, ToolUse, Turn, text_of,
};
use serde_json::{Map, Value};

/// Reads `instructions` and an `input`, both texts or lists of items; and the tools that stand
/// among the items.
pub(super) fn read(
    instructions: Option<Value>,
    input: Option<Value>,
) -> Result<(Vec<Turn>, Vec<Tool>), Malformed> {
    let mut conversation = Conversation::default();
    for (name, told, role) in
        [("instructions", instructions, Role::System), ("input", input, Role::User)]
    {
        match told {
            None => {}
            Some(Value::String(text)) => conversation.turn(role, vec![Block::text(text)]),
            Some(Value::Array(items)) => {
                for (at, item) in items.into_iter().enumerate() {
                    read_item(&mut conversation, item, &format!("{name}[{at}]"))?;
                }
            }
            Some(other) => return Err(wrong(name.to_owned(), "a text or a list of items", &other)),
        }
    }
    Ok(conversation.end())
}

fn read_item(into: &mut Conversation, item: Value, place: &str) -> Result<(), Malformed> {
    let item = object(item, place)?;
    let kind = match item.get("type") {
        None | Some(Value::Null) if item.contains_key("role") => "message".to_owned(),
        None | Some(Value::Null) if item.contains_key("id") => "item_reference".to_owned(),
        None | Some(Value::Null) => return Err(missing(place, "type")),
        Some(Value::String(kind)) => kind.clone(),
        Some(other) => return Err(wrong(format!("{place}.type"), "a text", other)),
    };
    match kind.as_str() {
        "message" => message(into, item, place)?,
        "reasoning" => into.assistant([reasoning(item, place)?]),
        "function_call" => into.call(function_call(item, place)?),
        "custom_tool_call" => into.call(custom_call(item, place)?),
        "local_shell_call" | "shell_call" => into.call(act(item, &kind, "action", place)?),
        "apply_patch_call" => into.call(act(item, &kind, "operation", place)?),
        "function_call_output" | "custom_tool_call_output" => into.result(result(item, place)?),
        "local_shell_call_output" | "shell_call_output" | "apply_patch_call_output" => {
            into.result(outcome(item, place)?);
        }
        "additional_tools" => into.offer(additional(item, place)?),
        "mcp_approval_response" => into.turn(Role::User, vec![other(item)]),
        kind if kind.ends_with("_output") => into.turn(Role::User, vec![other(item)]),
        // What the provider's own tools did, and what refers to things that it keeps.
        _ => into.assistant([other(item)]),
    }
    Ok(())
}

fn additional(mut item: Map<String, Value>, place: &str) -> Result<Vec<Tool>, Malformed> {
    tools::read(list(&mut item, place, "tools")?, &within(place, "tools"))
}

fn other(item: Map<String, Value>) -> Block {
    Block::new(Content::Other(Value::Object(item)))
}

fn message(
    into: &mut Conversation,
    mut item: Map<String, Value>,
    place: &str,
) -> Result<(), Malformed> {
    let role = match needed(&mut item, place, "role")?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        "developer" => Role::Developer,
        other => {
            let known = "use `user`, `assistant`, `system` or `developer`";
            let message = format!("`{place}.role` is `{other}`: {known}.");
            return Err(Malformed::new(format!("{place}.role"), message));
        }
    };
    let blocks = content::read(item.take("content"), place, "content")?;
    match role {
        Role::Assistant => into.assistant(blocks),
        _ => into.turn(role, blocks),
    }
    Ok(())
}

/// A thought: its own words where they are told, else their summary.
fn reasoning(mut item: Map<String, Value>, place: &str) -> Result<Block, Malformed> {
    let id = text(&mut item, place, "id")?;
    let encrypted = text(&mut item, place, "encrypted_content")?;
    let summary = list(&mut item, place, "summary")?;
    let content = list(&mut item, place, "content")?;
    let text = super::super::answer::thought(content, summary);
    let mut thought = Thought { text, id, ..Thought::default() };
    sealed::read_thought(&mut thought, encrypted);
    Ok(Block::new(Content::Thought(thought)))
}

/// The one name of a tool that an item names.
fn name(item: &mut Map<String, Value>, place: &str) -> Result<Option<String>, Malformed> {
    let name = text(item, place, "name")?;
    let namespace = text(item, place, "namespace")?.filter(|namespace| !namespace.is_empty());
    Ok(match (namespace, name) {
        (Some(namespace), Some(name)) => Some(namespace::joined(&namespace, &name)),
        (_, name) => name,
    })
}

fn function_call(mut item: Map<String, Value>, place: &str) -> Result<ToolUse, Malformed> {
    let (id, signature) = sealed::read_call(needed(&mut item, place, "call_id")?);
    let name = name(&mut item, place)?.ok_or_else(|| missing(place, "name"))?;
    let input = needed(&mut item, place, "arguments")?;
    Ok(ToolUse { id, name, input, signature })
}

fn custom_call(mut item: Map<String, Value>, place: &str) -> Result<ToolUse, Malformed> {
    let (id, signature) = sealed::read_call(needed(&mut item, place, "call_id")?);
    let name = name(&mut item, place)?.ok_or_else(|| missing(place, "name"))?;
    let input = free_text::arguments(&needed(&mut item, place, "input")?);
    Ok(ToolUse { id, name, input, signature })
}

/// A call of a tool that OpenAI defines and the client runs: `shell_call` is one of `shell`.
fn act(
    mut item: Map<String, Value>,
    kind: &str,
    arguments: &str,
    place: &str,
) -> Result<ToolUse, Malformed> {
    let id = needed(&mut item, place, "call_id")?;
    let name = kind.trim_end_matches("_call").to_owned();
    let input = item.take(arguments).ok_or_else(|| missing(place, arguments))?.to_string();
    Ok(ToolUse { id, name, input, signature: None })
}

fn result(mut item: Map<String, Value>, place: &str) -> Result<ToolResult, Malformed> {
    let (id, _) = sealed::read_call(needed(&mut item, place, "call_id")?);
    let name = name(&mut item, place)?;
    let blocks = content::read(item.take("output"), place, "output")?;
    Ok(ToolResult { id, name, blocks, failed: false })
}

/// What such a tool gave back, as text.
fn outcome(mut item: Map<String, Value>, place: &str) -> Result<ToolResult, Malformed> {
    let own = text(&mut item, place, "id")?;
    let id = text(&mut item, place, "call_id")?.or(own);
    let id = id.ok_or_else(|| missing(place, "call_id"))?;
    let failed = item.take_text("status").is_some_and(|status| status == "failed");
    let output = item.take("output").map(text_of);
    let output = output.unwrap_or_else(|| if failed { "failed" } else { "done" }.to_owned());
    Ok(ToolResult { id, name: None, blocks: vec![Block::text(output)], failed })
}
