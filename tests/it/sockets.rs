//! Bytes that no honest client sends: the right 4xx, and nothing reaches the upstream.
use crate::client::{chat, connect};
use crate::proxy::{self, KEY, Proxy};
use crate::upstream::{self, COMPLETION, Upstream};
use crate::wire::{Message, Wire};
use tokio::io::AsyncWriteExt;

const BODY: &str = r#"{"model":"gpt","messages":[{"role":"user","content":"hi"}]}"#;

async fn before() -> (Upstream, Proxy) {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    (upstream, proxy)
}

fn call(lines: &[&str], body: &str) -> String {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n\
         Authorization: Bearer {KEY}\r\n{lines}\r\n{body}"
    )
}

/// All answers on one connection: the first, and whatever follows once the proxy knows that
/// nothing more is coming.
async fn answers(proxy: &Proxy, bytes: impl AsRef<[u8]>) -> Vec<Message> {
    let mut wire = connect(proxy.addr()).await;
    // The proxy may refuse and close while we still write: its answer is what counts.
    wire.send(bytes).await.ok();
    let mut answers = Vec::new();
    while let Ok(Some(answer)) = wire.response().await {
        answers.push(answer);
        wire.io.shutdown().await.ok();
    }
    answers
}

/// Every answer to `bytes` is one of `statuses` or an end, and the upstream hears nothing.
async fn refused(bytes: impl AsRef<[u8]>, statuses: &[&str]) {
    let (upstream, proxy) = before().await;
    let answers = answers(&proxy, bytes).await;
    let first = answers.first().expect("an answer before the end");
    assert!(statuses.contains(&first.head.word()), "{}", first.head.first);
    assert_eq!(answers.len(), 1, "what followed was read as a call of its own");
    assert_eq!(upstream.requests().len(), 0, "it reached the upstream");
}

fn length(body: &str) -> String {
    format!("Content-Length: {}", body.len())
}

fn chunked(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}

#[tokio::test]
async fn a_length_and_chunks_together_are_never_two_calls() {
    let inner = call(&[&length(BODY)], BODY);
    let (upstream, proxy) = before().await;
    for lines in [
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
    ] {
        let bytes = call(&lines, &(chunked(BODY) + &inner));
        let answers = answers(&proxy, bytes).await;
        let first = answers.first().expect("an answer").head.word();
        // RFC 9112 6.3: refuse it, or read the chunks and close the connection.
        assert!(first == "400" || first == "200", "{first}");
        assert_eq!(answers.len(), 1, "the smuggled call was answered");
    }
    for request in upstream.requests() {
        assert_eq!(request.head.get("transfer-encoding"), None);
        assert!(request.body.starts_with(b"{\"model\""));
    }
}

#[tokio::test]
async fn two_lengths_are_refused() {
    let same = length(BODY);
    refused(call(&[&same, "Content-Length: 5"], BODY), &["400"]).await;
    refused(call(&["Content-Length: 5, 6"], BODY), &["400"]).await;
}

#[tokio::test]
async fn a_length_that_is_no_number_is_refused() {
    for value in ["+59", "-1", "0x3b", "5 9", "99999999999999999999", ""] {
        refused(call(&[&format!("Content-Length: {value}")], BODY), &["400", "413"]).await;
    }
}

#[tokio::test]
async fn chunks_in_http_1_0_are_refused() {
    let bytes = call(&["Transfer-Encoding: chunked"], &chunked(BODY)).replace("1.1", "1.0");
    refused(bytes, &["400"]).await;
}

#[tokio::test]
async fn an_unknown_transfer_coding_is_refused() {
    for value in ["chunked, gzip", "xchunked", "gzip", "chunked, chunked"] {
        let line = format!("Transfer-Encoding: {value}");
        refused(call(&[&line], &chunked(BODY)), &["400", "501"]).await;
    }
}

#[tokio::test]
async fn a_folded_header_is_refused() {
    refused(call(&["X-Folded: a", "  b: c", &length(BODY)], BODY), &["400"]).await;
}

#[tokio::test]
async fn a_space_before_the_colon_is_refused() {
    refused(call(&["Content-Length : 5", &length(BODY)], BODY), &["400"]).await;
}

#[tokio::test]
async fn bare_line_feeds_are_never_two_calls() {
    let (upstream, proxy) = before().await;
    let bytes = call(&[&length(BODY)], BODY).replace("\r\n", "\n");
    let answers = answers(&proxy, bytes + "GET /v1/models HTTP/1.1\nHost: x\n\n").await;
    assert!(answers.len() <= 2 && upstream.requests().len() <= 1);
    let inside = call(&["X-A: b\nContent-Length: 5", &length(BODY)], BODY);
    refused(inside, &["400"]).await;
}

