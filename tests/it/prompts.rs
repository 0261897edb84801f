//! What calls say and are answered, where that is kept with them.
use crate::client::{Call, chat, get, post};
use crate::proxy::{CREDENTIAL, KEY, Proxy, with};
use crate::upstream::{Upstream, json as answer, stream};
use crate::wire::Message;
use serde_json::{Value, json};

async fn house(general: &str, litellm: &str) -> (Upstream, Proxy) {
    let upstream = Upstream::start(|request: &Message| {
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let usage = r#""usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}"#;
        if asked["stream"] == true {
            let one = r#"{"id":"s","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"hel"}}]}"#;
            let two = r#"{"id":"s","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}]}"#;
            let last = format!(r#"{{"id":"s","object":"chat.completion.chunk","created":1,"model":"m","choices":[],{usage}}}"#);
            return stream(&[one, two, &last, "[DONE]"]);
        }
        if asked["model"] == "fails" {
            return answer(500, r#"{"error":{"message":"no"}}"#);
        }
        answer(200, format!(
            r#"{{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"hello"}},"finish_reason":"stop"}}],{usage}}}"#
        ))
    })
    .await;
    let base = upstream.base();
    let proxy = with(&format!(
        "model_list:
  - model_name: \"*\"
    litellm_params: {{model: openai/*, api_base: {base}, api_key: {CREDENTIAL}, num_retries: 0, cooldown_time: 0}}
general_settings: {{master_key: {KEY}{general}}}
litellm_settings: {{num_retries: 0{litellm}}}
"
    ));
    (upstream, proxy.start().await)
}

const KEPT: &str = ", store_prompts_in_spend_logs: true";

/// The row of a call.
async fn row(proxy: &Proxy, call: Call) -> Value {
    let answered = proxy.call(call).await;
    let receipt = answered.header("x-bartizan-receipt").expect("a receipt").to_owned();
    let rows = proxy.got("/spend/logs").await;
    let mut rows = rows.as_array().expect("rows").iter();
    rows.find(|row| row["receipt"] == receipt.as_str()).expect("its row").clone()
}

fn said(model: &str, content: &str, stream: bool) -> Call {
    let body = json!({
        "model": model, "stream": stream, "messages": [{"role": "user", "content": content}]
    });
    post("/v1/chat/completions", body.to_string())
}

#[tokio::test]
async fn rows_have_requests_and_answers_where_they_are_kept() {
    let (_upstream, proxy) = house(KEPT, "").await;
    for stream in [false, true] {
        let row = row(&proxy, said("gpt", "what is it?", stream)).await;
        let messages = json!([{"role": "user", "content": "what is it?"}]);
        assert_eq!(row["messages"], messages);
        let request = json!({"model": "gpt", "stream": stream, "messages": messages});
        assert_eq!(row["proxy_server_request"], request);
        let choice = &row["response"]["choices"][0];
        assert_eq!(choice["message"]["content"], "hello", "{row}");
        assert_eq!(choice["finish_reason"], "stop");
        let receipt = format!("/receipts/{}", row["receipt"].as_str().unwrap());
        let receipt = proxy.call(get(receipt)).await.expect(200).json();
        assert_eq!(receipt["prompt"]["messages"], messages);
    }
    let failed = row(&proxy, said("fails", "hi", false)).await;
    assert_eq!(failed["messages"][0]["content"], "hi");
    assert_eq!(failed["response"], json!({}));
    let input = post("/v1/embeddings", json!({"model": "e", "input": ["a"]}).to_string());
    assert_eq!(row(&proxy, input).await["messages"], json!(["a"]));
}

#[tokio::test]
async fn long_texts_are_cut_and_large_requests_told_by_their_size() {
    let (_upstream, proxy) = house(KEPT, "").await;
    let long = format!("{}{}", "a".repeat(3000), "z".repeat(3000));
    let kept = row(&proxy, said("gpt", &long, false)).await;
    let text = kept["messages"][0]["content"].as_str().unwrap();
    assert!(text.starts_with("aaa") && text.ends_with("zzz") && text.len() < 2200, "{text}");
    assert!(text.contains("(litellm_truncated skipped 3952 chars)"), "{text}");
    let large = "x".repeat(300 * 1024);
    let kept = row(&proxy, said("gpt", &large, false)).await;
    assert_eq!(kept["messages"], json!({}));
    assert!(kept["proxy_server_request"]["litellm_truncated"].is_number(), "{kept}");
    assert_eq!(kept["response"]["choices"][0]["message"]["content"], "hello");
}

#[tokio::test]
async fn nothing_is_kept_unless_somebody_wants_it() {
    let own = ("x-litellm-enable-message-redaction", "true");
    for (general, litellm, header) in
        [("", "", None), (KEPT, ", turn_off_message_logging: true", None), (KEPT, "", Some(own))]
    {
        let (_upstream, proxy) = house(general, litellm).await;
        let call = said("gpt", "s3cret", false);
        let call = header.into_iter().fold(call, |call, (name, value)| call.header(name, value));
        let row = row(&proxy, call).await;
        for column in ["messages", "response", "proxy_server_request"] {
            assert_eq!(row[column], json!({}), "{general} {litellm}");
        }
        assert!(!row.to_string().contains("s3cret"), "{row}");
    }
    let (_upstream, proxy) =
        house(", disable_spend_logs: true, store_prompts_in_spend_logs: true", "").await;
    proxy.call(chat("gpt")).await.expect(200);
    assert_eq!(proxy.got("/spend/logs").await, json!([]));
}
