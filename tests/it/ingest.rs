//! What is read of a request, what is refused, and which bytes are changed on the way.
use crate::client::{Call, chat, connect, post};
use crate::proxy::{self, KEY, Proxy};
use crate::upstream::{self, COMPLETION, Upstream};
use serde_json::Value;

async fn before() -> (Upstream, Proxy) {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    (upstream, proxy)
}

/// The bytes that reach the upstream when a client posts `body` to `target`.
async fn arrives(config: &str, target: &str, body: &str) -> String {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let proxy = proxy::with(&config.replace("BASE", &upstream.base())).start().await;
    proxy.call(post(target, body)).await.expect(200);
    String::from_utf8(upstream.only_request().body.to_vec()).expect("UTF-8")
}

async fn plain(body: &str) -> String {
    arrives(&proxy::config("BASE"), "/v1/chat/completions", body).await
}

/// A config whose deployment has these extra lines in `litellm_params`.
fn deployment(lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("      {line}\n")).collect();
    proxy::config("BASE").replace("general_settings", &(lines + "general_settings"))
}

async fn refused(call: Call, status: u16) -> Value {
    let (upstream, proxy) = before().await;
    let answer = proxy.call(call).await.expect(status);
    assert_eq!(upstream.seen().connections, 0, "a refused call reached the upstream");
    answer.json()["error"].clone()
}

#[track_caller]
fn says(error: &Value, words: &str) {
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.contains(words), "{error}");
}

#[tokio::test]
async fn the_model_is_the_only_byte_that_changes() {
    let body = "{ \"messages\" : [ {\"role\":\"user\",\"content\":\"\\u0068i \u{1f980}\"} ],\r\n\t\"model\":\"gpt\" , \"temperature\":1.0e0,\"x_unknown\":{\"a\":[1,2.50,null]}, \"top_k\":5}";
    assert_eq!(plain(body).await, body.replace("\"gpt\"", "\"gpt-4o-mini\""));
}

#[tokio::test]
async fn a_model_key_written_with_an_escape_is_still_the_model() {
    let body = r#"{"mod\u0065l":"gpt","messages":[{"role":"user","content":"hi"}]}"#;
    assert_eq!(plain(body).await, body.replace("\"gpt\"", "\"gpt-4o-mini\""));
}

#[tokio::test]
async fn a_model_name_written_with_an_escape_is_still_its_name() {
    let body = r#"{"model":"\u0067pt","messages":[{"role":"user","content":"hi"}]}"#;
    assert_eq!(plain(body).await, body.replace(r"\u0067pt", "gpt-4o-mini"));
}