#[tokio::test]
async fn a_nul_or_a_bare_carriage_return_in_a_header_is_refused() {
    refused(call(&["X-A: b\0c", &length(BODY)], BODY), &["400"]).await;
    refused(call(&["X-A: b\rX-B: c", &length(BODY)], BODY), &["400"]).await;
}

#[tokio::test]
async fn chunk_extensions_without_end_are_refused() {
    let flood = format!("1;{}\r\n", "x".repeat(200_000));
    let bytes = call(&["Transfer-Encoding: chunked"], &flood);
    let (upstream, proxy) = before().await;
    let answers = answers(&proxy, bytes).await;
    assert!(answers.iter().all(|answer| answer.head.word() == "400"), "{answers:?}");
    assert_eq!(upstream.requests().len(), 0);
}

#[tokio::test]
async fn a_chunk_size_that_overflows_is_refused() {
    for size in ["ffffffffffffffffff", "-1", "0x10", ""] {
        let bytes = call(&["Transfer-Encoding: chunked"], &format!("{size}\r\n{BODY}"));
        let (upstream, proxy) = before().await;
        let answers = answers(&proxy, bytes).await;
        let refusal = |answer: &Message| answer.head.word().starts_with('4');
        assert!(answers.iter().all(refusal), "{size}: {answers:?}");
        assert_eq!(upstream.requests().len(), 0);
    }
}

#[tokio::test]
async fn a_body_that_ends_early_reaches_nobody() {
    let (upstream, proxy) = before().await;
    let mut wire = connect(proxy.addr()).await;
    wire.send(call(&["Content-Length: 500"], BODY)).await.unwrap();
    wire.io.shutdown().await.unwrap();
    let answer = wire.response().await.ok().flatten();
    // Who closes its side within a body has left.
    assert!(answer.is_none_or(|answer| answer.head.word() == "499"));
    assert_eq!(upstream.requests().len(), 0);
}

#[tokio::test]
async fn headers_without_end_are_refused() {
    let big = format!("X-Big: {}", "x".repeat(1 << 20));
    refused(call(&[&big, &length(BODY)], BODY), &["431", "400"]).await;
    let many: Vec<String> = (0..1000).map(|n| format!("X-{n}: 1")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    refused(call(&many, BODY), &["431", "400"]).await;
}

#[tokio::test]
async fn a_target_without_end_is_refused() {
    let bytes = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(1 << 20));
    refused(bytes, &["414", "431", "400"]).await;
}

#[tokio::test]
async fn a_malformed_host_is_refused() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let config = proxy::config(&upstream.base());
    let open = config.split("general_settings").next().unwrap();
    let proxy = proxy::with(open).start().await;
    for host in ["a b", "user@localhost", "local/host", "[::1", ""] {
        let bytes = call(&[&length(BODY)], BODY).replace("localhost", host);
        let answers = answers(&proxy, bytes).await;
        let status = answers.first().map_or("none", |answer| answer.head.word());
        assert!(status == "400" || status == "403", "{host}: {status}");
    }
    let twice = call(&["Host: localhost", &length(BODY)], BODY);
    let answers = answers(&proxy, twice).await;
    assert_eq!(answers.first().expect("an answer").head.word(), "400");
    assert_eq!(upstream.requests().len(), 0);
}

#[tokio::test]
async fn no_host_at_all_is_refused_in_http_1_1() {
    refused(call(&[&length(BODY)], BODY).replace("Host: localhost\r\n", ""), &["400"]).await;
}

#[tokio::test]
async fn an_absolute_target_is_a_path_and_never_a_destination() {
    let (upstream, proxy) = before().await;
    let elsewhere = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let target = format!("POST http://{}/v1/chat", elsewhere.addr());
    let bytes = call(&[&length(BODY)], BODY).replace("POST /v1/chat", &target);
    let answers = answers(&proxy, bytes).await;
    let status = answers.first().expect("an answer").head.word();
    assert!(status == "200" || status.starts_with('4'), "{status}");
    assert_eq!(elsewhere.seen().connections, 0, "it went where the client said");
    assert!(upstream.requests().len() <= 1);
}

#[tokio::test]
async fn connect_opens_no_tunnel() {
    let (upstream, proxy) = before().await;
    let addr = upstream.addr();
    let bytes = format!("CONNECT {addr} HTTP/1.1\r\nHost: {addr}\r\n\r\n");
    let mut wire = connect(proxy.addr()).await;
    wire.send(bytes).await.unwrap();
    let answer = wire.head().await.unwrap().expect("an answer");
    assert!(answer.word().starts_with('4'), "{}", answer.first);
    assert_eq!(upstream.seen().connections, 0);
}

