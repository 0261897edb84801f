use super::{Ingest, IngestError, IngestLayer, Notes};
use crate::BoxError;
use crate::body::Body;
use crate::facts::{CacheControl, CacheKey, Call, Estimate, NanoUsd, Price, Rates};
use crate::wire::estimate::Expected;
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use std::collections::HashMap;
use std::sync::Arc;
use tower::{Layer, ServiceExt};
use tower_test::mock::{Handle, Mock, pair};

type Rsp = Response<()>;
type Service = Ingest<Notes<HashMap<&'static str, Arc<Price>>>, Mock<Request<Body>, Rsp>>;

const CHAT: &str = r#"{"model":"m","stream":true,"max_tokens":10,"user":"u","messages":["12345"],"cache":{"no-store":true}}"#;

#[tokio::test]
async fn what_a_request_asks_for_becomes_its_facts() {
    let (req, rsp) = ingested(post("/v1/chat/completions", CHAT)).await;
    rsp.unwrap();
    let req = req.unwrap();
    let call: &Call = req.extensions().get().unwrap();
    assert_eq!((&*call.group, call.stream, call.end_user.as_deref()), ("m", true, Some("u")));
    let estimate: &Estimate = req.extensions().get().unwrap();
    let input = i64::try_from(CHAT.len().div_ceil(4)).unwrap();
    assert_eq!(estimate.likely.tokens, input + 10);
    assert_eq!(estimate.likely.cost, NanoUsd(input + 20));
    assert!(estimate.most.unwrap().cost > estimate.likely.cost);
    assert!(req.extensions().get::<CacheControl>().unwrap().no_store);
    assert!(req.extensions().get::<CacheKey>().is_none());
    assert!(req.extensions().get::<Expected>().is_some());
    assert_eq!(req.into_body().collect().await.unwrap().to_bytes(), CHAT);
}

