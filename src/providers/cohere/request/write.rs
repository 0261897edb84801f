//! A request for `/v2/chat`. Cohere refuses members that it does not know, so nothing else is sent.
use super::{tools, turns};
use crate::providers::chat::{
    Format, Lost, Malformed, Request, Sampling, Taking, Target, Thinking, Written, object, whole,
};
use serde_json::{Map, Value, json};

/// Cohere's own members, which a client may give as they are.
const OWN: [&str; 7] =
    ["citation_options", "safety_mode", "strict_tools", "priority", "k", "p", "stop_sequences"];

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
    let tools = tools::write(request.tools, request.tool_choice, lost)?;
    let told = turns::write(request.turns, !tools.list.is_empty(), lost);
    if told.messages.is_empty() {
        return Err(Malformed::new("messages", "Cohere needs at least one message with content"));
    }
    body.insert("messages".to_owned(), told.messages.into());
    let mut put = |name: &str, value: Option<Value>| {
        value.map(|value| body.insert(name.to_owned(), value));
    };
    put("tools", (!tools.list.is_empty()).then(|| tools.list.into()));
    put("tool_choice", tools.choice.map(Into::into));
    let mut documents = rest.take_array("documents");
    documents.extend(told.documents);
    put("documents", (!documents.is_empty()).then(|| documents.into()));
    put("response_format", request.format.map(|format| write_format(format, lost)));
    for name in OWN {
        put(name, rest.take(name));
    }
    sampling(request.sampling, &mut put, lost);
    put("thinking", request.thinking.and_then(|told| thinking(&told, target, lost)));
    put("stream", Some(request.stream.into()));
    lost.part_of("parallel_tool_calls", &request.parallel_tools.filter(|several| !several));
    lost.hint_of("user", &request.user);
    lost.hint_of("metadata", &request.metadata);
    Ok(Written { body, rest, ..Written::default() })
}

fn sampling(told: Sampling, put: &mut impl FnMut(&str, Option<Value>), lost: &mut Lost) {
    put("max_tokens", told.max_tokens.map(Into::into));
    put("temperature", told.temperature.map(Into::into));
    put("p", told.top_p.map(Into::into));
    put("k", told.top_k.map(whole));
    put("stop_sequences", (!told.stop.is_empty()).then(|| told.stop.into()));
    put("seed", told.seed.map(Into::into));
    put("presence_penalty", told.presence_penalty.map(Into::into));
    put("frequency_penalty", told.frequency_penalty.map(Into::into));
    put("logprobs", told.logprobs.map(Into::into));
    lost.part_of("n", &told.choices.filter(|count| *count != 1));
    lost.part_of("top_logprobs", &told.top_logprobs.filter(|count| *count != 0));
    lost.part_of("logit_bias", &told.logit_bias);
}

/// Cohere has no names for schemas, and holds to every one of them exactly.
fn write_format(format: Format, lost: &mut Lost) -> Value {
    match format {
        Format::Json => json!({"type": "json_object"}),
        Format::Schema { name, description, schema, strict: _ } => {
            if name.is_some() {
                lost.hint("response_format.json_schema.name");
            }
            if description.is_some() {
                lost.hint("response_format.json_schema.description");
            }
            object([("type", "json_object".into()), ("json_schema", schema)])
        }
    }
}

fn thinking(told: &Thinking, target: &Target<'_>, lost: &mut Lost) -> Option<Value> {
    if target.thinks == Some(false) {
        if !told.is_off() {
            lost.hint("reasoning_effort");
        }
        return None;
    }
    if told.is_off() {
        return Some(json!({"type": "disabled"}));
    }
    if told.shown == Some(false) {
        lost.hint("thinking.display");
    }
    let asked = told.on.is_some() || told.effort.is_some() || told.budget.is_some();
    let mut thinking = json!({"type": "enabled"});
    if let Some((tokens, thinking)) = told.tokens().zip(thinking.as_object_mut()) {
        thinking.insert("token_budget".to_owned(), tokens.into());
    }
    asked.then_some(thinking)
}
