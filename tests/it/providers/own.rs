//! Rows that a config adds.
use super::{json_of, script};
use crate::client::{get, post};
use crate::proxy::{self, KEY, Proxy};
use crate::upstream::Upstream;
use serde_json::json;

const CONFIG: &str = "general_settings: {master_key: MASTER}
providers:
  acme:
    base_url: BASE/acme
    api_key_env: ACME_KEY
    param_mappings: {max_completion_tokens: max_tokens}
    unsupported_params: [logit_bias]
    ignored_params: [user]
    special_handling: {convert_content_list_to_string: true}
  groq: {base_url: BASE/mine, supported_endpoints: [/v1/responses]}
model_list:
- {model_name: a, litellm_params: {model: acme/m}}
- {model_name: b, litellm_params: {model: groq/m}}
";

async fn started() -> (Upstream, Proxy) {
    let upstream = Upstream::start(script).await;
    let config = CONFIG.replace("MASTER", KEY).replace("BASE", &upstream.base());
    let proxy = proxy::with(&config).env("ACME_KEY", "sk-acme").start().await;
    (upstream, proxy)
}

#[tokio::test]
async fn a_row_of_the_config_is_a_provider() {
    let (upstream, proxy) = started().await;
    let text = json!([{"type": "text", "text": "hi"}]);
    let body = json!({"model": "a", "max_completion_tokens": 9, "user": "u",
        "messages": [{"role": "user", "content": text}]});
    let call = post("/v1/chat/completions", body.to_string());
    let answer = proxy.call(call).await.expect(200);
    let arrived = upstream.only_request();
    assert_eq!(arrived.head.word(), "/v1/acme/chat/completions");
    assert_eq!(arrived.head.get("authorization"), Some("Bearer sk-acme"));
    let message = json!({"role": "user", "content": "hi"});
    let wanted = json!({"model": "m", "max_tokens": 9, "messages": [message]});
    assert_eq!(json_of(&arrived), wanted);
    assert_eq!(answer.header("x-bartizan-dropped"), Some("user"));
}

#[tokio::test]
async fn clients_of_other_dialects_meet_the_same_row() {
    let (upstream, proxy) = started().await;
    let body = json!({"model": "a", "max_tokens": 9, "metadata": {"user_id": "u"},
        "messages": [{"role": "user", "content": "hi"}]});
    let answer = proxy.call(post("/v1/messages", body.to_string())).await.expect(200);
    assert_eq!(answer.json()["content"][0]["text"], "ok");
    let arrived = json_of(&upstream.only_request());
    assert_eq!((&arrived["max_tokens"], &arrived["user"]), (&json!(9), &json!(null)));
}

#[tokio::test]
async fn what_a_row_refuses_is_refused() {
    let (upstream, proxy) = started().await;
    let body = json!({"model": "a", "logit_bias": {"1": 2},
        "messages": [{"role": "user", "content": "hi"}]});
    let answer = proxy.call(post("/v1/chat/completions", body.to_string())).await;
    assert!(answer.status == 400 && answer.error_message().contains("logit_bias"), "{answer:?}");
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn a_row_takes_the_place_of_the_tables() {
    let (upstream, proxy) = started().await;
    let body = json!({"model": "b", "input": "hi"}).to_string();
    proxy.call(post("/v1/responses", body)).await.expect(200);
    let arrived = upstream.only_request();
    assert_eq!(arrived.head.word(), "/v1/mine/responses");
    assert_eq!(arrived.head.get("authorization"), None);
}

#[tokio::test]
async fn model_info_says_how_a_provider_is_known() {
    let upstream = Upstream::start(script).await;
    let models = "- {model_name: c, litellm_params: {model: cerebras/m, api_key: k}}
- {model_name: d, litellm_params: {model: groq/m, api_key: k}}
";
    let own = CONFIG.replace("  groq:", "  other:").replace("groq/m", "other/m") + models;
    let config = own.replace("MASTER", KEY).replace("BASE", &upstream.base());
    let proxy = proxy::with(&config).start().await;
    let told = proxy.call(get("/model/info")).await.expect(200).json();
    let told = told["data"].as_array().expect("a list").iter().map(|model| {
        let name = model["model_name"].as_str().expect("a name").to_owned();
        (name, model["model_info"]["bartizan_evidence"].as_str().expect("a word").to_owned())
    });
    let told: Vec<_> = told.collect();
    let wanted = ["a unverified", "b unverified", "c unverified", "d recorded"];
    assert_eq!(
        told.iter().map(|(name, word)| format!("{name} {word}")).collect::<Vec<_>>(),
        wanted
    );
}
