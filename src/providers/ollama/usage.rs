//! What an answer used.
use crate::providers::chat::Taking;
use bartizan_layers::facts::Usage;
use serde_json::{Map, Value};

/// Reads the counts of a line that ends an answer. `None` without any. Older servers leave out the
/// prompt's if all of it was cached.
pub(super) fn read(told: &mut Map<String, Value>) -> Option<Usage> {
    let input = told.take_count("prompt_eval_count");
    let output = told.take_count("eval_count");
    if input.is_none() && output.is_none() {
        return None;
    }
    let count = |tokens: Option<u64>| i64::try_from(tokens.unwrap_or(0)).unwrap_or(i64::MAX);
    Some(Usage::tokens(count(input), count(output)))
}
