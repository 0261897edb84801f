//! What an answer used.
use crate::providers::chat::Taking;
use bartizan_layers::facts::{Unit, Usage};
use serde_json::{Map, Value, json};

/// Reads a chat's `usage`, or the `meta` of embeddings. What the model read and wrote is told in
/// `tokens`; only where that is missing, what is billed counts. Pictures are counted beside the
/// input there, and here as a part of it.
pub(super) fn read(mut told: Map<String, Value>) -> Option<Usage> {
    let cached = told.take_count("cached_tokens").unwrap_or(0);
    let mut billed = told.take_object("billed_units").unwrap_or_default();
    let queries = billed.take_count("search_units").unwrap_or(0);
    let tokens = told.take_object("tokens").filter(|tokens| !tokens.is_empty());
    let (mut tokens, with_pictures) = match tokens {
        Some(tokens) => (tokens, false),
        None if billed.is_empty() => return None,
        None => (billed, true),
    };
    let pictures = tokens.take_count("image_tokens").unwrap_or(0);
    let texts = tokens.take_count("input_tokens").unwrap_or(0);
    // What is billed has them in its sum.
    let input = if with_pictures { texts.max(pictures) } else { texts.saturating_add(pictures) };
    let output = tokens.take_count("output_tokens").unwrap_or(0);
    let thoughts = tokens.take_count("reasoning_tokens").unwrap_or(0);
    let usage = Usage::tokens(count(input), count(output))
        .with(Unit::CacheRead, count(cached.min(input)))
        .with(Unit::ImageInput, count(pictures.min(input)))
        .with(Unit::Reasoning, count(thoughts.min(output)))
        .with(Unit::Query, count(queries));
    Some(usage)
}

fn count(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

/// Writes a chat's `usage`. What Cohere bills is what its own models read and wrote: here it is all.
pub(super) fn write(usage: &Usage) -> Value {
    let (input, output) = (usage[Unit::Input], usage[Unit::Output]);
    let mut tokens = json!({"input_tokens": input, "output_tokens": output});
    if usage[Unit::Reasoning] > 0 {
        tokens["reasoning_tokens"] = usage[Unit::Reasoning].into();
    }
    let billed = json!({"input_tokens": input, "output_tokens": output});
    let mut told = json!({"billed_units": billed, "tokens": tokens});
    if usage[Unit::CacheRead] > 0 {
        told["cached_tokens"] = usage[Unit::CacheRead].into();
    }
    told
}