#[tokio::test]
async fn a_model_deeper_in_the_body_is_none_of_our_business() {
    let body = r#"{"messages":[{"role":"user","content":"hi","model":"gpt"}],"model":"gpt","extra":{"model":"gpt"}}"#;
    let sent = plain(body).await;
    assert_eq!(sent, body.replace(r#"}],"model":"gpt""#, r#"}],"model":"gpt-4o-mini""#));
}

#[tokio::test]
async fn broken_json_is_400() {
    for body in ["", "{", "{\"model\":\"gpt\",}", "{\"model\":\"gpt\"} x", "[1", "\u{0}", "nope"] {
        let error = refused(post("/v1/chat/completions", body), 400).await;
        says(&error, "Invalid JSON payload");
        assert_eq!(error["type"], "invalid_request_error", "{body:?}");
        assert_eq!(error["param"], "request_body", "{body:?}");
        assert_eq!(error["code"], "400", "{body:?}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_utf8_are_400() {
    let body = b"{\"model\":\"gpt\",\"messages\":[{\"role\":\"user\",\"content\":\"\xff\xfe\"}]}";
    refused(post("/v1/chat/completions", body), 400).await;
}

#[tokio::test]
async fn two_models_are_400() {
    for second in ["model", "mod\\u0065l"] {
        let body = format!(r#"{{"model":"gpt","messages":[],"{second}":"gpt"}}"#);
        refused(post("/v1/chat/completions", body), 400).await;
    }
}

#[tokio::test]
async fn a_body_nested_without_end_is_400() {
    let body = format!(r#"{{"model":"gpt","messages":{}}}"#, "[".repeat(100_000));
    refused(post("/v1/chat/completions", body), 400).await;
}

#[tokio::test]
async fn a_missing_model_is_named_in_the_refusal() {
    let body = r#"{"messages":[{"role":"user","content":"hi"}]}"#;
    let error = refused(post("/v1/chat/completions", body), 400).await;
    says(&error, "model=None");
    assert_eq!(error["code"], "400");
}

#[tokio::test]
async fn missing_messages_are_named_in_the_refusal() {
    let error = refused(post("/v1/chat/completions", r#"{"model":"gpt"}"#), 400).await;
    says(&error, "/chat/completions: Missing required parameter: 'messages'.");
    assert_eq!(error["param"], "messages");
}

#[tokio::test]
async fn an_unknown_model_is_refused_in_litellms_words() {
    let error = refused(chat("nope"), 400).await;
    let text = "/chat/completions: Invalid model name passed in model=nope. Call `/v1/models` \
                to view available models for your key.";
    says(&error, text);
    assert_eq!(error["type"], "invalid_request_error");
    assert_eq!(error["code"], "400");
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_before_it_is_read() {
    let call = chat("gpt").header("content-length", "34603008");
    let (upstream, proxy) = before().await;
    let mut wire = call.key(KEY).open(proxy.addr()).await;
    assert_eq!(wire.answer().await.status, 413);
    assert_eq!(upstream.seen().connections, 0);
}

#[tokio::test]
async fn a_body_that_stops_coming_is_408_in_the_dialect_of_its_path_and_the_end() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let config = proxy::config(&upstream.base()) + "  body_timeout: 0.4\n";
    let proxy = proxy::with(&config).start().await;
    for path in ["/v1/chat/completions", "/v1/messages"] {
        let call = post(path, "{\"model\":").header("content-length", "1000").key(KEY);
        let mut wire = call.open(proxy.addr()).await;
        let answer = wire.answer().await;
        assert_eq!(answer.status, 408);
        assert_eq!(answer.json()["type"] == "error", path == "/v1/messages", "{}", answer.text());
        says(&answer.json()["error"], "body_timeout");
        wire.gone().await;
    }
    assert_eq!(upstream.seen().connections, 0);
}

#[tokio::test]
async fn a_body_that_comes_slowly_is_waited_for() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let config = proxy::config(&upstream.base()) + "  body_timeout: 1\n";
    let proxy = proxy::with(&config).start().await;
    let bytes = chat("gpt").key(KEY).bytes(proxy.addr());
    let mut wire = connect(proxy.addr()).await;
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(300));
    for piece in bytes.chunks(bytes.len().div_ceil(6)) {
        ticks.tick().await;
        wire.send(piece).await.unwrap();
    }
    assert_eq!(wire.answer().await.status, 200);
}

#[tokio::test]
async fn a_chunked_body_over_the_limit_is_413() {
    let (upstream, proxy) = before().await;
    let head = chat("gpt").header("transfer-encoding", "chunked").key(KEY).bytes(proxy.addr());
    let end = memchr::memmem::find(&head, b"\r\n\r\n").unwrap() + 4;
    let mut wire = connect(proxy.addr()).await;
    wire.send(&head[..end]).await.unwrap();
    let chunk = format!("100000\r\n{}\r\n", " ".repeat(1 << 20));
    for _ in 0..33 {
        if wire.send(&chunk).await.is_err() {
            break;
        }
    }
    assert_eq!(wire.answer().await.status, 413);
    assert_eq!(upstream.seen().connections, 0);
}

#[tokio::test]
async fn a_large_prompt_arrives_whole() {
    let text = "\u{1f980} ".repeat(400_000);
    let body = format!(r#"{{"messages":[{{"role":"user","content":"{text}"}}],"model":"gpt"}}"#);
    assert!(plain(&body).await == body.replace("\"gpt\"", "\"gpt-4o-mini\""), "it was changed");
}

#[tokio::test]
async fn fields_meant_for_the_proxy_go_no_further() {
    let body = r#"{"metadata":{"tags":["a"]},"model":"gpt","litellm_metadata":{},"tags":["x"],"messages":[{"role":"user","content":"hi"}],"fallbacks":["b"],"num_retries":3,"timeout":5,"cache":{"no-cache":true},"user":"u1","guardrails":[],"no-log":true,"mock_response":"x","drop_params":true,"foo":1}"#;
    let sent: Value = serde_json::from_str(&plain(body).await).expect("JSON is left");
    let left: Vec<_> = sent.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(left, ["model", "messages", "user", "foo"]);
}

#[tokio::test]
async fn metadata_stays_where_the_answer_is_stored() {
    let body = r#"{"model":"gpt","store":true,"metadata":{"k":"v"},"messages":[{"role":"user","content":"hi"}]}"#;
    assert_eq!(plain(body).await, body.replace("\"gpt\"", "\"gpt-4o-mini\""));
}

#[tokio::test]
async fn metadata_stays_on_responses() {
    let body = r#"{"model":"gpt","metadata":{"k":"v"},"input":"hi"}"#;
    let sent = arrives(&proxy::config("BASE"), "/v1/responses", body).await;
    assert_eq!(sent, body.replace("\"gpt\"", "\"gpt-4o-mini\""));
}

#[tokio::test]
async fn metadata_stays_on_messages() {
    let body = r#"{"model":"gpt","metadata":{"user_id":"v"},"max_tokens":1,"messages":[]}"#;
    let config = proxy::config("BASE").replace("openai/gpt-4o-mini", "anthropic/claude-x");
    let sent = arrives(&config, "/v1/messages", body).await;
    assert_eq!(sent, body.replace("\"gpt\"", "\"claude-x\""));
}

#[tokio::test]
async fn a_parameter_of_the_config_fills_a_gap_only() {
    let config = deployment(&["temperature: 0.25", "max_tokens: 77"]);
    let body = r#"{"model":"gpt","messages":[{"role":"user","content":"hi"}],"temperature":1,"max_tokens":null}"#;
    let sent = arrives(&config, "/v1/chat/completions", body).await;
    let sent: Value = serde_json::from_str(&sent).expect("JSON is left");
    assert_eq!(sent["temperature"], 1);
    assert_eq!(sent["max_tokens"], 77);
    let keys = sent.as_object().unwrap().len();
    assert_eq!(keys, 4, "{sent}");
}

#[tokio::test]
async fn extra_body_is_added() {
    let config = deployment(&["extra_body:", "  top_k: 40", "  nested: {a: [1, null]}"]);
    let body = r#"{"model":"gpt","messages":[{"role":"user","content":"hi"}]}"#;
    let sent = arrives(&config, "/v1/chat/completions", body).await;
    let sent: Value = serde_json::from_str(&sent).expect("JSON is left");
    assert_eq!(sent["top_k"], 40);
    assert_eq!(sent["nested"], serde_json::json!({"a": [1, null]}));
}

#[tokio::test]
async fn stream_options_of_the_client_are_kept() {
    let config = proxy::config("BASE");
    let body = r#"{"model":"gpt","stream":true,"stream_options":{"include_obfuscation":false},"messages":[{"role":"user","content":"hi"}]}"#;
    let sent: Value =
        serde_json::from_str(&arrives(&config, "/v1/chat/completions", body).await).unwrap();
    assert_eq!(sent["stream_options"]["include_obfuscation"], false);
    assert_eq!(sent["stream_options"]["include_usage"], true);
}

#[tokio::test]
async fn with_stream_usage_off_a_stream_is_not_touched() {
    let config = proxy::config("BASE") + "  always_include_stream_usage: false\n";
    let body = r#"{"model":"gpt","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let sent = arrives(&config, "/v1/chat/completions", body).await;
    assert_eq!(sent, body.replace("\"gpt\"", "\"gpt-4o-mini\""));
}

#[tokio::test]
async fn expect_100_continue_is_answered_before_the_body_is_sent() {
    let (upstream, proxy) = before().await;
    let bytes = chat("gpt").header("expect", "100-continue").key(KEY).bytes(proxy.addr());
    let end = memchr::memmem::find(&bytes, b"\r\n\r\n").unwrap() + 4;
    let mut wire = connect(proxy.addr()).await;
    wire.send(&bytes[..end]).await.unwrap();
    assert_eq!(wire.head().await.unwrap().unwrap().word(), "100");
    wire.send(&bytes[end..]).await.unwrap();
    assert_eq!(wire.answer().await.status, 200);
    assert_eq!(upstream.only_request().body.len(), bytes.len() - end + "-4o-mini".len());
}

#[tokio::test]
async fn a_compressed_body_arrives_decoded() {
    let body = r#"{"model":"gpt","messages":[{"role":"user","content":"hi"}]}"#;
    let packed = gzip(body.as_bytes());
    let (upstream, proxy) = before().await;
    let call = post("/v1/chat/completions", packed).header("content-encoding", "gzip");
    proxy.call(call).await.expect(200);
    let sent = upstream.only_request();
    assert_eq!(sent.body, body.replace("\"gpt\"", "\"gpt-4o-mini\""));
    assert_eq!(sent.head.get("content-encoding"), None);
    assert_eq!(sent.head.get("content-length"), Some(&*sent.body.len().to_string()));
}

#[tokio::test]
async fn a_body_in_an_unknown_coding_is_refused() {
    let call = chat("gpt").header("content-encoding", "compress");
    let (upstream, proxy) = before().await;
    let status = proxy.call(call).await.status;
    assert!(status == 400 || status == 415, "{status}");
    assert_eq!(upstream.seen().connections, 0);
}

/// `bytes` as one stored block in a gzip file (RFC 1952, RFC 1951 3.2.4).
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a short body");
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    packed.extend(length.to_le_bytes());
    packed.extend((!length).to_le_bytes());
    packed.extend(bytes);
    packed.extend(crc32(bytes).to_le_bytes());
    packed.extend(u32::from(length).to_le_bytes());
    packed
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc: u32, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}

/// Little bytes that become many: fixed Huffman codes (RFC 1951 3.2.6), one `a` and then copies
/// of the 258 bytes before.
fn bomb(copies: usize) -> Vec<u8> {
    let mut bits: Vec<bool> = vec![true, true, false];
    let code = |value: u16, length: u8| (0..length).rev().map(move |at| value >> at & 1 == 1);
    bits.extend(code(0x30 + u16::from(b'a'), 8));
    for _ in 0..copies {
        bits.extend(code(0b1100_0101, 8).chain(code(0, 5)));
    }
    bits.extend(code(0, 7));
    let byte = |bits: &[bool]| {
        bits.iter().enumerate().fold(0, |byte, (at, bit)| byte | u8::from(*bit) << at)
    };
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    packed.extend(bits.chunks(8).map(byte));
    packed.extend([0; 8]);
    packed
}

#[tokio::test]
async fn a_small_body_that_unpacks_to_a_large_one_is_413() {
    let packed = bomb(200_000);
    assert!(packed.len() < 400_000);
    let (upstream, proxy) = before().await;
    let idle = proxy.memory();
    let call = post("/v1/chat/completions", packed).header("content-encoding", "gzip");
    proxy.call(call).await.expect(413);
    assert_eq!(upstream.seen().connections, 0);
    assert!(proxy.memory() < idle + 80 * 1024 * 1024);
}

#[tokio::test]
async fn members_that_we_read_may_stand_only_once() {
    for twice in ["\"stream\":true,\"stream\":false", "\"messages\":[],\"messages\":[]"] {
        let body = format!(r#"{{"model":"gpt","messages":[],{twice}}}"#);
        refused(post("/v1/chat/completions", body), 400).await;
    }
}

#[tokio::test]
async fn a_client_cannot_choose_the_upstream() {
    let elsewhere = Upstream::playing(upstream::json(200, COMPLETION)).await;
    for field in ["api_base", "base_url", "api_key"] {
        let body = format!(
            r#"{{"model":"gpt","messages":[{{"role":"user","content":"hi"}}],"{field}":"{}"}}"#,
            elsewhere.base()
        );
        let (_upstream, proxy) = before().await;
        let answer = proxy.call(post("/v1/chat/completions", body)).await;
        assert!(matches!(answer.status, 200 | 400), "{}", answer.status);
        assert_eq!(elsewhere.seen().connections, 0);
    }
}

#[tokio::test]
async fn any_model_name_is_spliced_as_one_json_string() {
    let config = proxy::config("BASE").replace("model_name: gpt", "model_name: \"*\"");
    let config = config.replace("openai/gpt-4o-mini", "openai/*");
    for name in ["a\\\"b", "a\\nb\\r\\nx: y", "\\u0000", "\u{1f980}", "a\\\\", ",y", " "] {
        let body = format!(r#"{{"model":"{name}","messages":[{{"role":"user","content":"hi"}}]}}"#);
        let wanted: Value = serde_json::from_str(&body).unwrap();
        let sent = arrives(&config, "/v1/chat/completions", &body).await;
        let sent: Value = serde_json::from_str(&sent).expect("JSON is left");
        assert_eq!(sent, wanted);
    }
}

#[tokio::test]
async fn a_model_name_in_a_path_stays_in_its_place() {
    let upstream = Upstream::playing(upstream::json(200, "{}")).await;
    let config = proxy::config(&format!("{}/v1beta", upstream.origin()));
    let config = config.replace("model_name: gpt", "model_name: \"*\"");
    let proxy = proxy::with(&config.replace("openai/gpt-4o-mini", "gemini/*")).start().await;
    for name in ["..%2f..%2fsecret", "a%3Fb", "a%23b", "a%20b", "%2e%2e", "a%25b", "a%0d%0ab"] {
        let before = upstream.seen().begun;
        let call = post(format!("/v1beta/models/{name}:generateContent"), r#"{"contents":[]}"#);
        let answer = proxy.call(call).await;
        let Some(request) = upstream.request(before) else {
            assert!((400..500).contains(&answer.status), "{name}: {}", answer.status);
            continue;
        };
        let path = request.head.word();
        assert!(path.starts_with("/v1beta/models/"), "{path}");
        assert!(path.ends_with(":generateContent"), "{path}");
        assert!(!path.contains("/..") && !path.contains("/%2e%2e"), "{path}");
        assert!(!path.contains(['?', '#', ' ']), "{path}");
    }
}
