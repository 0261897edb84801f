//! A group with room.
use crate::{Bench, answer, request};
use bartizan_layers::BoxError;
use bartizan_layers::adaptive::{AdaptiveLayer, Bounds, Group, Waiting};
use http::Request;
use tower::{Layer, service_fn};

pub(crate) fn bench(bench: &mut Bench) {
    let bare = service_fn(async |_: Request<()>| Ok::<_, BoxError>(answer()));
    let waiting = Group::new(Waiting::default());
    let limit = waiting.limit(Bounds::default());
    let layer = AdaptiveLayer::new(waiting, limit).layer(bare);
    bench.calls("adaptive", request).of("bare", &bare).of("layer", &layer);
}
