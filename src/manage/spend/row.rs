//! A call as `/spend/logs` shows it (contract 9.4).
use super::dollars;
use crate::clock;
use crate::ledger::{Booked, Record};
use bartizan_layers::facts::Unit;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// All columns of LiteLLM's row.
pub(super) fn row(booked: &Booked) -> Value {
    let record = &booked.record;
    let usage = record.usage();
    let prompt = json_of(record.prompt.as_deref());
    let cache_hit = match record.hit {
        Some(true) => "True",
        Some(false) => "False",
        // As LiteLLM has it.
        None if record.failure.is_some() => "False",
        None => "",
    };
    json!({
        "request_id": record.request_id(),
        "litellm_call_id": record.call,
        "call_type": record.call_type,
        "api_key": record.key,
        "spend": dollars(booked.spend),
        "total_tokens": usage.total(),
        "prompt_tokens": usage[Unit::Input],
        "completion_tokens": usage[Unit::Output],
        "startTime": clock::iso(record.began),
        "endTime": clock::iso(record.ended),
        "completionStartTime": record.first.map(clock::iso),
        "request_duration_ms": record.ended - record.began,
        "model": record.model,
        "model_id": record.deployment,
        "model_group": record.group,
        "custom_llm_provider": record.provider,
        "api_base": record.base,
        "user": record.user,
        "metadata": metadata(record),
        "cache_hit": cache_hit,
        "cache_key": "",
        "request_tags": record.tags,
        "team_id": record.team,
        "organization_id": record.org,
        "end_user": record.end_user.as_deref().unwrap_or_default(),
        "requester_ip_address": record.ip,
        "messages": messages(&prompt),
        "response": json_of(record.answer.as_deref()),
        "proxy_server_request": prompt,
        "session_id": record.session,
        "mcp_namespaced_tool_name": null,
        "agent_id": null,
        "status": status(record),
        "receipt": record.id,
    })
}

/// What was kept; `{}` for nothing, as LiteLLM has it.
fn json_of(kept: Option<&RawValue>) -> Value {
    let value = kept.and_then(|kept| serde_json::from_str(kept.get()).ok());
    value.unwrap_or_else(|| json!({}))
}

/// Of a request what it says: `messages`, or what stands for them elsewhere.
fn messages(prompt: &Value) -> Value {
    let said = ["messages", "input", "prompt", "contents"].into_iter();
    said.filter_map(|name| prompt.get(name)).next().cloned().unwrap_or_else(|| json!({}))
}

fn status(record: &Record) -> &'static str {
    if record.failure.is_some() { "failure" } else { "success" }
}

fn metadata(record: &Record) -> Value {
    let retries = record.attempts.len().saturating_sub(1);
    let own = record.metadata.as_ref().and_then(|text| serde_json::from_str(text.get()).ok());
    let error = record.failure.as_ref().map(|(status, class)| {
        let told = record.error.as_deref().unwrap_or_default();
        let has_class = told.is_empty() || told.starts_with("litellm.");
        let told = if has_class { told.to_owned() } else { format!("litellm.{class}: {told}") };
        json!({
            "error_code": status.to_string(), "error_class": class, "error_message": told,
            "llm_provider": record.provider, "traceback": "",
        })
    });
    json!({
        "user_api_key": record.key,
        "user_api_key_alias": record.alias,
        "user_api_key_team_id": record.team,
        "user_api_key_team_alias": record.team_alias,
        "user_api_key_org_id": record.org,
        "user_api_key_user_id": record.user,
        "user_api_key_end_user_id": record.end_user,
        "requester_ip_address": record.ip,
        "user_agent": record.agent,
        "spend_logs_metadata": own.unwrap_or(Value::Null),
        "status": status(record),
        "error_information": error,
        "usage_object": usage_object(record),
        "additional_usage_values": {},
        "attempted_retries": retries,
        "cost_saved": record.saved.map(dollars),
        "estimated": record.attempts.iter().any(|attempt| attempt.estimated),
    })
}

fn usage_object(record: &Record) -> Value {
    let usage = record.usage();
    let mut shown = Map::new();
    shown.insert("prompt_tokens".to_owned(), usage[Unit::Input].into());
    shown.insert("completion_tokens".to_owned(), usage[Unit::Output].into());
    shown.insert("total_tokens".to_owned(), usage.total().into());
    let parts = [
        ("cache_read_input_tokens", Unit::CacheRead),
        ("cache_creation_input_tokens", Unit::CacheWrite),
        ("reasoning_tokens", Unit::Reasoning),
    ];
    for (name, unit) in parts {
        if usage[unit] != 0 {
            shown.insert(name.to_owned(), usage[unit].into());
        }
    }
    shown.into()
}
