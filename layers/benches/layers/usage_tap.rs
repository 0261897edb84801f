//! A whole answer, whose usage is read while it passes.
use crate::{Bench, answer, price, request};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::wire::usage_tap::UsageTapLayer;
use http::Request;
use tower::{Layer, service_fn};

pub(crate) fn bench(bench: &mut Bench) {
    let bare = service_fn(async |_: Request<Body>| Ok::<_, BoxError>(answer()));
    let price = price();
    let layer = UsageTapLayer::new(move |_: &str| Some(price.clone())).layer(bare);
    let chat = || {
        let (mut parts, ()) = request().into_parts();
        parts.method = http::Method::POST;
        parts.uri = http::Uri::from_static("/v1/chat/completions");
        Request::from_parts(parts, Body::empty())
    };
    bench.calls("usage tap", chat).of("bare", &bare).of("layer", &layer);
}
