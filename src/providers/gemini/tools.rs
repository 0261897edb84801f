//! Tools, and whether they must be called.
use super::fields::{Fields, camel, members, pick};
use super::model::Model;
use super::{openapi, schema};
use crate::providers::chat::{
    Function, Lost, Malformed, Request, Taking, Target, Tool, ToolChoice, object,
};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Reads a client's `tools`.
pub(crate) fn read(body: &mut Map<String, Value>) -> Result<Vec<Tool>, Malformed> {
    let mut read = Vec::new();
    for (index, mut tools) in Fields::of(body, "").objects("tools")?.into_iter().enumerate() {
        let path = format!("tools[{index}]");
        for function in Fields::of(&mut tools, &path).objects("functionDeclarations")? {
            read.push(Tool::Function(function_of(function, &path)?));
        }
        for (key, tool) in tools.into_iter().filter(|(_, tool)| !tool.is_null()) {
            read.push(Tool::Hosted(object([(camel(&key).as_str(), tool)])));
        }
    }
    Ok(read)
}

fn function_of(mut function: Map<String, Value>, path: &str) -> Result<Function, Malformed> {
    let path = format!("{path}.functionDeclarations");
    let mut fields = Fields::of(&mut function, &path);
    let name = fields.text("name")?.filter(|name| !name.is_empty());
    let standard = fields.any("parametersJsonSchema");
    Ok(Function {
        name: name.ok_or_else(|| fields.wrong("name", "the function's name"))?,
        description: fields.text("description")?.filter(|words| !words.is_empty()),
        schema: match standard {
            Some(standard) => Some(standard),
            None => fields.object("parameters")?.map(|it| schema::standard(Value::Object(it))),
        },
        ..Function::default()
    })
}

/// Reads a client's `functionCallingConfig` out of its `toolConfig`; what else that says is left.
pub(crate) fn read_choice(body: &mut Map<String, Value>) -> Result<Option<ToolChoice>, Malformed> {
    let Some(mut config) = Fields::of(body, "").object("toolConfig")? else { return Ok(None) };
    let path = "toolConfig";
    let calling = Fields::of(&mut config, path).object("functionCallingConfig")?;
    if !config.is_empty() {
        body.insert(path.to_owned(), Value::Object(config));
    }
    let Some(mut calling) = calling else { return Ok(None) };
    let mut fields = Fields::of(&mut calling, "toolConfig.functionCallingConfig");
    let mode = fields.text("mode")?.map(|mode| mode.to_ascii_uppercase());
    let mut names = fields.texts("allowedFunctionNames")?;
    Ok(Some(match (mode.as_deref(), names.len()) {
        (Some("NONE"), _) => ToolChoice::None,
        (Some("ANY"), 0) => ToolChoice::Required,
        (Some("ANY"), 1) => ToolChoice::Tool(names.pop().unwrap_or_default()),
        (Some("ANY"), _) => ToolChoice::Among { names, required: true },
        (Some("VALIDATED"), 1..) => ToolChoice::Among { names, required: false },
        (Some("AUTO" | "VALIDATED"), _) => ToolChoice::Auto,
        (None | Some("MODE_UNSPECIFIED"), _) => return Ok(None),
        _ => return Err(fields.wrong("mode", "AUTO, ANY, NONE or VALIDATED")),
    }))
}

/// Writes a request's tools and whether they must be called: `tools` and `toolConfig`.
pub(crate) fn write(
    request: &mut Request,
    body: &mut Map<String, Value>,
    target: &Target<'_>,
    lost: &mut Lost,
) {
    let model = &Model::named(target.model);
    let mut functions = Vec::new();
    let mut hosted = Vec::new();
    for tool in std::mem::take(&mut request.tools) {
        match tool {
            Tool::Function(function) => functions.push(function),
            Tool::Hosted(tool) => add_hosted(tool, &mut hosted, lost),
        }
    }
    if request.rest.take("web_search_options").is_some() {
        add_hosted(json!({"type": "web_search"}), &mut hosted, lost);
    }
    let config = choice(request.tool_choice.take(), &mut functions, lost);
    if request.parallel_tools.take() == Some(false) && !functions.is_empty() {
        lost.part("parallel_tool_calls");
    }
    let mixed = !functions.is_empty() && !hosted.is_empty();
    if mixed && !model.since(3, 0) {
        // They would refuse the request.
        hosted.clear();
        lost.part("tools");
    }
    let mut tools: Vec<_> = hosted.into_iter().map(Value::Object).collect();
    if !functions.is_empty() {
        let each = functions.into_iter().map(|function| declaration(function, model, lost));
        tools.push(object([("functionDeclarations", each.collect())]));
    }
    if !tools.is_empty() {
        body.insert("tools".to_owned(), tools.into());
    }
    // Gemini wants to be told that both kinds at once are meant. Vertex has no word for it.
    let both = mixed && model.since(3, 0) && !target.is_in_googles_cloud();
    configure(config, both, request, body);
}

