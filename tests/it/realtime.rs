//! The realtime WebSocket: a tunnel that is let in, routed, recorded and ended like any call.
use crate::client::{self, Answer, Call, connect, get};
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::upstream::{self, Upstream, send};
use crate::wire::{Ended, Head, PATIENCE, Wire};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::time::timeout;

/// The key of RFC 6455's own example, and what a server answers to it (1.3).
const NONCE: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const GOODBYE: [u8; 2] = [0x03, 0xe8];

const DONE: &str = r#"{"type":"response.done","event_id":"e","response":{"id":"r","usage":{"total_tokens":275,"input_tokens":127,"output_tokens":148,"input_token_details":{"cached_tokens":64,"text_tokens":119,"audio_tokens":8},"output_token_details":{"text_tokens":36,"audio_tokens":112}}}}"#;

/// A handshake for `target` without a key.
fn handshake(target: &str) -> Call {
    get(target)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", NONCE)
        .header("sec-websocket-extensions", "permessage-deflate")
}

/// One frame; a client's is masked.
fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let bit = if mask.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..126 => bytes.push(bit | len as u8),
        len @ 126..0x1_0000 => {
            bytes.push(bit | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(bit | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(mask.iter().flatten());
    let mask = mask.unwrap_or_default();
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn from_server(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    frame(first, None, payload.as_ref())
}

fn from_client(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    frame(first, Some([7, 1, 8, 2]), payload.as_ref())
}

/// Reads one frame: its first byte and its payload; `None` at the end of the connection.
async fn next(wire: &mut Wire) -> Option<(u8, Vec<u8>)> {
    async fn exactly<const N: usize>(wire: &mut Wire) -> Option<[u8; N]> {
        let (bytes, ended) = wire.exactly(N).await;
        (ended == Ended::Complete).then(|| bytes.as_ref().try_into().unwrap())
    }
    let [first, second] = exactly(wire).await?;
    let len = match second & 0x7f {
        126 => u16::from_be_bytes(exactly(wire).await?).into(),
        127 => u64::from_be_bytes(exactly(wire).await?) as usize,
        len => len.into(),
    };
    let mask = if second & 0x80 == 0 { [0; 4] } else { exactly(wire).await? };
    let (payload, ended) = wire.exactly(len).await;
    let plain = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    (ended == Ended::Complete).then(|| (first, plain.collect()))
}

/// An upstream for one WebSocket, in the test's own hands.
struct Provider(TcpListener);

impl Provider {
    async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    fn base(&self) -> String {
        format!("http://{}/v1", self.0.local_addr().unwrap())
    }

    /// Takes the next call, and says yes to it, with `more` in the same breath.
    async fn accept(&self, more: &[u8]) -> (Head, Wire) {
        let (io, _) = timeout(PATIENCE, self.0.accept()).await.expect("in time").unwrap();
        let mut wire = Wire::new(io);
        let head = wire.head().await.unwrap().expect("a request");
        let yes = format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
             sec-websocket-accept: {ACCEPT}\r\nsec-websocket-protocol: realtime\r\n\
             x-request-id: req_1\r\n\r\n"
        );
        wire.send([yes.as_bytes(), more].concat()).await.unwrap();
        (head, wire)
    }
}

/// Opens a tunnel: the upstream's request, both ends, and the head of the client's 101.
async fn tunnel(provider: &Provider, addr: SocketAddr, call: Call) -> (Head, Wire, Wire, Head) {
    let mut client = call.open(addr).await;
    let (request, upstream) = provider.accept(b"").await;
    let head = client.head().await.unwrap().expect("an answer");
    assert_eq!(head.word(), "101", "{}", head.first);
    (request, upstream, client, head)
}

async fn keyed(provider: &Provider, proxy: &Proxy) -> (Wire, Wire) {
    let call = handshake("/v1/realtime?model=gpt").key(KEY);
    let (_, upstream, client, _) = tunnel(provider, proxy.addr(), call).await;
    (upstream, client)
}

async fn refused(addr: SocketAddr, call: Call) -> Answer {
    call.open(addr).await.answer().await
}

async fn recorded(proxy: &Proxy) -> serde_json::Value {
    let line = proxy.line(|line| line.contains("\"route\":\"/realtime\"")).await;
    serde_json::from_str(&line).unwrap()
}

async fn json_logs(provider: &Provider) -> Proxy {
    proxy::in_front_of(&provider.base()).env("JSON_LOGS", "true").start().await
}

#[tokio::test]
async fn a_handshake_reaches_the_provider_with_its_own_key_and_model() {
    let provider = Provider::new().await;
    let proxy = proxy::in_front_of(&provider.base()).start().await;
    for target in [
        "/v1/realtime?model=gpt",
        "/realtime?model=gpt",
        "/openai/v1/realtime?model=gpt",
        "/openai/realtime?api-version=2025-04-01-preview&deployment=gpt",
        "/openai/deployments/gpt/realtime",
    ] {
        let call = handshake(target).key(KEY).header("openai-beta", "realtime=v1");
        let (request, _, _, head) = tunnel(&provider, proxy.addr(), call).await;
        assert_eq!(request.first, "GET /v1/realtime?model=gpt-4o-mini HTTP/1.1", "{target}");
        assert_eq!(request.get("authorization"), Some(&*format!("Bearer {CREDENTIAL}")));
        assert_eq!(request.get("sec-websocket-key"), Some(NONCE));
        assert_eq!(request.get("sec-websocket-version"), Some("13"));
        assert_eq!(request.get("openai-beta"), Some("realtime=v1"));
        assert_eq!(request.get("sec-websocket-extensions"), None, "frames must stay readable");
        assert_eq!(head.get("sec-websocket-accept"), Some(ACCEPT));
        assert_eq!(head.get("sec-websocket-protocol"), Some("realtime"));
        assert_eq!(head.get("upgrade"), Some("websocket"));
        assert_eq!(head.get("x-litellm-model-group"), Some("gpt"));
        assert!(head.get("x-litellm-call-id").is_some());
    }
}

#[tokio::test]
async fn a_browsers_key_comes_as_a_subprotocol_and_goes_no_further() {
    let provider = Provider::new().await;
    let proxy = proxy::in_front_of(&provider.base()).start().await;
    let protocols = format!("realtime, openai-insecure-api-key.{KEY}, openai-beta.realtime-v1");
    let call = handshake("/v1/realtime?model=gpt").header("sec-websocket-protocol", &protocols);
    let (request, ..) = tunnel(&provider, proxy.addr(), call).await;
    assert_eq!(request.get("sec-websocket-protocol"), Some("realtime, openai-beta.realtime-v1"));
    assert!(!format!("{request:?}").contains(KEY), "{request:?}");
    let call = get("/v1/models").header("sec-websocket-protocol", &protocols);
    call.send(proxy.addr()).await.expect(401);
}

#[tokio::test]
async fn strangers_and_unknown_models_reach_no_provider() {
    let upstream = Upstream::playing(vec![upstream::Step::Hang]).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    let ask = || handshake("/v1/realtime?model=gpt");
    refused(proxy.addr(), ask()).await.expect(401);
    refused(proxy.addr(), ask().key("sk-wrong")).await.expect(401);
    let protocols = "realtime, openai-insecure-api-key.sk-wrong";
    let wrong = ask().header("sec-websocket-protocol", protocols);
    refused(proxy.addr(), wrong).await.expect(401);
    for target in ["/v1/realtime?model=other", "/v1/realtime", "/v1/realtime?model=gpt&model=gpt"] {
        let answer = refused(proxy.addr(), handshake(target).key(KEY)).await.expect(400);
        assert!(answer.error_message().contains("model"), "{}", answer.text());
    }
    assert_eq!(upstream.seen().connections, 0);
}

#[tokio::test]
async fn what_is_no_websocket_is_told_how_to_be_one() {
    let upstream = Upstream::playing(vec![upstream::Step::Hang]).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    let answer = proxy.call(get("/v1/realtime?model=gpt")).await.expect(426);
    assert_eq!(answer.header("upgrade"), Some("websocket"));
    assert!(answer.error_message().contains("WebSocket"), "{}", answer.text());
    let old = get("/v1/realtime?model=gpt")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "8")
        .header("sec-websocket-key", NONCE);
    let answer = proxy.call(old).await.expect(400);
    assert_eq!(answer.header("sec-websocket-version"), Some("13"));
    proxy.call(client::post("/v1/realtime?model=gpt", "{}")).await.expect(405);
    assert_eq!(upstream.seen().connections, 0);
}

#[tokio::test]
async fn a_model_without_realtime_says_so() {
    let proxy = proxy::bare().env("LITELLM_MASTER_KEY", KEY).start().await;
    let call = handshake("/v1/realtime?model=echo").key(KEY);
    let answer = refused(proxy.addr(), call).await.expect(400);
    assert!(answer.error_message().contains("echo"), "{}", answer.text());
}

#[tokio::test]
async fn without_a_key_another_sites_page_gets_no_socket() {
    let upstream = Upstream::playing(vec![upstream::Step::Hang]).await;
    let config = proxy::config(&upstream.base())
        .replace(&format!("  master_key: {KEY}\n"), "  compat: current\n");
    let proxy = proxy::with(&config).start().await;
    let call = handshake("/v1/realtime?model=gpt").header("origin", "https://evil.example");
    refused(proxy.addr(), call).await.expect(403);
    assert_eq!(upstream.seen().connections, 0);
}

#[tokio::test]
async fn a_providers_refusal_is_passed_on() {
    let body = r#"{"error":{"message":"not for you","type":"invalid_request_error"}}"#;
    let upstream = Upstream::playing(upstream::json(403, body)).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    let call = handshake("/v1/realtime?model=gpt").key(KEY);
    let answer = refused(proxy.addr(), call).await.expect(403);
    assert_eq!(answer.text(), body);
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_provider_that_opens_no_websocket_is_a_bad_gateway() {
    for script in [upstream::json(200, "{}"), vec![upstream::Step::Reset]] {
        let upstream = Upstream::playing(script).await;
        let proxy = proxy::in_front_of(&upstream.base()).start().await;
        let call = handshake("/v1/realtime?model=gpt").key(KEY);
        let answer = refused(proxy.addr(), call).await;
        assert!(matches!(answer.status, 500 | 502), "{}", answer.text());
        assert!(answer.error_message().contains("Exception"), "{}", answer.text());
    }
}

#[tokio::test]
async fn frames_pass_untouched_both_ways_and_early_ones_are_not_lost() {
    let provider = Provider::new().await;
    let proxy = json_logs(&provider).await;
    let hello = from_server(TEXT, r#"{"type":"session.created"}"#);
    let asked = [
        handshake("/v1/realtime?model=gpt").key(KEY).bytes(proxy.addr()),
        from_client(TEXT, "early"),
    ];
    let mut client = connect(proxy.addr()).await;
    client.send(asked.concat()).await.unwrap();
    let (_, mut upstream) = provider.accept(&hello).await;
    assert_eq!(client.head().await.unwrap().unwrap().word(), "101");
    assert_eq!(client.exactly(hello.len()).await.0, hello);
    let early = from_client(TEXT, "early");
    assert_eq!(upstream.exactly(early.len()).await.0, early);
    // Frames of our own invention: the tunnel takes no offence.
    let odd = [from_server(0x02, [0; 70_000]), from_server(0x89, "ping"), vec![0x0f]].concat();
    upstream.send(&odd).await.unwrap();
    assert_eq!(client.exactly(odd.len()).await.0, odd);
}

#[tokio::test]
async fn a_thousand_messages_pass_each_way_at_the_readers_speed() {
    let provider = Provider::new().await;
    let proxy = json_logs(&provider).await;
    let (mut upstream, mut client) = keyed(&provider, &proxy).await;
    let message = |number: usize| format!("{number}:{}", "x".repeat(20_000));
    let before = proxy.memory();
    {
        let sending = async {
            for number in 0..1000 {
                upstream.send(from_server(TEXT, message(number))).await.unwrap();
            }
        };
        tokio::pin!(sending);
        // Nobody reads: the upstream must come to a stop, and what is held is bounded.
        let stuck = timeout(std::time::Duration::from_millis(500), &mut sending).await;
        assert!(stuck.is_err(), "20 MB were taken from the upstream that the client did not read");
        assert!(proxy.memory() < before + 8 * 1024 * 1024);
        let reading = async {
            for number in 0..1000 {
                assert_eq!(next(&mut client).await.unwrap(), (TEXT, message(number).into_bytes()));
            }
        };
        tokio::join!(sending, reading);
    }
    let sending = async {
        for number in 0..1000 {
            client.send(from_client(TEXT, message(number))).await.unwrap();
        }
    };
    let reading = async {
        for number in 0..1000 {
            assert_eq!(next(&mut upstream).await.unwrap(), (TEXT, message(number).into_bytes()));
        }
    };
    tokio::join!(sending, reading);
}

#[tokio::test]
async fn a_session_is_one_record_with_the_sum_of_its_usage() {
    let provider = Provider::new().await;
    let ops = SocketAddr::from(([127, 0, 0, 1], proxy::free_port()));
    let setup = proxy::in_front_of(&provider.base()).env("JSON_LOGS", "true");
    let proxy = setup.arg("--ops-listen").arg(&ops.to_string()).start().await;
    let (mut upstream, mut client) = keyed(&provider, &proxy).await;
    client.send(from_client(TEXT, "{}")).await.unwrap();
    next(&mut upstream).await.unwrap();
    let done = from_server(TEXT, DONE);
    upstream.send(&done).await.unwrap();
    // In two frames, and cut within them.
    let (one, two) = DONE.as_bytes().split_at(100);
    let parts = [from_server(0x01, one), from_server(0x80, two)].concat();
    let (head, tail) = parts.split_at(60);
    upstream.send(head).await.unwrap();
    assert_eq!(client.exactly(done.len() + 60).await.0.len(), done.len() + 60);
    assert!(!proxy.output().contains("/realtime"), "it is told when it ends");
    upstream.send(tail).await.unwrap();
    upstream.send(from_server(CLOSE, GOODBYE)).await.unwrap();
    client.exactly(tail.len()).await;
    assert_eq!(next(&mut client).await.unwrap(), (CLOSE, GOODBYE.to_vec()));
    client.send(from_client(CLOSE, GOODBYE)).await.unwrap();
    assert_eq!(next(&mut upstream).await.unwrap(), (CLOSE, GOODBYE.to_vec()));
    drop(upstream);
    assert_eq!(next(&mut client).await, None);
    let line = recorded(&proxy).await;
    assert_eq!(line["status"], 101, "{line}");
    assert_eq!(line["message"], "Call answered");
    assert_eq!(line["model"], "gpt");
    assert_eq!((&line["input_tokens"], &line["output_tokens"]), (&254.into(), &296.into()));
    assert!(line["cost_nano_usd"].as_i64().unwrap() > 0, "{line}");
    assert!(line["received"].as_u64().unwrap() >= 8 && line["sent"].as_u64().unwrap() > 500);
    let metrics = get("/metrics").send(ops).await.expect(200);
    let tokens = metrics.text().lines().find(|line| {
        line.starts_with("litellm_input_tokens_metric_total") && line.contains("\"gpt\"")
    });
    assert!(tokens.is_some_and(|line| line.ends_with(" 254.0")), "{tokens:?}");
}

#[tokio::test]
async fn an_upstream_that_breaks_off_ends_the_session_as_failed() {
    for reset in [true, false] {
        let provider = Provider::new().await;
        let proxy = json_logs(&provider).await;
        let (upstream, mut client) = keyed(&provider, &proxy).await;
        if reset {
            upstream.io.set_zero_linger().unwrap();
        }
        drop(upstream);
        assert_eq!(next(&mut client).await, None);
        drop(client);
        let line = recorded(&proxy).await;
        assert_eq!(line["error"], "APIConnectionError", "{line}");
        assert_eq!(line["error_status"], 500);
    }
}

#[tokio::test]
async fn a_client_that_vanishes_cancels_its_session_at_once() {
    for reset in [true, false] {
        let provider = Provider::new().await;
        let proxy = json_logs(&provider).await;
        let (mut upstream, client) = keyed(&provider, &proxy).await;
        upstream.send(from_server(TEXT, DONE)).await.unwrap();
        if reset {
            client.io.set_zero_linger().unwrap();
        }
        drop(client);
        timeout(PATIENCE, upstream.gone()).await.expect("its upstream is told");
        drop(upstream);
        let line = recorded(&proxy).await;
        assert_eq!(line["message"], "Client left", "{line}");
        assert_eq!(line["error"], "Cancelled");
    }
}

#[tokio::test]
async fn a_client_that_leaves_during_the_handshake_cancels_it() {
    let upstream = Upstream::playing(vec![upstream::Step::Hang]).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    let client = handshake("/v1/realtime?model=gpt").key(KEY).open(proxy.addr()).await;
    assert!(upstream.saw(PATIENCE, |seen| seen.begun == 1).await);
    drop(client);
    assert!(upstream.saw(PATIENCE, |seen| seen.left == 1).await);
}

#[tokio::test]
async fn sessions_outlive_the_beginning_of_a_drain_and_are_told_of_its_end() {
    let provider = Provider::new().await;
    let mut proxy = json_logs(&provider).await;
    let (mut upstream, mut client) = keyed(&provider, &proxy).await;
    proxy.terminate();
    let mut ticks = proxy::ticks();
    while tokio::net::TcpStream::connect(proxy.addr()).await.is_ok() {
        ticks.tick().await;
    }
    upstream.send(from_server(TEXT, "still here")).await.unwrap();
    assert_eq!(next(&mut client).await.unwrap(), (TEXT, b"still here".to_vec()));
    // The second signal is the deadline.
    proxy.terminate();
    assert_eq!(next(&mut client).await.unwrap(), (CLOSE, vec![0x03, 0xe9]));
    assert_eq!(next(&mut upstream).await.unwrap(), (CLOSE, vec![0x03, 0xe9]));
    assert_eq!(next(&mut client).await, None);
    proxy.exited().await;
    proxy.line(|line| line.contains("\"route\":\"/realtime\"")).await;
}

#[tokio::test]
async fn a_transcription_needs_no_model_where_the_config_has_a_default() {
    let provider = Provider::new().await;
    let config = proxy::config(&provider.base()) + "  completion_model: gpt\n";
    let proxy = proxy::with(&config).start().await;
    let call = handshake("/v1/realtime?intent=transcription").key(KEY);
    let (request, ..) = tunnel(&provider, proxy.addr(), call).await;
    assert_eq!(request.word(), "/v1/realtime?intent=transcription");
    let call = handshake("/v1/realtime").key(KEY);
    let (request, ..) = tunnel(&provider, proxy.addr(), call).await;
    assert_eq!(request.word(), "/v1/realtime?model=gpt-4o-mini");
}

#[tokio::test]
async fn wildcards_and_aliases_lead_to_realtime_models_too() {
    let provider = Provider::new().await;
    let config = format!(
        "model_list:
  - model_name: openai/*
    litellm_params: {{ model: openai/*, api_base: \"{}\", api_key: sk-1 }}
general_settings:
  master_key: {KEY}
",
        provider.base()
    );
    let proxy = proxy::with(&config).start().await;
    let call = handshake("/v1/realtime?model=openai%2Fgpt-realtime&x=1").key(KEY);
    let (request, ..) = tunnel(&provider, proxy.addr(), call).await;
    assert_eq!(request.word(), "/v1/realtime?model=gpt-realtime&x=1");
}

#[tokio::test]
async fn a_call_that_is_no_websocket_cannot_switch_the_connection() {
    let switched = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n";
    let upstream = Upstream::playing(vec![send(switched), upstream::Step::Close]).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    let call = client::chat("gpt").header("connection", "upgrade").header("upgrade", "websocket");
    let answer = proxy.call(call).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
}
