//! Streams: untouched while they are well, and never complete when they are not.
use crate::client::{Answer, chat_stream, post};
use crate::proxy::{self, KEY, Proxy};
use crate::upstream::{self, Gate, Step, Upstream, piece, send, stream_head};
use crate::wire::Wire;
use bytes::Bytes;
use std::time::Duration;
use tokio::time::Instant;

const ROLE: &str = r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#;
const HEL: &str = r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}"#;
const LO: &str = r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":null}]}"#;
const STOP: &str = r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const USAGE: &str = r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#;

async fn before(steps: Vec<Step>) -> (Upstream, Proxy) {
    let upstream = Upstream::playing(steps).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    (upstream, proxy)
}

async fn streamed(steps: Vec<Step>) -> Answer {
    let (_upstream, proxy) = before(steps).await;
    proxy.call(chat_stream("gpt")).await
}

fn event(data: &str) -> Step {
    piece(format!("data: {data}\n\n"))
}

/// What every stream that broke looks like: an error event, whole, and no `[DONE]`.
#[track_caller]
fn is_broken(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.is_whole(), "a broken stream ends in order: {}", answer.text());
    assert!(!answer.text().contains("[DONE]"), "{}", answer.text());
    assert!(answer.text().ends_with("\n\n"), "{:?}", answer.text());
    let last = answer.events().pop().expect("an event");
    let last: serde_json::Value = serde_json::from_str(&last).expect("JSON in the last event");
    assert!(last["error"]["message"].is_string(), "{}", answer.text());
    assert!(last["error"]["code"].is_string(), "{}", answer.text());
}

