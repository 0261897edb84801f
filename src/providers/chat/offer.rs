//! Tools of providers that have functions only.
use super::{Function, Lost, Malformed, Tool, object};
use serde_json::Value;
use std::collections::HashSet;

/// The functions of `tools`, or `only` these of them, as OpenAI writes them.
///
/// # Errors
/// When none of those is there.
pub fn offered(
    tools: Vec<Tool>,
    only: Option<&HashSet<String>>,
    lost: &mut Lost,
) -> Result<Vec<Value>, Malformed> {
    let mut list = Vec::with_capacity(tools.len());
    for tool in tools {
        match tool {
            Tool::Function(function) => {
                if only.is_none_or(|names| names.contains(&function.name)) {
                    list.push(written(function, lost));
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

fn written(function: Function, lost: &mut Lost) -> Value {
    if function.strict == Some(true) {
        lost.hint("strict");
    }
    lost.hint_of("cache_control", &function.cache);
    object([("type", "function".into()), ("function", function.definition().into())])
}
