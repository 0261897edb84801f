//! The tools of a request, and whether they must be called.
use super::content::cache_point;
use super::fields::{Object, add_beta};
use super::format::{Asked, JSON_TOOL};
use super::names::Names;
use crate::providers::bedrock::family::Family;
use crate::providers::chat::{Function, Lost, Memo, Taking, Tool, ToolChoice, object};
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
    /// The hidden tool that gives the answer its format.
    pub(super) format: Option<Asked>,
    /// Whether the conversation has calls in it.
    pub(super) has_calls: bool,
    /// Whether the model thinks: Claude cannot be made to call tools then.
    pub(super) thinks: bool,
    /// Whether a request may be changed until it is taken.
    pub(super) modify: bool,
}

/// Claude's own tools that the client runs, by the beginnings of their types, and their betas.
const CLAUDES: [(&str, &str); 8] = [
    ("computer_20241022", "computer-use-2024-10-22"),
    ("computer_20250124", "computer-use-2025-01-24"),
    ("computer_20251124", "computer-use-2025-11-24"),
    ("bash_20241022", "computer-use-2024-10-22"),
    ("bash_", "computer-use-2025-01-24"),
    ("text_editor_20241022", "computer-use-2024-10-22"),
    ("text_editor_", "computer-use-2025-01-24"),
    ("memory_", "context-management-2025-06-27"),
];

/// Puts the tools into `body`, and into `fields` those that Converse has no word for.
pub(super) fn offer(
    wish: Wish,
    family: Family,
    mut names: Names,
    (body, fields): (&mut Object, &mut Object),
    lost: &mut Lost,
) -> Memo {
    let Wish { tools, choice, parallel, format, has_calls, thinks, modify } = wish;
    let (mut choice, allowed) = among(choice);
    let mut memo = Memo::default();
    let mut list = listed(tools, allowed.as_deref(), family, (&mut names, fields), lost);
    // Converse cannot say "none"; but what is not offered is not called. A conversation with calls
    // in it has to have tools.
    if choice == Some(ToolChoice::None) {
        choice = None;
        match has_calls {
            true => lost.part("tool_choice"),
            false => list.clear(),
        }
    }
    if let Some(Asked::Tool(tool)) = format {
        hide(tool, family, &mut choice, &mut list, &mut memo, lost);
    }
    if list.is_empty() && has_calls && modify {
        list.push(dummy());
    }
    let forced = matches!(choice, Some(ToolChoice::Required | ToolChoice::Tool(_)));
    if forced && (!family.takes_force() || (thinks && family.claude().is_some())) {
        choice = Some(ToolChoice::Auto);
        // The client has not asked for the hidden tool.
        if memo.json_tool.is_none() {
            lost.part("tool_choice");
        }
    }
    let one_by_one = parallel == Some(false) && !list.is_empty();
    let choice = write_choice(choice, one_by_one, family, &mut names, fields, lost);
    memo.renamed = names.renamed();
    if !list.is_empty() {
        let mut config = Map::from_iter([("tools".to_owned(), Value::from(list))]);
        choice.map(|choice| config.insert("toolChoice".to_owned(), choice));
        body.insert("toolConfig".into(), config.into());
    }
    memo
}

/// The tools, or `only` these of them.
fn listed(
    tools: Vec<Tool>,
    only: Option<&[String]>,
    family: Family,
    (names, fields): (&mut Names, &mut Object),
    lost: &mut Lost,
) -> Vec<Value> {
    let mut list = Vec::with_capacity(tools.len());
    for tool in tools {
        match tool {
            Tool::Function(it) if only.is_none_or(|all| all.contains(&it.name)) => {
                write_function(it, family, names, &mut list, lost);
            }
            Tool::Function(_) => {}
            Tool::Hosted(tool) => hosted(tool, family, &mut list, fields, lost),
        }
    }
    list
}

/// Whether a tool must be called, and the names that alone are allowed.
fn among(choice: Option<ToolChoice>) -> (Option<ToolChoice>, Option<Vec<String>>) {
    match choice {
        Some(ToolChoice::Among { names, required: true }) => {
            (Some(ToolChoice::Required), Some(names))
        }
        Some(ToolChoice::Among { names, required: false }) => (Some(ToolChoice::Auto), Some(names)),
        choice => (choice, None),
    }
}

/// Adds the hidden tool, unless the client wants a call and no text.
fn hide(
    tool: Value,
    family: Family,
    choice: &mut Option<ToolChoice>,
    list: &mut Vec<Value>,
    memo: &mut Memo,
    lost: &mut Lost,
) {
    if matches!(choice, Some(ToolChoice::Required | ToolChoice::Tool(_))) {
        return;
    }
    if !family.calls() {
        return lost.part("response_format");
    }
    *choice = Some(match list.is_empty() {
        true => ToolChoice::Tool(JSON_TOOL.into()),
        false => ToolChoice::Required,
    });
    list.push(tool);
    memo.json_tool = Some(JSON_TOOL);
}

