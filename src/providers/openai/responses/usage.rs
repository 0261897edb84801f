//! What a response used.
use crate::providers::chat::Taking;
use bartizan_layers::facts::{Unit, Usage};
use serde_json::{Map, Value, json};

/// Reads a `usage`.
pub(super) fn read(mut told: Map<String, Value>) -> Option<Usage> {
    let (input, output) = (told.take_count("input_tokens"), told.take_count("output_tokens"));
    if input.is_none() && output.is_none() {
        return None;
    }
    let mut of_input = told.take_object("input_tokens_details").unwrap_or_default();
    let mut of_output = told.take_object("output_tokens_details").unwrap_or_default();
    let (input, mut output) = (signed(input), signed(output));
    let reasoning = signed(of_output.take_count("reasoning_tokens"));
    let total = told.take_count("total_tokens").map(|total| signed(Some(total)));
    // Some count thoughts beside the answer, and say so in the total alone, if at all.
    let whole = input.saturating_add(output).saturating_add(reasoning);
    if reasoning > output || reasoning > 0 && total == Some(whole) {
        output = output.saturating_add(reasoning);
    }
    let written = signed(of_input.take_count("cache_write_tokens"));
    let created = signed(of_input.take_count("cache_creation_tokens"));
    Some(
        Usage::tokens(input, output)
            .with(Unit::CacheRead, signed(of_input.take_count("cached_tokens")))
            .with(Unit::CacheWrite, written.max(created))
            .with(Unit::AudioInput, signed(of_input.take_count("audio_tokens")))
            .with(Unit::ImageInput, signed(of_input.take_count("image_tokens")))
            .with(Unit::Reasoning, reasoning)
            .with(Unit::AudioOutput, signed(of_output.take_count("audio_tokens")))
            .with(Unit::ImageOutput, signed(of_output.take_count("image_tokens"))),
    )
}

fn signed(count: Option<u64>) -> i64 {
    i64::try_from(count.unwrap_or(0)).unwrap_or(i64::MAX)
}

/// Writes a `usage`. What a cache took has OpenAI's name, and LiteLLM's where there is some.
pub(super) fn write(usage: &Usage) -> Value {
    let written = usage[Unit::CacheWrite].saturating_add(usage[Unit::CacheWriteHour]);
    let mut of_input = Map::new();
    of_input.insert("cached_tokens".to_owned(), usage[Unit::CacheRead].into());
    of_input.insert("cache_write_tokens".to_owned(), written.into());
    let some = [
        ("cache_creation_tokens", written),
        ("audio_tokens", usage[Unit::AudioInput]),
        ("image_tokens", usage[Unit::ImageInput]),
    ];
    for (name, count) in some.into_iter().filter(|(_, count)| *count > 0) {
        of_input.insert(name.to_owned(), count.into());
    }
    json!({
        "input_tokens": usage[Unit::Input],
        "input_tokens_details": of_input,
        "output_tokens": usage[Unit::Output],
        "output_tokens_details": {"reasoning_tokens": usage[Unit::Reasoning]},
        "total_tokens": usage.total(),
    })
}
