//! Clients that speak Cohere's words, or Ollama's.
use crate::client::{Answer, get, post};
use crate::proxy::{self, KEY, Proxy};
use crate::upstream::{Step, Upstream, chunked_head, json, piece, send, stream, stream_head};
use serde_json::{Value, json as value};

const OPENAI: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-up","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":9,"total_tokens":19}}"#;
const COHERE: &str = r#"{"id":"c1", "finish_reason":"COMPLETE","message":{"role":"assistant","content":[{"type":"text","text":"Hi"}]},"usage":{"billed_units":{"input_tokens":1,"output_tokens":1},"tokens":{"input_tokens":10,"output_tokens":9}}}"#;
const LINES: &str = "{\"model\":\"llama-up\",\"created_at\":\"2026-01-01T00:00:00Z\",\"message\":{\"role\":\"assistant\",\"content\":\"Hi\"},\"done\":false}\n{\"model\":\"llama-up\",\"created_at\":\"2026-01-01T00:00:01Z\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":10,\"eval_count\":9}\n";
const PRICED: &str = "      input_cost_per_token: 0.001\n      output_cost_per_token: 0.001\n";

/// A proxy before `upstream`, whose group `gpt` is `model` of a provider at `path` below it.
async fn before(upstream: &Upstream, model: &str, path: &str) -> Proxy {
    let base = format!("{}{path}", upstream.origin());
    let config = proxy::config(&base).replace("openai/gpt-4o-mini", model);
    let config =
        config.replace("      num_retries: 0\n", &format!("      num_retries: 0\n{PRICED}"));
    proxy::with(&config).start().await
}

async fn asked(proxy: &Proxy, path: &str, body: &Value) -> Answer {
    proxy.call(post(path, body.to_string()).key(KEY)).await
}

fn sent(upstream: &Upstream) -> (String, Value) {
    let request = upstream.requests().pop().expect("a request");
    (request.head.word().to_owned(), serde_json::from_slice(&request.body).expect("JSON"))
}

fn ndjson(lines: &'static str) -> Vec<Step> {
    vec![chunked_head(200, &[("content-type", "application/x-ndjson")]), piece(lines), Step::End]
}

