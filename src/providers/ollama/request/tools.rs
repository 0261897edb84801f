//! Tools. Ollama has functions only, and cannot be told to call one: it is offered no others then.
use crate::providers::chat::{Lost, Malformed, Tool, ToolChoice, offered};
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
    offered(tools, only.as_ref(), lost)
}
