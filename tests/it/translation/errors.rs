//! Errors of providers, as they were recorded: their words are found, and why they failed.
use super::setup::reply;
use crate::fixtures::{self, Exchange};
use bartizan::providers::translate::Protocol;
use bartizan_layers::facts::Cause;
use bartizan_layers::wire::cause::fault_of;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;
use std::time::{Duration, SystemTime};

/// Recorded errors of these words, of one status, have this cause: provider, status, words.
const CAUSES: [(&str, u16, &str, Cause); 37] = [
    ("openai", 404, "does not exist or you do not have access", Cause::NotFound),
    ("openai", 401, "Incorrect API key provided", Cause::BadCredential),
    ("openai", 400, "is less than the minimum", Cause::Invalid),
    ("openai", 400, "Unsupported parameter", Cause::Invalid),
    ("openai", 400, "Error while downloading file", Cause::Invalid),
    ("openai", 400, "Unknown parameter", Cause::Invalid),
    ("openai", 400, "Content blocks are expected", Cause::Invalid),
    ("openai", 400, "in_progress", Cause::Invalid),
    ("openai", 404, "This is not a chat model", Cause::NotFound),
    ("openai", 500, "", Cause::Outage),
    ("anthropic", 400, "does not match the expected shape", Cause::Invalid),
    ("anthropic", 404, "model: claude", Cause::NotFound),
    ("anthropic", 400, "does not support effort level", Cause::Invalid),
    ("anthropic", 401, "invalid x-api-key", Cause::BadCredential),
    ("gemini", 429, "You exceeded your current quota", Cause::RateLimit),
    ("gemini", 404, "is not found for API version", Cause::NotFound),
    ("gemini", 400, "response modalities", Cause::Invalid),
    ("gemini", 403, "unregistered callers", Cause::Permission),
    ("cohere", 404, "was removed on", Cause::NotFound),
    ("cohere", 401, "Incorrect API key provided", Cause::BadCredential),
    ("cohere", 400, "too many tokens", Cause::ContextTooLong),
    ("ollama", 400, "exceeded max context length", Cause::ContextTooLong),
    ("mistral", 401, "Invalid API Key", Cause::BadCredential),
    ("openrouter", 401, "No cookie auth credentials found", Cause::BadCredential),
    ("openrouter", 400, "maximum context length", Cause::ContextTooLong),
    ("openrouter", 404, "No endpoints found", Cause::NotFound),
    ("openrouter", 429, "Rate limit exceeded", Cause::RateLimit),
    ("openrouter", 403, "Content violates usage guidelines", Cause::ContentFilter),
    ("openrouter", 400, "Unsupported parameter", Cause::Invalid),
    ("openrouter", 400, "Invalid request content", Cause::Invalid),
    ("groq", 401, "Invalid API Key", Cause::BadCredential),
    ("groq", 400, "ool call validation failed", Cause::Invalid),
    ("groq", 400, "is not supported with this model", Cause::Invalid),
    ("groq", 400, "model did not call a tool", Cause::Invalid),
    ("deepseek", 400, "No tool output found", Cause::Invalid),
    ("xai", 400, "Incorrect API key provided", Cause::BadCredential),
    ("xai", 400, "does not support parameter", Cause::Invalid),
];

/// What its provider speaks on this path.
fn protocol(exchange: &Exchange) -> Protocol {
    match exchange.text("/provider") {
        "anthropic" => Protocol::Messages,
        "gemini" => Protocol::Gemini,
        "cohere" => Protocol::Cohere,
        _ if exchange.text("/endpoint").ends_with("/responses") => Protocol::Responses,
        _ => Protocol::Chat,
    }
}

/// The words of an error, wherever this provider has them.
fn words(body: &Value) -> &str {
    let places = ["/error/message", "/error", "/message", "/detail"];
    places.iter().find_map(|place| body.pointer(place)?.as_str()).unwrap_or_default()
}

