//! Tools. Cohere has functions only, and can be told to call one of them, but not which: the others
//! are not offered then.
use crate::providers::chat::{Lost, Malformed, Tool, ToolChoice, offered};
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
    // Its `strict_tools` is for all of them, and refuses those without required arguments.
    let list = offered(tools, only.as_ref(), lost)?;
    if list.is_empty() {
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
