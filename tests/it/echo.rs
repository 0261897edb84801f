//! The first minute: no config, no key in the environment, and an answer all the same.
use crate::client::{chat, get, post};
use crate::proxy::{self, Proxy};
use std::os::unix::fs::PermissionsExt;

async fn fresh() -> (Proxy, String) {
    let proxy = proxy::bare().start().await;
    let path = key_file(&proxy);
    let key = std::fs::read_to_string(path).expect("a generated key").trim().to_owned();
    (proxy, key)
}

fn key_file(proxy: &Proxy) -> std::path::PathBuf {
    proxy.home().join("state").join("bartizan").join("master_key")
}

#[tokio::test]
async fn echo_answers_a_chat_with_the_prompt_and_its_usage() {
    let (proxy, key) = fresh().await;
    let answer = chat("echo").key(&key).send(proxy.addr()).await.expect(200).json();
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["choices"][0]["message"]["role"], "assistant");
    let content = answer["choices"][0]["message"]["content"].as_str().unwrap_or_default();
    assert!(content.contains("hi"), "{answer}");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert!(answer["usage"]["total_tokens"].as_u64().is_some_and(|tokens| tokens > 0));
}

#[tokio::test]
async fn echo_streams_with_usage_when_asked() {
    let (proxy, key) = fresh().await;
    let body = r#"{"model":"echo","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"one two three"}]}"#;
    let call = post("/v1/chat/completions", body).key(&key);
    let answer = call.send(proxy.addr()).await.expect(200);
    let mut events = answer.events();
    assert_eq!(events.pop().as_deref(), Some("[DONE]"));
    let events: Vec<serde_json::Value> =
        events.iter().map(|event| serde_json::from_str(event).expect("JSON")).collect();
    let text: String = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert!(text.contains("one two three"), "{text}");
    let usage = &events.last().expect("a last event")["usage"];
    assert!(usage["completion_tokens"].as_u64().is_some_and(|tokens| tokens > 0), "{usage}");
    assert!(events.iter().any(|event| event["choices"][0]["finish_reason"] == "stop"));
}

#[tokio::test]
async fn echo_is_listed() {
    let (proxy, key) = fresh().await;
    let models = get("/v1/models").key(&key).send(proxy.addr()).await.expect(200).json();
    let ids: Vec<_> = models["data"].as_array().unwrap().iter().map(|m| &m["id"]).collect();
    assert!(ids.iter().any(|id| **id == "echo"), "{ids:?}");
}

#[tokio::test]
async fn the_generated_key_is_needed_and_kept_to_its_owner() {
    let (proxy, key) = fresh().await;
    chat("echo").send(proxy.addr()).await.expect(401);
    assert!(key.starts_with("sk-") && key.len() >= 25, "a weak key");
    let mode = std::fs::metadata(key_file(&proxy)).expect("it was read").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Its path.
    proxy.line(|line| line.contains("master_key")).await;
    let output = proxy.output();
    assert!(!output.contains(&key), "the key is printed:\n{output}");
}

#[tokio::test]
async fn the_generated_key_is_the_same_at_the_next_start() {
    let (proxy, key) = fresh().await;
    let state = proxy.home().join("state");
    let again = proxy::bare().env("XDG_STATE_HOME", state.to_str().unwrap()).start().await;
    chat("echo").key(&key).send(again.addr()).await.expect(200);
}

#[tokio::test]
async fn a_key_in_the_environment_is_the_master_key() {
    let proxy = proxy::bare().env("LITELLM_MASTER_KEY", proxy::KEY).start().await;
    proxy.call(chat("echo")).await.expect(200);
    chat("echo").send(proxy.addr()).await.expect(401);
    assert!(!key_file(&proxy).exists());
}

#[tokio::test]
async fn provider_keys_in_the_environment_are_found_and_never_shown() {
    let setup = proxy::bare().env("LITELLM_MASTER_KEY", proxy::KEY);
    let proxy = setup.env("GROQ_API_KEY", "gsk-planted-secret").start().await;
    let models = proxy.call(get("/v1/models")).await.expect(200);
    assert!(models.text().contains("\"groq/"), "{}", models.text());
    assert!(!models.text().contains("gsk-planted-secret"));
    assert!(!proxy.output().contains("gsk-planted-secret"));
}
