//! Sketches of bodies for `/openapi.json`. They name what the proxy reads and leave the rest to
//! the providers: unknown members are passed on.
use crate::edge::Row;
use crate::providers::{CohereCall, Dialect, OllamaCall, Operation, Upload};
use serde_json::{Value, json};

/// What a path takes and answers, as far as the table tells.
#[derive(Debug)]
pub(super) enum Answers<'a> {
    /// A call whose body is JSON, by its kind.
    Call(Operation),
    /// A body that is passed on, to an answer that is.
    Through(Operation),
    /// The proxy's own answer at this path.
    Own(&'a str),
}

impl<'a> Answers<'a> {
    pub(super) fn of(row: &Row, path: &'a str) -> Self {
        match row.operation() {
            Some(operation @ Operation::Unserved(..)) => Self::Through(operation),
            Some(operation) if operation.goes_through() => Self::Through(operation),
            Some(operation) => Self::Call(operation),
            None => Self::Own(path),
        }
    }

    /// The request's body, where there is one.
    pub(super) fn request(&self, method: &str) -> Option<Value> {
        let (kind, schema) = match self {
            _ if !matches!(method, "POST" | "PUT" | "PATCH") => return None,
            Self::Own("/api/show") => ("application/json", shown()),
            Self::Own(_) => return None,
            Self::Call(operation) => ("application/json", call(operation)),
            Self::Through(Operation::Upload(_)) => ("multipart/form-data", upload()),
            Self::Through(Operation::Unserved(..)) => return None,
            // Whatever the provider takes.
            Self::Through(_) => return Some(json!({"content": {"application/json": {}}})),
        };
        let mut content = json!({kind: {"schema": schema}});
        if let Self::Through(Operation::Upload(Upload::ImageEdits)) = self {
            content["application/json"] = json!({"schema": call(&Operation::ImageEdits)});
        }
        Some(json!({"required": true, "content": content}))
    }

    /// The parameters of the query.
    pub(super) fn query(&self) -> Option<Value> {
        let (name, required) = match self {
            Self::Own("/utils/supported_openai_params") => ("model", true),
            Self::Own("/model_group/info") => ("model_group", false),
            Self::Own("/model/info" | "/v1/model/info") => ("litellm_model_id", false),
            _ => return None,
        };
        let schema = json!({"type": "string"});
        Some(json!([{"name": name, "in": "query", "required": required, "schema": schema}]))
    }

    /// The answers by their status.
    pub(super) fn responses(&self, method: &str) -> Value {
        match self {
            Self::Call(operation) => self.of_call(operation.dialect(), &kinds(operation)),
            Self::Through(Operation::Unserved(..)) => {
                referred(&[("400", "Error"), ("401", "Error")])
            }
            Self::Through(operation) => self.of_call(operation.dialect(), &["*/*"]),
            Self::Own(path) => own(path, method),
        }
    }

    fn of_call(&self, dialect: Dialect, kinds: &[&str]) -> Value {
        let error = match dialect {
            Dialect::OpenAi => "Error",
            Dialect::Anthropic => "AnthropicError",
            Dialect::Gemini => "GeminiError",
            Dialect::Cohere => "CohereError",
            Dialect::Ollama => "OllamaError",
        };
        let ours = ["400", "401", "403", "408", "413", "415", "429", "500", "503", "508"];
        let mut all = referred(&ours.map(|status| (status, error)));
        all["404"] = json!({"$ref": "#/components/responses/NotFound"});
        all["200"] = answer("The provider's answer", kinds, &json!({}));
        let theirs = "Whatever else the provider answers: it passes as it came";
        all["default"] = answer(theirs, &["*/*"], &json!({}));
        all
    }
}

fn kinds(operation: &Operation) -> Vec<&'static str> {
    match operation {
        Operation::Speech => vec!["*/*"],
        operation if operation.embeds() => vec!["application/json"],
        Operation::Ollama(_) => vec!["application/json", "application/x-ndjson"],
        Operation::Moderations
        | Operation::Rerank
        | Operation::RerankV1
        | Operation::CountTokens
        | Operation::TokenCounter => vec!["application/json"],
        Operation::Gemini(path) if !path.action.ends_with("enerateContent") => {
            vec!["application/json"]
        }
        _ => vec!["application/json", "text/event-stream"],
    }
}

fn answer(description: &str, kinds: &[&str], schema: &Value) -> Value {
    let content: serde_json::Map<_, _> =
        kinds.iter().map(|kind| ((*kind).to_owned(), json!({"schema": schema}))).collect();
    json!({"description": description, "content": content})
}

fn referred(statuses: &[(&str, &str)]) -> Value {
    let refer = |name: &str| json!({"$ref": format!("#/components/responses/{name}")});
    statuses.iter().map(|(status, name)| ((*status).to_owned(), refer(name))).collect()
}

