//! Tools, and whether they must be called.
use super::super::member::{list, members, missing, needed, object, text, truth, within, wrong};
use super::super::namespace::flat;
use super::hosted;
use crate::providers::chat::{Function, Lost, Malformed, Request, Taking, Tool, ToolChoice};
use serde_json::{Map, Value, json};

/// Reads the `tools` at this place. Those that the provider runs stay as they are.
pub(super) fn read(tools: Vec<Value>, place: &str) -> Result<Vec<Tool>, Malformed> {
    let mut read = Vec::with_capacity(tools.len());
    for (at, tool) in tools.into_iter().enumerate() {
        let place = format!("{place}[{at}]");
        let tool = object(tool, &place)?;
        if tool.get("type").is_some_and(|kind| kind == "namespace") {
            namespace(tool, &place, &mut read)?;
        } else {
            read.push(read_one(tool, &place)?);
        }
    }
    Ok(read)
}

fn namespace(
    mut told: Map<String, Value>,
    place: &str,
    into: &mut Vec<Tool>,
) -> Result<(), Malformed> {
    let name = needed(&mut told, place, "name")?;
    let description = text(&mut told, place, "description")?;
    let tools = list(&mut told, place, "tools")?.into_iter().enumerate();
    let place = within(place, "tools");
    let one = |(at, tool)| {
        let place = format!("{place}[{at}]");
        read_one(object(tool, &place)?, &place)
    };
    let mut tools: Vec<Tool> = tools.map(one).collect::<Result<_, _>>()?;
    flat(&name, description, &mut tools);
    into.append(&mut tools);
    Ok(())
}

fn read_one(mut tool: Map<String, Value>, place: &str) -> Result<Tool, Malformed> {
    // As in chats: some clients mix them up.
    for (name, value) in members(&mut tool, place, "function")? {
        tool.entry(name).or_insert(value);
    }
    match tool.get("type").and_then(Value::as_str) {
        None => Err(missing(place, "type")),
        Some("function") => Ok(Tool::Function(Function {
            name: needed(&mut tool, place, "name")?,
            description: text(&mut tool, place, "description")?,
            schema: schema(&mut tool, place)?,
            strict: truth(&mut tool, place, "strict")?,
            cache: tool.take("cache_control"),
            ..Function::default()
        })),
        Some("custom") => Ok(Tool::Function(custom(tool, place)?)),
        Some(_) => Ok(Tool::Hosted(Value::Object(tool))),
    }
}

fn schema(tool: &mut Map<String, Value>, place: &str) -> Result<Option<Value>, Malformed> {
    match tool.take("parameters") {
        Some(other) if !other.is_object() => {
            Err(wrong(within(place, "parameters"), "a JSON Schema: an object", &other))
        }
        schema => Ok(schema),
    }
}

/// A tool that takes free text. What its text must look like is told in its description.
fn custom(mut tool: Map<String, Value>, place: &str) -> Result<Function, Malformed> {
    let name = needed(&mut tool, place, "name")?;
    let described = text(&mut tool, place, "description")?;
    let mut format = members(&mut tool, place, "format")?;
    let grammar = match format.take_text("type").as_deref() {
        Some("grammar") => {
            let place = within(place, "format");
            let definition = needed(&mut format, &place, "definition")?;
            let syntax = needed(&mut format, &place, "syntax")?;
            Some(format!("The input must match this {syntax} grammar:\n{definition}"))
        }
        _ => None,
    };
    let description = match (described, grammar) {
        (Some(described), Some(grammar)) => Some(format!("{described}\n\n{grammar}")),
        (described, grammar) => described.or(grammar),
    };
    Ok(Function {
        name,
        description,
        schema: Some(json!({
            "type": "object",
            "properties": {"input": {"type": "string"}},
            "required": ["input"],
            "additionalProperties": false,
        })),
        cache: tool.take("cache_control"),
        custom: true,
        ..Function::default()
    })
}

