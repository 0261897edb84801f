//! Answers that a config makes up itself.
use crate::client::{chat, chat_stream, post};
use crate::documented::{body, content, last, run};
use serde_json::Value;

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
    let asked = r#"{"model":"gpt","mock_response":"fake","messages":[]}"#;
    let config = "model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt, api_base: BASE, api_key: k}
";
    let (upstream, proxy) = run(config).await;
    let answer = proxy.call(post("/v1/chat/completions", asked)).await.expect(200);
    assert_eq!(content(&answer), "ok");
    assert!(body(&last(&upstream)).get("mock_response").is_none());
    let allowed = format!("{config}general_settings:\n  allow_client_mock_response: true\n");
    let (upstream, proxy) = run(&allowed).await;
    let answer = proxy.call(post("/v1/chat/completions", asked)).await.expect(200);
    assert_eq!(content(&answer), "fake");
    assert_eq!(upstream.seen().begun, 0);
}
