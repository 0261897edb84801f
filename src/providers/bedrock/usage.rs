//! What an answer used. Bedrock counts what a cache gave or took beside `inputTokens`.
use crate::providers::chat::Taking;
use bartizan_layers::facts::{Unit, Usage};
use serde_json::{Map, Value};

/// Reads a `usage` object.
pub(super) fn read(mut told: Map<String, Value>) -> Usage {
    let mut count = |name: &str| tokens(told.take_count(name));
    let (input, output) = (count("inputTokens"), count("outputTokens"));
    let (read, written) = (count("cacheReadInputTokens"), count("cacheWriteInputTokens"));
    let hour = told.take_array("cacheDetails").into_iter().filter_map(for_an_hour);
    let hour = hour.fold(0, i64::saturating_add).min(written);
    Usage::tokens(input.saturating_add(read).saturating_add(written), output)
        .with(Unit::CacheRead, read)
        .with(Unit::CacheWrite, written - hour)
        .with(Unit::CacheWriteHour, hour)
}

/// How many tokens are kept for an hour.
fn for_an_hour(detail: Value) -> Option<i64> {
    let Value::Object(mut detail) = detail else { return None };
    (detail.take_text("ttl")? == "1h").then(|| tokens(detail.take_count("inputTokens")))
}

fn tokens(count: Option<u64>) -> i64 {
    i64::try_from(count.unwrap_or(0)).unwrap_or(i64::MAX)
}
