//! A key whose calls are limited, and one whose tokens and parallel calls are limited, too.
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
    let layer = |limits: Arc<[Limit]>| RateLimitLayer::new(MemoryLimiter::new(limits));
    let one = layer(limits[..1].into()).without_headers().layer(bare);
    let three = layer(limits.into());
    let (told, three) = (three.clone().layer(bare), three.without_headers().layer(bare));
    let calls = bench.calls("ratelimit", request).of("bare", &bare).of("layer", &one);
    calls.of("three limits", &three).of("three, with headers", &told);
}
