//! Tools. Cohere has functions only, and can be told to call one of them, but not which: the others
//! are not offered then.
use crate::providers::chat::{Function, Lost, Malformed, Tool, ToolChoice, object};
use serde_json::Value;
use std::collections::HashSet;

/// What a model may call.
#[derive(Debug)]
pub(super) struct Tools {
    /// The functions.
    pub list: Vec<Value>,
    /// Whether it must; `None` is as it likes.
    pub choice: Option<&'static str>,
}

/// Writes tools, and whether one of them must be called.
///
/// # Errors
/// If a tool must be called that is not there.
pub(super) fn write(
    tools: Vec<Tool>,
    choice: Option<ToolChoice>,
    lost: &mut Lost,
) -> Result<Tools, Malformed> {
    let (mut choice, only) = limits(choice);
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
    if list.is_empty() {
        if only.is_some() {
            return Err(Malformed::new("tool_choice", "it names no function that `tools` has"));
        }
        if choice == Some("REQUIRED") {
            lost.part("tool_choice");
        }
        choice = None;
    }
    Ok(Tools { list, choice })
}

/// Cohere's word for a choice, and the only functions to be offered for it.
fn limits(choice: Option<ToolChoice>) -> (Option<&'static str>, Option<HashSet<String>>) {
    match choice {
        None | Some(ToolChoice::Auto) => (None, None),
        Some(ToolChoice::None) => (Some("NONE"), None),
        Some(ToolChoice::Required) => (Some("REQUIRED"), None),
        Some(ToolChoice::Tool(name)) => (Some("REQUIRED"), Some(HashSet::from([name]))),
        Some(ToolChoice::Among { names, required }) => {
            (required.then_some("REQUIRED"), Some(names.into_iter().collect()))
        }
    }
}

fn write_function(told: Function, lost: &mut Lost) -> Value {
    if told.strict == Some(true) {
        // Its `strict_tools` is for all of them, and refuses those without required arguments.
        lost.hint("strict");
    }
    if told.cache.is_some() {
        lost.hint("cache_control");
    }
    object([("type", "function".into()), ("function", told.definition().into())])
}
