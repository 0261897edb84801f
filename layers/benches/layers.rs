//! What a layer adds to one call: compare `bare` with `layer`.
use bartizan_layers::BoxError;
use bartizan_layers::auth::{AuthLayer, MemoryKeys};
use bartizan_layers::facts::{Limit, Measure, Principal, Scope};
use bartizan_layers::ratelimit::{MemoryLimiter, RateLimitLayer};
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

/// For a key whose calls, tokens and parallel calls are limited.
fn ratelimit(c: &mut Criterion) {
    let rt = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let bare = service_fn(async |_: Request<()>| {
        Ok::<_, BoxError>(Response::new(Full::new(Bytes::from_static(b"hi"))))
    });
    let limits = [Measure::Requests, Measure::Tokens, Measure::Parallel].map(|measure| Limit {
        scope: Scope::Key,
        subject: KEY.into(),
        measure,
        most: u64::MAX,
    });
    let limits: Arc<[Limit]> = limits.into();
    let layer = RateLimitLayer::new(MemoryLimiter::new(limits));
    let (told, layer) = (layer.clone().layer(bare), layer.without_headers().layer(bare));

    let mut group = c.benchmark_group("ratelimit");
    group.bench_function("bare", |b| b.iter(|| rt.block_on(call(bare))));
    group.bench_function("layer", |b| b.iter(|| rt.block_on(call(layer.clone()))));
    group.bench_function("layer with headers", |b| b.iter(|| rt.block_on(call(told.clone()))));
    group.finish();
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

criterion_group!(benches, auth, ratelimit);
criterion_main!(benches);
