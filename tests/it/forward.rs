//! What happens to a call whose upstream does not answer as it should, before anything was sent on.
use crate::client::{Answer, chat, chat_stream, post};
use crate::proxy::{self, Proxy};
use crate::upstream::{self, COMPLETION as OK, Gate, Step, Upstream, send};
use crate::wire::PATIENCE;
use std::time::Duration;

async fn before(steps: Vec<Step>) -> (Upstream, Proxy) {
    let upstream = Upstream::playing(steps).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    (upstream, proxy)
}

/// A proxy that waits no longer than half a second for its upstream.
async fn hurried(steps: Vec<Step>) -> (Upstream, Proxy) {
    let upstream = Upstream::playing(steps).await;
    let config = proxy::config(&upstream.base()) + "router_settings:\n  num_retries: 0\n";
    let timeouts = "      timeout: 0.5\n      stream_timeout: 0.5\ngeneral_settings";
    let proxy = proxy::with(&config.replace("general_settings", timeouts)).start().await;
    (upstream, proxy)
}

#[track_caller]
fn is_connection_error(answer: &Answer) {
    assert_eq!(answer.status, 500, "{}", answer.text());
    let message = answer.error_message();
    assert!(message.starts_with("litellm.InternalServerError: "), "{message}");
    assert!(message.contains("Connection error."), "{message}");
    assert_eq!(answer.json()["error"]["code"], "500");
}

#[tokio::test]
async fn a_refused_connection_is_an_internal_server_error() {
    let proxy = proxy::in_front_of(&format!("http://127.0.0.1:{}/v1", proxy::free_port()));
    let proxy = proxy.start().await;
    is_connection_error(&proxy.call(chat("gpt")).await);
    is_connection_error(&proxy.call(chat_stream("gpt")).await);
}

#[tokio::test]
async fn a_host_without_an_address_is_an_internal_server_error() {
    let proxy = proxy::in_front_of("http://nowhere.invalid/v1").start().await;
    is_connection_error(&proxy.call(chat("gpt")).await);
}

#[tokio::test]
async fn a_reset_before_the_headers_is_an_internal_server_error() {
    let (_upstream, proxy) = before(vec![Step::Reset]).await;
    is_connection_error(&proxy.call(chat("gpt")).await);
    is_connection_error(&proxy.call(chat_stream("gpt")).await);
}

#[tokio::test]
async fn an_end_within_the_headers_is_an_internal_server_error() {
    let (_upstream, proxy) = before(vec![send("HTTP/1.1 200 OK\r\ncontent-"), Step::Close]).await;
    is_connection_error(&proxy.call(chat("gpt")).await);
}

#[tokio::test]
async fn garbage_instead_of_http_is_an_internal_server_error() {
    let (_upstream, proxy) = before(vec![send("SSH-2.0-OpenSSH_9.2\r\n\r\n"), Step::Close]).await;
    is_connection_error(&proxy.call(chat("gpt")).await);
}

#[tokio::test]
async fn two_different_lengths_from_the_upstream_are_an_internal_server_error() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{} ";
    let (_upstream, proxy) = before(vec![send(head)]).await;
    is_connection_error(&proxy.call(chat("gpt")).await);
}

#[tokio::test]
async fn silence_before_the_headers_is_a_timeout() {
    let (upstream, proxy) = hurried(vec![Step::Hang]).await;
    for call in [chat("gpt"), chat_stream("gpt")] {
        let answer = proxy.call(call).await.expect(408);
        assert!(answer.error_message().starts_with("litellm.Timeout: "), "{}", answer.text());
        assert_eq!(answer.json()["error"]["code"], "408");
        assert_eq!(answer.header("x-litellm-timeout"), Some("0.5"));
    }
    assert!(upstream.saw(Duration::from_secs(5), |seen| seen.left == 2).await);
}

#[tokio::test]
async fn silence_within_the_headers_is_a_timeout() {
    let (_upstream, proxy) = hurried(vec![send("HTTP/1.1 200 OK\r\n"), Step::Hang]).await;
    proxy.call(chat("gpt")).await.expect(408);
}

#[tokio::test]
async fn silence_before_the_first_event_is_a_timeout_with_its_own_status() {
    let (_upstream, proxy) = hurried(vec![upstream::stream_head(), Step::Hang]).await;
    proxy.call(chat_stream("gpt")).await.expect(408);
}

#[tokio::test]
async fn a_body_that_never_comes_is_never_a_whole_answer() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n";
    let (_upstream, proxy) = hurried(vec![send(head), Step::Hang]).await;
    let answer = proxy.call(chat("gpt")).await;
    assert!(answer.status == 408 || !answer.is_whole(), "{answer:?}");
}

