//! `/models` and `/model/info` (contract 3.1 and 3.2).
use super::{Handles, json, query};
use crate::config::Compat;
use crate::data::Model;
use crate::edge::answer;
use crate::providers::{Dialect, Problem};
use crate::router::{Deployment, Listed};
use bartizan_layers::body::Body;
use bartizan_layers::facts::{Principal, Rates, Unit};
use http::{Response, StatusCode, request};
use serde_json::{Map, Value, json};

/// All names that may be asked for.
pub(super) fn list(handles: &Handles, parts: &request::Parts, who: &Principal) -> Response<Body> {
    let raw = asked(parts, "return_wildcard_routes");
    let only_groups = asked(parts, "only_model_access_groups");
    let with_groups = asked(parts, "include_model_access_groups");
    let mut names = if only_groups { Vec::new() } else { handles.router.listed(raw) };
    if only_groups || with_groups {
        let groups = handles.router.access_groups().into_iter();
        names.extend(groups.map(|name| Listed { name, model: None }));
    }
    names.retain(|listed| handles.shows(who, &listed.name));
    if who.team.is_some() {
        // Models of its own it calls by other names.
        for listed in &mut names {
            if let Some(own) = handles.router.name_in_team(&listed.name) {
                listed.name = own.into();
            }
        }
    }
    let data: Vec<_> = names.iter().map(|listed| item(handles.compat, listed)).collect();
    json(&json!({"data": data, "object": "list"}))
}

fn asked(parts: &request::Parts, name: &str) -> bool {
    query(parts, name).is_some_and(|told| told.eq_ignore_ascii_case("true"))
}

/// One name.
pub(super) fn one(handles: &Handles, id: &str, who: &Principal) -> Response<Body> {
    match handles.router.look_up(id).filter(|_| handles.shows(who, id)) {
        Some(listed) => json(&item(handles.compat, &listed)),
        None => {
            let message = format!("The model `{id}` does not exist.");
            let problem = Problem::new(StatusCode::NOT_FOUND, message).kind("not_found_error");
            answer(Dialect::OpenAi, &problem.param("model"))
        }
    }
}

/// The moment that LiteLLM gives as `created` for every model.
const CREATED: u32 = 1_677_610_602;

fn item(compat: Compat, listed: &Listed) -> Value {
    let mut item = json!({
        "id": listed.name, "object": "model", "created": CREATED, "owned_by": "openai",
    });
    if let (Compat::Current, Some(model)) = (compat, &listed.model) {
        item["mode"] = model.mode.into();
        item["max_input_tokens"] = model.max_input_tokens.into();
        item["max_output_tokens"] = model.max_output_tokens.into();
    }
    item
}

/// The deployments, without their credentials.
pub(super) fn info(handles: &Handles, parts: &request::Parts, who: &Principal) -> Response<Body> {
    let id = query(parts, "litellm_model_id");
    let deployments = handles.router.deployments().iter();
    let deployments = deployments.filter(|one| handles.shows(who, &one.config().group));
    let wanted = deployments.filter(|one| id.as_ref().is_none_or(|id| one.config().id == *id));
    let data: Vec<_> = wanted.map(|deployment| deployment_info(deployment)).collect();
    if let (Some(id), true) = (id, data.is_empty()) {
        let message = format!("Model id = {id} not found on litellm proxy");
        return answer(Dialect::OpenAi, &Problem::bad_request(message));
    }
    json(&json!({ "data": data }))
}

/// The same page by page, as the dashboard of LiteLLM asks for it.
pub(super) fn paged(handles: &Handles, parts: &request::Parts, who: &Principal) -> Response<Body> {
    let told = |names: [&str; 2]| names.into_iter().find_map(|name| query(parts, name));
    let number = |name| query(parts, name).and_then(|told| told.parse::<usize>().ok());
    let (page, size) = (number("page").unwrap_or(1).max(1), number("size").unwrap_or(50).max(1));
    let (model, search) = (told(["model", "modelId"]), query(parts, "search"));
    let debug = asked(parts, "debug");
    let rows = handles.router.deployments().iter().filter(|one| {
        let config = one.config();
        let own = handles.router.name_in_team(&config.group);
        let name = own.as_deref().unwrap_or(&config.group);
        let is_asked = |asked: &String| [name, &config.group, &config.id].contains(&asked.as_str());
        handles.shows(who, &config.group)
            && model.as_ref().is_none_or(is_asked)
            && search.as_ref().is_none_or(|part| name.contains(part.as_str()))
    });
    let rows: Vec<_> = rows.collect();
    let shown = rows.iter().skip((page - 1).saturating_mul(size)).take(size).map(|deployment| {
        let mut row = deployment_info(deployment);
        if debug {
            // Connections are pooled by address: it is the same for as long as that is.
            let base = deployment.config().params.get("api_base").and_then(Value::as_str);
            row["openai_client"] = format!("pool of {}", base.unwrap_or_default()).into();
        }
        row
    });
    json(&json!({
        "data": shown.collect::<Vec<_>>(), "total_count": rows.len(), "current_page": page,
        "size": size, "total_pages": rows.len().div_ceil(size),
    }))
}

fn deployment_info(deployment: &Deployment) -> Value {
    let config = deployment.config();
    let model = deployment.catalogued();
    let mut info = Map::new();
    info.insert("id".into(), config.id.as_str().into());
    info.insert("db_model".into(), false.into());
    info.insert("key".into(), config.model.as_str().into());
    info.insert("litellm_provider".into(), config.provider.name.into());
    info.insert("bartizan_evidence".into(), config.provider.about().evidence().into());
    info.extend(model.iter().flat_map(catalogue));
    if let Some(price) = &config.price {
        info.extend(prices(&price.base));
    }
    let params = super::groups::params(deployment.mode(), model.as_ref());
    info.insert("supported_openai_params".into(), params.into());
    info.extend(config.info.clone());
    json!({"model_name": config.group, "litellm_params": config.params, "model_info": info})
}

fn catalogue(model: &Model) -> Vec<(String, Value)> {
    let mut fields = vec![
        ("mode".to_owned(), model.mode.into()),
        ("max_tokens".to_owned(), model.max_output_tokens.into()),
        ("max_input_tokens".to_owned(), model.max_input_tokens.into()),
        ("max_output_tokens".to_owned(), model.max_output_tokens.into()),
    ];
    fields.extend(prices(&model.price.base));
    fields.extend(model.supports.iter().map(|what| (format!("supports_{what}"), true.into())));
    fields
}

/// The prices that are always shown, by LiteLLM's names.
const COSTS: [(&str, Unit); 7] = [
    ("input_cost_per_token", Unit::Input),
    ("output_cost_per_token", Unit::Output),
    ("cache_read_input_token_cost", Unit::CacheRead),
    ("cache_creation_input_token_cost", Unit::CacheWrite),
    ("output_cost_per_reasoning_token", Unit::Reasoning),
    ("input_cost_per_audio_token", Unit::AudioInput),
    ("output_cost_per_audio_token", Unit::AudioOutput),
];

/// US dollars per token, under LiteLLM's names.
fn prices(rates: &Rates) -> Vec<(String, Value)> {
    let dollars = |picos: i64| Value::from(picos as f64 / 1e12);
    let named = COSTS.iter().map(|(name, unit)| {
        let rate = rates.get(*unit);
        // Those of plain tokens are always told.
        let told = match unit {
            Unit::Input | Unit::Output => Some(rate.unwrap_or(0)),
            _ => rate,
        };
        ((*name).to_owned(), told.map_or(Value::Null, dollars))
    });
    named.collect()
}
