//! A key whose calls, tokens and parallel calls are limited.
use crate::{Bench, answer, request};
use bartizan_layers::BoxError;
use bartizan_layers::facts::{Limit, Measure, Scope};
use bartizan_layers::ratelimit::{MemoryLimiter, RateLimitLayer};
use http::Request;
use std::sync::Arc;
use tower::{Layer, service_fn};

pub(crate) fn bench(bench: &mut Bench) {
    let bare = service_fn(async |_: Request<()>| Ok::<_, BoxError>(answer()));
    let limits = [Measure::Requests, Measure::Tokens, Measure::Parallel].map(|measure| Limit {
        scope: Scope::Key,
        subject: "alice".into(),
        measure,
        most: u64::MAX,
    });
    let limits: Arc<[Limit]> = limits.into();
    let layer = RateLimitLayer::new(MemoryLimiter::new(limits));
    let (told, layer) = (layer.clone().layer(bare), layer.without_headers().layer(bare));
    let calls = bench.calls("ratelimit", request);
    calls.of("bare", &bare).of("layer", &layer).of("with headers", &told);
}
