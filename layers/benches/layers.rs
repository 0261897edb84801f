//! What a layer adds to one call: compare `bare` with `layer`.
use bartizan_layers::BoxError;
use bartizan_layers::auth::access::{AccessLayer, Groups};
use bartizan_layers::auth::{AuthLayer, MemoryKeys};
use bartizan_layers::body::Body;
use bartizan_layers::facts::{Call, Price, Principal, Rates};
use bartizan_layers::wire::ingest::IngestLayer;
use bartizan_layers::wire::usage_tap::UsageTapLayer;
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use std::sync::Arc;
use tower::{Layer, Service, ServiceExt, service_fn};

const KEY: &str = "sk-a-key-of-the-usual-length-0123456789";

fn auth(c: &mut Criterion) {
    let rt = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let bare = service_fn(async |_: Request<()>| {
        Ok::<_, BoxError>(Response::new(Full::new(Bytes::from_static(b"hi"))))
    });
    let alice = Principal::new("alice", "alice");
    let layer = AuthLayer::new(MemoryKeys::new().with(KEY.as_bytes(), alice)).layer(bare);

    let mut group = c.benchmark_group("auth");
    group.bench_function("bare", |b| b.iter(|| rt.block_on(call(bare))));
    group.bench_function("layer", |b| b.iter(|| rt.block_on(call(layer.clone()))));
    group.finish();
}

fn access(c: &mut Criterion) {
    let bare = service_fn(async |_: Request<()>| Ok::<_, BoxError>(answer()));
    let groups = Groups::new().only("alice", ["openai/*", "fast"]);
    let layer = AccessLayer::new(groups).layer(bare);
    let request = || {
        let call = Call { group: "openai/gpt-4o".into(), stream: false, end_user: None };
        let alice = Principal::new("alice", "alice");
        Request::builder().extension(alice).extension(call).body(()).expect("a request")
    };
    pair(c, "access", &bare, &layer, request);
}

fn ingest(c: &mut Criterion) {
    let bare = service_fn(async |_: Request<Body>| Ok::<_, BoxError>(answer()));
    let layer = IngestLayer::new(prices()).layer(bare);
    pair(c, "ingest", &bare, &layer, chat);
}

fn usage_tap(c: &mut Criterion) {
    let bare = service_fn(async |_: Request<Body>| Ok::<_, BoxError>(answer()));
    let layer = UsageTapLayer::new(prices()).layer(bare);
    pair(c, "usage_tap", &bare, &layer, chat);
}

fn prices() -> impl Fn(&str) -> Option<Arc<Price>> {
    let price = Arc::new(Price::flat(Rates::tokens(150_000, 600_000)));
    move |_| Some(price.clone())
}

/// A request of 1 KiB.
fn chat() -> Request<Body> {
    let text = "It was a dark and stormy night. ".repeat(30);
    let body =
        format!(r#"{{"model":"gpt-4o-mini","messages":[{{"role":"user","content":"{text}"}}]}}"#);
    Request::post("/v1/chat/completions").body(Body::from(Bytes::from(body))).expect("a request")
}

fn answer() -> Response<Full<Bytes>> {
    let json = br#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1}}"#;
    let answer = Response::builder().header("content-type", "application/json");
    answer.body(Full::new(Bytes::from_static(json))).expect("an answer")
}

fn pair<S, L, Q, B, C>(
    c: &mut Criterion,
    name: &str,
    bare: &S,
    layer: &L,
    request: fn() -> Request<Q>,
) where
    S: Service<Request<Q>, Response = Response<B>, Error = BoxError> + Clone,
    L: Service<Request<Q>, Response = Response<C>, Error = BoxError> + Clone,
    B: http_body::Body<Data = Bytes, Error: std::fmt::Debug>,
    C: http_body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let rt =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let mut group = c.benchmark_group(name);
    group.bench_function("bare", |b| b.iter(|| rt.block_on(answered(bare.clone(), request()))));
    group.bench_function("layer", |b| b.iter(|| rt.block_on(answered(layer.clone(), request()))));
    group.finish();
}

async fn answered<S, Q, B>(service: S, request: Request<Q>) -> Bytes
where
    S: Service<Request<Q>, Response = Response<B>, Error = BoxError>,
    B: http_body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let rsp = service.oneshot(request).await.expect("a response");
    rsp.into_body().collect().await.expect("a body").to_bytes()
}

async fn call<S, B>(service: S) -> Bytes
where
    S: Service<Request<()>, Response = Response<B>, Error = BoxError>,
    B: http_body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let request = Request::builder().header("authorization", format!("Bearer {KEY}")).body(());
    let rsp = service.oneshot(request.expect("a request")).await.expect("a response");
    rsp.into_body().collect().await.expect("a body").to_bytes()
}

criterion_group!(benches, auth, access, ingest, usage_tap);
criterion_main!(benches);
