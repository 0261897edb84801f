//! A group that has no fallbacks, and one that has some, so that a copy of the call is kept.
use crate::{Bench, answer, request};
use bartizan_layers::BoxError;
use bartizan_layers::fallback::{FallbackLayer, Plan, Target};
use http::Request;
use std::sync::Arc;
use tower::{Layer, service_fn};

pub(crate) fn bench(bench: &mut Bench) {
    let bare = service_fn(async |_: Request<()>| Ok::<_, BoxError>(answer()));
    let of = |group| Plan::default().general(group, [Target::new("small")]);
    let plain = FallbackLayer::new(Arc::new(of("another"))).layer(bare);
    let layer = FallbackLayer::new(Arc::new(of("gpt-4o"))).layer(bare);
    bench.calls("fallback", request).of("bare", &bare).of("none", &plain).of("layer", &layer);
}