/// Takes `tool_choice` out of a request. One that names a tool that the provider runs stays.
pub(super) fn read_choice(body: &mut Map<String, Value>) -> Result<Option<ToolChoice>, Malformed> {
    let place = "tool_choice";
    let mut choice = match body.take(place) {
        None => return Ok(None),
        Some(Value::String(word)) => return word_for(&word, place).map(Some),
        Some(other) => object(other, place)?,
    };
    match choice.get("type").and_then(Value::as_str) {
        None => Err(missing(place, "type")),
        Some("function" | "custom") => {
            // As in chats: some clients mix them up.
            for (name, value) in members(&mut choice, place, "function")? {
                choice.entry(name).or_insert(value);
            }
            Ok(Some(ToolChoice::Tool(needed(&mut choice, place, "name")?)))
        }
        Some("allowed_tools") => {
            let required = word_for(&needed(&mut choice, place, "mode")?, "tool_choice.mode")?;
            let tools = list(&mut choice, place, "tools")?;
            Ok(Some(ToolChoice::Among {
                names: tools.into_iter().filter_map(named).collect(),
                required: required == ToolChoice::Required,
            }))
        }
        Some(_) => {
            body.insert(place.to_owned(), Value::Object(choice));
            Ok(None)
        }
    }
}

fn word_for(word: &str, place: &str) -> Result<ToolChoice, Malformed> {
    match word {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "required" => Ok(ToolChoice::Required),
        other => {
            let known = "use `auto`, `none`, `required` or an object";
            Err(Malformed::new(place, format!("`{place}` is `{other}`: {known}.")))
        }
    }
}

/// The name of an allowed tool; of one that the provider runs, its type.
fn named(tool: Value) -> Option<String> {
    let Value::Object(mut tool) = tool else { return None };
    let name = tool.take_text("name");
    name.or_else(|| tool.take_text("type"))
}

/// Writes `tools`, `tool_choice` and `parallel_tool_calls`.
pub(super) fn write(request: &mut Request, body: &mut Map<String, Value>, lost: &mut Lost) {
    let mut tools = Vec::with_capacity(request.tools.len());
    let mut customs = Vec::new();
    for tool in std::mem::take(&mut request.tools) {
        match tool {
            Tool::Function(function) => {
                if function.custom {
                    customs.push(function.name.clone());
                }
                tools.push(write_function(function, lost));
            }
            Tool::Hosted(tool) => match hosted::write(tool) {
                Some(tool) => tools.push(tool),
                None => lost.part("tools"),
            },
        }
    }
    tools.extend(hosted::web_search(&mut request.rest));
    let of_client = request.rest.get("tool_choice").is_some_and(Value::is_object);
    let choice = match request.tool_choice.take() {
        None if of_client => request.rest.take("tool_choice"),
        choice => choice.map(|choice| write_choice(choice, &customs)),
    };
    let parallel = request.parallel_tools.take().map(Value::Bool);
    if !tools.is_empty() {
        body.insert("tools".to_owned(), Value::Array(tools));
    }
    for (name, value) in [("tool_choice", choice), ("parallel_tool_calls", parallel)] {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    }
}

fn write_function(function: Function, lost: &mut Lost) -> Value {
    if function.cache.is_some() {
        lost.hint("cache_control");
    }
    let mut tool = Map::new();
    let kind = if function.custom { "custom" } else { "function" };
    tool.insert("type".to_owned(), kind.into());
    tool.insert("name".to_owned(), function.name.into());
    if let Some(description) = function.description {
        tool.insert("description".to_owned(), description.into());
    }
    if !function.custom {
        let nothing = || json!({"type": "object", "properties": {}});
        tool.insert("parameters".to_owned(), function.schema.unwrap_or_else(nothing));
        // Responses would be strict where nothing is said; no other dialect is.
        tool.insert("strict".to_owned(), function.strict.unwrap_or(false).into());
    }
    Value::Object(tool)
}

fn write_choice(choice: ToolChoice, customs: &[String]) -> Value {
    let kind = |name: &String| if customs.contains(name) { "custom" } else { "function" };
    match choice {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::Tool(name) => json!({"type": kind(&name), "name": name}),
        ToolChoice::Among { names, required } => {
            let tools = names.iter().map(|name| json!({"type": kind(name), "name": name}));
            json!({
                "type": "allowed_tools",
                "mode": if required { "required" } else { "auto" },
                "tools": tools.collect::<Vec<_>>(),
            })
        }
    }
}
