//! A request for `/api/chat`.
use super::{options, tools, turns};
use crate::providers::chat::{Format, Lost, Malformed, Request, Taking, Target, Thinking, Written};
use serde_json::{Map, Value};

/// Ollama's own members, which a client may give as they are.
const OWN: [&str; 3] = ["keep_alive", "truncate", "shift"];

/// Writes a chat's request.
///
/// # Errors
/// If it has no messages, or wants a tool that it does not offer.
pub fn write_request(
    request: Request,
    target: &Target<'_>,
    lost: &mut Lost,
) -> Result<Written, Malformed> {
    let mut rest = request.rest;
    let mut body = Map::new();
    body.insert("model".to_owned(), target.model.into());
    let messages = turns::write(request.turns, lost);
    if messages.is_empty() {
        return Err(Malformed::new("messages", "Ollama needs at least one message with content"));
    }
    body.insert("messages".to_owned(), messages.into());
    let mut put = |name: &str, value: Option<Value>| {
        value.map(|value| body.insert(name.to_owned(), value));
    };
    let tools = tools::write(request.tools, request.tool_choice, lost)?;
    put("tools", (!tools.is_empty()).then(|| tools.into()));
    put("format", request.format.map(|format| write_format(format, lost)));
    put("logprobs", request.sampling.logprobs.map(Into::into));
    put("top_logprobs", request.sampling.top_logprobs.map(Into::into));
    let own = rest.take("think");
    let think = request.thinking.and_then(|told| think(&told, target, lost));
    put("think", own.or(think));
    for name in OWN {
        put(name, rest.take(name));
    }
    let options = options::write(request.sampling, &mut rest, lost);
    put("options", (!options.is_empty()).then(|| options.into()));
    // Ollama streams unless it is told not to.
    put("stream", Some(request.stream.into()));
    lost.part_of("parallel_tool_calls", &request.parallel_tools.filter(|several| !several));
    lost.hint_of("user", &request.user);
    lost.hint_of("metadata", &request.metadata);
    Ok(Written { body, rest, ..Written::default() })
}

/// Ollama has no names for schemas, and holds to every one of them exactly.
fn write_format(format: Format, lost: &mut Lost) -> Value {
    match format {
        Format::Json => "json".into(),
        Format::Schema { name, description, schema, strict: _ } => {
            if name.is_some() {
                lost.hint("response_format.json_schema.name");
            }
            if description.is_some() {
                lost.hint("response_format.json_schema.description");
            }
            schema
        }
    }
}

/// Models think or do not. Only those of the gpt-oss family know how much: Ollama refuses words for
/// it to others.
fn think(told: &Thinking, target: &Target<'_>, lost: &mut Lost) -> Option<Value> {
    if target.thinks == Some(false) {
        if !told.is_off() {
            lost.hint("reasoning_effort");
        }
        return None;
    }
    if told.is_off() {
        return Some(false.into());
    }
    if told.shown == Some(false) {
        lost.hint("thinking.display");
    }
    let effort = told.effort();
    if told.on.is_none() && effort.is_none() {
        return None;
    }
    if !target.model.contains("gpt-oss") {
        if effort.is_some() {
            lost.hint("reasoning_effort");
        }
        return Some(true.into());
    }
    Some(match effort {
        Some("minimal" | "low") => "low".into(),
        Some("medium") => "medium".into(),
        Some("high" | "xhigh" | "max") => "high".into(),
        _ => true.into(),
    })
}
