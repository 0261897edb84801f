//! What a layer adds to one call: `bare` is the inner service alone, `layer` has the layer around
//! it; the difference is ours. Criterion's times first, then a table: allocations, and the least
//! time, which other work on the machine does not change.
//!
//! Allocations are counted while time is taken, too: each costs some ten nanoseconds more than
//! without the count, on both sides.
mod access;
mod adaptive;
mod auth;
mod breaker;
mod cache;
mod cost;
mod fallback;
mod ingest;
mod ratelimit;
mod retry;
mod usage_tap;

use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::facts::{
    Amount, Bill, Call, Estimate, NanoUsd, Price, Principal, Rates, Usage, UsageCell,
};
use bytes::Bytes;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::fmt::Debug;
use std::hint::black_box;
use std::io::{self, Write};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;
use tower::{Service, ServiceExt};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Calls before the first one that counts: tables have grown then.
const WARM_UP: u32 = 100;

/// Calls that are counted.
const CALLS: u32 = 1000;

/// Calls whose time is taken together, so few that the system seldom comes between them.
const BATCH: u32 = 50;

/// How many of these there are; the shortest counts.
const BATCHES: u32 = 2000;

fn main() -> io::Result<()> {
    let mut bench = Bench::new();
    auth::bench(&mut bench);
    access::bench(&mut bench);
    ingest::bench(&mut bench);
    cache::bench(&mut bench);
    ratelimit::bench(&mut bench);
    cost::bench(&mut bench);
    fallback::bench(&mut bench);
    retry::bench(&mut bench);
    breaker::bench(&mut bench);
    adaptive::bench(&mut bench);
    usage_tap::bench(&mut bench);
    bench.finish()
}

/// Takes the time of calls, and counts their allocations.
struct Bench {
    criterion: Criterion,
    runtime: Runtime,
    costs: Vec<Cost>,
}

/// What one call costs.
struct Cost {
    name: String,
    allocations: f64,
    least: Duration,
}

impl Bench {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        let criterion = Criterion::default().configure_from_args();
        Self { criterion, runtime, costs: Vec::new() }
    }

    /// Calls for one layer, all with requests of one kind.
    fn calls<F>(&mut self, name: &'static str, request: F) -> Calls<'_, F> {
        let group = self.criterion.benchmark_group(name);
        Calls { name, request, group, runtime: &self.runtime, costs: &mut self.costs }
    }

    fn finish(self) -> io::Result<()> {
        self.criterion.final_summary();
        let mut out = io::stdout().lock();
        writeln!(out, "{:<28} {:>11} {:>10}", "per call", "allocations", "least, ns")?;
        self.costs.iter().try_for_each(|Cost { name, allocations, least }| {
            writeln!(out, "{name:<28} {allocations:>11.2} {:>10}", least.as_nanos())
        })
    }
}

/// The calls for one layer.
struct Calls<'a, F> {
    name: &'static str,
    request: F,
    group: BenchmarkGroup<'a, WallTime>,
    runtime: &'a Runtime,
    costs: &'a mut Vec<Cost>,
}

impl<F> Calls<'_, F> {
    /// Calls `service`, which is cloned for each call, and reads the answer to its end.
    fn of<S, Q, B>(mut self, name: &str, service: &S) -> Self
    where
        F: Fn() -> Request<Q>,
        S: Service<Request<Q>, Response = Response<B>, Error = BoxError> + Clone,
        B: http_body::Body<Data = Bytes, Error: Debug>,
    {
        let (runtime, request) = (self.runtime, &self.request);
        let call = || runtime.block_on(answered(service.clone(), request()));
        (0..WARM_UP).for_each(|_| drop(black_box(call())));
        let region = Region::new(ALLOCATOR);
        (0..CALLS).for_each(|_| drop(black_box(call())));
        let change = region.change();
        let count = u32::try_from(change.allocations + change.reallocations).expect("a few each");
        self.costs.push(Cost {
            name: format!("{}/{name}", self.name),
            allocations: f64::from(count) / f64::from(CALLS),
            least: least(call),
        });
        self.group.bench_function(name, |b| b.iter(call));
        self
    }
}

fn least(call: impl Fn() -> Bytes) -> Duration {
    let batch = |_| {
        let begin = Instant::now();
        (0..BATCH).for_each(|_| drop(black_box(call())));
        begin.elapsed()
    };
    (0..BATCHES).map(batch).min().unwrap_or_default() / BATCH
}

async fn answered<S, Q, B>(service: S, request: Request<Q>) -> Bytes
where
    S: Service<Request<Q>, Response = Response<B>, Error = BoxError>,
    B: http_body::Body<Data = Bytes, Error: Debug>,
{
    let rsp = service.oneshot(request).await.expect("a response");
    rsp.into_body().collect().await.expect("a body").to_bytes()
}

/// A request with the facts that outer layers leave: who asks, what for, what it may take, and
/// the bill. Who makes that, makes two allocations more.
fn request() -> Request<()> {
    static FACTS: LazyLock<(Principal, Call)> = LazyLock::new(|| {
        let call = Call { group: "gpt-4o".into(), stream: false, end_user: None };
        (Principal::new("alice", "alice"), call)
    });
    let amount = Amount { tokens: 100, cost: NanoUsd(1000) };
    let mut req = Request::new(());
    req.extensions_mut().insert(FACTS.0.clone());
    req.extensions_mut().insert(FACTS.1.clone());
    req.extensions_mut().insert(Estimate { likely: amount, most: Some(amount) });
    Bill::of(req.extensions_mut());
    req
}

/// The same to a path that is read.
fn chat(body: Body) -> Request<Body> {
    let mut req = request().map(|()| body);
    *req.method_mut() = Method::POST;
    *req.uri_mut() = Uri::from_static("/v1/chat/completions");
    req
}

/// An answer that says what it used.
fn answer() -> Response<Full<Bytes>> {
    static PRICE: LazyLock<Arc<Price>> = LazyLock::new(price);
    let json = br#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1}}"#;
    let cell = UsageCell::new(PRICE.clone());
    cell.set(Usage::tokens(9, 1));
    let answer = Response::builder().header("content-type", "application/json").extension(cell);
    answer.body(Full::new(Bytes::from_static(json))).expect("an answer")
}

fn price() -> Arc<Price> {
    Arc::new(Price::flat(Rates::tokens(150_000, 600_000)))
}
