//! The tools of a request, and whether they must be called.
use super::Betas;
use super::fields::Object;
use super::format::{Asked, JSON_TOOL};
use super::hosted::Hosted;
use crate::providers::chat::{Function, Lost, Memo, Taking, Tool, ToolChoice, object};
use crate::providers::claude::Model;
use serde_json::{Map, Value, json};

/// What a client asks of tools.
#[derive(Debug)]
pub(super) struct Wish {
    /// Them.
    pub(super) tools: Vec<Tool>,
    /// Whether they must be called.
    pub(super) choice: Option<ToolChoice>,
    /// Whether several may be called at once.
    pub(super) parallel: Option<bool>,
    /// How the format of texts is asked for.
    pub(super) format: Option<Asked>,
    /// Whether the conversation has calls in it.
    pub(super) has_calls: bool,
    /// Whether the model thinks: it cannot be made to call tools then.
    pub(super) thinks: bool,
    /// Whether a request may be changed until it is taken.
    pub(super) modify: bool,
}

/// Puts the tools into `body`.
pub(super) fn offer(
    wish: Wish,
    model: Model,
    body: &mut Object,
    betas: &mut Betas,
    lost: &mut Lost,
) -> Memo {
    let Wish { tools, mut choice, parallel, format, has_calls, thinks, modify } = wish;
    let mut hosted = Hosted::default();
    let allowed = among(&mut choice);
    for tool in tools {
        match tool {
            Tool::Function(function) if is_allowed(&allowed, &function.name) => {
                hosted.tools.push(write_function(function, lost));
            }
            Tool::Function(_) => {}
            Tool::Hosted(tool) => hosted.add(tool, betas, lost),
        }
    }
    let mut memo = Memo::default();
    if let Some(Asked::Tool(tool)) = format {
        // The client wants a call then, and no text.
        if !matches!(choice, Some(ToolChoice::Required | ToolChoice::Tool(_))) {
            choice = Some(match choice {
                Some(ToolChoice::None) => json_only(),
                None if hosted.tools.is_empty() => json_only(),
                _ => ToolChoice::Required,
            });
            hosted.tools.push(tool);
            memo.json_tool = Some(JSON_TOOL);
        }
    }
    if hosted.tools.is_empty() && has_calls && modify {
        hosted.tools.push(json!({
            "name": "dummy_tool",
            "description": "Not to be called.",
            "input_schema": {"type": "object", "properties": {}},
        }));
    }
    let can_force = model.takes_force() && !thinks;
    let choice = write_choice(choice, parallel, can_force, memo.json_tool.is_some(), lost);
    if !hosted.servers.is_empty() {
        let mut servers = body.take_array("mcp_servers");
        servers.append(&mut hosted.servers);
        body.insert("mcp_servers".into(), servers.into());
    }
    if !hosted.tools.is_empty() {
        body.insert("tools".into(), hosted.tools.into());
        if let Some(choice) = choice {
            body.insert("tool_choice".into(), choice);
        }
    } else if choice.is_some_and(|choice| choice["type"] == "any" || choice["type"] == "tool") {
        lost.part("tool_choice");
    }
    memo
}

fn json_only() -> ToolChoice {
    ToolChoice::Tool(JSON_TOOL.into())
}

/// The names that alone are allowed. What is left of the choice is whether one must be called.
fn among(choice: &mut Option<ToolChoice>) -> Option<Vec<String>> {
    let Some(ToolChoice::Among { names, required }) = choice else { return None };
    let (names, required) = (std::mem::take(names), *required);
    *choice = Some(if required { ToolChoice::Required } else { ToolChoice::Auto });
    Some(names)
}

fn is_allowed(allowed: &Option<Vec<String>>, name: &str) -> bool {
    allowed.as_ref().is_none_or(|names| names.iter().any(|allowed| allowed == name))
}

fn write_function(function: Function, lost: &mut Lost) -> Value {
    let Function { name, description, schema, strict, cache, custom, .. } = function;
    if strict == Some(true) {
        lost.hint("strict");
    }
    let mut schema = match schema {
        Some(Value::Object(schema)) => schema,
        _ if custom => Map::from_iter([
            ("type".to_owned(), Value::from("object")),
            ("properties".to_owned(), json!({"input": {"type": "string"}})),
            ("required".to_owned(), json!(["input"])),
        ]),
        _ => Map::new(),
    };
    // The server takes objects only, and wants that to be said.
    if schema.get("type").is_none_or(|kind| kind != "object") {
        schema.insert("type".into(), "object".into());
    }
    if schema.len() == 1 {
        schema.insert("properties".into(), Map::new().into());
    }
    let mut tool = Map::with_capacity(4);
    tool.insert("name".into(), name.into());
    tool.insert("input_schema".into(), schema.into());
    if let Some(description) = description {
        tool.insert("description".into(), description.into());
    }
    if let Some(cache) = cache {
        tool.insert("cache_control".into(), cache);
    }
    Value::Object(tool)
}

/// `tool_choice`. Where a model cannot be made to call a tool, it is left to choose.
fn write_choice(
    choice: Option<ToolChoice>,
    parallel: Option<bool>,
    can_force: bool,
    is_hidden: bool,
    lost: &mut Lost,
) -> Option<Value> {
    let (mut word, mut name) = match choice {
        None if parallel == Some(false) => ("auto", None),
        None => return None,
        Some(ToolChoice::Auto | ToolChoice::Among { .. }) => ("auto", None),
        Some(ToolChoice::None) => ("none", None),
        Some(ToolChoice::Required) => ("any", None),
        Some(ToolChoice::Tool(name)) => ("tool", Some(name)),
    };
    if !can_force && matches!(word, "any" | "tool") {
        (word, name) = ("auto", None);
        // The client has not asked for the hidden tool.
        if !is_hidden {
            lost.part("tool_choice");
        }
    }
    let mut members = object([("type", word.into())]);
    if let Value::Object(members) = &mut members {
        if let Some(name) = name {
            members.insert("name".into(), name.into());
        }
        if parallel == Some(false) && word != "none" {
            members.insert("disable_parallel_tool_use".into(), true.into());
        }
    }
    Some(members)
}