/// Writes the `toolConfig`, with the client's own words for what the neutral model has none for.
fn configure(
    calling: Option<Value>,
    both: bool,
    request: &mut Request,
    body: &mut Map<String, Value>,
) {
    let own = pick(&mut request.rest, "toolConfig");
    let mut config = own.and_then(members).unwrap_or_default();
    if let Some(calling) = calling {
        config.insert("functionCallingConfig".to_owned(), calling);
    }
    if both {
        config.entry("includeServerSideToolInvocations").or_insert(true.into());
    }
    if !config.is_empty() {
        body.insert("toolConfig".to_owned(), Value::Object(config));
    }
}

/// The `functionCallingConfig`. A choice among tools, if any, is an offer of these alone.
fn choice(
    choice: Option<ToolChoice>,
    functions: &mut Vec<Function>,
    lost: &mut Lost,
) -> Option<Value> {
    let choice = choice?;
    if functions.is_empty() {
        if !matches!(choice, ToolChoice::Auto | ToolChoice::None) {
            lost.part("tool_choice");
        }
        return None;
    }
    Some(match choice {
        ToolChoice::Auto => json!({"mode": "AUTO"}),
        ToolChoice::None => json!({"mode": "NONE"}),
        ToolChoice::Required => json!({"mode": "ANY"}),
        ToolChoice::Tool(name) => json!({"mode": "ANY", "allowedFunctionNames": [name]}),
        ToolChoice::Among { names, required: true } => {
            json!({"mode": "ANY", "allowedFunctionNames": names})
        }
        ToolChoice::Among { names, required: false } => {
            let names: HashSet<_> = names.into_iter().collect();
            functions.retain(|function| names.contains(&function.name));
            return (!functions.is_empty()).then(|| json!({"mode": "AUTO"}));
        }
    })
}

fn declaration(function: Function, model: &Model<'_>, lost: &mut Lost) -> Value {
    if function.strict == Some(true) {
        lost.hint("strict");
    }
    if function.cache.is_some() {
        lost.hint("cache_control");
    }
    let mut written = Map::new();
    written.insert("name".to_owned(), function.name.into());
    if let Some(description) = function.description {
        written.insert("description".to_owned(), description.into());
    }
    let Some(Value::Object(mut schema)) = function.schema else { return Value::Object(written) };
    if !schema.contains_key("type") {
        schema.insert("type".to_owned(), "object".into());
    }
    if model.since(2, 0) {
        schema.shift_remove("$schema");
        written.insert("parametersJsonSchema".to_owned(), Value::Object(schema));
    } else {
        let old = openapi::old(&Value::Object(schema));
        // They refuse a list of parameters without any.
        if old.get("properties").is_some() {
            written.insert("parameters".to_owned(), old);
        }
    }
    Value::Object(written)
}

/// Adds a tool that Google runs, once.
fn add_hosted(tool: Value, hosted: &mut Vec<Map<String, Value>>, lost: &mut Lost) {
    match of_google(tool) {
        Ok(tool) if hosted.iter().all(|own| own.keys().next() != tool.keys().next()) => {
            hosted.push(tool);
        }
        Ok(_) => {}
        Err(name) => lost.part(name),
    }
}

/// Tools of Google's.
const KNOWN: [&str; 12] = [
    "googleSearch",
    "googleSearchRetrieval",
    "codeExecution",
    "urlContext",
    "computerUse",
    "enterpriseWebSearch",
    "fileSearch",
    "googleMaps",
    "retrieval",
    "mcpServers",
    "exaAiSearch",
    "parallelAiSearch",
];

/// A tool in Google's words, whosever words it was in; the name of one that it has none for.
fn of_google(tool: Value) -> Result<Map<String, Value>, &'static str> {
    let Value::Object(tool) = tool else { return Err("tools") };
    let kind = tool.get("type").and_then(Value::as_str).unwrap_or_default();
    let named = |name: &str| Ok(Map::from_iter([(name.to_owned(), json!({}))]));
    match kind {
        "" => {}
        kind if kind.starts_with("web_search") || kind == "google_search" => {
            return named("googleSearch");
        }
        kind if kind.starts_with("code_execution") || kind == "code_interpreter" => {
            return named("codeExecution");
        }
        kind if kind.starts_with("web_fetch") || kind == "url_context" => {
            return named("urlContext");
        }
        kind => return Err(unknown(kind)),
    }
    let all = tool.into_iter().map(|(key, value)| (camel(&key), value));
    let (known, others): (Vec<_>, Vec<_>) = all.partition(|(key, _)| KNOWN.contains(&key.as_str()));
    if known.is_empty() {
        return Err(others.first().map_or("tools", |(key, _)| unknown(key)));
    }
    Ok(known.into_iter().collect())
}

/// How a tool is named that Gemini does not have.
fn unknown(kind: &str) -> &'static str {
    let names = [
        ("file_search", "tools.file_search"),
        ("image_generation", "tools.image_generation"),
        ("mcp", "tools.mcp"),
        ("computer", "tools.computer"),
        ("local_shell", "tools.local_shell"),
        ("shell", "tools.shell"),
        ("bash", "tools.bash"),
        ("text_editor", "tools.text_editor"),
        ("memory", "tools.memory"),
        ("tool_search", "tools.tool_search"),
    ];
    let found = names.iter().find(|(start, _)| kind.starts_with(start));
    found.map_or("tools", |(_, name)| name)
}
