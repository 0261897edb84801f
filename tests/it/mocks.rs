//! Answers that a config makes up itself.
use crate::client::{Answer, chat, chat_stream, get, post};
use crate::documented::{body, content, last, run};
use crate::proxy::{self, KEY, Proxy};
use serde_json::{Value, json};

const GPT: &str = "model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt, api_base: BASE, api_key: k}
";

/// A request that brings its own answer.
const BRINGS: &str = r#"{"model":"gpt","mock_response":"fake","messages":[]}"#;

#[tokio::test]
async fn a_mock_answers_in_every_format_without_an_upstream() {
    let config = "model_list:
  - model_name: fake
    litellm_params: {model: openai/gpt-4o, mock_response: This is a mock}
  - model_name: busy
    litellm_params: {model: openai/gpt-4o, mock_response: litellm.RateLimitError}
";
    let (_upstream, proxy) = run(config).await;
    let answer = proxy.call(chat("fake")).await.expect(200);
    assert_eq!(content(&answer), "This is a mock");
    let answer = answer.json();
    assert_eq!(answer["model"], "gpt-4o");
    let usage = &answer["usage"];
    let usage = ["prompt_tokens", "completion_tokens", "total_tokens"].map(|name| &usage[name]);
    assert_eq!(usage, [10, 20, 30]);
    let stream = proxy.call(chat_stream("fake")).await.expect(200);
    let events = stream.events();
    let said: String = events
        .iter()
        .filter_map(|event| serde_json::from_str::<Value>(event).ok())
        .filter_map(|event| Some(event["choices"][0]["delta"]["content"].as_str()?.to_owned()))
        .collect();
    assert_eq!(said, "This is a mock");
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    let text = r#"{"model":"fake","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#;
    let message = proxy.call(post("/v1/messages", text)).await.expect(200).json();
    assert_eq!(message["content"][0]["text"], "This is a mock");
    assert_eq!(message["usage"]["output_tokens"], 20);
    let input = r#"{"model":"fake","input":["a","b"]}"#;
    let vectors = proxy.call(post("/v1/embeddings", input)).await.expect(200).json();
    assert_eq!(vectors["data"].as_array().map(Vec::len), Some(2));
    let busy = proxy.call(chat("busy")).await.expect(429);
    assert!(busy.error_message().starts_with("litellm.RateLimitError"), "{}", busy.text());
}

#[tokio::test]
async fn a_mock_in_a_request_counts_only_where_that_is_allowed() {
    let (upstream, proxy) = run(GPT).await;
    let answer = proxy.call(post("/v1/chat/completions", BRINGS)).await.expect(200);
    assert_eq!(content(&answer), "ok");
    assert!(body(&last(&upstream)).get("mock_response").is_none());
    let allowed = format!("{GPT}general_settings:\n  allow_client_mock_response: true\n");
    let (upstream, proxy) = run(&allowed).await;
    let answer = proxy.call(post("/v1/chat/completions", BRINGS)).await.expect(200);
    assert_eq!(content(&answer), "fake");
    assert_eq!(upstream.seen().begun, 0);
}

#[tokio::test]
async fn of_old_each_request_could_bring_a_mock() {
    let config = format!("{GPT}general_settings:\n  compat: classic\n");
    for (settings, said) in [("", "fake"), ("  allow_client_mock_response: false\n", "ok")] {
        let (_upstream, proxy) = run(&format!("{config}{settings}")).await;
        let answer = proxy.call(post("/v1/chat/completions", BRINGS)).await.expect(200);
        assert_eq!(content(&answer), said);
    }
}

/// Asks for `model` with a key, and brings the answer.
async fn brought(proxy: &Proxy, key: &str, model: &str) -> Answer {
    let asked = json!({"model": model, "messages": [], "mock_response": "fake"}).to_string();
    post("/v1/chat/completions", asked).key(key).send(proxy.addr()).await
}

#[tokio::test]
async fn a_key_or_its_team_may_be_allowed_to_bring_answers() {
    let config = format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{model: openai/gpt, api_base: http://127.0.0.1:9, api_key: k}}
general_settings: {{master_key: {KEY}}}
litellm_settings: {{num_retries: 0}}
"
    );
    let proxy = proxy::with(&config).start().await;
    let allowed = json!({"allow_client_mock_response": true});
    let team = proxy.done("/team/new", json!({"metadata": allowed})).await;
    let own = proxy.key(json!({"metadata": allowed})).await;
    let of_team = proxy.key(json!({"team_id": team["team_id"]})).await;
    for key in [own, of_team] {
        assert_eq!(content(&brought(&proxy, &key, "gpt").await.expect(200)), "fake");
    }
    let other = json!({"metadata": {"allow_client_mock_response": "yes"}});
    for key in [proxy.key(json!({})).await, proxy.key(other).await, KEY.to_owned()] {
        brought(&proxy, &key, "gpt").await.expect(500);
    }
}

#[tokio::test]
async fn a_mock_answers_for_a_provider_that_is_not_in_this_version() {
    let config = format!(
        "model_list:
  - model_name: sagemaker/*
    litellm_params: {{model: sagemaker/*}}
  - model_name: cloud
    litellm_params: {{model: my-deployment, custom_llm_provider: replicate, api_key: k}}
  - model_name: gpt
    litellm_params: {{model: openai/gpt, api_base: http://127.0.0.1:9, api_key: k}}
general_settings: {{master_key: {KEY}, allow_client_mock_response: true}}
"
    );
    let proxy = proxy::with(&config).start().await;
    let key = proxy.key(json!({"models": ["sagemaker/my-*", "cloud"]})).await;
    for model in ["sagemaker/my-model", "cloud"] {
        let answer = brought(&proxy, &key, model).await.expect(200);
        assert_eq!(content(&answer), "fake");
        assert_eq!(answer.json()["model"], model);
        chat(model).key(&key).send(proxy.addr()).await.expect(400);
    }
    let stream = json!({
        "model": "cloud", "messages": [], "stream": true, "mock_response": "in pieces"
    });
    let stream = post("/v1/chat/completions", stream.to_string());
    let stream = stream.key(&key).send(proxy.addr()).await.expect(200);
    assert!(stream.text().ends_with("data: [DONE]\n\n"), "{}", stream.text());
    brought(&proxy, &key, "sagemaker/other").await.expect(403);
    brought(&proxy, KEY, "nobody").await.expect(400);
    let models = proxy.call(get("/v1/models")).await.expect(200);
    assert!(!models.text().contains("cloud"), "nobody serves it: {}", models.text());
    let metrics = proxy.call(get("/metrics")).await.expect(200);
    assert!(metrics.text().contains("requested_model=\"sagemaker/*\""), "{}", metrics.text());
}