#[tokio::test]
async fn other_wires_are_read_too() {
    let messages = r#"{"model":"c","max_tokens":5,"metadata":{"user_id":"u"},"messages":[]}"#;
    let (req, _) = ingested(post("/anthropic/v1/messages", messages)).await;
    let req = req.unwrap();
    assert_eq!(req.extensions().get::<Call>().unwrap().end_user.as_deref(), Some("u"));
    let (req, _) = ingested(post("/embeddings", r#"{"model":"e","input":"x"}"#)).await;
    let size = req.unwrap().extensions().get::<Expected>().unwrap().size;
    assert_eq!(size.bound, Some(0));
}

#[tokio::test]
async fn a_call_that_names_no_model_is_a_call() {
    let (mock, mut upstream) = pair();
    let price = Arc::new(Price::flat(Rates::tokens(1_000, 2_000)));
    let service = IngestLayer::new(price).cache_keys().layer(mock);
    let request = post("/openai/deployments/m/chat/completions", r#"{"stream":true,"n":1}"#);
    let (rsp, facts) = tokio::join!(service.oneshot(request), async {
        let (req, answer) = upstream.next_request().await.unwrap();
        answer.send_response(Rsp::default());
        req.into_parts().0.extensions
    });
    rsp.unwrap();
    let call: &Call = facts.get().unwrap();
    assert_eq!((&*call.group, call.stream), ("", true));
    assert!(facts.get::<Estimate>().unwrap().likely.cost > NanoUsd(0));
    assert!(facts.get::<CacheKey>().is_none(), "its path may name the model");
}

#[tokio::test]
async fn requests_that_mean_the_same_have_one_cache_key() {
    let key = async |body: &'static str| {
        let (mock, mut upstream) = pair();
        let service = IngestLayer::new(()).cache_keys().layer(mock);
        let request = post("/v1/chat/completions", body);
        let (_, key) = tokio::join!(service.oneshot(request), async {
            let (req, answer) = upstream.next_request().await.unwrap();
            answer.send_response(Rsp::default());
            req.extensions().get::<CacheKey>().copied()
        });
        key.unwrap()
    };
    let a = key(r#"{"model":"m","n":1,"stream":true}"#).await;
    assert_eq!(a, key(r#"{"n":1.0, "model":"m"}"#).await);
    assert_ne!(a, key(r#"{"n":2, "model":"m"}"#).await);
}

#[tokio::test]
async fn what_cannot_be_read_never_reaches_the_upstream() {
    for (request, why) in [
        (post("/v1/messages", "[]"), "the body is not a JSON object: expected an object (byte 0)"),
        (
            post("/v1/messages", r#"{"model":"a","model":"b"}"#),
            "the member `model` stands more than once",
        ),
        (post("/v1/messages", &"x".repeat(2000)), "the body has more than 1000 bytes"),
        (encoded(), "the body is compressed"),
        (
            Request::post("/v1/messages").body(Full::from(&b"\xff"[..])).unwrap(),
            "the body is not UTF-8",
        ),
    ] {
        let (req, rsp) = ingested(request).await;
        let error = rsp.unwrap_err();
        assert_eq!(error.to_string(), why);
        assert!(error.downcast_ref::<IngestError>().is_some());
        assert!(req.is_none());
    }
}

#[tokio::test]
async fn an_option_holds_for_the_layer_that_it_was_set_on_and_not_for_its_clones() {
    let roomy = IngestLayer::new(Arc::new(()));
    let narrow = roomy.clone().cap(10);
    for (layer, is_read) in [(roomy, true), (narrow, false)] {
        let service =
            layer.layer(tower::service_fn(async |_: Request<Body>| Ok::<_, BoxError>(())));
        assert_eq!(service.oneshot(post("/v1/messages", CHAT)).await.is_ok(), is_read);
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let frames = [Ok(Frame::data(Bytes::from("{"))), Err(BoxError::from("reset"))];
    let body = StreamBody::new(tokio_stream::iter(frames));
    let (mock, mut upstream) = pair::<Request<Body>, Rsp>();
    let request = Request::post("/v1/messages").body(body).unwrap();
    let error = IngestLayer::new(()).layer(mock).oneshot(request).await.unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(IngestError::Broken(_))));
    assert!(upstream.next_request().await.is_none());
}

#[tokio::test]
async fn a_body_in_frames_is_put_together() {
    let frames = CHAT
        .as_bytes()
        .chunks(7)
        .map(|it| Ok::<_, BoxError>(Frame::data(Bytes::copy_from_slice(it))));
    let body = StreamBody::new(tokio_stream::iter(frames.collect::<Vec<_>>()));
    let (mock, mut upstream) = pair::<Request<Body>, Rsp>();
    let request = Request::post("/responses").body(body).unwrap();
    let (_, got) = tokio::join!(IngestLayer::new(()).layer(mock).oneshot(request), async {
        let (req, answer) = upstream.next_request().await.unwrap();
        answer.send_response(Rsp::default());
        req.into_body().collect().await.unwrap().to_bytes()
    });
    assert_eq!(got, CHAT);
}

#[tokio::test]
async fn other_paths_pass_unread() {
    for path in ["/v1/files", "/v1/threads/t/messages"] {
        let (req, rsp) = ingested(post(path, "anything")).await;
        rsp.unwrap();
        let req = req.unwrap();
        assert!(req.extensions().get::<Call>().is_none());
        assert_eq!(req.into_body().collect().await.unwrap().to_bytes(), "anything");
    }
}

#[tokio::test]
async fn an_upstream_failure_passes_through() {
    let (service, mut upstream) = service();
    let (rsp, ()) = tokio::join!(service.oneshot(post("/v1/messages", "{}")), async {
        upstream.next_request().await.unwrap().1.send_error(BoxError::from("reset"));
    });
    assert_eq!(rsp.unwrap_err().to_string(), "reset");
}

#[tokio::test]
async fn a_client_that_leaves_while_its_body_is_read_reaches_nobody() {
    let (service, mut upstream) = service();
    drop(service.oneshot(post("/v1/messages", "{}")));
    assert!(upstream.next_request().await.is_none());
}

fn service() -> (Service, Handle<Request<Body>, Rsp>) {
    let (mock, upstream) = pair();
    let price = Arc::new(Price::flat(Rates::tokens(1_000, 2_000)));
    (IngestLayer::new(HashMap::from([("m", price)])).cap(1000).layer(mock), upstream)
}

async fn ingested(request: Request<Full<Bytes>>) -> (Option<Request<Body>>, Result<Rsp, BoxError>) {
    let (service, mut upstream) = service();
    let (rsp, req) = tokio::join!(service.oneshot(request), async {
        let (req, answer) = upstream.next_request().await?;
        answer.send_response(Rsp::default());
        Some(req)
    });
    (req, rsp)
}

fn post(path: &str, body: &str) -> Request<Full<Bytes>> {
    Request::post(path).body(Bytes::copy_from_slice(body.as_bytes()).into()).unwrap()
}

fn encoded() -> Request<Full<Bytes>> {
    let request = Request::post("/v1/messages").header("content-encoding", "gzip");
    request.body(Bytes::from("{}").into()).unwrap()
}
