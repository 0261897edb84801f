//! Tools. Ollama has functions only, and cannot be told to call one: it is offered no others then.
use crate::providers::chat::{Function, Lost, Malformed, Tool, ToolChoice, object};
use serde_json::Value;
use std::collections::HashSet;

/// Writes the functions that the model may call.
///
/// # Errors
/// If a tool must be called that is not there.
pub(super) fn write(
    tools: Vec<Tool>,
    choice: Option<ToolChoice>,
    lost: &mut Lost,
) -> Result<Vec<Value>, Malformed> {
    let (only, required): (Option<HashSet<String>>, bool) = match choice {
        None | Some(ToolChoice::Auto) => (None, false),
        // Not offered, they are not called.
        Some(ToolChoice::None) => return Ok(Vec::new()),
        Some(ToolChoice::Required) => (None, true),
        Some(ToolChoice::Tool(name)) => (Some(HashSet::from([name])), true),
        Some(ToolChoice::Among { names, required }) => {
            (Some(names.into_iter().collect()), required)
        }
    };
    if required {
        lost.hint("tool_choice");
    }
    let mut list = Vec::with_capacity(tools.len());
    for tool in tools {
        match tool {
            Tool::Function(function) => {
                if only.as_ref().is_none_or(|names| names.contains(&function.name)) {
                    list.push(write_function(function, lost));
                }
            }
            Tool::Hosted(tool) => {
                let kind = tool.get("type").and_then(Value::as_str).unwrap_or("hosted");
                lost.part(format!("tools.{kind}"));
            }
        }
    }
    if list.is_empty() && only.is_some() {
        return Err(Malformed::new("tool_choice", "it names no function that `tools` has"));
    }
    Ok(list)
}

fn write_function(told: Function, lost: &mut Lost) -> Value {
    if told.strict == Some(true) {
        lost.hint("strict");
    }
    if told.cache.is_some() {
        lost.hint("cache_control");
    }
    object([("type", "function".into()), ("function", told.definition().into())])
}