#[tokio::test]
async fn a_json_body_that_is_cut_is_never_a_whole_answer() {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", OK.len());
    for end in [Step::Reset, Step::Close] {
        let (_upstream, proxy) =
            before(vec![send(head.clone() + r#"{"id":"c1","object":"#), end]).await;
        let answer = proxy.call(chat("gpt")).await;
        assert!(answer.status == 500 || !answer.is_whole(), "{answer:?}");
    }
}

#[tokio::test]
async fn bytes_after_the_length_are_not_part_of_the_answer() {
    let mut steps = upstream::json(200, OK);
    steps.push(send("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nbad"));
    let (_upstream, proxy) = before(steps).await;
    for _ in 0..3 {
        let answer = proxy.call(chat("gpt")).await.expect(200);
        assert_eq!(answer.text(), OK);
    }
}

#[tokio::test]
async fn an_upstream_error_in_the_clients_dialect_passes_byte_for_byte() {
    for status in [400, 401, 403, 404, 409, 422, 429, 500, 503, 529] {
        let body =
            r#"{ "error":{"message":"its own words","type":"its_type","code":null}, "x":1 }"#;
        let (_upstream, proxy) = before(upstream::json(status, body)).await;
        for call in [chat("gpt"), chat_stream("gpt")] {
            let answer = proxy.call(call).await.expect(status);
            assert_eq!(answer.text(), body);
            assert!(answer.header("x-litellm-call-id").is_some());
        }
    }
}

#[tokio::test]
async fn an_upstream_error_that_is_a_page_keeps_its_status() {
    let page = "<html><body><h1>502 Bad Gateway</h1></body></html>";
    let steps = upstream::answer(502, &[("content-type", "text/html")], page);
    let (_upstream, proxy) = before(steps).await;
    let answer = proxy.call(chat("gpt")).await.expect(502);
    assert_eq!(answer.json()["error"]["code"], "502");
}

#[tokio::test]
async fn a_rate_limits_retry_after_reaches_the_client() {
    let headers = [("content-type", "application/json"), ("retry-after", "7")];
    let body = r#"{"error":{"message":"slow down"}}"#;
    let (_upstream, proxy) = before(upstream::answer(429, &headers, body)).await;
    let answer = proxy.call(chat("gpt")).await.expect(429);
    assert_eq!(answer.header("retry-after"), Some("7"));
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let target = Upstream::playing(upstream::json(200, OK)).await;
    let place = format!("{}/chat/completions", target.base());
    let (_upstream, proxy) = before(upstream::answer(307, &[("location", &place)], "")).await;
    let answer = proxy.call(chat("gpt")).await;
    assert!(answer.status >= 300, "{answer:?}");
    assert_eq!(target.seen().connections, 0);
}

#[tokio::test]
async fn hop_by_hop_headers_go_no_further_and_all_others_do() {
    let headers = [
        ("content-type", "application/json"),
        ("connection", "x-private, keep-alive"),
        ("x-private", "1"),
        ("keep-alive", "timeout=5"),
        ("x-new-feature", "kept"),
    ];
    let (upstream, proxy) = before(upstream::answer(200, &headers, OK)).await;
    let call = chat("gpt")
        .header("connection", "x-mine, keep-alive")
        .header("x-mine", "1")
        .header("te", "trailers, deflate")
        .header("proxy-authorization", "Basic c2VjcmV0")
        .header("openai-beta", "assistants=v2");
    let answer = proxy.call(call).await.expect(200);
    assert_eq!(answer.header("x-private"), None);
    assert_eq!(answer.header("keep-alive"), None);
    let kept = answer.header("x-new-feature").or(answer.header("llm_provider-x-new-feature"));
    assert_eq!(kept, Some("kept"));
    let sent = upstream.only_request().head;
    for name in ["x-mine", "proxy-authorization", "keep-alive"] {
        assert_eq!(sent.get(name), None, "{name}");
    }
    assert_eq!(sent.get("openai-beta"), Some("assistants=v2"));
    assert_eq!(sent.get("accept-encoding"), Some("identity"));
    assert_eq!(sent.get("host"), Some(&*upstream.addr().to_string()));
}

#[tokio::test]
async fn one_upstream_connection_serves_call_after_call() {
    let (upstream, proxy) = before(upstream::json(200, OK)).await;
    let mut wire = crate::client::connect(proxy.addr()).await;
    for _ in 0..5 {
        wire.send(chat("gpt").key(proxy::KEY).bytes(proxy.addr())).await.unwrap();
        assert_eq!(wire.answer().await.status, 200);
    }
    assert_eq!(upstream.seen().connections, 1);
}

#[tokio::test]
async fn a_pooled_connection_that_went_stale_costs_no_call() {
    let mut steps = upstream::json(200, OK);
    let gate = Gate::new();
    steps.extend([Step::Wait(gate.clone()), Step::Reset]);
    let (upstream, proxy) = before(steps).await;
    proxy.call(chat("gpt")).await.expect(200);
    gate.open();
    for ended in 1..=5 {
        // Else the call and the reset might cross, and nobody knows whether it was read.
        assert!(upstream.saw(PATIENCE, |seen| seen.ended >= ended).await);
        proxy.call(chat("gpt")).await.expect(200);
    }
    assert!(upstream.seen().connections > 1);
}

#[tokio::test]
async fn a_call_that_an_upstream_has_read_is_not_made_twice() {
    let (upstream, proxy) = before(vec![Step::Reset]).await;
    is_connection_error(&proxy.call(chat("gpt")).await);
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test]
async fn a_deployments_own_headers_are_added() {
    let upstream = Upstream::playing(upstream::json(200, OK)).await;
    let extra = "      organization: org-house\n      extra_headers:\n        X-Team: search\n\
                 general_settings";
    let config = proxy::config(&upstream.base()).replace("general_settings", extra);
    let proxy = proxy::with(&config).start().await;
    proxy.call(chat("gpt")).await.expect(200);
    let sent = upstream.only_request().head;
    assert_eq!(sent.get("x-team"), Some("search"));
    assert_eq!(sent.get("openai-organization"), Some("org-house"));
    assert_eq!(sent.word(), "/v1/chat/completions");
}

#[tokio::test]
async fn a_client_that_leaves_before_the_headers_cancels_its_upstream() {
    let (upstream, proxy) = before(vec![Step::Hang]).await;
    for call in [chat("gpt"), post("/v1/embeddings", r#"{"model":"gpt","input":"x"}"#)] {
        let before = upstream.seen();
        let wire = call.key(proxy::KEY).open(proxy.addr()).await;
        let limit = Duration::from_secs(5);
        assert!(upstream.saw(limit, |seen| seen.begun > before.begun).await);
        drop(wire);
        assert!(upstream.saw(limit, |seen| seen.left > before.left).await);
    }
}

#[tokio::test]
async fn an_upstream_that_answers_before_it_has_read_the_prompt_is_heard() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    let proxy = proxy::in_front_of(&base).start().await;
    let text = "x".repeat(20 << 20);
    let body = format!(r#"{{"model":"gpt","messages":[{{"role":"user","content":"{text}"}}]}}"#);
    let refusal = r#"{"error":{"message":"too long for us"}}"#;
    let early = async {
        let (io, _) = listener.accept().await.unwrap();
        let mut wire = crate::wire::Wire::new(io);
        wire.head().await.unwrap().unwrap();
        let length = refusal.len();
        let head = format!("HTTP/1.1 413 Too Large\r\ncontent-length: {length}\r\n\r\n{refusal}");
        wire.send(head).await.unwrap();
        wire.gone().await;
    };
    let call = proxy.call(post("/v1/chat/completions", body));
    let (answer, ()) = tokio::join!(call, early);
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("too long for us"), "{}", answer.text());
}

#[tokio::test]
async fn interim_answers_of_an_upstream_are_not_the_answer() {
    let mut steps = vec![send("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")];
    steps.extend(upstream::json(200, OK));
    let (_upstream, proxy) = before(steps).await;
    assert_eq!(proxy.call(chat("gpt")).await.expect(200).text(), OK);
}

#[tokio::test]
async fn an_answer_in_a_coding_passes_with_its_name() {
    let headers = [("content-type", "application/json"), ("content-encoding", "br")];
    let (_upstream, proxy) = before(upstream::answer(200, &headers, b"\x8b\x02\x80{}\x03")).await;
    let answer = proxy.call(chat("gpt")).await.expect(200);
    assert_eq!(answer.header("content-encoding"), Some("br"));
    assert_eq!(&answer.message.body[..], b"\x8b\x02\x80{}\x03");
}

#[tokio::test]
async fn a_stream_that_is_answered_with_one_json_body_passes() {
    let (_upstream, proxy) = before(upstream::json(200, OK)).await;
    let answer = proxy.call(chat_stream("gpt")).await.expect(200);
    assert_eq!(answer.text(), OK);
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_clients_own_timeout_is_kept() {
    let (_upstream, proxy) = before(vec![Step::Hang]).await;
    let body = r#"{"model":"gpt","timeout":0.3,"messages":[{"role":"user","content":"hi"}]}"#;
    proxy.call(post("/v1/chat/completions", body)).await.expect(408);
    let call = chat("gpt").header("x-litellm-timeout", "0.3");
    let answer = proxy.call(call).await.expect(408);
    assert_eq!(answer.header("x-litellm-timeout"), Some("0.3"));
}

#[tokio::test]
async fn an_answer_without_a_body_passes() {
    let (_upstream, proxy) = before(vec![send("HTTP/1.1 204 No Content\r\n\r\n")]).await;
    let answer = proxy.call(chat("gpt")).await;
    assert_eq!(answer.status, 204);
    proxy.call(chat("gpt")).await.expect(204);
}
