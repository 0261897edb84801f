//! A request for a provider that speaks OpenAI.
use super::{tools, turns};
use crate::data::{self, Quirks};
use crate::providers::chat::{
    Format, Lost, Malformed, Request, Sampling, Target, Thinking, Tool, ToolChoice, Written, whole,
};
use crate::providers::openai::fitting::fit;
use serde_json::{Map, Value, json};

/// Writes a chat completion's request.
///
/// # Errors
/// Never: what a provider cannot take is left out, and told in `lost`.
pub fn write_request(
    request: Request,
    target: &Target<'_>,
    lost: &mut Lost,
) -> Result<Written, Malformed> {
    let mut body = Map::new();
    let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
    put("model", target.model.into());
    let provider = target.row.or_else(|| data::provider(target.provider));
    let quirks = provider.map_or(Quirks::NONE, |provider| provider.quirks_of(target.like));
    put("messages", turns::write(request.turns, &quirks, lost).into());
    let mut tools = request.tools;
    if let Some(ToolChoice::Among { names, .. }) = &request.tool_choice
        && !quirks.newest()
    {
        tools.retain(|it| matches!(it, Tool::Function(function) if names.contains(&function.name)));
    }
    let tools = tools::write(tools, &quirks, lost);
    let has_tools = !tools.is_empty();
    if has_tools {
        put("tools", tools.into());
        if let Some(choice) = request.tool_choice {
            put("tool_choice", tools::write_choice(choice, &quirks));
        }
        if let Some(parallel) = request.parallel_tools {
            put("parallel_tool_calls", parallel.into());
        }
    }
    if let Some(format) = request.format {
        put("response_format", write_format(format));
    }
    sampling(request.sampling, &quirks, lost, &mut body);
    if let Some(told) = request.thinking {
        // A model that is known not to think is not asked to: it would refuse.
        if target.thinks != Some(false) {
            write_thinking(&told, &quirks, &mut body);
        } else if !told.is_off() {
            lost.hint("reasoning_effort");
        }
    }
    if request.stream {
        body.insert("stream".to_owned(), true.into());
        body.insert("stream_options".to_owned(), json!({"include_usage": true}));
    }
    match request.user {
        // OpenAI refuses longer ones.
        Some(user) if user.len() <= 64 => {
            body.insert("user".to_owned(), user.into());
        }
        Some(_) => lost.hint("user"),
        None => {}
    }
    lost.hint_of("metadata", &request.metadata);
    fit(&mut body, &quirks, lost);
    Ok(Written { body, rest: request.rest, ..Written::default() })
}

fn sampling(told: Sampling, quirks: &Quirks, lost: &mut Lost, body: &mut Map<String, Value>) {
    let mut put = |name: &str, value: Option<Value>| {
        value.map(|value| body.insert(name.to_owned(), value));
    };
    put("max_tokens", told.max_tokens.map(Into::into));
    put("seed", told.seed.map(Into::into));
    put("n", told.choices.map(Into::into));
    put("temperature", told.temperature.map(Into::into));
    put("top_p", told.top_p.map(Into::into));
    put("presence_penalty", told.presence_penalty.map(Into::into));
    put("frequency_penalty", told.frequency_penalty.map(Into::into));
    put("stop", (!told.stop.is_empty()).then(|| told.stop.into()));
    put("logprobs", told.logprobs.map(Into::into));
    put("top_logprobs", told.top_logprobs.map(Into::into));
    put("logit_bias", told.logit_bias);
    match quirks.top_k() {
        true => put("top_k", told.top_k.map(whole)),
        false => lost.part_of("top_k", &told.top_k),
    }
}

fn write_format(format: Format) -> Value {
    match format {
        Format::Json => json!({"type": "json_object"}),
        Format::Schema { name, description, schema, strict } => {
            let name = name.unwrap_or_else(|| "answer".to_owned());
            let mut told = json!({"name": name, "schema": schema});
            if let Some(told) = told.as_object_mut() {
                strict.map(|strict| told.insert("strict".to_owned(), strict.into()));
                description.map(|text| told.insert("description".to_owned(), text.into()));
            }
            json!({"type": "json_schema", "json_schema": told})
        }
    }
}

/// How much the model thinks, in each provider's words.
fn write_thinking(told: &Thinking, quirks: &Quirks, body: &mut Map<String, Value>) {
    let mut put = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    match quirks.thinking() {
        Some(data::Thinking::Switch) => {
            let kind = if told.is_off() { "disabled" } else { "enabled" };
            put("thinking", json!({"type": kind}));
        }
        Some(data::Thinking::Object) => put(
            "reasoning",
            match (told.budget, told.effort()) {
                (_, Some("none")) => json!({"enabled": false}),
                (Some(budget), _) => json!({"max_tokens": budget}),
                (None, Some(effort)) => json!({"effort": effort}),
                (None, None) => json!({"enabled": true}),
            },
        ),
        None => match told.effort() {
            Some("none") => put("reasoning_effort", quirks.least().unwrap_or("none").into()),
            Some(effort) => put("reasoning_effort", effort.into()),
            None => {}
        },
    }
}
