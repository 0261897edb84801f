//! Clients of one dialect before providers of another.
use crate::client::{Answer, post};
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::upstream::{Upstream, answer, json, piece, send, stream_head};
use serde_json::{Value, json as value};

const ANTHROPIC: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-up","content":[{"type":"thinking","thinking":"Hm.","signature":"c2ln"},{"type":"text","text":"Hi"},{"type":"tool_use","id":"toolu_1","name":"weather","input":{"city":"Rome"}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":10,"cache_read_input_tokens":3,"cache_creation_input_tokens":2,"output_tokens":9}}"#;
const GEMINI: &str = r#"{"responseId":"r1","modelVersion":"gemini-up","candidates":[{"index":0,"content":{"role":"model","parts":[{"text":"Hi"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":4,"thoughtsTokenCount":5,"totalTokenCount":19}}"#;
const COHERE: &str = r#"{"id":"c1","finish_reason":"COMPLETE","message":{"role":"assistant","content":[{"type":"text","text":"Hi"}]},"usage":{"tokens":{"input_tokens":10,"output_tokens":9}}}"#;
const OLLAMA: &str = r#"{"model":"llama-up","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"Hi"},"done":true,"done_reason":"stop","prompt_eval_count":10,"eval_count":9}"#;
const OPENAI: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-up","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":9,"total_tokens":19}}"#;

/// A proxy before `upstream`, whose model is `model` of a provider at `path` below it.
async fn before(upstream: &Upstream, model: &str, path: &str, more: &str) -> Proxy {
    let base = format!("{}{path}", upstream.origin());
    let config = proxy::config(&base).replace("openai/gpt-4o-mini", model) + more;
    proxy::with(&config).start().await
}

const ASKED: &str = r#"{"model":"gpt","max_tokens":64,"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hello?"}]}"#;

async fn chat(proxy: &Proxy, body: &str) -> Answer {
    proxy.call(post("/v1/chat/completions", body).key(KEY)).await
}

fn sent(upstream: &Upstream) -> (String, Value) {
    let request = upstream.requests().pop().expect("a request");
    let body = serde_json::from_slice(&request.body).expect("JSON");
    (request.head.word().to_owned(), body)
}

#[tokio::test]
async fn each_provider_is_asked_at_its_own_place_in_its_own_words() {
    for (model, base, path, credential, said) in [
        ("anthropic/claude-up", "", "/v1/messages", "x-api-key", ANTHROPIC),
        (
            "gemini/gemini-2.5-flash",
            "/v1beta",
            "/v1beta/models/gemini-2.5-flash:generateContent",
            "x-goog-api-key",
            GEMINI,
        ),
        ("cohere_chat/command-a", "", "/v2/chat", "authorization", COHERE),
        ("ollama_chat/llama3.2", "/v1", "/api/chat", "authorization", OLLAMA),
    ] {
        let upstream = Upstream::playing(json(200, said)).await;
        let proxy = before(&upstream, model, base, "").await;
        let got = chat(&proxy, ASKED).await.expect(200).json();
        assert_eq!(got["object"], "chat.completion", "{model}");
        assert_eq!(got["choices"][0]["message"]["content"], "Hi", "{model}");
        assert_eq!(got["usage"]["completion_tokens"], 9, "{model}: {got}");
        let request = upstream.only_request();
        assert_eq!(request.head.word(), path, "{model}");
        let key = request.head.get(credential).unwrap_or_default();
        assert!(key.contains(CREDENTIAL), "{model}: {key}");
        assert!(String::from_utf8_lossy(&request.body).contains("Be brief."), "{model}");
    }
}

