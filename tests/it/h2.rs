//! HTTP/2 without TLS: many calls on one connection, each with an end of its own.
use crate::proxy::{self, KEY, Proxy};
use crate::upstream::{self, COMPLETION, Gate, Step, Upstream, piece, stream_head};
use crate::wire::PATIENCE;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const BODY: &str = r#"{"model":"gpt","messages":[{"role":"user","content":"hi"}]}"#;
const STREAM: &str = r#"{"model":"gpt","stream":true,"messages":[{"role":"user","content":"hi"}]}"#;
const EVENT: &str = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"},\"finish_reason\":null}]}\n\n";

struct Session {
    send: SendRequest<Full<Bytes>>,
    _connection: JoinSet<()>,
}

impl Session {
    async fn open(proxy: &Proxy) -> Self {
        let io = TcpStream::connect(proxy.addr()).await.expect("the proxy accepts");
        let (send, connection) =
            handshake(TokioExecutor::new(), TokioIo::new(io)).await.expect("HTTP/2 is spoken");
        let mut tasks = JoinSet::new();
        // It ends with an error where the proxy is stopped under it, which is no concern here.
        tasks.spawn(async move { drop(connection.await) });
        Self { send, _connection: tasks }
    }

    fn call(&self, body: &'static str, key: &str) -> impl Future<Output = Response> + use<> {
        let request = Request::post("http://localhost/v1/chat/completions")
            .header("authorization", format!("Bearer {key}"))
            .body(Full::from(body))
            .expect("a request");
        let answer = self.send.clone().send_request(request);
        async move { answer.await.expect("an answer") }
    }
}

type Response = http::Response<hyper::body::Incoming>;

async fn text(rsp: Response) -> String {
    let body = rsp.into_body().collect().await.expect("a whole body").to_bytes();
    String::from_utf8(body.to_vec()).expect("UTF-8")
}

#[tokio::test]
async fn many_calls_share_one_connection() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    let session = Session::open(&proxy).await;
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let call = session.call(BODY, KEY);
        calls.spawn(async move { text(call.await).await });
    }
    while let Some(answer) = calls.join_next().await {
        assert_eq!(answer.expect("no panic"), COMPLETION);
    }
    assert_eq!(upstream.requests().len(), 100);
}

#[tokio::test]
async fn a_refused_call_leaves_its_neighbours_alone() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    let session = Session::open(&proxy).await;
    let (good, bad) = tokio::join!(session.call(BODY, KEY), session.call(BODY, "sk-wrong"));
    assert_eq!((good.status().as_u16(), bad.status().as_u16()), (200, 401));
    assert_eq!(upstream.requests().len(), 1);
}

/// A stream that goes on when `gate` opens.
fn waiting_at(gate: &Gate) -> Vec<Step> {
    vec![
        stream_head(),
        piece(EVENT),
        Step::Wait(gate.clone()),
        piece(EVENT.replace("null", "\"stop\"")),
        Step::End,
    ]
}

#[tokio::test]
async fn a_stream_that_is_reset_cancels_its_own_upstream_only() {
    let gate = Gate::new();
    let upstream = Upstream::playing(waiting_at(&gate)).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    let session = Session::open(&proxy).await;
    let (kept, left) = tokio::join!(session.call(STREAM, KEY), session.call(STREAM, KEY));
    assert!(upstream.saw(PATIENCE, |seen| seen.begun == 2).await);
    drop(left);
    assert!(upstream.saw(PATIENCE, |seen| seen.left == 1).await);
    gate.open();
    assert!(text(kept).await.ends_with(&EVENT.replace("null", "\"stop\"")));
    assert_eq!(upstream.seen().left, 1);
}

#[tokio::test]
async fn a_termination_lets_open_streams_finish() {
    let gate = Gate::new();
    let upstream = Upstream::playing(waiting_at(&gate)).await;
    let mut proxy = proxy::in_front_of(&upstream.base()).start().await;
    let session = Session::open(&proxy).await;
    let rsp = session.call(STREAM, KEY).await;
    proxy.terminate();
    while TcpStream::connect(proxy.addr()).await.is_ok() {
        tokio::task::yield_now().await;
    }
    gate.open();
    assert!(text(rsp).await.ends_with(&EVENT.replace("null", "\"stop\"")));
    assert!(proxy.exited().await.success());
}
