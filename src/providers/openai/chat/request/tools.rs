//! Tools, and whether they must be called.
use crate::data::Quirks;
use crate::providers::chat::{Function, Lost, Malformed, Taking, Tool, ToolChoice, object};
use serde_json::{Map, Value, json};

/// `tools`, and `functions`, their older form.
pub(super) fn read(body: &mut Map<String, Value>) -> Result<Vec<Tool>, Malformed> {
    let older = body.take_array("functions").into_iter().map(|function| (function, true));
    let tools = body.take_array("tools").into_iter().map(|tool| (tool, false));
    let mut read = Vec::new();
    for (at, (tool, bare)) in tools.chain(older).enumerate() {
        let Value::Object(mut tool) = tool else {
            return Err(Malformed::new(format!("tools[{at}]"), "A tool must be an object."));
        };
        if bare {
            read.push(function(tool, at)?);
            continue;
        }
        read.push(match tool.get("type").and_then(Value::as_str) {
            None | Some("function") if tool.contains_key("function") => {
                let cache = tool.take("cache_control");
                let missing = || {
                    Malformed::new(format!("tools[{at}].function"), "A function must be an object.")
                };
                let mut inner = tool.take_object("function").ok_or_else(missing)?;
                if let Some(cache) = cache {
                    inner.insert("cache_control".to_owned(), cache);
                }
                function(inner, at)?
            }
            Some("custom") => custom(tool.take_object("custom").unwrap_or(tool)),
            _ => Tool::Hosted(Value::Object(tool)),
        });
    }
    Ok(read)
}

fn function(mut told: Map<String, Value>, at: usize) -> Result<Tool, Malformed> {
    let missing = || {
        let param = format!("tools[{at}].function.name");
        Malformed::new(param, "A function must have a `name`.")
    };
    Ok(Tool::Function(Function {
        name: told.take_text("name").ok_or_else(missing)?,
        description: told.take_text("description"),
        schema: told.take("parameters"),
        strict: told.take_bool("strict"),
        cache: told.take("cache_control"),
        ..Function::default()
    }))
}

/// A tool that takes free text.
fn custom(mut told: Map<String, Value>) -> Tool {
    let schema = json!({
        "type": "object",
        "properties": {"input": {"type": "string"}},
        "required": ["input"],
    });
    Tool::Function(Function {
        name: told.take_text("name").unwrap_or_default(),
        description: told.take_text("description"),
        schema: Some(schema),
        custom: true,
        ..Function::default()
    })
}

/// `tool_choice`, and `function_call`, its older form.
pub(super) fn read_choice(body: &mut Map<String, Value>) -> Result<Option<ToolChoice>, Malformed> {
    let older = body.take("function_call");
    let Some(told) = body.take("tool_choice").or(older) else { return Ok(None) };
    let unknown = || {
        let message = "`tool_choice` must be `auto`, `none`, `required` or name a tool.";
        Err(Malformed::new("tool_choice", message))
    };
    let mut told = match told {
        Value::String(word) => {
            return match word.as_str() {
                "auto" => Ok(Some(ToolChoice::Auto)),
                "none" | "NONE" => Ok(Some(ToolChoice::None)),
                // Mistral's and Cohere's words for it.
                "required" | "any" | "REQUIRED" => Ok(Some(ToolChoice::Required)),
                _ => unknown(),
            };
        }
        Value::Object(told) => told,
        _ => return unknown(),
    };
    if let Some(mut allowed) = told.take_object("allowed_tools") {
        let required = allowed.take_text("mode").is_some_and(|mode| mode == "required");
        let names = allowed.take_array("tools").into_iter().filter_map(named).collect();
        return Ok(Some(ToolChoice::Among { names, required }));
    }
    named(Value::Object(told)).map_or_else(unknown, |name| Ok(Some(ToolChoice::Tool(name))))
}

/// The name in `{function: {name}}`, or in `{name}`.
fn named(told: Value) -> Option<String> {
    let Value::Object(mut told) = told else { return None };
    let inner = told.take_object("function").or_else(|| told.take_object("custom"));
    inner.unwrap_or(told).take_text("name")
}

/// Writes `tools`: what providers that speak OpenAI run themselves is their client's matter.
pub(super) fn write(tools: Vec<Tool>, quirks: &Quirks, lost: &mut Lost) -> Vec<Value> {
    let mut written = Vec::with_capacity(tools.len());
    for tool in tools {
        match tool {
            Tool::Function(function) => written.push(write_function(function, quirks)),
            Tool::Hosted(told) => {
                let kind = told.get("type").and_then(Value::as_str).unwrap_or("tool");
                lost.part(format!("tools.{kind}"));
            }
        }
    }
    written
}

fn write_function(mut function: Function, quirks: &Quirks) -> Value {
    let (strict, cache) = (function.strict, function.cache.take());
    let mut told = function.definition();
    strict.map(|strict| told.insert("strict".to_owned(), strict.into()));
    let mut tool = object([("type", "function".into()), ("function", told.into())]);
    if let (true, Some(cache), Some(tool)) = (quirks.cache_hints(), cache, tool.as_object_mut()) {
        tool.insert("cache_control".to_owned(), cache);
    }
    tool
}

/// Writes `tool_choice`.
pub(super) fn write_choice(choice: ToolChoice, quirks: &Quirks) -> Value {
    let function = |name: String| json!({"type": "function", "function": {"name": name}});
    match choice {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::Tool(name) => function(name),
        ToolChoice::Among { names, required: must } if quirks.newest() => {
            let tools: Vec<Value> = names.into_iter().map(function).collect();
            let mode = if must { "required" } else { "auto" };
            json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}})
        }
        // Whoever writes the tools leaves out the others.
        ToolChoice::Among { required: must, .. } => (if must { "required" } else { "auto" }).into(),
    }
}
