//! `/openapi.json`: the table of routes as OpenAPI 3.1, so that it cannot say other than what is.
use super::schemas::{self, Answers};
use super::{Handles, json};
use crate::edge::{ROWS, Row};
use bartizan_layers::body::Body;
use http::Response;
use serde_json::{Map, Value, json};

/// Describes every path. `metrics_need_key` is what the config says of `/metrics`.
pub(super) fn document(handles: &Handles, metrics_need_key: bool) -> Response<Body> {
    let mut paths = Map::new();
    for row in ROWS.iter().copied().flatten() {
        for path in row.paths() {
            let path = path.replace("*}", "}");
            let item = paths.entry(path.clone()).or_insert_with(|| json!({}));
            describe(item, row, &path, metrics_need_key);
        }
    }
    let root = if handles.root_path.is_empty() { "/" } else { &handles.root_path };
    json(&json!({
        "openapi": "3.1.0",
        "info": {
            "title": "LiteLLM API: Bartizan",
            "description": "Calls to language models, with the API of the LiteLLM proxy.",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{"url": root}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "The proxy's key."},
            },
            "schemas": schemas::schemas(),
            "responses": schemas::responses(),
        },
    }))
}

/// Adds the methods of a row. Of two rows with one path each brings its own.
fn describe(item: &mut Value, row: &Row, path: &str, metrics_need_key: bool) {
    let parameters: Vec<_> = path.split('{').skip(1).filter_map(parameter).collect();
    for method in row.methods.split(", ") {
        let key = method.to_ascii_lowercase();
        if item.get(&key).is_some() {
            continue;
        }
        let answers = Answers::of(row, path);
        let mut operation = json!({
            "summary": row.summary,
            "operationId": format!("{key}{}", path.replace(|c: char| !c.is_alphanumeric() && c != '-', "_")),
            "tags": [tag(row, path)],
            "responses": answers.responses(method),
        });
        if !parameters.is_empty() {
            operation["parameters"] = parameters.clone().into();
        }
        if let Some(query) = answers.query() {
            operation["parameters"] = query;
        }
        if let Some(body) = answers.request(method) {
            operation["requestBody"] = body;
        }
        if is_public(path, metrics_need_key) {
            operation["security"] = json!([]);
        } else if path == "/health" {
            operation["security"] = json!([{}, {"key": []}]);
        }
        item[key] = operation;
    }
}

/// What stands between two braces of a path.
fn parameter(text: &str) -> Option<Value> {
    let name = text.split_once('}')?.0;
    let schema = match name {
        // Of all providers a few; those with paths of their own would fit two descriptions.
        "provider" => json!({"type": "string", "enum": ["groq", "together_ai", "xai"]}),
        _ => json!({"type": "string", "minLength": 1}),
    };
    Some(json!({"name": name, "in": "path", "required": true, "schema": schema}))
}

/// Whether a path answers without a key.
fn is_public(path: &str, metrics_need_key: bool) -> bool {
    match path {
        "/" | "/openapi.json" | "/health/liveliness" | "/health/liveness" | "/health/readiness" => {
            true
        }
        "/metrics" => !metrics_need_key,
        _ => false,
    }
}

fn tag(row: &Row, path: &str) -> &'static str {
    match row.operation() {
        Some(operation) if operation.goes_through() => "passed on",
        Some(_) => "calls",
        None if path.ends_with("{rest}") => "passed on",
        None if path.contains("{model}") => "calls",
        None => "proxy",
    }
}
