//! A key that may use some groups, one of them named by a pattern.
use crate::{Bench, answer, request};
use bartizan_layers::BoxError;
use bartizan_layers::auth::access::{AccessLayer, Groups};
use http::Request;
use tower::{Layer, service_fn};

pub(crate) fn bench(bench: &mut Bench) {
    let bare = service_fn(async |_: Request<()>| Ok::<_, BoxError>(answer()));
    let groups = Groups::new().only("alice", ["claude-*", "fast", "gpt-*"]);
    let layer = AccessLayer::new(groups).layer(bare);
    bench.calls("access", request).of("bare", &bare).of("layer", &layer);
}
