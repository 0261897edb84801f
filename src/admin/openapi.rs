//! `/openapi.json`: the table of routes as OpenAPI 3.1, so that it cannot say other than what is.
use super::schemas::{self, Answers};
use super::{Handles, elsewhere, json, managed};
use crate::config::PassThrough;
use crate::edge::{ROWS, Row};
use crate::providers::{Operation, Raw};
use bartizan_layers::body::Body;
use http::Response;
use serde_json::{Map, Value, json};

/// Describes every path. `metrics_need_key` is what the config says of `/metrics`.
pub(super) fn document(handles: &Handles, metrics_need_key: bool) -> Response<Body> {
    let mut paths = Map::new();
    for row in ROWS.iter().copied().flatten().filter(|row| !row.is_managed()) {
        for path in row.paths() {
            let path = path.replace("*}", "}");
            let item = paths.entry(path.clone()).or_insert_with(|| json!({}));
            describe(item, &Described::row(row, &path, metrics_need_key));
        }
    }
    for (path, endpoint) in elsewhere::paths(handles) {
        let item = paths.entry(path.clone()).or_insert_with(|| json!({}));
        describe(item, &Described::endpoint(endpoint, &path));
    }
    paths.extend(managed::paths(handles));
    let mut schemas = schemas::schemas();
    if let Some(schemas) = schemas.as_object_mut() {
        schemas.extend(managed::schemas(handles));
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
            "schemas": schemas,
            "responses": schemas::responses(),
        },
    }))
}

/// What is said of a path.
struct Described<'a> {
    path: &'a str,
    methods: Vec<&'a str>,
    summary: &'a str,
    tag: &'static str,
    answers: Answers<'a>,
    /// Whether its operations have ids. Those of the config's paths could be those of ours.
    has_ids: bool,
    /// Where it is not that of all paths.
    security: Option<Value>,
}

impl<'a> Described<'a> {
    fn row(row: &'a Row, path: &'a str, metrics_need_key: bool) -> Self {
        let security = if is_public(path, metrics_need_key) {
            Some(json!([]))
        } else {
            (path == "/health").then(|| json!([{}, {"key": []}]))
        };
        Self {
            path,
            methods: row.methods.split(", ").collect(),
            summary: row.summary,
            tag: tag(row),
            answers: Answers::of(row, path),
            has_ids: true,
            security,
        }
    }

    fn endpoint(endpoint: &'a PassThrough, path: &'a str) -> Self {
        let operation = Raw { provider: "pass_through", path: "".into() };
        Self {
            path,
            methods: endpoint.methods.iter().map(String::as_str).collect(),
            summary: elsewhere::SUMMARY,
            tag: "passed on",
            answers: Answers::Through(Operation::Raw(Box::new(operation))),
            has_ids: false,
            security: (!endpoint.auth).then(|| json!([])),
        }
    }
}

/// Adds the methods of a path. Of two rows with one path each brings its own.
fn describe(item: &mut Value, told: &Described<'_>) {
    let parameters: Vec<_> = told.path.split('{').skip(1).filter_map(parameter).collect();
    for method in &told.methods {
        let key = method.to_ascii_lowercase();
        if item.get(&key).is_some() {
            continue;
        }
        let mut operation = json!({
            "summary": told.summary,
            "tags": [told.tag],
            "responses": told.answers.responses(method),
        });
        if told.has_ids {
            operation["operationId"] = id(&key, told.path).into();
        }
        if !parameters.is_empty() {
            operation["parameters"] = parameters.clone().into();
        }
        if let Some(query) = told.answers.query() {
            operation["parameters"] = query;
        }
        if let Some(body) = told.answers.request(method) {
            operation["requestBody"] = body;
        }
        if let Some(security) = &told.security {
            operation["security"] = security.clone();
        }
        item[key] = operation;
    }
}

/// A name that no other operation has, of letters, digits, `-` and `_`.
pub(super) fn id(method: &str, path: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    format!("{method}{}", path.chars().map(plain).collect::<String>())
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
        "/" | "/openapi.json" | "/routes" | "/health/liveliness" | "/health/liveness"
        | "/health/readiness" => true,
        "/metrics" => !metrics_need_key,
        _ => false,
    }
}

fn tag(row: &Row) -> &'static str {
    match row.operation() {
        Some(operation) if operation.goes_through() => "passed on",
        Some(_) => "calls",
        None => "proxy",
    }
}
