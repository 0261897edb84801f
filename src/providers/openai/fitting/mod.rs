//! Requests for providers that speak OpenAI in their own way, as their rows say
//! ([`Quirks`](crate::data::Quirks)).
//!
//! A client's own request is spliced, and only where the row differs ([`Fitting`]); one that was
//! translated is written as OpenAI's first, and then changed in the same ways ([`fit`]).
mod messages;
mod parameters;
mod spliced;
#[cfg(test)]
mod tests;

pub(super) use self::spliced::{Fitting, names};

use self::parameters::{Said, said};
use crate::data::Quirks;
use crate::providers::chat::Lost;
use serde_json::{Map, Value};

/// Changes the `body` of a chat completion to what a provider takes.
pub(super) fn fit(body: &mut Map<String, Value>, quirks: &Quirks, lost: &mut Lost) {
    if !quirks.is_odd() {
        return;
    }
    if let Some(Value::Array(told)) = body.get_mut("messages") {
        messages::fit(told, quirks, lost);
    }
    for (name, value) in std::mem::take(body) {
        match said(quirks, &name, || value.clone()) {
            Said::So => body.insert(name, value),
            Said::As(here) => body.insert(here.to_owned(), value),
            Said::Word(here) => body.insert(name, here.into()),
            Said::Not(loss) => {
                loss.note(name, lost);
                None
            }
        };
    }
}