/// What is wrong with how this error is understood.
fn wrong(exchange: &Exchange, body: &[u8]) -> Option<String> {
    let (provider, status) = (exchange.text("/provider"), exchange.status());
    let text = String::from_utf8_lossy(body);
    let known = CAUSES.iter().find(|(whose, code, words, _)| {
        *whose == provider && *code == status && text.contains(words)
    });
    let Some((.., want)) = known else { return Some("nobody has read it".to_owned()) };
    let headers = exchange.headers().into_iter().map(|(name, value)| {
        let name: HeaderName = name.parse().expect("a header's name");
        (name, HeaderValue::from_str(value).expect("a header's value"))
    });
    let headers: HeaderMap = headers.collect();
    let code = StatusCode::from_u16(status).expect("a status");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045);
    let fault = fault_of(code, &headers, body, now);
    if fault.cause != *want {
        return Some(format!("{:?} for {want:?}", fault.cause));
    }
    let body: Value = serde_json::from_slice(body).ok()?;
    let (words, reply) = (words(&body), reply(Protocol::Completions, protocol(exchange), false));
    let told = reply.error(body.to_string().as_bytes()).map(|error| error.message);
    let heard = words.is_empty() || told.as_deref() == Some(words);
    (!heard).then(|| format!("{told:?} for {words:?}"))
}

#[test]
fn a_recorded_error_is_understood() {
    let Some(root) = fixtures::root("errors of providers") else { return };
    let known = |exchange: &Exchange| CAUSES.iter().any(|it| it.0 == exchange.text("/provider"));
    let all = fixtures::all(&root).into_iter();
    let all: Vec<_> = all.filter(|it| it.status() >= 400 && known(it)).collect();
    let wrong = all.iter().filter_map(|exchange| {
        let body = exchange.answer().unwrap_or_default();
        wrong(exchange, &body).map(|why| format!("{}: {why}", exchange.name))
    });
    let wrong: Vec<_> = wrong.collect();
    eprintln!("{} of {} errors are understood", all.len() - wrong.len(), all.len());
    assert!(!all.is_empty() && wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The members that the schema `name` of an `openapi.yaml` gives to an error.
fn members<'a>(schemas: &'a str, name: &str) -> Vec<&'a str> {
    let (_, schema) = schemas.split_once(&format!("\n    {name}:\n")).expect("the schema");
    let lines = schema.lines().take_while(|line| line.starts_with("      "));
    let member = |line: &'a str| line.strip_prefix("            ")?.strip_suffix(':');
    lines.filter_map(member).filter(|name| !name.starts_with(' ')).collect()
}

#[test]
fn an_error_that_togethers_schema_describes_is_understood() {
    let folder = "reference/schemas";
    let Some(root) = fixtures::shared(folder, "BARTIZAN_SCHEMAS", "errors of Together") else {
        return;
    };
    let schemas = std::fs::read_to_string(root.join("together.openapi.yaml")).expect("the schema");
    let members = members(&schemas, "ErrorData");
    assert!(members.contains(&"message") && members.contains(&"type"), "{members:?}");
    let told = members.iter().map(|name| ((*name).to_owned(), Value::from(format!("the {name}"))));
    let body = serde_json::json!({"error": told.collect::<serde_json::Map<_, _>>()}).to_string();
    for (status, want) in [
        (400, Cause::Invalid),
        (401, Cause::BadCredential),
        (404, Cause::NotFound),
        (429, Cause::RateLimit),
        (500, Cause::Outage),
        (503, Cause::Overload),
    ] {
        let code = StatusCode::from_u16(status).expect("a status");
        let fault = fault_of(code, &HeaderMap::new(), body.as_bytes(), SystemTime::UNIX_EPOCH);
        assert_eq!(fault.cause, want, "{status}");
        let reply = reply(Protocol::Messages, Protocol::Chat, false);
        let heard = reply.error(body.as_bytes()).expect("an error");
        assert_eq!(heard.message, "the message");
    }
}
