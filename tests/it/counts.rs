//! How many tokens a prompt has: the provider's own number where it has one, else a guess.
use crate::client::{Answer, post};
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::upstream::{Upstream, json};
use serde_json::{Value, json as value};

const ANTHROPIC: &str = r#"{"input_tokens":41}"#;
const GEMINI: &str = r#"{"totalTokens":42,"promptTokensDetails":[]}"#;
const ON_MESSAGES: &str = "/v1/messages/count_tokens";
const ON_GEMINI: &str = "/v1beta/models/gpt:countTokens";
const AT_PROVIDER: &str = "/utils/token_counter?call_endpoint=true";

const OF_ANTHROPIC: &str = r#"{"model":"gpt","system":"Be brief.","tools":[{"name":"look","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"Hello?"}]}"#;
const OF_GEMINI: &str = r#"{"generateContentRequest":{"model":"models/gpt","systemInstruction":{"parts":[{"text":"Be brief."}]},"contents":[{"role":"user","parts":[{"text":"Hello?"}]}],"tools":[{"functionDeclarations":[{"name":"look"}]}],"generationConfig":{"temperature":1}}}"#;
const OF_OPENAI: &str = r#"{"model":"gpt","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello?"}],"tools":[{"type":"function","function":{"name":"look"}}]}"#;

async fn before(upstream: &Upstream, model: &str, path: &str) -> Proxy {
    let base = format!("{}{path}", upstream.origin());
    let config = proxy::config(&base).replace("openai/gpt-4o-mini", model);
    proxy::with(&config).start().await
}

async fn call(proxy: &Proxy, path: &str, body: &str) -> Answer {
    proxy.call(post(path, body).key(KEY)).await.expect(200)
}

fn body_of(upstream: &Upstream) -> Value {
    serde_json::from_slice(&upstream.only_request().body).expect("JSON")
}

#[tokio::test]
async fn anthropic_counts_prompts_in_the_words_of_others() {
    for (path, body, member) in [
        (ON_GEMINI, OF_GEMINI, "totalTokens"),
        (AT_PROVIDER, OF_OPENAI, "total_tokens"),
        (AT_PROVIDER, OF_ANTHROPIC, "total_tokens"),
    ] {
        let upstream = Upstream::playing(json(200, ANTHROPIC)).await;
        let proxy = before(&upstream, "anthropic/claude-up", "").await;
        assert_eq!(call(&proxy, path, body).await.json()[member], 41, "{path}");
        let head = upstream.only_request().head;
        assert_eq!(head.word(), "/v1/messages/count_tokens");
        assert_eq!(head.get("x-api-key"), Some(CREDENTIAL));
        assert_eq!(head.get("anthropic-version"), Some("2023-06-01"));
        let asked = body_of(&upstream);
        let names: Vec<&str> =
            asked.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(names, ["model", "system", "messages", "tools"], "{path}");
        assert_eq!(asked["model"], "claude-up");
        assert_eq!(asked["system"][0]["text"], "Be brief.");
        assert_eq!(asked["tools"][0]["name"], "look");
    }
}

#[tokio::test]
async fn gemini_counts_prompts_in_the_words_of_others() {
    for (path, body, member) in [
        (ON_MESSAGES, OF_ANTHROPIC, "input_tokens"),
        (AT_PROVIDER, OF_OPENAI, "total_tokens"),
        (AT_PROVIDER, r#"{"model":"gpt","prompt":"Hello?"}"#, "total_tokens"),
        (
            AT_PROVIDER,
            r#"{"model":"gpt","contents":[{"role":"user","parts":[{"text":"Hello?"}]}]}"#,
            "total_tokens",
        ),
    ] {
        let upstream = Upstream::playing(json(200, GEMINI)).await;
        let proxy = before(&upstream, "gemini/gemini-2.5-flash", "/v1beta").await;
        let got = call(&proxy, path, body).await.json();
        assert_eq!(got[member], 42, "{path}: {got}");
        assert!(got.get("litellm_count_source").is_none(), "{got}");
        let head = upstream.only_request().head;
        assert_eq!(head.word(), "/v1beta/models/gemini-2.5-flash:countTokens");
        let asked = &body_of(&upstream)["generateContentRequest"];
        assert_eq!(asked["model"], "models/gemini-2.5-flash");
        assert_eq!(asked["contents"][0]["parts"][0]["text"], "Hello?");
        let has_tools = body.contains("look");
        assert_eq!(asked["tools"][0]["functionDeclarations"][0]["name"] == "look", has_tools);
    }
}

#[tokio::test]
async fn litellms_path_tells_who_counted() {
    let upstream = Upstream::playing(json(200, ANTHROPIC)).await;
    let proxy = before(&upstream, "anthropic/claude-up", "").await;
    let got = call(&proxy, AT_PROVIDER, OF_OPENAI).await.json();
    assert_eq!(got["tokenizer_type"], "anthropic_api");
    assert_eq!(got["original_response"], value!({"input_tokens": 41}));
    assert_eq!(got["model_used"], "claude-up");
    // Without being told to it asks nobody.
    let got = call(&proxy, "/utils/token_counter", OF_OPENAI).await.json();
    assert_eq!(got["tokenizer_type"], "local_estimate");
    assert_eq!(upstream.seen().begun, 1);
}

#[tokio::test]
async fn a_provider_that_fails_to_count_leaves_a_guess() {
    for said in [json(500, "{}"), json(200, "{}"), json(200, "<html>")] {
        let upstream = Upstream::playing(said).await;
        let proxy = before(&upstream, "gemini/gemini-2.5-flash", "/v1beta").await;
        let got = call(&proxy, ON_MESSAGES, OF_ANTHROPIC).await.json();
        assert!(got["input_tokens"].as_u64().is_some_and(|count| count > 0), "{got}");
        assert_eq!(got["litellm_count_source"], "local_estimate");
        assert_eq!(upstream.seen().begun, 1);
    }
}

#[tokio::test]
async fn a_prompt_that_cannot_be_said_to_the_provider_is_guessed() {
    let upstream = Upstream::playing(json(200, GEMINI)).await;
    let proxy = before(&upstream, "gemini/gemini-2.5-flash", "/v1beta").await;
    // A result of a call that is nowhere.
    let body = r#"{"model":"gpt","messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"x"}]}]}"#;
    let got = call(&proxy, ON_MESSAGES, body).await.json();
    assert_eq!(got["litellm_count_source"], "local_estimate");
}

#[tokio::test]
async fn tokens_are_counted_where_the_provider_has_no_count() {
    let upstream = Upstream::playing(json(200, "{}")).await;
    let proxy = before(&upstream, "openai/gpt-up", "/v1").await;
    let body = r#"{"model":"gpt","messages":[{"role":"user","content":"Hello over there?"}]}"#;
    for (path, member) in
        [("/v1/messages/count_tokens", "input_tokens"), ("/utils/token_counter", "total_tokens")]
    {
        let got = proxy.call(post(path, body).key(KEY)).await.expect(200).json();
        assert!(got[member].as_u64().is_some_and(|count| count > 0), "{path}: {got}");
    }
    let body = r#"{"contents":[{"role":"user","parts":[{"text":"Hello over there?"}]}]}"#;
    let got = proxy.call(post("/v1beta/models/gpt:countTokens", body).key(KEY)).await;
    assert!(got.expect(200).json()["totalTokens"].as_u64().is_some_and(|count| count > 0));
    assert_eq!(upstream.seen().connections, 0);
}
