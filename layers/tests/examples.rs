//! The examples make real calls, to an upstream on this machine, and bill what it streams.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends here")]
#![expect(clippy::disallowed_methods, reason = "servers of a test end with it")]
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::cost::MemoryLedger;
use bartizan_layers::facts::NanoUsd;
use bartizan_layers::upstream::Upstream;
use http::{Request, Response, header};
use http_body_util::BodyExt;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[path = "../examples/axum_server.rs"]
#[expect(dead_code, reason = "its main is for people")]
mod axum_server;
#[path = "../examples/hyper_client.rs"]
#[expect(dead_code, reason = "its main is for people")]
mod hyper_client;
#[path = "../examples/hyper_server.rs"]
#[expect(dead_code, reason = "its main is for people")]
mod hyper_server;

/// A thousand tokens in, ten thousand out.
const EVENTS: [&str; 4] = [
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"A small \"},\"finish_reason\":null}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"turret.\"},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":10000}}\n\n",
    "data: [DONE]\n\n",
];
/// What the client sees: it did not ask for usage.
const SEEN: [&str; 3] = [EVENTS[0], EVENTS[1], EVENTS[3]];
/// At 0.15 and 0.60 dollars for a million.
const COST: NanoUsd = NanoUsd(6_150_000);

#[tokio::test]
async fn a_client_with_a_budget_streams_and_pays() {
    let upstream = Scripted::start([200]).await;
    let budget = ten_dollars();
    let mut out = Vec::new();
    hyper_client::ask(&upstream.base, "sk-mine", budget.clone(), &mut out).await.unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), SEEN.concat());
    assert_eq!(spent(&budget), COST);
    let [request] = upstream.requests().try_into().unwrap();
    assert!(request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: Bearer sk-mine\r\n"), "{request}");
    assert!(request.ends_with(r#""stream_options":{"include_usage":true}}"#), "{request}");
}

#[tokio::test]
async fn an_application_without_money_makes_no_call() {
    let upstream = Scripted::start([]).await;
    let nothing = MemoryLedger::new(NanoUsd(0));
    let refused = hyper_client::ask(&upstream.base, "sk-mine", nothing, Vec::new()).await;
    assert_eq!(refused.unwrap_err().to_string(), "budget exhausted");
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn a_route_of_an_axum_router_bills_a_stream() {
    let upstream = Scripted::start([200]).await;
    let (listener, address) = listen().await;
    let router = axum_server::router(upstream.upstream(), ten_dollars());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    let rsp = chat(&address, "sk-nobody", "m").await.unwrap();
    assert_eq!((rsp.status().as_u16(), text(rsp).await), (401, "the key is not known".to_owned()));
    let rsp = chat(&address, "sk-alice", "m").await.unwrap();
    assert_eq!(rsp.headers()["x-ratelimit-api_key-limit-tokens"], "10000");
    assert_eq!(text(rsp).await, SEEN.concat());
    let left = Request::get(format!("{address}/left")).body(Body::empty()).unwrap();
    assert_eq!(text(send(left).await.unwrap()).await, "$9.993850000");
    // The stream took all tokens of this minute.
    assert_eq!(chat(&address, "sk-alice", "m").await.unwrap().status(), 429);
    server.abort();
}

#[tokio::test]
async fn a_gateway_falls_back_bills_and_answers_again_from_its_cache() {
    let upstream = Scripted::start([400, 200]).await;
    let (listener, address) = listen().await;
    let budget = ten_dollars();
    let server = tokio::spawn(hyper_server::serve(listener, upstream.upstream(), budget.clone()));

    for hit in [false, true] {
        let rsp = chat(&address, "sk-alice", "gpt-4o").await.unwrap();
        assert_eq!(rsp.status(), 200);
        assert_eq!(rsp.headers().contains_key("x-litellm-cache-key"), hit);
        assert_eq!(text(rsp).await, SEEN.concat());
        assert_eq!(spent(&budget), COST, "a hit costs nothing");
    }
    let whole = Request::post(format!("{address}/v1/chat/completions"))
        .header(header::AUTHORIZATION, "Bearer sk-alice")
        .body(Body::from(bytes::Bytes::from(r#"{"messages":[],"max_tokens":9,"model":"gpt-4o"}"#)))
        .unwrap();
    let rsp = text(send(whole).await.unwrap()).await;
    assert!(rsp.contains(r#""content":"A small turret.""#), "the stream as a whole answer: {rsp}");
    let [first, second] = upstream.requests().try_into().unwrap();
    assert!(first.contains(r#"{"model":"gpt-4o""#), "{first}");
    assert!(second.contains(r#"{"model":"gpt-4o-mini""#), "{second}");
    assert!(second.contains("authorization: Bearer sk-upstream\r\n"), "{second}");
    assert!(!second.contains("sk-alice"), "{second}");
    server.abort();
}

#[tokio::test]
async fn a_gateway_serves_the_models_that_have_a_price() {
    let upstream = Scripted::start([404, 200]).await;
    let (listener, address) = listen().await;
    let server = tokio::spawn(hyper_server::serve(listener, upstream.upstream(), ten_dollars()));
    assert_eq!(chat(&address, "sk-alice", "gpt-99").await.unwrap().status(), 403);
    // One that the upstream does not know stops no other call.
    for (model, status) in [("gpt-4o-mini", 404), ("gpt-4o", 200)] {
        assert_eq!(chat(&address, "sk-alice", model).await.unwrap().status(), status);
    }
    server.abort();
}

#[test]
fn the_readme_has_the_stack_that_is_tested_and_the_layers_of_the_example() {
    let from = |text: &str, name: &str| {
        let (_, stack) = text.split_once(name).unwrap();
        let lines = stack.lines().skip(1).map(|line| line.trim_start_matches("//!").trim());
        lines.take_while(|line| !line.starts_with(".service")).collect::<Vec<_>>().join("\n")
    };
    let readme = include_str!("../README.md");
    let page = include_str!("../src/lib.rs");
    assert_eq!(from(readme, "let stack ="), from(page, "let stack ="));
    let example = include_str!("../examples/hyper_client.rs");
    let five = "MemoryLedger::daily(NanoUsd::from_dollars(5.0))";
    let example = from(example, "let client =").replace("budget", five);
    assert_eq!(from(readme, "let client ="), example);
    assert_eq!(example.lines().count(), 3);
}

fn ten_dollars() -> MemoryLedger {
    MemoryLedger::daily(NanoUsd::from_dollars(10.0))
}

fn spent(budget: &MemoryLedger) -> NanoUsd {
    NanoUsd::from_dollars(10.0) - budget.left()
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}

async fn chat(address: &str, key: &str, model: &str) -> Result<Response<Body>, BoxError> {
    let chat = format!(r#"{{"model":"{model}","stream":true,"max_tokens":9,"messages":[]}}"#);
    let req = Request::post(format!("{address}/v1/chat/completions"))
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json");
    send(req.body(Body::from(bytes::Bytes::from(chat)))?).await
}

async fn send(req: Request<Body>) -> Result<Response<Body>, BoxError> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    Ok(client.request(req).await?.map(Body::stream))
}

async fn text(rsp: Response<Body>) -> String {
    String::from_utf8(rsp.into_body().collect().await.unwrap().to_bytes().into()).unwrap()
}

/// An upstream that keeps what it was asked, and answers with one status after the other.
struct Scripted {
    base: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    async fn start(statuses: impl IntoIterator<Item = u16>) -> Self {
        let (listener, address) = listen().await;
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        let statuses: Vec<_> = statuses.into_iter().collect();
        tokio::spawn(async move {
            for status in statuses {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = request(&mut stream).await;
                seen.lock().unwrap().push(request);
                answer(&mut stream, status).await;
            }
        });
        Self { base: format!("{address}/v1"), requests }
    }

    fn upstream(&self) -> Upstream {
        Upstream::new(&self.base).unwrap().bearer("sk-upstream").unwrap()
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Reads one request with a body of a known length.
async fn request(stream: &mut TcpStream) -> String {
    let mut request = String::new();
    loop {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap();
        request.push_str(std::str::from_utf8(&piece[..read]).unwrap());
        let Some((head, body)) = request.split_once("\r\n\r\n") else { continue };
        let length = head.to_lowercase();
        let (_, length) = length.split_once("content-length: ").unwrap();
        let length: usize = length.lines().next().unwrap().parse().unwrap();
        if body.len() == length {
            return request;
        }
    }
}

/// Streams, each event in a chunk and a packet of its own; or fails.
async fn answer(stream: &mut TcpStream, status: u16) {
    let close = "connection: close\r\n";
    if status != 200 {
        let head = format!("HTTP/1.1 {status} No\r\n{close}content-length: 0\r\n\r\n");
        return stream.write_all(head.as_bytes()).await.unwrap();
    }
    let kind = "content-type: text/event-stream\r\ntransfer-encoding: chunked";
    let head = format!("HTTP/1.1 200 OK\r\n{close}{kind}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    for event in EVENTS {
        let chunk = format!("{:x}\r\n{event}\r\n", event.len());
        stream.write_all(chunk.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        tokio::task::yield_now().await;
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
}
