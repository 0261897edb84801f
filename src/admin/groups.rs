//! `/model_group/info` and `/utils/supported_openai_params` (contract 3.2).
use super::{Handles, json, query};
use crate::data::Model;
use crate::router::{Deployment, Listed};
use bartizan_layers::body::Body;
use bartizan_layers::facts::{Principal, Unit};
use http::{Response, StatusCode, request};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;

/// Each group, as the best of its deployments.
pub(super) fn info(handles: &Handles, parts: &request::Parts, who: &Principal) -> Response<Body> {
    let wanted = query(parts, "model_group");
    let is_wanted = |name: &str| {
        wanted.as_ref().is_none_or(|wanted| wanted == name) && handles.shows(who, name)
    };
    let groups = handles.router.groups().filter(|(name, _)| is_wanted(name));
    let mut data: Vec<_> = groups.map(|(name, members)| group(name, members)).collect();
    // What the catalogue knows behind a wildcard is a group each.
    let listed = handles.router.listed(false).into_iter();
    let mut known: HashSet<_> = handles.router.groups().map(|(name, _)| name.to_owned()).collect();
    for Listed { name, model } in listed {
        if let (Some(model), true, true) = (model, is_wanted(&name), known.insert(name.clone())) {
            data.push(catalogued(&name, &model));
        }
    }
    json(&json!({ "data": data }))
}

/// The abilities that LiteLLM lists for each group.
const ABILITIES: [&str; 7] = [
    "parallel_function_calling",
    "vision",
    "web_search",
    "url_context",
    "reasoning",
    "function_calling",
    "audio_input",
];

/// A group that only the catalogue tells of.
fn catalogued(name: &str, model: &Model) -> Value {
    let cost = |unit| model.price.base.rate(unit) as f64 / 1e12;
    let provider = name.split_once('/').map_or("", |(provider, _)| provider);
    let mut shown = json!({
        "model_group": name,
        "providers": [provider],
        "max_input_tokens": model.max_input_tokens.map(f64::from),
        "max_output_tokens": model.max_output_tokens.map(f64::from),
        "input_cost_per_token": cost(Unit::Input),
        "output_cost_per_token": cost(Unit::Output),
        "mode": model.mode,
        "tpm": null,
        "rpm": null,
        "supported_openai_params": params(Some(model.mode), Some(model)),
    });
    able(&mut shown, &[model]);
    shown
}

/// Notes which abilities some of `models` have.
fn able(shown: &mut Value, models: &[&Model]) {
    for ability in ABILITIES {
        let able = models.iter().any(|model| model.supports.has(ability));
        shown[format!("supports_{ability}")] = able.into();
    }
}

fn group(name: &str, members: &[Arc<Deployment>]) -> Value {
    let models: Vec<_> = members.iter().filter_map(|one| one.catalogued()).collect();
    let mut providers: Vec<_> = members.iter().map(|one| one.config().provider.name).collect();
    providers.sort_unstable();
    providers.dedup();
    let most = |of: fn(&Model) -> Option<u32>| models.iter().filter_map(of).max().map(f64::from);
    let dearest = |unit| {
        let prices = members.iter().map(|one| one.listed_price());
        prices.flatten().map(|price| price.base.rate(unit)).max().map(|picos| picos as f64 / 1e12)
    };
    let sum = |of: fn(&Deployment) -> Option<u64>| {
        let all: Vec<_> = members.iter().filter_map(|one| of(one)).collect();
        (!all.is_empty()).then(|| all.iter().sum::<u64>())
    };
    let first = members.first();
    let mut shown = json!({
        "model_group": name,
        "providers": providers,
        "max_input_tokens": most(|model| model.max_input_tokens),
        "max_output_tokens": most(|model| model.max_output_tokens),
        "input_cost_per_token": dearest(Unit::Input),
        "output_cost_per_token": dearest(Unit::Output),
        "input_cost_per_pixel": null,
        "mode": first.and_then(|one| one.mode()),
        "tpm": sum(|one| one.config().tpm),
        "rpm": sum(|one| one.config().rpm),
        "supported_openai_params": params(first.and_then(|one| one.mode()), models.first()),
        "configurable_clientside_auth_params": null,
        "is_public_model_group": false,
        "health_status": null,
        "health_response_time": null,
        "health_checked_at": null,
    });
    able(&mut shown, &Vec::from_iter(&models));
    shown
}

/// What a model may be asked with.
pub(super) fn supported(handles: &Handles, parts: &request::Parts) -> Response<Body> {
    let Some(name) = query(parts, "model") else {
        // As FastAPI says it.
        let missing =
            json!({"type": "missing", "loc": ["query", "model"], "msg": "Field required"});
        let mut rsp = json(&json!({ "detail": [missing] }));
        *rsp.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
        return rsp;
    };
    let known = handles.router.known(&name).map(|(_, model)| model);
    let known = known.or_else(|| crate::data::model(&name).map(Some));
    let Some(model) = known else {
        let error = format!("Could not map model={name}");
        let mut rsp = json(&json!({"detail": {"error": error}}));
        *rsp.status_mut() = StatusCode::BAD_REQUEST;
        return rsp;
    };
    let mode = model.as_ref().map(|model| model.mode);
    json(&json!({"supported_openai_params": params(mode, model.as_ref())}))
}

/// The parameters of chats that every provider with an OpenAI-compatible endpoint takes.
const CHAT: &str = "frequency_penalty logit_bias logprobs top_logprobs max_tokens \
    max_completion_tokens n presence_penalty seed stop stream stream_options temperature top_p \
    user response_format extra_headers";

/// OpenAI's names of what a model of this `mode` may be asked with. Nothing is refused that is
/// not in it: unknown parameters are passed on.
pub(super) fn params(mode: Option<&str>, model: Option<&Model>) -> Vec<&'static str> {
    let able = |ability| model.is_none_or(|model| model.supports.has(ability));
    let more = |ability, names: &'static str| if able(ability) { names } else { "" };
    let lists = match mode {
        Some("embedding") => ["dimensions encoding_format user", "", "", ""],
        Some("image_generation") => ["n quality response_format size style user", "", "", ""],
        Some("audio_speech") => ["voice response_format speed instructions", "", "", ""],
        Some("audio_transcription") => {
            ["language prompt response_format timestamp_granularities temperature", "", "", ""]
        }
        Some("rerank") => ["query documents top_n rank_fields return_documents", "", "", ""],
        Some("moderation") => ["input", "", "", ""],
        _ => [
            CHAT,
            more("function_calling", "tools tool_choice functions function_call"),
            more("parallel_function_calling", "parallel_tool_calls"),
            more("reasoning", "reasoning_effort"),
        ],
    };
    lists.into_iter().flat_map(str::split_whitespace).collect()
}
