//! Tools that the provider runs, in the words of any client.
use super::Betas;
use super::fields::Object;
use crate::providers::chat::{Lost, Taking, object};
use serde_json::{Map, Value, json};

/// Anthropic's own tools by the beginnings of their types, and the betas that they need. A version
/// follows, if there is one.
const OWN: [(&str, &str); 22] = [
    ("computer_20241022", "computer-use-2024-10-22"),
    ("computer_20250124", "computer-use-2025-01-24"),
    ("computer_20251124", "computer-use-2025-11-24"),
    ("computer_", ""),
    ("bash_20241022", "computer-use-2024-10-22"),
    ("bash_", ""),
    ("text_editor_20241022", "computer-use-2024-10-22"),
    ("text_editor_", ""),
    ("web_search_20", ""),
    ("web_fetch_20250910", "web-fetch-2025-09-10"),
    ("web_fetch_", ""),
    ("code_execution_20250522", "code-execution-2025-05-22"),
    ("code_execution_20250825", "code-execution-2025-08-25"),
    ("code_execution_", ""),
    ("memory_", "context-management-2025-06-27"),
    ("tool_search_tool_", "advanced-tool-use-2025-11-20"),
    ("mcp_toolset", "mcp-client-2025-11-20"),
    ("advisor_", "advisor-tool-2026-03-01"),
    ("browser_toolset_", ""),
    ("browser_", ""),
    ("agent_toolset_", ""),
    ("skills_", ""),
];

/// What hosted tools become.
#[derive(Debug, Default)]
pub(super) struct Hosted {
    /// Tools.
    pub(super) tools: Vec<Value>,
    /// `mcp_servers`.
    pub(super) servers: Vec<Value>,
}

impl Hosted {
    /// Takes in one tool in the client's words.
    pub(super) fn add(&mut self, tool: Value, betas: &mut Betas, lost: &mut Lost) {
        let Value::Object(mut tool) = tool else { return lost.part("tools") };
        let kind = tool.get("type").and_then(Value::as_str).unwrap_or_default();
        // OpenAI's versions are dates with underscores: `web_search_2025_08_26`.
        let searches = kind.starts_with("web_search") && !is_dated(kind);
        if searches || is_search(&tool) {
            return self.tools.push(search(tool));
        }
        if let Some((_, beta)) = OWN.iter().find(|(start, _)| kind.starts_with(start)) {
            if !beta.is_empty() {
                betas.add(*beta);
            }
            flatten(&mut tool);
            return self.tools.push(Value::Object(tool));
        }
        match kind {
            "mcp" => {
                betas.add("mcp-client-2025-04-04");
                self.servers.push(server(tool));
            }
            "code_interpreter" => self.tools.push(code()),
            _ if has(&tool, &["codeExecution", "code_execution"]) => self.tools.push(code()),
            _ if has(&tool, &["urlContext", "url_context"]) => {
                betas.add("web-fetch-2025-09-10");
                self.tools.push(json!({"type": "web_fetch_20250910", "name": "web_fetch"}));
            }
            "" => lost.part("tools"),
            kind => lost.part(format!("tools.{kind}")),
        }
    }
}

/// Whether a type ends with a date of eight digits.
fn is_dated(kind: &str) -> bool {
    let date = kind.rsplit('_').next().unwrap_or_default();
    date.len() == 8 && date.bytes().all(|digit| digit.is_ascii_digit())
}

/// Whether it is Gemini's search.
fn is_search(tool: &Object) -> bool {
    has(tool, &["googleSearch", "google_search", "googleSearchRetrieval"])
}

fn has(tool: &Object, names: &[&str]) -> bool {
    names.iter().any(|name| tool.contains_key(*name))
}

fn code() -> Value {
    json!({"type": "code_execution_20250825", "name": "code_execution"})
}

/// LiteLLM's clients may wrap Anthropic's tools as functions: their settings are the parameters.
fn flatten(tool: &mut Object) {
    if let Some(mut function) = tool.take_object("function") {
        if let Some(name) = function.take("name") {
            tool.entry("name").or_insert(name);
        }
        for (name, value) in function.take_object("parameters").unwrap_or_default() {
            tool.entry(name).or_insert(value);
        }
    }
}

/// A web search, with what OpenAI's and LiteLLM's clients say of it.
pub(super) fn search(mut asked: Object) -> Value {
    let mut tool = Map::with_capacity(5);
    tool.insert("type".into(), "web_search_20250305".into());
    tool.insert("name".into(), "web_search".into());
    if let Some(mut place) = asked.take_object("user_location") {
        let place = place.take_object("approximate").unwrap_or(place);
        let mut location = Map::from_iter([("type".to_owned(), Value::from("approximate"))]);
        let known = |(name, value): &(String, Value)| {
            let is_known = matches!(name.as_str(), "city" | "country" | "region" | "timezone");
            is_known && value.is_string()
        };
        location.extend(place.into_iter().filter(known));
        tool.insert("user_location".into(), location.into());
    }
    let mut filters = asked.take_object("filters").unwrap_or_default();
    for name in ["allowed_domains", "blocked_domains", "max_uses", "cache_control"] {
        if let Some(value) = asked.take(name).or_else(|| filters.take(name)) {
            tool.insert(name.into(), value);
        }
    }
    // As many searches as LiteLLM allows for a size.
    let uses = match asked.take_text("search_context_size").as_deref() {
        Some("low") => Some(1),
        Some("medium") => Some(5),
        Some("high") => Some(10),
        _ => None,
    };
    if let Some(uses) = uses {
        tool.entry("max_uses").or_insert_with(|| uses.into());
    }
    Value::Object(tool)
}

/// OpenAI's `mcp` tool as a server.
fn server(mut tool: Object) -> Value {
    let text = |value: Option<String>| value.map_or(Value::Null, Value::from);
    let mut server = Map::with_capacity(5);
    server.insert("type".into(), "url".into());
    server.insert("url".into(), text(tool.take_text("server_url")));
    server.insert("name".into(), text(tool.take_text("server_label")));
    let header = tool.take_object("headers").and_then(|mut headers| {
        headers.take_text("Authorization").or_else(|| headers.take_text("authorization"))
    });
    if let Some(token) = tool.take_text("authorization").or(header) {
        let token = token.strip_prefix("Bearer ").unwrap_or(&token);
        server.insert("authorization_token".into(), token.into());
    }
    let allowed = match tool.take("allowed_tools") {
        Some(Value::Object(mut filter)) => filter.take("tool_names"),
        allowed => allowed,
    };
    if let Some(allowed) = allowed.filter(Value::is_array) {
        let settings = object([("enabled", true.into()), ("allowed_tools", allowed)]);
        server.insert("tool_configuration".into(), settings);
    }
    Value::Object(server)
}
