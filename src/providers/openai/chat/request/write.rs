//! A request for a provider that speaks OpenAI.
use super::{tools, turns};
use crate::providers::chat::{
    Format, Lost, Malformed, Request, Sampling, Target, Thinking, Tool, ToolChoice, Written, whole,
};
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
    put("messages", turns::write(request.turns, target, lost).into());
    let mut tools = request.tools;
    if let Some(ToolChoice::Among { names, .. }) = &request.tool_choice
        && target.provider != "openai"
    {
        tools.retain(|it| matches!(it, Tool::Function(function) if names.contains(&function.name)));
    }
    let tools = tools::write(tools, target, lost);
    let has_tools = !tools.is_empty();
    if has_tools {
        put("tools", tools.into());
        if let Some(choice) = request.tool_choice {
            put("tool_choice", tools::write_choice(choice, target));
        }
        if let Some(parallel) = request.parallel_tools {
            put("parallel_tool_calls", parallel.into());
        }
    }
    if let Some(format) = request.format {
        put("response_format", write_format(format));
    }
    sampling(request.sampling, target, lost, &mut body);
    if let Some(thinking) = request.thinking {
        write_thinking(&thinking, target, lost, &mut body);
    }
    if request.stream {
        body.insert("stream".to_owned(), true.into());
        body.insert("stream_options".to_owned(), json!({"include_usage": true}));
    }
    match request.user {
        // OpenAI refuses longer ones.
        Some(user) if user.len() <= 64 && target.provider != "mistral" => {
            body.insert("user".to_owned(), user.into());
        }
        Some(_) => lost.hint("user"),
        None => {}
    }
    lost.hint_of("metadata", &request.metadata);
    Ok(Written { body, rest: request.rest, ..Written::default() })
}

/// Whether the model is one of those that OpenAI calls reasoning models: they take other members.
fn is_reasoning(target: &Target<'_>) -> bool {
    let name = target.model.rsplit('/').next().unwrap_or_default();
    let mut bytes = name.bytes();
    let o_series = bytes.next() == Some(b'o') && bytes.next().is_some_and(|it| it.is_ascii_digit());
    let five = name.starts_with("gpt-5") && !name.starts_with("gpt-5-chat");
    (o_series || five) && matches!(target.provider, "openai" | "azure")
}

fn sampling(told: Sampling, target: &Target<'_>, lost: &mut Lost, body: &mut Map<String, Value>) {
    let reasons = is_reasoning(target);
    let mut put = |name: &str, value: Option<Value>| {
        value.map(|value| body.insert(name.to_owned(), value));
    };
    let longest = if reasons { "max_completion_tokens" } else { "max_tokens" };
    put(longest, told.max_tokens.map(Into::into));
    let seed = if target.provider == "mistral" { "random_seed" } else { "seed" };
    put(seed, told.seed.map(Into::into));
    put("n", told.choices.map(Into::into));
    if reasons {
        let other = told.temperature.filter(|it| (it - 1.0).abs() > f64::EPSILON);
        lost.part_of("temperature", &other);
        lost.part_of("top_p", &told.top_p.filter(|it| (it - 1.0).abs() > f64::EPSILON));
        lost.part_of("presence_penalty", &told.presence_penalty);
        lost.part_of("frequency_penalty", &told.frequency_penalty);
        if !told.stop.is_empty() {
            lost.part("stop");
        }
    } else {
        put("temperature", told.temperature.map(Into::into));
        put("top_p", told.top_p.map(Into::into));
        put("presence_penalty", told.presence_penalty.map(Into::into));
        put("frequency_penalty", told.frequency_penalty.map(Into::into));
        put("stop", (!told.stop.is_empty()).then(|| told.stop.into()));
    }
    if target.provider == "mistral" {
        lost.part_of("logprobs", &told.logprobs);
        lost.part_of("top_logprobs", &told.top_logprobs);
        lost.part_of("logit_bias", &told.logit_bias);
    } else {
        put("logprobs", told.logprobs.map(Into::into));
        put("top_logprobs", told.top_logprobs.map(Into::into));
        put("logit_bias", told.logit_bias);
    }
    match target.provider {
        "openai" | "azure" | "groq" | "mistral" | "deepseek" | "xai" | "cerebras" => {
            lost.part_of("top_k", &told.top_k);
        }
        _ => put("top_k", told.top_k.map(whole)),
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

/// How much the model thinks, in each provider's words. A model that is known not to think is not
/// asked to: it would refuse.
fn write_thinking(
    told: &Thinking,
    target: &Target<'_>,
    lost: &mut Lost,
    body: &mut Map<String, Value>,
) {
    let thinks = target.thinks.unwrap_or(true);
    if !thinks {
        if !told.is_off() {
            lost.hint("reasoning_effort");
        }
        return;
    }
    let mut put = |name: &str, value: Value| {
        body.insert(name.to_owned(), value);
    };
    match target.provider {
        "deepseek" | "zai" | "moonshot" | "volcengine" => {
            let kind = if told.is_off() { "disabled" } else { "enabled" };
            put("thinking", json!({"type": kind}));
        }
        "openrouter" => put(
            "reasoning",
            match (told.budget, told.effort()) {
                (_, Some("none")) => json!({"enabled": false}),
                (Some(budget), _) => json!({"max_tokens": budget}),
                (None, Some(effort)) => json!({"effort": effort}),
                (None, None) => json!({"enabled": true}),
            },
        ),
        _ => match told.effort() {
            // Only the newest of OpenAI's models can be told not to think at all.
            Some("none") if !target.model.contains("gpt-5.") && is_reasoning(target) => {
                put("reasoning_effort", "minimal".into());
            }
            Some(effort) => put("reasoning_effort", effort.into()),
            None => {}
        },
    }
}