#[tokio::test]
async fn a_stream_passes_byte_for_byte() {
    let events = [ROLE, HEL, LO, STOP, "[DONE]"];
    let (upstream, proxy) = before(upstream::stream(&events)).await;
    let answer = proxy.call(chat_stream("gpt")).await.expect(200);
    assert!(answer.header("content-type").is_some_and(|v| v.starts_with("text/event-stream")));
    assert_eq!(answer.events(), events);
    assert!(answer.is_whole());
    let sent = upstream.only_request();
    assert!(String::from_utf8_lossy(&sent.body).contains(r#""include_usage":true"#));
}

#[tokio::test]
async fn usage_that_nobody_asked_for_is_taken_out_and_usage_that_was_asked_for_stays() {
    let events = [ROLE, HEL, STOP, USAGE, "[DONE]"];
    let (_upstream, proxy) = before(upstream::stream(&events)).await;
    let answer = proxy.call(chat_stream("gpt")).await.expect(200);
    assert_eq!(answer.events(), [ROLE, HEL, STOP, "[DONE]"]);
    let asking = r#"{"model":"gpt","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}"#;
    let answer = proxy.call(post("/v1/chat/completions", asking)).await.expect(200);
    assert_eq!(answer.events(), events);
}

/// A stream that goes on when `gate` opens.
fn waiting_at(gate: &Gate) -> Vec<Step> {
    vec![
        stream_head(),
        event(HEL),
        Step::Wait(gate.clone()),
        event(STOP),
        event("[DONE]"),
        Step::End,
    ]
}

#[tokio::test]
async fn an_event_is_passed_on_before_the_next_one_comes() {
    let gate = Gate::new();
    let steps = waiting_at(&gate);
    let (_upstream, proxy) = before(steps).await;
    let mut wire = chat_stream("gpt").key(KEY).open(proxy.addr()).await;
    let head = wire.head().await.unwrap().unwrap();
    assert_eq!(head.word(), "200");
    let first = wire.chunk().await.unwrap().unwrap();
    assert_eq!(first, format!("data: {HEL}\n\n"));
    gate.open();
    let rest = wire.body(&head, true).await.0;
    assert_eq!(rest, format!("data: {STOP}\n\ndata: [DONE]\n\n"));
}

#[tokio::test]
async fn a_half_event_is_passed_on_as_it_comes() {
    let whole = format!("data: {HEL}\n\ndata: {LO}\n\ndata: {STOP}\n\ndata: [DONE]\n\n");
    for size in [1, 7, 64] {
        let pieces =
            whole.as_bytes().chunks(size).map(|bytes| piece(Bytes::copy_from_slice(bytes)));
        let steps = std::iter::once(stream_head()).chain(pieces).chain([Step::End]).collect();
        assert_eq!(streamed(steps).await.expect(200).text(), whole, "in pieces of {size}");
    }
}

#[tokio::test]
async fn a_first_event_that_is_an_error_gives_its_status() {
    let error = r#"{"error":{"message":"too many","type":"rate_limit_error","code":429}}"#;
    let answer = streamed(vec![stream_head(), event(error), Step::End]).await.expect(429);
    assert!(answer.error_message().contains("too many"), "{}", answer.text());
    assert!(!answer.text().contains("[DONE]"));
}

#[tokio::test]
async fn a_first_event_that_is_an_error_without_a_status_is_a_500() {
    let error = r#"{"error":{"message":"something broke","type":"server_error","code":null}}"#;
    streamed(vec![stream_head(), event(error), Step::End]).await.expect(500);
}

#[tokio::test]
async fn an_error_after_the_role_is_still_an_error() {
    let error = r#"{"error":{"message":"something broke","code":503}}"#;
    streamed(vec![stream_head(), event(ROLE), event(error), Step::End]).await.expect(503);
}

#[tokio::test]
async fn an_error_event_in_mid_stream_is_the_last_one() {
    let error = r#"{"error":{"message":"something broke","code":"503"}}"#;
    let steps = vec![stream_head(), event(HEL), event(error), event("[DONE]"), Step::End];
    let answer = streamed(steps).await;
    is_broken(&answer);
}

#[tokio::test]
async fn a_stream_without_its_ending_does_not_look_complete() {
    is_broken(&streamed(vec![stream_head(), event(HEL), event(LO), Step::End]).await);
    is_broken(&streamed(vec![stream_head(), event(HEL), Step::Close]).await);
    is_broken(&streamed(vec![stream_head(), event(HEL), Step::Reset]).await);
}

#[tokio::test]
async fn a_stream_that_ends_with_finish_reason_alone_is_complete() {
    let answer = streamed(vec![stream_head(), event(HEL), event(STOP), Step::End]).await;
    assert_eq!(answer.events(), [HEL, STOP]);
    assert!(answer.is_whole());
}

#[tokio::test]
async fn a_stream_that_ends_without_framing_is_complete_with_its_ending_only() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let text = format!("{head}data: {HEL}\n\n");
    is_broken(&streamed(vec![send(text.clone()), Step::Close]).await);
    let text = format!("{text}data: {STOP}\n\ndata: [DONE]\n\n");
    let answer = streamed(vec![send(text), Step::Close]).await;
    assert_eq!(answer.events(), [HEL, STOP, "[DONE]"]);
}

#[tokio::test]
async fn every_choice_needs_its_own_ending() {
    let two = r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":1,"delta":{"content":"b"},"finish_reason":null}]}"#;
    let steps = vec![stream_head(), event(HEL), event(two), event(STOP), Step::End];
    let (_upstream, proxy) = before(steps).await;
    let body = r#"{"model":"gpt","n":2,"stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    is_broken(&proxy.call(post("/v1/chat/completions", body)).await);
}

#[tokio::test]
async fn a_cut_at_any_byte_does_not_look_complete() {
    let whole = format!("data: {HEL}\n\ndata: {LO}\n\n");
    let upstream = Upstream::start(|request| {
        let at: usize = request.head.get("x-cut-at").unwrap().parse().unwrap();
        let whole = format!("data: {HEL}\n\ndata: {LO}\n\n");
        let part = Bytes::copy_from_slice(&whole.as_bytes()[..at]);
        vec![stream_head(), piece(part), Step::Reset]
    })
    .await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    for at in 1..whole.len() {
        let call = chat_stream("gpt").header("x-cut-at", &at.to_string());
        let answer = proxy.call(call).await;
        if answer.status != 200 {
            assert_eq!(answer.status, 500, "cut at {at}");
            continue;
        }
        is_broken(&answer);
        assert!(answer.events().len() <= 3, "cut at {at}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_stall_in_mid_stream_ends_with_an_error_event() {
    let upstream = Upstream::playing(vec![stream_head(), event(HEL), Step::Hang]).await;
    let timeout = "      stream_timeout: 0.5\ngeneral_settings";
    let config = proxy::config(&upstream.base()).replace("general_settings", timeout);
    let proxy = proxy::with(&config).start().await;
    is_broken(&proxy.call(chat_stream("gpt")).await);
    assert!(upstream.saw(Duration::from_secs(5), |seen| seen.left == 1).await);
}

#[tokio::test]
async fn a_line_that_is_no_json_does_not_look_complete() {
    let steps = vec![stream_head(), event(HEL), event("{\"choices\":[{\"ind"), Step::End];
    is_broken(&streamed(steps).await);
}

#[tokio::test]
async fn bytes_after_done_pass_through() {
    let steps = vec![
        stream_head(),
        event(HEL),
        event(STOP),
        event("[DONE]"),
        piece(": later\n\n"),
        Step::End,
    ];
    let answer = streamed(steps).await.expect(200);
    assert!(answer.text().ends_with("data: [DONE]\n\n: later\n\n"), "{}", answer.text());
    assert!(answer.is_whole());
}

#[tokio::test]
async fn a_cut_after_done_is_no_failure_of_the_stream() {
    let steps = vec![stream_head(), event(HEL), event(STOP), event("[DONE]"), Step::Reset];
    let answer = streamed(steps).await.expect(200);
    assert_eq!(answer.events(), [HEL, STOP, "[DONE]"]);
}

#[tokio::test]
async fn comments_and_odd_line_ends_survive() {
    let text = format!(
        ": OPENROUTER PROCESSING\r\n\r\nevent: x\r\nid: 7\r\ndata: {HEL}\r\n\r\n\
         data:{STOP}\n\ndata: [DONE]\n\n"
    );
    let answer = streamed(vec![stream_head(), piece(text.clone()), Step::End]).await;
    assert_eq!(answer.text(), text);
}

#[tokio::test]
async fn an_anthropic_stream_without_message_stop_ends_with_its_own_error_event() {
    let start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"up\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n";
    let delta = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hel\"}}\n\n";
    let steps = vec![stream_head(), piece(start), piece(delta), Step::End];
    let upstream = Upstream::playing(steps).await;
    let config =
        proxy::config(&upstream.origin()).replace("openai/gpt-4o-mini", "anthropic/claude");
    let proxy = proxy::with(&config).start().await;
    let body = r#"{"model":"gpt","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
    let answer = proxy.call(post("/v1/messages", body)).await.expect(200);
    assert!(answer.text().starts_with(&format!("{start}{delta}")), "{}", answer.text());
    assert!(answer.text().contains("event: error\n"), "{}", answer.text());
    assert!(!answer.text().contains("[DONE]") && !answer.text().contains("message_stop"));
    assert!(answer.is_whole());
}

#[tokio::test]
async fn a_client_that_leaves_mid_stream_cancels_its_upstream() {
    let (upstream, proxy) = before(vec![stream_head(), event(HEL), Step::Hang]).await;
    let mut wire = chat_stream("gpt").key(KEY).open(proxy.addr()).await;
    wire.head().await.unwrap().unwrap();
    wire.chunk().await.unwrap().unwrap();
    drop(wire);
    assert!(upstream.saw(Duration::from_secs(5), |seen| seen.left == 1).await);
}

async fn opened(proxy: &Proxy, streams: usize) -> Vec<Wire> {
    let mut wires = Vec::with_capacity(streams);
    for _ in 0..streams {
        wires.push(chat_stream("gpt").key(KEY).open(proxy.addr()).await);
    }
    for wire in &mut wires {
        let head = wire.head().await.unwrap().expect("an answer");
        assert_eq!(head.word(), "200");
        wire.chunk().await.unwrap().expect("a first chunk");
    }
    wires
}

#[tokio::test]
async fn a_thousand_clients_that_leave_cancel_a_thousand_upstreams_within_a_second() {
    let (upstream, proxy) = before(vec![stream_head(), event(HEL), Step::Hang]).await;
    // A shell that allows fewer open files than that gets a smaller crowd; `tests/run` asks for
    // more.
    let crowd = 1000.min(proxy::open_files().saturating_sub(100) / 2);
    let wires = opened(&proxy, crowd).await;
    assert_eq!(upstream.seen().left, 0);
    let start = Instant::now();
    drop(wires);
    let all = upstream.saw(Duration::from_secs(10), |seen| seen.left == crowd).await;
    let took = start.elapsed();
    assert!(all, "{} of {crowd} were cancelled", upstream.seen().left);
    assert!(took < Duration::from_secs(1), "it took {took:?}");
}

#[tokio::test]
async fn a_termination_loses_none_of_two_hundred_streams() {
    let gate = Gate::new();
    let steps = waiting_at(&gate);
    let (_upstream, mut proxy) = before(steps).await;
    let mut wires = opened(&proxy, 200).await;
    proxy.terminate();
    let mut ticks = proxy::ticks();
    while tokio::net::TcpStream::connect(proxy.addr()).await.is_ok() {
        ticks.tick().await;
    }
    gate.open();
    for wire in &mut wires {
        let mut rest = Vec::new();
        while let Some(chunk) = wire.chunk().await.expect("no stream is cut") {
            rest.extend_from_slice(&chunk);
        }
        assert_eq!(rest, format!("data: {STOP}\n\ndata: [DONE]\n\n").into_bytes());
    }
    assert!(proxy.exited().await.success());
}

#[tokio::test]
async fn a_slow_reader_of_a_hundred_megabytes_keeps_memory_bounded() {
    let text = "x".repeat(64 * 1024);
    let big = HEL.replace("Hel", &text);
    let pieces = Step::Chunks(format!("data: {big}\n\n").into(), 1600);
    let steps = vec![stream_head(), pieces, event(STOP), event("[DONE]"), Step::End];
    let (upstream, proxy) = before(steps).await;
    let idle = proxy.memory();
    let mut wire = chat_stream("gpt").key(KEY).open(proxy.addr()).await;
    wire.head().await.unwrap().unwrap();
    let (mut read, mut most) = (0, 0);
    while let Some(chunk) = wire.chunk().await.unwrap() {
        read += chunk.len();
        most = most.max(proxy.memory());
        tokio::task::yield_now().await;
    }
    assert!(read > 100_000_000, "{read}");
    assert!(most < idle + 16 * 1024 * 1024, "{idle} bytes idle, {most} while streaming");
    assert_eq!(upstream.seen().left, 0);
}

#[tokio::test]
async fn a_reader_that_stops_reading_stops_its_upstream() {
    let text = HEL.replace("Hel", &"x".repeat(64 * 1024));
    let (upstream, proxy) =
        before(vec![stream_head(), Step::Chunks(format!("data: {text}\n\n").into(), 1600)]).await;
    let idle = proxy.memory();
    let mut wire = chat_stream("gpt").key(KEY).open(proxy.addr()).await;
    wire.head().await.unwrap().unwrap();
    // The upstream is never done: its writes wait for a reader that does not read.
    let done = upstream.saw(Duration::from_secs(2), |seen| seen.left == 1).await;
    assert!(!done);
    assert!(proxy.memory() < idle + 16 * 1024 * 1024);
    drop(wire);
    assert!(upstream.saw(Duration::from_secs(5), |seen| seen.left == 1).await);
}
