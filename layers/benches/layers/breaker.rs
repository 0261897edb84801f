//! A breaker that is closed.
use crate::{Bench, answer, request};
use bartizan_layers::BoxError;
use bartizan_layers::breaker::{BreakerLayer, Gate, Policy};
use http::Request;
use tower::{Layer, service_fn};

pub(crate) fn bench(bench: &mut Bench) {
    let bare = service_fn(async |_: Request<()>| Ok::<_, BoxError>(answer()));
    let layer = BreakerLayer::new(Gate::new(Policy::default())).layer(bare);
    bench.calls("breaker", request).of("bare", &bare).of("layer", &layer);
}
