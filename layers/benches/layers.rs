//! What a layer adds to one call: compare `bare` with `layer`.
use bartizan_layers::BoxError;
use bartizan_layers::auth::{AuthLayer, MemoryKeys};
use bartizan_layers::cache::{CacheLayer, MemoryStore};
use bartizan_layers::facts::{CacheKey, Call, Principal};
use bartizan_layers::fallback::{FallbackLayer, Plan, Target};
use bartizan_layers::retry::{RetryBudget, RetryLayer, Rules};
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

/// A hit of 4 KiB; and a miss whose answer is too large to be kept.
fn cache(c: &mut Criterion) {
    let rt = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let bare = service_fn(async |_: Request<()>| {
        Ok::<_, BoxError>(Response::new(Full::new(Bytes::from_static(&[b'x'; 4096]))))
    });
    let hit = CacheLayer::new(MemoryStore::new()).layer(bare);
    let miss = CacheLayer::new(MemoryStore::new()).max_entry(0).layer(bare);
    let keyed = || {
        let mut request = Request::new(());
        request.extensions_mut().insert(CacheKey([7; 32]));
        request.extensions_mut().insert(Principal::new("alice", "alice"));
        request
    };

    let mut group = c.benchmark_group("cache");
    group.bench_function("bare", |b| b.iter(|| rt.block_on(send(bare, keyed()))));
    group.bench_function("layer", |b| b.iter(|| rt.block_on(send(miss.clone(), keyed()))));
    group.bench_function("hit", |b| b.iter(|| rt.block_on(send(hit.clone(), keyed()))));
    group.finish();
}

fn retry(c: &mut Criterion) {
    let rt = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let bare = service_fn(async |_: Request<()>| {
        Ok::<_, BoxError>(Response::new(Full::new(Bytes::from_static(b"hi"))))
    });
    let rules = Rules { budget: Some(RetryBudget::default()), ..Rules::default() };
    let layer = RetryLayer::new(rules).layer(bare);

    let mut group = c.benchmark_group("retry");
    group.bench_function("bare", |b| b.iter(|| rt.block_on(call(bare))));
    group.bench_function("layer", |b| b.iter(|| rt.block_on(call(layer.clone()))));
    group.finish();
}

/// `plain` is a group that has no fallbacks, `layer` one that has some, so that a copy is kept.
fn fallback(c: &mut Criterion) {
    let rt = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let bare = service_fn(async |_: Request<()>| {
        Ok::<_, BoxError>(Response::new(Full::new(Bytes::from_static(b"hi"))))
    });
    let plan = Plan::default().general("large", [Target::new("small")]);
    let layer = FallbackLayer::new(Arc::new(plan)).layer(bare);
    let grouped = |group: &str| Call { group: group.into(), stream: false, end_user: None };
    let (large, small) = (grouped("large"), grouped("small"));

    let mut group = c.benchmark_group("fallback");
    group.bench_function("bare", |b| b.iter(|| rt.block_on(call_for(bare, &large))));
    group.bench_function("plain", |b| b.iter(|| rt.block_on(call_for(layer.clone(), &small))));
    group.bench_function("layer", |b| b.iter(|| rt.block_on(call_for(layer.clone(), &large))));
    group.finish();
}

/// A call of which it is known what it asks for.
async fn call_for<S, B>(service: S, asked: &Call) -> Bytes
where
    S: Service<Request<()>, Response = Response<B>, Error = BoxError>,
    B: http_body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let request = Request::builder().extension(asked.clone()).body(()).expect("a request");
    send(service, request).await
}

async fn call<S, B>(service: S) -> Bytes
where
    S: Service<Request<()>, Response = Response<B>, Error = BoxError>,
    B: http_body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let request = Request::builder().header("authorization", format!("Bearer {KEY}")).body(());
    send(service, request.expect("a request")).await
}

async fn send<S, B>(service: S, request: Request<()>) -> Bytes
where
    S: Service<Request<()>, Response = Response<B>, Error = BoxError>,
    B: http_body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let rsp = service.oneshot(request).await.expect("a response");
    rsp.into_body().collect().await.expect("a body").to_bytes()
}

criterion_group!(benches, auth, cache, retry, fallback);
criterion_main!(benches);
