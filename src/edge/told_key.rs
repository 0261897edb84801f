//! What answers tell of the key that they are for (contract 8.1).
use crate::clock;
use crate::identity::Caller;
use crate::router::dollars;
use bartizan_layers::facts::NanoUsd;
use http::{HeaderMap, HeaderName};

const SPEND: HeaderName = HeaderName::from_static("x-litellm-key-spend");
const MAX_BUDGET: HeaderName = HeaderName::from_static("x-litellm-key-max-budget");
const TPM: HeaderName = HeaderName::from_static("x-litellm-key-tpm-limit");
const RPM: HeaderName = HeaderName::from_static("x-litellm-key-rpm-limit");

/// Tells what the key has spent, this call included as far as its cost is known, and its bounds.
pub(super) fn tell(caller: &Caller, cost: NanoUsd, headers: &mut HeaderMap) {
    let key = &caller.key.holder;
    let spent = key.spent.amount(clock::now() / 1000);
    headers.insert(SPEND, dollars(spent + cost));
    if let Some(max) = key.money.as_ref().and_then(|money| money.max) {
        headers.insert(MAX_BUDGET, dollars(max));
    }
    let Some(rules) = &key.rules else { return };
    for (name, limit) in [(TPM, rules.tpm), (RPM, rules.rpm)] {
        if let Some(limit) = limit {
            headers.insert(name, limit.into());
        }
    }
}
