//! A whole answer, whose usage is read while it passes.
use crate::{Bench, answer, chat, price};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::wire::usage_tap::UsageTapLayer;
use http::Request;
use tower::{Layer, service_fn};

pub(crate) fn bench(bench: &mut Bench) {
    let bare = service_fn(async |_: Request<Body>| Ok::<_, BoxError>(answer()));
    let price = price();
    let layer = UsageTapLayer::new(move |_: &str| Some(price.clone())).layer(bare);
    let empty = || chat(Body::empty());
    bench.calls("usage tap", empty).of("bare", &bare).of("layer", &layer);
}
