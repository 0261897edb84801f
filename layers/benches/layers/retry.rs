//! The rules of the contract with a budget; the first attempt answers. A copy of the call is kept:
//! of one without facts that takes no allocation.
use crate::{Bench, answer, request};
use bartizan_layers::BoxError;
use bartizan_layers::retry::{RetryBudget, RetryLayer, Rules};
use http::Request;
use tower::{Layer, service_fn};

pub(crate) fn bench(bench: &mut Bench) {
    let bare = service_fn(async |_: Request<()>| Ok::<_, BoxError>(answer()));
    let rules = Rules { budget: Some(RetryBudget::default()), ..Rules::default() };
    let layer = RetryLayer::new(rules).layer(bare);
    bench.calls("retry", request).of("bare", &bare).of("layer", &layer);
    let plain = || Request::new(());
    bench.calls("retry without facts", plain).of("bare", &bare).of("layer", &layer);
}
