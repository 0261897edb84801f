//! Tools that OpenAI runs.
use crate::providers::chat::Taking;
use serde_json::{Map, Value, json};

/// Types of tools that Responses knows besides functions, or what they begin with.
const KNOWN: [&str; 13] = [
    "web_search_preview",
    "file_search",
    "code_interpreter",
    "image_generation",
    "mcp",
    "local_shell",
    "shell",
    "computer",
    "apply_patch",
    "namespace",
    "tool_search",
    "x_search",
    "programmatic_tool_calling",
];

/// Types of items that only Responses has.
const ITEMS: [&str; 15] = [
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "image_generation_call",
    "computer_call",
    "computer_call_output",
    "mcp_call",
    "mcp_list_tools",
    "mcp_approval_request",
    "mcp_approval_response",
    "tool_search_call",
    "tool_search_output",
    "item_reference",
    "compaction",
    "compaction_trigger",
];

/// Whether it is an item of a response, and not something of another dialect.
pub(super) fn is_item(value: &Value) -> bool {
    let kind = value.get("type").and_then(Value::as_str);
    kind.is_some_and(|kind| ITEMS.contains(&kind))
}

/// A client's tool in OpenAI's words; `None` where OpenAI has none like it.
pub(super) fn write(tool: Value) -> Option<Value> {
    let Value::Object(mut tool) = tool else { return None };
    let kind = tool.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind == "web_search" || kind == "web_search_2025_08_26" {
        return Some(Value::Object(tool));
    }
    // Anthropic's, with the day of their version.
    if kind.starts_with("web_search_20") {
        return Some(of_anthropic(&mut tool));
    }
    if kind.starts_with("code_execution") {
        return Some(code());
    }
    // Its `mcp_toolset` and its shells are of another make.
    if KNOWN.iter().any(|known| kind == *known || is_version_of(kind, known)) {
        return Some(Value::Object(tool));
    }
    let has = |names: [&str; 2]| names.iter().any(|name| tool.contains_key(*name));
    if has(["googleSearch", "google_search"]) {
        return Some(json!({"type": "web_search"}));
    }
    has(["codeExecution", "code_execution"]).then(code)
}

/// `web_search_preview_2025_03_11` is one of `web_search_preview`.
fn is_version_of(kind: &str, known: &str) -> bool {
    let day = |rest: &str| rest.starts_with("_20") && rest.matches('_').count() == 3;
    kind.strip_prefix(known).is_some_and(day)
        || (known == "computer" && matches!(kind, "computer_use" | "computer_use_preview"))
}

fn code() -> Value {
    json!({"type": "code_interpreter", "container": {"type": "auto"}})
}

fn of_anthropic(tool: &mut Map<String, Value>) -> Value {
    let mut written = json!({"type": "web_search"});
    if let Some(domains) = tool.take("allowed_domains") {
        written["filters"] = json!({"allowed_domains": domains});
    }
    if let Some(place) = tool.take_object("user_location") {
        written["user_location"] = Value::Object(place);
    }
    written
}

/// The tool for a chat's `web_search_options`.
pub(super) fn web_search(rest: &mut Map<String, Value>) -> Option<Value> {
    let mut options = rest.take_object("web_search_options")?;
    let mut tool = json!({"type": "web_search"});
    if let Some(size) = options.take("search_context_size") {
        tool["search_context_size"] = size;
    }
    if let Some(mut place) = options.take_object("user_location") {
        let mut flat = place.take_object("approximate").unwrap_or_default();
        flat.insert("type".to_owned(), "approximate".into());
        tool["user_location"] = Value::Object(flat);
    }
    Some(tool)
}
