//! A key among a few, in a header.
use crate::{Bench, answer, request};
use bartizan_layers::BoxError;
use bartizan_layers::auth::{AuthLayer, MemoryKeys};
use bartizan_layers::facts::Principal;
use http::{HeaderValue, Request};
use tower::{Layer, service_fn};

const KEY: &str = "sk-a-key-of-the-usual-length-0123456789";
const BEARER: HeaderValue =
    HeaderValue::from_static("Bearer sk-a-key-of-the-usual-length-0123456789");

pub(crate) fn bench(bench: &mut Bench) {
    let bare = service_fn(async |_: Request<()>| Ok::<_, BoxError>(answer()));
    let alice = Principal::new("alice", "alice");
    let layer = AuthLayer::new(MemoryKeys::new().with(KEY.as_bytes(), alice)).layer(bare);
    let presented = || {
        let mut req = request();
        req.headers_mut().insert("authorization", BEARER);
        req
    };
    bench.calls("auth", presented).of("bare", &bare).of("layer", &layer);
}
