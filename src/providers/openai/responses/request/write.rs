//! A request in OpenAI's words.
use super::items::{Items, instructions};
use super::read::LOGPROBS;
use super::tools;
use crate::providers::chat::{
    Format, Lost, Malformed, Request, Sampling, Taking, Target, Thinking, Tool, Written, object,
};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Members that Responses has under the name that the client's dialect has for them.
const SAME: [&str; 17] = [
    "background",
    "context_management",
    "conversation",
    "include",
    "max_tool_calls",
    "moderation",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "text",
    "truncation",
];

/// The least that OpenAI takes for `max_output_tokens`.
const LEAST: u64 = 16;

/// What `include` says for thoughts.
const THOUGHTS: &str = "reasoning.encrypted_content";

/// Writes a request for a response. Unless the client says otherwise OpenAI shall not keep it, as it
/// keeps no chats; then thoughts are asked for in its cipher, so that they can be sent back.
///
/// # Errors
/// None: whatever has no place is in `lost`.
pub fn write_request(
    mut request: Request,
    target: &Target<'_>,
    lost: &mut Lost,
) -> Result<Written, Malformed> {
    let mut body = Map::new();
    body.insert("model".to_owned(), target.model.into());
    for name in SAME {
        if let Some(value) = request.rest.take(name) {
            body.insert(name.to_owned(), value);
        }
    }
    prompt(&mut request, &mut body, lost);
    tools::write(&mut request, &mut body, lost);
    look(&mut request, &mut body);
    thinking(request.thinking.as_ref(), target, &mut body, lost);
    let logprobs = sampling(&request.sampling, target, &mut body, lost);
    storing(target, &mut body, logprobs);
    who(request.user, request.metadata, &mut body, lost);
    for name in ["audio", "modalities", "prediction"] {
        if let Some(told) = request.rest.take(name) {
            leave_out(name, &told, lost);
        }
    }
    if request.stream {
        body.insert("stream".to_owned(), true.into());
    }
    Ok(Written { body, ..Written::default() })
}

fn prompt(request: &mut Request, body: &mut Map<String, Value>, lost: &mut Lost) {
    let customs = request.tools.iter().filter_map(|tool| match tool {
        Tool::Function(function) if function.custom => Some(function.name.clone()),
        _ => None,
    });
    let mut items = Items::new(customs.collect::<HashSet<_>>());
    let mut turns = std::mem::take(&mut request.turns);
    if let Some(instructions) = instructions(&mut turns, lost) {
        body.insert("instructions".to_owned(), instructions.into());
    }
    for turn in turns {
        items.turn(turn, lost);
    }
    body.insert("input".to_owned(), Value::Array(items.end()));
}

/// What the answer looks like: `text`.
fn look(request: &mut Request, body: &mut Map<String, Value>) {
    let format = request.format.take().map(|format| match format {
        Format::Json => json!({"type": "json_object"}),
        Format::Schema { name, description, schema, strict } => {
            let name = name.unwrap_or_else(|| "answer".to_owned());
            let kind = ("type", "json_schema".into());
            let mut told = object([kind, ("name", name.into()), ("schema", schema)]);
            if let Some(description) = description {
                told["description"] = description.into();
            }
            if let Some(strict) = strict {
                told["strict"] = strict.into();
            }
            told
        }
    });
    for (name, value) in [("format", format), ("verbosity", request.rest.take("verbosity"))] {
        if let Some(value) = value {
            put(body, "text", name, value);
        }
    }
}

fn thinking(
    thinking: Option<&Thinking>,
    target: &Target<'_>,
    body: &mut Map<String, Value>,
    lost: &mut Lost,
) {
    let Some(thinking) = thinking else { return };
    // OpenAI refuses `reasoning` for models that cannot.
    if target.thinks == Some(false) {
        if !thinking.is_off() {
            lost.hint("reasoning_effort");
        }
        return;
    }
    if let Some(effort) = thinking.effort() {
        put(body, "reasoning", "effort", effort.into());
    }
    if thinking.shown == Some(true) && !thinking.is_off() {
        put(body, "reasoning", "summary", "auto".into());
    }
}

/// Puts a member into an object of the body.
fn put(body: &mut Map<String, Value>, object: &str, name: &str, value: Value) {
    let object = body.entry(object).or_insert_with(|| json!({}));
    if !object.is_object() {
        *object = json!({});
    }
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

/// Writes how words are chosen, and tells whether their probabilities are wanted.
fn sampling(
    sampling: &Sampling,
    target: &Target<'_>,
    body: &mut Map<String, Value>,
    lost: &mut Lost,
) -> bool {
    let least = if target.modify { LEAST } else { 0 };
    let numbers = [
        ("max_output_tokens", sampling.max_tokens.map(|most| most.max(least).into())),
        ("temperature", sampling.temperature.map(Value::from)),
        ("top_p", sampling.top_p.map(Value::from)),
        ("top_logprobs", sampling.top_logprobs.map(Value::from)),
    ];
    for (name, value) in numbers {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    }
    lost.part_of("top_k", &sampling.top_k);
    lost.part_of("stop", &sampling.stop.first());
    lost.part_of("seed", &sampling.seed);
    lost.part_of("presence_penalty", &sampling.presence_penalty);
    lost.part_of("frequency_penalty", &sampling.frequency_penalty);
    lost.part_of("n", &sampling.choices.filter(|choices| *choices > 1));
    lost.part_of("logit_bias", &sampling.logit_bias);
    sampling.logprobs == Some(true)
}

/// `store`, and what has to be included for it.
fn storing(target: &Target<'_>, body: &mut Map<String, Value>, logprobs: bool) {
    let elsewhere = ["previous_response_id", "conversation", "background"];
    if !body.contains_key("store") && !elsewhere.iter().any(|name| body.contains_key(*name)) {
        body.insert("store".to_owned(), false.into());
    }
    let stored = body.get("store") != Some(&Value::Bool(false));
    // OpenAI refuses to include what a model does not have.
    let thoughts = !stored && target.thinks != Some(false);
    let wanted = [(THOUGHTS, thoughts), (LOGPROBS, logprobs)];
    let mut include = body.take_array("include");
    for (name, _) in wanted.iter().filter(|(_, wanted)| *wanted) {
        if !include.iter().any(|it| it == *name) {
            include.push((*name).into());
        }
    }
    if !include.is_empty() {
        body.insert("include".to_owned(), Value::Array(include));
    }
}

fn who(
    user: Option<String>,
    metadata: Option<Value>,
    body: &mut Map<String, Value>,
    lost: &mut Lost,
) {
    if let Some(user) = user {
        body.insert("user".to_owned(), user.into());
    }
    match metadata {
        Some(Value::Object(told)) if told.values().all(Value::is_string) => {
            body.insert("metadata".to_owned(), Value::Object(told));
        }
        Some(Value::Null) | None => {}
        // OpenAI takes only texts.
        Some(_) => lost.hint("metadata"),
    }
}

/// What only chats have.
fn leave_out(name: &'static str, told: &Value, lost: &mut Lost) {
    let only_text = told.as_array().is_some_and(|all| all.iter().all(|one| one == "text"));
    match name {
        // It makes the answer faster, not other.
        "prediction" => lost.hint(name),
        "modalities" if only_text => {}
        _ => lost.part(name),
    }
}
