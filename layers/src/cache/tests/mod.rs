use super::{
    AsKept, Cache, CacheBody, CacheLayer, Entry, Key, MemoryStore, Replay, Replayed, Store,
};
use crate::BoxError;
use crate::body::Body;
use crate::facts::{
    CacheControl, CacheKey, CacheStatus, Call, Cause, Fault, Finish, NanoUsd, Price, Principal,
    Rates, ServedBy, Usage, UsageCell,
};
use bytes::Bytes;
use http::{Extensions, Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use std::future::{Ready, ready};
use std::time::Duration;
use tower::{Layer, ServiceExt};
use tower_test::mock::{Handle, Mock, pair};

mod controls;
mod flight;
mod parts;
mod store;

type Req = Request<()>;
type Rsp = Response<Body>;
type Service<P = AsKept> = Cache<MemoryStore, P, Mock<Req, Rsp>>;
type Answered = Result<Response<CacheBody<Body, MemoryStore>>, BoxError>;

#[tokio::test]
async fn a_complete_answer_is_given_again() {
    let (cache, mut upstream) = memory();
    let mut first = whole("hi");
    first.headers_mut().insert("content-type", "application/json".parse().unwrap());
    first.headers_mut().insert("set-cookie", "a=b".parse().unwrap());
    first.headers_mut().insert("x-request-id", "req_1".parse().unwrap());
    first.headers_mut().insert("x-litellm-call-id", "1".parse().unwrap());
    first.headers_mut().insert("openai-version", "2020-10-01".parse().unwrap());
    first.extensions_mut().insert(ServedBy("azure-1".into()));
    first.extensions_mut().insert(finished(Finish::Stop));
    let miss = asked(&cache, request(1), &mut upstream, first).await;
    assert_eq!(miss.extensions().get(), Some(&CacheStatus::Miss));
    assert!(!miss.headers().contains_key(super::HEADER));
    assert_eq!(drained(Ok(miss)).await, "hi");

    let hit = cache.clone().oneshot(request(1)).await.unwrap();
    let key = Key::new(&CacheKey([1; 32]), &Extensions::new(), super::CacheScope::Team, "");
    let mut names: Vec<_> = hit.headers().keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-type", "openai-version", "x-litellm-cache-key"]);
    assert_eq!(hit.headers()[super::HEADER], key.to_string());
    assert_eq!(hit.extensions().get(), Some(&CacheStatus::Hit));
    assert_eq!(hit.extensions().get(), Some(&ServedBy("azure-1".into())));
    let Replayed(entry) = hit.extensions().get().unwrap();
    assert_eq!(entry.bill, Some((Usage::tokens(3, 1), NanoUsd(5))));
    assert_eq!(drained(Ok(hit)).await, "hi");
    assert_eq!(Key::from_hex(&key.to_string()), Some(key));
}

#[tokio::test]
async fn a_call_without_a_key_passes_untouched() {
    let (cache, mut upstream) = memory();
    for _ in 0..2 {
        let rsp = asked(&cache, Request::new(()), &mut upstream, whole("hi")).await;
        assert_eq!(rsp.extensions().get::<CacheStatus>(), None);
        assert_eq!(drained(Ok(rsp)).await, "hi");
    }
}

#[tokio::test]
async fn no_tenant_sees_the_answer_of_another() {
    let principal = |key: &str, team: Option<&str>, admin| {
        let team = team.map(Into::into);
        Principal { team, admin, ..Principal::new(key, "user") }
    };
    let (cache, mut upstream) = memory();
    let tenants = [
        Some(principal("alice", None, false)),
        Some(principal("bob", None, false)),
        Some(principal("bob", Some("alice"), false)),
        Some(principal("master", None, true)),
        None,
    ];
    let of = |tenant: &Option<Principal>| {
        let mut req = request(1);
        tenant.clone().map(|tenant| req.extensions_mut().insert(tenant));
        req
    };
    for (n, tenant) in tenants.iter().enumerate() {
        let rsp = asked(&cache, of(tenant), &mut upstream, whole(&n.to_string())).await;
        drained(Ok(rsp)).await;
    }
    for (n, tenant) in tenants.iter().enumerate() {
        assert_eq!(drained(cache.clone().oneshot(of(tenant)).await).await, n.to_string());
    }
    let same = [principal("carol", Some("alice"), false), principal("root", None, true)];
    for (tenant, answer) in same.into_iter().zip(["2", "3"]) {
        assert_eq!(drained(cache.clone().oneshot(of(&Some(tenant))).await).await, answer);
    }
}

#[tokio::test]
async fn an_answer_that_did_not_end_well_is_not_kept() {
    let failed = UsageCell::default();
    failed.finish(Finish::Stop);
    failed.fail(Fault::new(Cause::Outage, StatusCode::BAD_GATEWAY));
    let mut refused = whole("no");
    *refused.status_mut() = StatusCode::BAD_REQUEST;
    let mut packed = whole("hi");
    packed.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    let cut: Result<_, BoxError> = Err("reset".into());
    let with = |mut rsp: Rsp, cell| {
        rsp.extensions_mut().insert(cell);
        rsp
    };
    for (why, rsp) in [
        ("an error status", refused),
        ("an encoding that others may not read", packed),
        ("no bytes", whole("")),
        ("a broken body", events([Ok("data: 1\n\n"), cut])),
        ("an error event", with(events([Ok("data: 1\n\n")]), failed)),
        ("a stream that ended without a reason", with(events([Ok("d")]), UsageCell::default())),
        ("cut at its most tokens", with(whole("hi"), finished(Finish::Length))),
        ("filtered", with(whole("hi"), finished(Finish::ContentFilter))),
        ("tool calls", with(whole("hi"), finished(Finish::ToolCalls))),
        ("too large", whole(&"x".repeat(101))),
    ] {
        let (cache, mut upstream) = layered(&CacheLayer::new(MemoryStore::new()).max_entry(100));
        let first = asked(&cache, request(1), &mut upstream, rsp).await;
        first.into_body().collect().await.ok();
        let rsp = asked(&cache, request(1), &mut upstream, whole("new")).await;
        assert_eq!(drained(Ok(rsp)).await, "new", "{why}");
    }
}

#[tokio::test]
async fn an_answer_that_its_client_left_is_not_kept() {
    let (cache, mut upstream) = memory();
    let stream = || events([Ok("data: 1\n\n"), Ok("data: 2\n\n")]);
    let mut first = asked(&cache, request(1), &mut upstream, stream()).await;
    first.body_mut().frame().await.unwrap().unwrap();
    drop(first);
    let second = asked(&cache, request(1), &mut upstream, stream()).await;
    assert_eq!(drained(Ok(second)).await, "data: 1\n\ndata: 2\n\n");
    assert_eq!(drained(cache.oneshot(request(1)).await).await, "data: 1\n\ndata: 2\n\n");
}

#[tokio::test]
async fn tool_calls_are_kept_if_asked_for() {
    let layer = CacheLayer::new(MemoryStore::new()).keep_tool_calls(true);
    let (cache, mut upstream) = layered(&layer);
    let mut rsp = whole("tool");
    rsp.extensions_mut().insert(finished(Finish::ToolCalls));
    drained(Ok(asked(&cache, request(1), &mut upstream, rsp).await)).await;
    assert_eq!(drained(cache.oneshot(request(1)).await).await, "tool");
}

#[tokio::test]
async fn a_failing_upstream_passes() {
    let (cache, mut upstream) = memory();
    let (rsp, ()) = tokio::join!(cache.clone().oneshot(request(1)), async {
        upstream.next_request().await.unwrap().1.send_error(BoxError::from("reset"));
    });
    assert_eq!(rsp.map(drop).unwrap_err().to_string(), "reset");
    let rsp = asked(&cache, request(1), &mut upstream, whole("hi")).await;
    assert_eq!(drained(Ok(rsp)).await, "hi");
}

#[tokio::test]
async fn a_store_that_is_away_is_a_miss() {
    let (mock, mut upstream) = pair::<Req, Rsp>();
    let layer = CacheLayer::new(Away);
    let cache = layer.layer(mock);
    for _ in 0..2 {
        let (rsp, ()) = tokio::join!(cache.clone().oneshot(request(1)), async {
            upstream.next_request().await.unwrap().1.send_response(whole("hi"));
        });
        assert_eq!(rsp.unwrap().into_body().collect().await.unwrap().to_bytes(), "hi");
    }
    let stats = layer.stats();
    assert_eq!((stats.hits, stats.misses, stats.outages), (0, 2, 2));
}

#[tokio::test]
async fn streams_and_whole_answers_stand_for_each_other() {
    for stored_as_stream in [false, true] {
        let layer = CacheLayer::new(MemoryStore::new()).replay(Upper);
        let (cache, mut upstream) = layered(&layer);
        let first = if stored_as_stream { events([Ok("S"), Ok("T")]) } else { whole("W") };
        let req = call(1, stored_as_stream);
        drained(Ok(asked(&cache, req, &mut upstream, first).await)).await;
        let hit = cache.clone().oneshot(call(1, !stored_as_stream)).await.unwrap();
        let (body, kind) = match stored_as_stream {
            true => ("whole of ST", "application/json"),
            false => ("stream of W", "text/event-stream; charset=utf-8"),
        };
        assert_eq!(hit.headers()["content-type"], kind);
        assert_eq!(drained(Ok(hit)).await, body);
    }
}

#[tokio::test]
async fn what_cannot_be_replayed_is_a_miss() {
    let (cache, mut upstream) = memory();
    for (stream, rsp) in [(false, whole("W")), (true, events([Ok("S")])), (false, whole("V"))] {
        let rsp = asked(&cache, call(1, stream), &mut upstream, rsp).await;
        assert_eq!(rsp.extensions().get(), Some(&CacheStatus::Miss));
        drained(Ok(rsp)).await;
    }
}

#[derive(Clone)]
struct Upper;

impl Replay for Upper {
    fn whole(&self, _facts: &Extensions, kept: &Entry) -> Option<Bytes> {
        Some([b"whole of ", &*kept.body].concat().into())
    }

    fn stream(&self, _facts: &Extensions, kept: &Entry) -> Option<Bytes> {
        Some([b"stream of ", &*kept.body].concat().into())
    }
}

#[derive(Clone)]
struct Away;

impl Store for Away {
    type Get = Ready<Result<Option<Entry>, BoxError>>;
    type Done = Ready<Result<(), BoxError>>;

    fn get(&self, _key: &Key) -> Self::Get {
        ready(Err("connection refused".into()))
    }

    fn put(&self, _key: Key, _entry: Entry, _ttl: Option<Duration>) {}

    fn remove(&self, _key: &Key) -> Self::Done {
        ready(Err("connection refused".into()))
    }

    fn clear(&self) -> Self::Done {
        ready(Err("connection refused".into()))
    }
}

fn memory() -> (Service, Handle<Req, Rsp>) {
    layered(&CacheLayer::new(MemoryStore::new()))
}

fn layered<P: Clone>(layer: &CacheLayer<MemoryStore, P>) -> (Service<P>, Handle<Req, Rsp>) {
    let (mock, upstream) = pair();
    (layer.layer(mock), upstream)
}

fn request(key: u8) -> Req {
    let mut req = Request::new(());
    req.extensions_mut().insert(CacheKey([key; 32]));
    req
}

fn call(key: u8, stream: bool) -> Req {
    let mut req = request(key);
    req.extensions_mut().insert(Call { group: "fast".into(), stream, end_user: None });
    req
}

fn whole(text: &str) -> Rsp {
    Response::new(Bytes::copy_from_slice(text.as_bytes()).into())
}

fn events<const N: usize>(frames: [Result<&'static str, BoxError>; N]) -> Rsp {
    let frame = |text| http_body::Frame::data(Bytes::from_static(str::as_bytes(text)));
    let frames = frames.map(|text| text.map(frame));
    let body = Body::stream(StreamBody::new(tokio_stream::iter(frames)));
    Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
}

fn finished(finish: Finish) -> UsageCell {
    let cell = UsageCell::new(Price::flat(Rates::tokens(1_000, 2_000)));
    cell.set(Usage::tokens(3, 1));
    cell.finish(finish);
    cell
}

/// Asks, and answers as the upstream: it must be asked.
async fn asked<P: Replay>(
    cache: &Service<P>,
    req: Req,
    upstream: &mut Handle<Req, Rsp>,
    rsp: Rsp,
) -> Response<CacheBody<Body, MemoryStore>> {
    let (got, ()) = tokio::join!(cache.clone().oneshot(req), async {
        upstream.next_request().await.unwrap().1.send_response(rsp);
    });
    got.unwrap()
}

async fn drained(rsp: Answered) -> Bytes {
    rsp.unwrap().into_body().collect().await.unwrap().to_bytes()
}