fn lines(answer: &Answer) -> Vec<Value> {
    answer.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn chat(model: &str, stream: bool) -> Value {
    value!({"model": model, "messages": [{"role": "user", "content": "Hello?"}], "stream": stream})
}

#[tokio::test]
async fn a_client_of_ollama_reads_a_stream_of_openai_without_asking_for_one() {
    let events = [
        r#"{"id":"c","model":"gpt-up","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}}]}"#,
        r#"{"id":"c","model":"gpt-up","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}]}"#,
        r#"{"id":"c","model":"gpt-up","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}"#,
        "[DONE]",
    ];
    let upstream = Upstream::playing(stream(&events)).await;
    let proxy = before(&upstream, "openai/gpt-up", "/v1").await;
    for path in ["/api/chat", "/api/generate"] {
        let body = value!({"model": "gpt:latest", "messages": [{"role": "user", "content": "Hello?"}], "prompt": "Hello?", "options": {"num_predict": 5}});
        let got = asked(&proxy, path, &body).await.expect(200);
        assert_eq!(got.header("content-type"), Some("application/x-ndjson"), "{path}");
        let lines = lines(&got);
        let said = |line: &Value| {
            let text = line["message"]["content"].as_str().or(line["response"].as_str());
            text.unwrap_or_default().to_owned()
        };
        assert_eq!(lines.iter().map(said).collect::<String>(), "Hello", "{path}");
        let last = lines.last().expect("a line");
        assert_eq!((&last["done"], &last["done_reason"]), (&value!(true), &value!("stop")));
        assert_eq!((&last["prompt_eval_count"], &last["eval_count"]), (&value!(7), &value!(2)));
        assert!(last["total_duration"].as_u64().is_some_and(|nanos| nanos > 0));
        let (at, body) = sent(&upstream);
        assert_eq!((at.as_str(), &body["model"]), ("/v1/chat/completions", &value!("gpt-up")));
        assert_eq!((&body["stream"], &body["max_tokens"]), (&value!(true), &value!(5)));
    }
}

#[tokio::test]
async fn a_client_of_cohere_is_answered_by_openai() {
    let upstream = Upstream::playing(json(200, OPENAI)).await;
    let proxy = before(&upstream, "openai/gpt-up", "/v1").await;
    let mut body = chat("gpt", false);
    body["safety_mode"] = "STRICT".into();
    let got = asked(&proxy, "/v2/chat", &body).await.expect(200);
    assert_eq!(got.header("x-bartizan-dropped"), Some("safety_mode"));
    let got = got.json();
    assert_eq!(got["message"]["content"][0]["text"], "Hi");
    assert_eq!(got["finish_reason"], "COMPLETE");
    assert_eq!(got["usage"]["tokens"], value!({"input_tokens": 10, "output_tokens": 9}));
}

#[tokio::test]
async fn the_same_dialect_passes_byte_for_byte_and_is_paid_for() {
    let upstream = Upstream::playing(json(200, COHERE)).await;
    let proxy = before(&upstream, "cohere/command-up", "").await;
    let body = r#"{ "messages":[{"role":"user","content":"Hello?"}], "model":"gpt", "raw_prompting":true }"#;
    let got = proxy.call(post("/v2/chat", body).key(KEY)).await.expect(200);
    assert_eq!(got.text(), COHERE);
    assert_eq!(got.header("x-litellm-response-cost"), Some("0.019"));
    let request = upstream.only_request();
    assert_eq!(request.head.word(), "/v2/chat");
    assert_eq!(request.body, body.replace("gpt", "command-up"));
    let upstream = Upstream::playing(ndjson(LINES)).await;
    let proxy = before(&upstream, "ollama/llama-up", "").await;
    for path in ["/api/chat", "/api/generate"] {
        let body = r#"{"model" : "gpt","prompt":"Hello?","messages":[{"role":"user","content":"Hello?"}],"options":{"num_ctx":9}}"#;
        let got = proxy.call(post(path, body).key(KEY)).await.expect(200);
        assert_eq!(got.text(), LINES, "{path}");
        let request = upstream.requests().pop().expect("a request");
        assert_eq!(request.head.word(), path);
        assert_eq!(request.body, body.replace("gpt", "llama-up"));
    }
    let figures = proxy.call(get("/metrics").key(KEY)).await.expect(200);
    let counted = figures.text().lines().find(|line| {
        line.starts_with("litellm_total_tokens")
            && line.contains("llama-up")
            && line.ends_with(" 38.0")
    });
    assert!(counted.is_some(), "{}", figures.text());
}

#[tokio::test]
async fn embeddings_cross_over_in_both_versions_and_forms() {
    let said = r#"{"object":"list","data":[{"object":"embedding","index":1,"embedding":[0.5]},{"object":"embedding","index":0,"embedding":[0.25]}],"model":"e","usage":{"prompt_tokens":4,"total_tokens":4}}"#;
    let upstream = Upstream::playing(json(200, said)).await;
    let proxy = before(&upstream, "openai/e-up", "/v1").await;
    let texts = value!({"model": "gpt", "texts": ["a", "b"], "input_type": "search_query"});
    let got = asked(&proxy, "/v2/embed", &texts).await.expect(200).json();
    assert_eq!(got["embeddings"], value!({"float": [[0.25], [0.5]]}));
    assert_eq!(got["meta"]["billed_units"]["input_tokens"], 4);
    let (at, body) = sent(&upstream);
    assert_eq!((at.as_str(), &body["input"]), ("/v1/embeddings", &value!(["a", "b"])));
    let got = asked(&proxy, "/v1/embed", &texts).await.expect(200).json();
    assert_eq!(
        (&got["embeddings"], &got["texts"]),
        (&value!([[0.25], [0.5]]), &value!(["a", "b"]))
    );
    let got = asked(&proxy, "/api/embed", &value!({"model": "gpt", "input": ["a", "b"]})).await;
    let got = got.expect(200).json();
    assert_eq!(
        (&got["embeddings"], &got["prompt_eval_count"]),
        (&value!([[0.25], [0.5]]), &value!(4))
    );
    let got = asked(&proxy, "/api/embeddings", &value!({"model": "gpt", "prompt": "a"})).await;
    assert_eq!(got.expect(200).json(), value!({"embedding": [0.25]}));
}

#[tokio::test]
async fn each_is_refused_in_its_own_words() {
    let upstream = Upstream::playing(json(200, OPENAI)).await;
    let proxy = before(&upstream, "openai/gpt-up", "/v1").await;
    for (path, member) in [("/v2/chat", "message"), ("/api/chat", "error"), ("/api/embed", "error")]
    {
        let words = |answer: Answer| answer.json()[member].as_str().expect("words").to_owned();
        let mut nobody = chat("nobody", false);
        nobody["input"] = "a".into();
        let got = post(path, nobody.to_string()).send(proxy.addr()).await.expect(401);
        assert!(words(got).contains("No api key"), "{path}");
        let got = asked(&proxy, path, &nobody).await.expect(400);
        assert!(words(got).contains("nobody"), "{path}");
        let wrong = value!({"model": "gpt", "messages": [1], "input": 1, "prompt": 1});
        let got = asked(&proxy, path, &wrong).await.expect(400);
        assert!(!words(got).is_empty(), "{path}");
    }
    assert_eq!(upstream.requests().len(), 0);
}

#[tokio::test]
async fn an_error_of_the_provider_is_told_in_each_ones_words() {
    let said = r#"{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}"#;
    let upstream = Upstream::playing(json(429, said)).await;
    let proxy = before(&upstream, "openai/gpt-up", "/v1").await;
    for (path, member) in [("/v2/chat", "message"), ("/api/chat", "error")] {
        let got = asked(&proxy, path, &chat("gpt", false)).await.expect(429).json();
        let words = got[member].as_str().expect("words");
        assert!(
            words.starts_with("litellm.RateLimitError: OpenAIException - Rate limit"),
            "{words}"
        );
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_in_an_error_of_its_dialect() {
    let (first, rest) = LINES.split_once('\n').expect("two lines");
    let begun = format!("{first}\n{}", rest.get(..20).expect("a long line"));
    let head = chunked_head(200, &[("content-type", "application/x-ndjson")]);
    let upstream = Upstream::playing(vec![head, piece(begun), send("0\r\n\r\n")]).await;
    let proxy = before(&upstream, "ollama/llama-up", "").await;
    let got = asked(&proxy, "/api/chat", &chat("gpt", true)).await.expect(200);
    let told = lines(&got);
    assert_eq!(told.len(), 2, "{}", got.text());
    assert!(told[1]["error"].as_str().is_some_and(|words| words.contains("OllamaException")));
    let begun = "event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"text\":\"Hi\"}}}}\n\n";
    let upstream = Upstream::playing(vec![stream_head(), piece(begun), send("0\r\n\r\n")]).await;
    let proxy = before(&upstream, "cohere/command-up", "").await;
    let got = asked(&proxy, "/v2/chat", &chat("gpt", true)).await.expect(200);
    let last: Value = serde_json::from_str(got.events().last().expect("an event")).expect("JSON");
    assert_eq!(
        (&last["type"], &last["delta"]["finish_reason"]),
        (&value!("message-end"), &value!("ERROR"))
    );
}

#[tokio::test]
async fn clients_of_ollama_see_the_models_of_the_config() {
    let upstream = Upstream::playing(json(200, OPENAI)).await;
    let proxy = before(&upstream, "openai/gpt-4o-mini", "/v1").await;
    let listed = proxy.call(get("/api/tags").key(KEY)).await.expect(200).json();
    assert_eq!(listed["models"][0]["model"], "gpt");
    assert_eq!(listed["models"][0]["digest"].as_str().map(str::len), Some(64));
    for name in [value!({"model": "gpt"}), value!({"name": "gpt:latest"})] {
        let shown = asked(&proxy, "/api/show", &name).await.expect(200).json();
        assert_eq!(shown["capabilities"], value!(["completion", "tools", "vision"]));
        assert_eq!(shown["model_info"]["openai.context_length"], 128_000);
    }
    let got = asked(&proxy, "/api/show", &value!({"model": "nobody"})).await.expect(404).json();
    assert_eq!(got, value!({"error": "model 'nobody' not found"}));
    let version = proxy.call(get("/api/version").key(KEY)).await.expect(200).json();
    assert!(version["version"].is_string());
    let loaded = proxy.call(get("/api/ps").key(KEY)).await.expect(200).json();
    assert_eq!(loaded, value!({"models": []}));
    let got = get("/api/tags").send(proxy.addr()).await.expect(401).json();
    assert!(got["error"].is_string(), "{got}");
}

#[tokio::test]
async fn the_built_in_models_speak_to_both() {
    let config = format!(
        "model_list:\n  - model_name: said\n    litellm_params:\n      model: openai/x\n      mock_response: Hello there\ngeneral_settings:\n  master_key: {KEY}\n"
    );
    let proxy = proxy::with(&config).start().await;
    let got = asked(&proxy, "/v2/chat", &chat("said", false)).await.expect(200).json();
    assert_eq!(got["message"]["content"][0]["text"], "Hello there");
    let got = asked(&proxy, "/api/chat", &chat("said", true)).await.expect(200);
    let said = lines(&got);
    let text = |line: &Value| line["message"]["content"].as_str().unwrap_or_default().to_owned();
    assert_eq!(said.iter().map(text).collect::<String>(), "Hello there");
}