fn dummy() -> Value {
    let schema = json!({"json": {"type": "object", "properties": {}}});
    json!({"toolSpec": {
        "name": "dummy_tool", "description": "Not to be called.", "inputSchema": schema,
    }})
}

fn write_function(
    function: Function,
    family: Family,
    names: &mut Names,
    list: &mut Vec<Value>,
    lost: &mut Lost,
) {
    let Function { name, description, schema, strict, cache, custom, .. } = function;
    if !family.calls() {
        return lost.part("tools");
    }
    if strict == Some(true) {
        lost.hint("strict");
    }
    let mut schema = match schema {
        Some(Value::Object(schema)) => schema,
        _ if custom => Map::from_iter([
            ("properties".to_owned(), json!({"input": {"type": "string"}})),
            ("required".to_owned(), json!(["input"])),
        ]),
        _ => Map::new(),
    };
    // The server takes objects only, and wants that to be said.
    if schema.get("type").is_none_or(|kind| kind != "object") {
        schema.insert("type".into(), "object".into());
    }
    schema.entry("properties").or_insert_with(|| Map::new().into());
    let mut spec = Map::with_capacity(3);
    spec.insert("name".into(), names.sent(name).into());
    if let Some(text) = description.filter(|text| !text.trim().is_empty()) {
        spec.insert("description".into(), text.into());
    }
    spec.insert("inputSchema".into(), object([("json", schema.into())]));
    list.push(object([("toolSpec", spec.into())]));
    match cache {
        Some(cache) if family.caches_tools() => list.push(cache_point(&cache)),
        cache => lost.hint_of("cache_control", &cache),
    }
}

/// A tool that the provider runs, or one of Claude's own that the client runs.
fn hosted(
    tool: Value,
    family: Family,
    list: &mut Vec<Value>,
    fields: &mut Object,
    lost: &mut Lost,
) {
    if tool.get("systemTool").is_some() || tool.get("toolSpec").is_some() {
        return list.push(tool);
    }
    let kind = tool.get("type").and_then(Value::as_str).unwrap_or_default();
    let claudes = CLAUDES.iter().find(|(start, _)| kind.starts_with(start));
    let is_nova = matches!(family, Family::Nova { .. });
    match (claudes, kind) {
        (Some((_, beta)), _) if family.claude().is_some() => {
            add_beta(fields, *beta);
            let mut tools = fields.take_array("tools");
            tools.push(tool);
            fields.insert("tools".into(), tools.into());
        }
        (_, kind) if is_nova && kind.starts_with("web_search") => list.push(system("grounding")),
        (_, "code_interpreter") if is_nova => list.push(system("code_interpreter")),
        (_, "") => lost.part("tools"),
        (_, kind) => lost.part(format!("tools.{kind}")),
    }
}

/// One of Nova's tools.
pub(super) fn system(name: &str) -> Value {
    json!({"systemTool": {"name": format!("nova_{name}")}})
}

/// `toolChoice`. That tools are called one by one only Claude can be told, and not by Converse.
fn write_choice(
    choice: Option<ToolChoice>,
    one_by_one: bool,
    family: Family,
    names: &mut Names,
    fields: &mut Object,
    lost: &mut Lost,
) -> Option<Value> {
    let (word, name) = match choice {
        None | Some(ToolChoice::None) => (None, None),
        Some(ToolChoice::Auto | ToolChoice::Among { .. }) => (Some("auto"), None),
        Some(ToolChoice::Required) => (Some("any"), None),
        Some(ToolChoice::Tool(name)) => (Some("tool"), Some(names.sent(name))),
    };
    let is_new = family.claude().is_some_and(|model| model.is(405));
    if one_by_one && !is_new {
        lost.part("parallel_tool_calls");
    } else if one_by_one {
        let mut told = Map::from_iter([("type".to_owned(), word.unwrap_or("auto").into())]);
        told.insert("disable_parallel_tool_use".to_owned(), true.into());
        name.map(|name| told.insert("name".to_owned(), name.into()));
        fields.entry("tool_choice").or_insert_with(|| told.into());
        return None;
    }
    let plain = matches!(family, Family::Llama | Family::Cohere);
    let word = word.filter(|word| *word != "auto" || !plain)?;
    Some(object([(word, name.map_or_else(|| json!({}), |name| json!({"name": name})))]))
}
