//! A budget for a day, which an answer is charged to.
use crate::{Bench, answer, request};
use bartizan_layers::BoxError;
use bartizan_layers::cost::{CostLayer, MemoryLedger};
use bartizan_layers::facts::NanoUsd;
use http::Request;
use tower::{Layer, service_fn};

pub(crate) fn bench(bench: &mut Bench) {
    let bare = service_fn(async |_: Request<()>| Ok::<_, BoxError>(answer()));
    let layer = CostLayer::new(MemoryLedger::daily(NanoUsd(i64::MAX))).layer(bare);
    bench.calls("cost", request).of("bare", &bare).of("layer", &layer);
}