/// The proxy's own answers.
fn own(path: &str, method: &str) -> Value {
    let (kind, schema) = match path {
        "/" => ("text/html", json!({"type": "string"})),
        "/metrics" => ("text/plain", json!({"type": "string"})),
        "/health/liveliness" | "/health/liveness" => {
            ("application/json", json!({"type": "string"}))
        }
        _ => ("application/json", json!({"type": "object"})),
    };
    let ours = if path.starts_with("/api/") { "OllamaError" } else { "Error" };
    let mut all = referred(&[("403", ours), ("508", ours)]);
    all["200"] = answer("The answer", &[kind], &schema);
    let refused: &[&str] = match path {
        "/" | "/openapi.json" | "/health/liveliness" | "/health/liveness" => &[],
        "/health/readiness" => {
            all["503"] = answer("The process is on its way out", &[kind], &schema);
            &[]
        }
        "/model/info" | "/v1/model/info" => &["400", "401"],
        "/models/{model}" | "/v1/models/{model}" => &["401", "404"],
        "/utils/supported_openai_params" => {
            all["400"] = answer("No such model", &[kind], &schema);
            all["422"] = answer("No model is named", &[kind], &schema);
            &["401"]
        }
        "/api/show" => &["400", "401", "404"],
        _ => &["401"],
    };
    for status in refused {
        let name = match *status {
            "404" if ours == "Error" => "NotFound",
            _ => ours,
        };
        all[*status] = json!({ "$ref": format!("#/components/responses/{name}") });
    }
    if method == "OPTIONS" {
        all["200"] = answer("The answer", &[kind], &schema);
    }
    all
}

/// A request of a call.
fn call(operation: &Operation) -> Value {
    let text = json!({"type": "string"});
    let mut schema = json!({"type": "object", "properties": {
        "model": {"type": "string", "description": "A name of `/v1/models`"},
    }});
    let mut required = vec!["model"];
    if let Operation::Gemini(path) = operation {
        return gemini(&path.action);
    }
    let prompts = json!({"type": ["string", "array"]});
    match operation {
        Operation::ChatCompletions
        | Operation::Messages
        | Operation::CountTokens
        | Operation::TokenCounter
        | Operation::Cohere(CohereCall::Chat)
        | Operation::Ollama(OllamaCall::Chat) => {
            schema["properties"]["messages"] = json!({"type": "array", "items": message()});
        }
        Operation::Completions => schema["properties"]["prompt"] = prompts,
        Operation::Ollama(OllamaCall::Generate | OllamaCall::Embedding) => {
            schema["properties"]["prompt"] = text;
        }
        Operation::Cohere(_) => {
            schema["properties"]["texts"] = json!({"type": "array", "items": text});
        }
        Operation::Embeddings
        | Operation::Responses
        | Operation::Moderations
        | Operation::Ollama(OllamaCall::Embed) => {
            schema["properties"]["input"] = prompts;
        }
        Operation::ImageGenerations | Operation::ImageEdits => {
            schema["properties"]["prompt"] = text;
        }
        Operation::Speech => {
            schema["properties"]["input"] = text.clone();
            schema["properties"]["voice"] = text;
        }
        Operation::Rerank | Operation::RerankV1 => {
            schema["properties"]["query"] = text.clone();
            schema["properties"]["documents"] = json!({"type": "array", "items": text});
        }
        _ => {}
    }
    if kinds(operation).len() > 1 {
        schema["properties"]["stream"] = json!({"type": "boolean"});
    }
    if *operation == Operation::Moderations {
        required.clear();
    }
    required.extend(operation.required_field());
    schema["required"] = required.into();
    schema
}

/// A request for one model of Ollama's clients.
fn shown() -> Value {
    json!({"type": "object", "required": ["model"], "properties": {"model": {"type": "string"}}})
}

/// A request of Gemini's, whose model stands in the path.
fn gemini(action: &str) -> Value {
    let name = match action {
        "embedContent" => "content",
        "batchEmbedContents" => "requests",
        _ => "contents",
    };
    let kind = if name == "content" { "object" } else { "array" };
    json!({"type": "object", "properties": {name: {"type": kind}}})
}

fn message() -> Value {
    json!({"type": "object", "required": ["role", "content"], "properties": {
        "role": {"type": "string", "enum": ["system", "user", "assistant"]},
        "content": {"type": "string"},
    }})
}

fn upload() -> Value {
    json!({"type": "object", "required": ["model"], "properties": {
        "model": {"type": "string"},
        "file": {"type": "string", "format": "binary"},
    }})
}

/// The shapes of errors.
pub(super) fn schemas() -> Value {
    let text = json!({"type": "string"});
    let maybe = json!({"type": ["string", "null"]});
    json!({
        "Error": {"type": "object", "required": ["error"], "properties": {"error": {
            "type": "object", "required": ["message", "type", "param", "code"],
            "properties": {"message": text, "type": maybe, "param": maybe, "code": text},
        }}},
        "AnthropicError": {"type": "object", "required": ["type", "error"], "properties": {
            "type": {"const": "error"},
            "error": {"type": "object", "required": ["type", "message"],
                      "properties": {"type": text, "message": text}},
        }},
        "CohereError": {"type": "object", "required": ["message"], "properties": {"message": text}},
        "OllamaError": {"type": "object", "required": ["error"], "properties": {"error": text}},
        "Detail": {"type": "object", "required": ["detail"], "properties": {"detail": text}},
        "NotFound": {"anyOf": [
            {"$ref": "#/components/schemas/Detail"}, {"$ref": "#/components/schemas/Error"},
        ]},
        "GeminiError": {"type": "object", "required": ["error"], "properties": {"error": {
            "type": "object", "required": ["code", "message", "status"],
            "properties": {"code": {"type": "integer"}, "message": text, "status": text},
        }}},
    })
}

/// The answers that refer to them.
pub(super) fn responses() -> Value {
    let names =
        ["Error", "NotFound", "AnthropicError", "GeminiError", "CohereError", "OllamaError"];
    let refer = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    names
        .into_iter()
        .map(|name| {
            let shape = answer("An error of the proxy", &["application/json"], &refer(name));
            (name.to_owned(), shape)
        })
        .collect()
}