#[tokio::test]
async fn pipelined_calls_are_answered_in_order() {
    let upstream = Upstream::start(|request| {
        let echo = serde_json::from_slice::<serde_json::Value>(&request.body).unwrap();
        upstream::json(200, COMPLETION.replace("c1", echo["user"].as_str().unwrap()))
    })
    .await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    let mut bytes = String::new();
    for n in 0..20 {
        let body = BODY.replace("\"model\"", &format!("\"user\":\"u{n}\",\"model\""));
        bytes += &call(&[&length(&body)], &body);
    }
    let mut wire = connect(proxy.addr()).await;
    wire.send(bytes).await.unwrap();
    for n in 0..20 {
        let answer = wire.answer().await.expect(200);
        assert_eq!(answer.json()["id"], format!("u{n}"));
    }
}

/// An early answer must arrive whole although the body was not read, and the rest of the body
/// must not be taken for another call.
async fn early(mut wire: Wire, status: u16, body: usize) {
    let answer = wire.answer().await;
    assert_eq!(answer.status, status);
    assert!(answer.is_whole() && answer.json()["error"]["message"].is_string());
    let smuggled = "GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(8);
    let mut left = body;
    while left > 0 && wire.send(&smuggled).await.is_ok() {
        left = left.saturating_sub(smuggled.len());
    }
    if let Ok(Some(next)) = wire.head().await {
        panic!("a part of the body was answered: {}", next.first);
    }
}

#[tokio::test]
async fn an_early_401_is_whole_and_the_unread_body_is_no_call() {
    let (upstream, proxy) = before().await;
    let bytes = chat("gpt").key("sk-wrong").header("content-length", "1000000");
    early(bytes.open(proxy.addr()).await, 401, 1_000_000).await;
    assert_eq!(upstream.requests().len(), 0);
}

#[tokio::test]
async fn an_early_413_is_whole_and_the_unread_body_is_no_call() {
    let (upstream, proxy) = before().await;
    let bytes = chat("gpt").key(KEY).header("content-length", "40000000");
    early(bytes.open(proxy.addr()).await, 413, 1_000_000).await;
    assert_eq!(upstream.requests().len(), 0);
}

#[tokio::test]
async fn http_0_9_and_noise_are_refused() {
    for bytes in [&b"GET /v1/models\r\n\r\n"[..], b"\x16\x03\x01\x02\x00\x01\x00", b"\0\0\0\0"] {
        let (upstream, proxy) = before().await;
        let answers = answers(&proxy, bytes).await;
        assert!(answers.iter().all(|answer| answer.head.word().starts_with('4')), "{answers:?}");
        assert_eq!(upstream.seen().connections, 0);
    }
}

#[tokio::test]
async fn a_proxy_that_ran_out_of_sockets_recovers() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let proxy = proxy::in_front_of(&upstream.base()).files(64).start().await;
    let mut crowd = Vec::new();
    for _ in 0..200 {
        crowd.push(connect(proxy.addr()).await);
    }
    drop(crowd);
    proxy.call(chat("gpt")).await.expect(200);
}

#[tokio::test]
async fn the_limit_of_open_files_is_raised_as_far_as_it_goes() {
    let proxy = proxy::bare().files_at_first(200).start().await;
    let (soft, hard) = proxy.open_files();
    assert_eq!(soft, hard);
    assert!(soft > 200, "{soft}");
}

#[tokio::test]
async fn a_low_limit_of_open_files_is_told() {
    let proxy = proxy::bare().files(640).start().await;
    let line = proxy.line(|line| line.contains("640 files")).await;
    assert!(line.contains("304 connections") && line.contains("to 20032 for 10000"), "{line}");
}

#[tokio::test]
async fn an_http_1_0_client_gets_a_stream_without_chunks() {
    let event = r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}"#;
    let upstream = Upstream::playing(upstream::stream(&[event, "[DONE]"])).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    let body = BODY.replace("\"model\"", "\"stream\":true,\"model\"");
    let mut wire = connect(proxy.addr()).await;
    wire.send(call(&[&length(&body)], &body).replace("HTTP/1.1", "HTTP/1.0")).await.unwrap();
    let answer = wire.answer().await.expect(200);
    assert_eq!(answer.header("transfer-encoding"), None);
    assert_eq!(answer.events(), [event, "[DONE]"]);
}

#[tokio::test]
async fn a_connection_is_kept_after_a_refusal_whose_body_was_read() {
    let (upstream, proxy) = before().await;
    let unknown = BODY.replace("gpt", "nope");
    let mut wire = connect(proxy.addr()).await;
    for (body, status) in [(unknown.as_str(), 400), ("{", 400), (BODY, 200)] {
        wire.send(call(&[&length(body)], body)).await.unwrap();
        assert_eq!(wire.answer().await.status, status);
    }
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test]
async fn slow_headers_hold_up_nobody_else() {
    let (_upstream, proxy) = before().await;
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut wire = connect(proxy.addr()).await;
        wire.send("POST /v1/chat/completions HTTP/1.1\r\nHost: loc").await.unwrap();
        slow.push(wire);
    }
    proxy.call(chat("gpt")).await.expect(200);
    drop(slow);
}