#[tokio::test]
async fn thoughts_tools_and_cached_tokens_reach_a_client_of_openai() {
    let upstream = Upstream::playing(json(200, ANTHROPIC)).await;
    let proxy = before(&upstream, "anthropic/claude-up", "", "").await;
    let got = chat(&proxy, ASKED).await.expect(200).json();
    let message = &got["choices"][0]["message"];
    assert_eq!(message["reasoning_content"], "Hm.");
    assert_eq!(message["thinking_blocks"][0]["signature"], "c2ln");
    assert_eq!(message["tool_calls"][0]["function"]["arguments"], r#"{"city":"Rome"}"#);
    assert_eq!(got["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(got["usage"]["prompt_tokens"], 15);
    assert_eq!(got["usage"]["prompt_tokens_details"]["cached_tokens"], 3);
    let (_, body) = sent(&upstream);
    assert_eq!(body["system"][0]["text"], "Be brief.");
    assert_eq!(body["max_tokens"], 64);
}

#[tokio::test]
async fn a_client_of_anthropic_reads_a_stream_of_openai() {
    let events = [
        r#"{"id":"c","model":"gpt-up","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}}]}"#,
        r#"{"id":"c","model":"gpt-up","choices":[{"index":0,"delta":{"content":"lo"}}]}"#,
        r#"{"id":"c","model":"gpt-up","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        r#"{"id":"c","model":"gpt-up","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}"#,
        "[DONE]",
    ];
    let upstream = Upstream::playing(crate::upstream::stream(&events)).await;
    let proxy = before(&upstream, "openai/gpt-up", "/v1", "").await;
    let body = r#"{"model":"gpt","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"Hello?"}]}"#;
    let got = proxy.call(post("/v1/messages", body).key(KEY)).await.expect(200);
    let events: Vec<Value> =
        got.events().iter().map(|event| serde_json::from_str(event).expect("JSON")).collect();
    let kinds: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(kinds.first(), Some(&"message_start"));
    assert_eq!(kinds.last(), Some(&"message_stop"));
    let texts = events.iter().filter_map(|event| event["delta"]["text"].as_str());
    assert_eq!(texts.collect::<String>(), "Hello");
    let delta = events.iter().find(|event| event["type"] == "message_delta").expect("one");
    assert_eq!(delta["usage"]["output_tokens"], 2);
    let (path, body) = sent(&upstream);
    assert_eq!(path, "/v1/chat/completions");
    assert_eq!(body["stream_options"]["include_usage"], true);
}

#[tokio::test]
async fn gemini_and_responses_are_spoken_before_openais_chat_and_anthropic() {
    let upstream = Upstream::playing(json(200, OPENAI)).await;
    let proxy = before(&upstream, "openai/gpt-up", "/v1", "").await;
    let body = r#"{"contents":[{"role":"user","parts":[{"text":"Hello?"}]}]}"#;
    let got = proxy.call(post("/v1beta/models/gpt:generateContent", body).key(KEY)).await;
    let got = got.expect(200).json();
    assert_eq!(got["candidates"][0]["content"]["parts"][0]["text"], "Hi");
    assert_eq!(got["usageMetadata"]["promptTokenCount"], 10);
    let upstream = Upstream::playing(json(200, ANTHROPIC)).await;
    let proxy = before(&upstream, "anthropic/claude-up", "", "").await;
    let got = proxy.call(post("/v1/responses", r#"{"model":"gpt","input":"Hello?"}"#).key(KEY));
    let got = got.await.expect(200).json();
    assert_eq!(got["object"], "response");
    assert_eq!(got["status"], "completed");
    assert_eq!(got["usage"]["input_tokens"], 15);
}

#[tokio::test]
async fn a_stream_that_its_provider_cuts_never_looks_complete() {
    let begun = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-up\",\"content\":[],\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hel\"}}\n\n",
    );
    let upstream = Upstream::playing(vec![stream_head(), piece(begun), send("0\r\n\r\n")]).await;
    let proxy = before(&upstream, "anthropic/claude-up", "", "").await;
    let asked = ASKED.replace("\"max_tokens\"", "\"stream\":true,\"max_tokens\"");
    let got = chat(&proxy, &asked).await.expect(200);
    assert!(got.text().contains(r#""content":"Hel""#), "{}", got.text());
    assert!(got.text().contains(r#""error""#), "{}", got.text());
    assert!(!got.text().contains("[DONE]") && !got.text().contains("finish_reason\":\"stop"));
}

#[tokio::test]
async fn an_error_of_the_provider_is_told_in_the_clients_dialect() {
    let said = r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum"}}"#;
    let upstream = Upstream::playing(json(400, said)).await;
    let proxy = before(&upstream, "anthropic/claude-up", "", "").await;
    let got = chat(&proxy, ASKED).await.expect(400);
    let start = "litellm.ContextWindowExceededError: AnthropicException - prompt is too long";
    assert!(got.error_message().starts_with(start), "{}", got.error_message());
    let upstream = Upstream::playing(json(422, r#"{"oops":"no such thing"}"#)).await;
    let proxy = before(&upstream, "anthropic/claude-up", "", "").await;
    let got = chat(&proxy, ASKED).await.expect(422);
    assert!(got.error_message().contains("no such thing"), "{}", got.error_message());
    let said = r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#;
    let headers = [("content-type", "application/json"), ("retry-after", "1")];
    let upstream = Upstream::playing(answer(429, &headers, said)).await;
    let none = "router_settings: {num_retries: 0}\n";
    let proxy = before(&upstream, "openai/gpt-up", "/v1", none).await;
    let body = r#"{"model":"gpt","max_tokens":9,"messages":[{"role":"user","content":"Hello?"}]}"#;
    let got = proxy.call(post("/v1/messages", body).key(KEY)).await.expect(429).json();
    assert_eq!(got["type"], "error");
    assert_eq!(got["error"]["type"], "rate_limit_error");
}

#[tokio::test]
async fn what_a_provider_lacks_is_refused_or_named() {
    let upstream = Upstream::playing(json(200, ANTHROPIC)).await;
    let asked = ASKED.replace("\"max_tokens\"", "\"seed\":7,\"user\":\"u1\",\"max_tokens\"");
    let proxy = before(&upstream, "anthropic/claude-up", "", "").await;
    let refused = chat(&proxy, &asked).await.expect(400);
    assert!(refused.error_message().starts_with("litellm.UnsupportedParamsError: anthropic"));
    assert_eq!(refused.json()["error"]["param"], "seed");
    assert_eq!(upstream.seen().connections, 0);
    let asked = asked.replace("\"seed\"", "\"drop_params\":true,\"seed\"");
    let got = chat(&proxy, &asked).await.expect(200);
    assert_eq!(got.header("x-bartizan-dropped"), Some("seed"));
    let (_, body) = sent(&upstream);
    assert_eq!(body.get("seed"), None);
    assert_eq!(body["metadata"], value!({"user_id": "u1"}));
}

#[tokio::test]
async fn a_stream_that_nobody_asked_for_is_an_error() {
    let events = [r#"{"id":"c","choices":[{"index":0,"delta":{"content":"Hi"}}]}"#, "[DONE]"];
    let upstream = Upstream::playing(crate::upstream::stream(&events)).await;
    let proxy = before(&upstream, "openai/gpt-up", "/v1", "").await;
    let body = r#"{"model":"gpt","max_tokens":9,"messages":[{"role":"user","content":"Hello?"}]}"#;
    let got = proxy.call(post("/v1/messages", body).key(KEY)).await.expect(502);
    assert_eq!(got.header("content-type"), Some("application/json"));
    let told = got.json()["error"]["message"].to_string();
    assert!(told.contains("a stream came, and none was asked for"), "{told}");
}

#[tokio::test]
async fn a_translated_call_costs_what_its_provider_says() {
    let upstream = Upstream::playing(json(200, ANTHROPIC)).await;
    let price = "      input_cost_per_token: 0.001\n      output_cost_per_token: 0.002\n      cache_read_input_token_cost: 0.0001\n      cache_creation_input_token_cost: 0.00125\n";
    let base = proxy::config(&upstream.origin());
    let config = base.replace("openai/gpt-4o-mini\n", &format!("anthropic/claude-up\n{price}"));
    let proxy = proxy::with(&config).start().await;
    let got = chat(&proxy, ASKED).await.expect(200);
    // 10 × 0.001 + 3 × 0.0001 + 2 × 0.00125 + 9 × 0.002
    assert_eq!(got.header("x-litellm-response-cost"), Some("0.0308"));
}

#[tokio::test]
async fn embeddings_are_asked_for_in_the_providers_words() {
    let gemini = r#"{"embeddings":[{"values":[0.5,-1.0]},{"values":[0.25,2.0]}]}"#;
    let cohere = r#"{"id":"e","embeddings":{"float":[[0.5,-1.0],[0.25,2.0]]},"texts":["a","b"],"meta":{"billed_units":{"input_tokens":2}}}"#;
    let ollama = r#"{"model":"m","embeddings":[[0.5,-1.0],[0.25,2.0]],"prompt_eval_count":2}"#;
    for (model, base, path, said) in [
        ("gemini/embed-1", "/v1beta", "/v1beta/models/embed-1:batchEmbedContents", gemini),
        ("cohere/embed-v4.0", "", "/v2/embed", cohere),
        ("ollama/nomic-embed-text", "", "/api/embed", ollama),
    ] {
        let upstream = Upstream::playing(json(200, said)).await;
        let proxy = before(&upstream, model, base, "").await;
        for (format, first) in [("float", value!([0.5, -1.0])), ("base64", value!("AAAAPwAAgL8="))]
        {
            let body = format!(
                r#"{{"model":"gpt","input":["a","b"],"encoding_format":"{format}","drop_params":true}}"#
            );
            if model.starts_with("cohere") && format == "base64" {
                continue;
            }
            let got = proxy.call(post("/v1/embeddings", body).key(KEY)).await.expect(200).json();
            assert_eq!(got["data"][0]["embedding"], first, "{model}");
            assert_eq!(got["data"][1]["index"], 1, "{model}");
            assert_eq!(sent(&upstream).0, path, "{model}");
        }
    }
}

#[tokio::test]
async fn a_response_that_nobody_has_kept_is_not_gone_on_with() {
    let upstream = Upstream::playing(json(200, ANTHROPIC)).await;
    let proxy = before(&upstream, "anthropic/claude-up", "", "").await;
    let body = r#"{"model":"gpt","input":"And now?","previous_response_id":"resp_1"}"#;
    let got = proxy.call(post("/v1/responses", body).key(KEY)).await.expect(400);
    assert_eq!(got.json()["error"]["param"], "previous_response_id");
    assert_eq!(upstream.seen().connections, 0);
}

#[tokio::test]
async fn headers_of_one_dialect_stay_in_it() {
    let upstream = Upstream::playing(json(200, OPENAI)).await;
    let proxy = before(&upstream, "openai/gpt-up", "/v1", "").await;
    let body = r#"{"model":"gpt","max_tokens":9,"messages":[{"role":"user","content":"Hello?"}]}"#;
    let call = post("/v1/messages", body).key(KEY);
    let names = ["anthropic-version", "anthropic-beta", "x-claude-code-session-id"];
    let call = names.iter().fold(call, |call, name| call.header(name, "x"));
    proxy.call(call).await.expect(200);
    let head = upstream.only_request().head;
    assert!(names.iter().all(|name| head.get(name).is_none()), "{head:?}");
    let upstream = Upstream::playing(json(200, ANTHROPIC)).await;
    let proxy = before(&upstream, "anthropic/claude-up", "", "").await;
    let call = post("/v1/chat/completions", ASKED).key(KEY);
    proxy.call(call.header("anthropic-beta", "mine-1")).await.expect(200);
    let head = upstream.only_request().head;
    assert_eq!(head.get("anthropic-beta"), Some("mine-1"));
    assert_eq!(head.get("anthropic-version"), Some("2023-06-01"));
}

#[tokio::test]
async fn a_model_that_is_asked_by_responses_alone_is_asked_so_for_a_chat() {
    let said = r#"{"id":"resp_1","object":"response","created_at":1,"model":"gpt-up","status":"completed","output":[{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Hi","annotations":[]}]}],"usage":{"input_tokens":10,"output_tokens":9,"total_tokens":19}}"#;
    let upstream = Upstream::playing(json(200, said)).await;
    let proxy = before(&upstream, "openai/responses/gpt-up", "/v1", "").await;
    let got = chat(&proxy, ASKED).await.expect(200).json();
    assert_eq!(got["choices"][0]["message"]["content"], "Hi");
    let (path, body) = sent(&upstream);
    assert_eq!(path, "/v1/responses");
    assert_eq!(body["model"], "gpt-up");
    let asked = r#"{"model":"gpt","input":"Hello?"}"#;
    let got = proxy.call(post("/v1/responses", asked).key(KEY)).await.expect(200);
    assert_eq!(got.json()["id"], "resp_1");
}

#[tokio::test]
async fn a_client_of_gemini_gets_its_stream_as_events_or_as_an_array() {
    let events = [
        r#"{"id":"c","model":"gpt-up","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}}]}"#,
        r#"{"id":"c","model":"gpt-up","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}]}"#,
        r#"{"id":"c","model":"gpt-up","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}"#,
        "[DONE]",
    ];
    let upstream = Upstream::playing(crate::upstream::stream(&events)).await;
    let proxy = before(&upstream, "openai/gpt-up", "/v1", "").await;
    let body = r#"{"contents":[{"role":"user","parts":[{"text":"Hello?"}]}]}"#;
    let path = "/v1beta/models/gpt:streamGenerateContent";
    let said = |chunks: &[Value]| -> String {
        let texts = chunks
            .iter()
            .filter_map(|it| it["candidates"][0]["content"]["parts"][0]["text"].as_str());
        texts.collect()
    };
    let got = proxy.call(post(format!("{path}?alt=sse"), body).key(KEY)).await.expect(200);
    let chunks: Vec<Value> =
        got.events().iter().map(|event| serde_json::from_str(event).expect("JSON")).collect();
    assert_eq!(said(&chunks), "Hello");
    let last = chunks.last().expect("a chunk");
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    assert_eq!(last["usageMetadata"]["candidatesTokenCount"], 2);
    assert_eq!(sent(&upstream).1["stream"], true);
    let got = proxy.call(post(path, body).key(KEY)).await.expect(200).json();
    assert_eq!(said(got.as_array().expect("an array")), "Hello");
}

#[tokio::test]
async fn a_completion_of_text_is_a_chat_where_the_model_only_chats() {
    let text = r#"{"id":"cmpl-1","object":"text_completion","created":1,"model":"up","choices":[{"text":"Hi","index":0,"logprobs":null,"finish_reason":"stop"}]}"#;
    for (model, completes) in [
        ("openai/gpt-4o", false),
        ("openai/gpt-3.5-turbo-instruct", true),
        ("openai/a-model-of-ones-own", true),
        ("text-completion-openai/davinci-002", true),
        ("groq/llama-3.3-70b-versatile", false),
        ("mistral/a-model-that-nobody-knows", false),
        ("hosted_vllm/a-model-that-nobody-knows", true),
    ] {
        let upstream = Upstream::playing(json(200, if completes { text } else { OPENAI })).await;
        let proxy = before(&upstream, model, "/v1", "").await;
        let asked = r#"{"model":"gpt","prompt":"Hello?"}"#;
        let got = proxy.call(post("/v1/completions", asked).key(KEY)).await.expect(200).json();
        assert_eq!(got["object"], "text_completion", "{model}");
        assert_eq!(got["choices"][0]["text"], "Hi", "{model}");
        let path = if completes { "/v1/completions" } else { "/v1/chat/completions" };
        assert_eq!(upstream.only_request().head.word(), path, "{model}");
    }
}
