//! What a client offers its model to call.
use super::fields::{Object, flag, into_object, required, required_text, text, within, wrong};
use crate::providers::chat::{Function, Malformed, Taking, Tool, ToolChoice};
use serde_json::Value;

/// The tools. Hints that only Anthropic takes for the client's own ones are left behind
/// (`defer_loading`, `eager_input_streaming`, …).
pub(super) fn read_tools(tools: Vec<Value>) -> Result<Vec<Tool>, Malformed> {
    let read = |(index, tool)| {
        read_tool(tool).map_err(|error| within(error, format_args!("tools[{index}]")))
    };
    tools.into_iter().enumerate().map(read).collect()
}

fn read_tool(tool: Value) -> Result<Tool, Malformed> {
    let mut tool = into_object(tool).ok_or_else(|| wrong("", "an object"))?;
    let kind = tool.get("type").filter(|kind| !kind.is_null());
    if kind.is_some_and(|kind| kind != "custom") {
        return Ok(Tool::Hosted(Value::Object(tool)));
    }
    Ok(Tool::Function(Function {
        name: required_text(&mut tool, "name")?,
        description: text(&mut tool, "description")?,
        schema: Some(required(&mut tool, "input_schema", "an object", |schema| {
            schema.is_object().then_some(schema)
        })?),
        strict: flag(&mut tool, "strict")?,
        cache: tool.take("cache_control"),
        ..Function::default()
    }))
}

/// Whether a tool must be called, and whether several may be called at once.
pub(super) fn read_choice(
    mut choice: Object,
) -> Result<(Option<ToolChoice>, Option<bool>), Malformed> {
    let parallel = flag(&mut choice, "disable_parallel_tool_use")?.map(|disabled| !disabled);
    let choice = match required_text(&mut choice, "type")?.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Tool(required_text(&mut choice, "name")?),
        _ => return Err(wrong("type", "`auto`, `any`, `tool` or `none`")),
    };
    Ok((Some(choice), parallel))
}
