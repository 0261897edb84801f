//! What a layer adds to one call: compare `bare` with `layer`.
use bartizan_layers::BoxError;
use bartizan_layers::adaptive::{AdaptiveLayer, Bounds, Group, Waiting};
use bartizan_layers::auth::{AuthLayer, MemoryKeys};
use bartizan_layers::breaker::{BreakerLayer, Gate, Policy};
use bartizan_layers::facts::Principal;
use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
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

fn breaker(c: &mut Criterion) {
    let rt = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let bare = service_fn(async |_: Request<()>| {
        Ok::<_, BoxError>(Response::new(Full::new(Bytes::from_static(b"hi"))))
    });
    let layer = BreakerLayer::new(Gate::new(Policy::default())).layer(bare);

    let mut group = c.benchmark_group("breaker");
    group.bench_function("bare", |b| b.iter(|| rt.block_on(call(bare))));
    group.bench_function("layer", |b| b.iter(|| rt.block_on(call(layer.clone()))));
    group.finish();
}

fn adaptive(c: &mut Criterion) {
    let rt = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let bare = service_fn(async |_: Request<()>| {
        Ok::<_, BoxError>(Response::new(Full::new(Bytes::from_static(b"hi"))))
    });
    let waiting = Group::new(Waiting::default());
    let limit = waiting.limit(Bounds::default());
    let layer = AdaptiveLayer::new(waiting, limit).layer(bare);

    let mut group = c.benchmark_group("adaptive");
    group.bench_function("bare", |b| b.iter(|| rt.block_on(call(bare))));
    group.bench_function("layer", |b| b.iter(|| rt.block_on(call(layer.clone()))));
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

criterion_group!(benches, adaptive, auth, breaker);
criterion_main!(benches);
