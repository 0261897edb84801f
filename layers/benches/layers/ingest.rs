//! A prompt of 1 KiB.
use crate::{Bench, answer, chat, price};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::wire::ingest::IngestLayer;
use bytes::Bytes;
use http::Request;
use tower::{Layer, service_fn};

pub(crate) fn bench(bench: &mut Bench) {
    let bare = service_fn(async |_: Request<Body>| Ok::<_, BoxError>(answer()));
    let price = price();
    let layer = IngestLayer::new(move |_: &str| Some(price.clone())).layer(bare);
    let text = "It was a dark and stormy night. ".repeat(30);
    let prompt = Bytes::from(format!(
        r#"{{"model":"gpt-4o-mini","messages":[{{"role":"user","content":"{text}"}}]}}"#
    ));
    let prompted = || chat(Body::from(prompt.clone()));
    bench.calls("ingest", prompted).of("bare", &bare).of("layer", &layer);
}
