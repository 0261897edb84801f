//! What a call used, in OpenAI's words.
use crate::providers::chat::Taking;
use bartizan_layers::facts::{Unit, Usage};
use serde_json::{Map, Value, json};

/// Reads a `usage`; `None` where it counts nothing.
pub(super) fn read(mut told: Map<String, Value>) -> Option<Usage> {
    let mut count = |name: &str| told.take_count(name).map(signed);
    let (input, output) = (count("prompt_tokens"), count("completion_tokens"));
    let total = count("total_tokens");
    // DeepSeek's, Anthropic's and Mistral's names.
    let hits = ["prompt_cache_hit_tokens", "cache_read_input_tokens", "num_cached_tokens"];
    let hit = hits.into_iter().find_map(&mut count);
    let written = count("cache_creation_input_tokens");
    if input.is_none() && output.is_none() {
        return total.map(|total| Usage::tokens(total, 0));
    }
    let mut of_input = told.take_object("prompt_tokens_details").unwrap_or_default();
    let mut of_output = told.take_object("completion_tokens_details").unwrap_or_default();
    let (input, mut output) = (input.unwrap_or(0), output.unwrap_or(0));
    let reasoning = detail(&mut of_output, "reasoning_tokens");
    // xAI counts thoughts beside the answer, and says so in the total alone; Vercel's gateway does
    // so before Gemini, and does not even say so.
    if reasoning > output || reasoning > 0 && total == Some(input + output + reasoning) {
        output += reasoning;
    }
    let mut hours = of_input.take_object("cache_creation_token_details").unwrap_or_default();
    let hour = detail(&mut hours, "ephemeral_1h_input_tokens");
    let write = written.unwrap_or(0).max(detail(&mut of_input, "cache_creation_tokens"));
    let write = write.max(detail(&mut of_input, "cache_write_tokens"));
    Some(
        Usage::tokens(input, output)
            .with(Unit::CacheRead, hit.unwrap_or(0).max(detail(&mut of_input, "cached_tokens")))
            .with(Unit::CacheWrite, write - hour.min(write))
            .with(Unit::CacheWriteHour, hour.min(write))
            .with(Unit::AudioInput, detail(&mut of_input, "audio_tokens"))
            .with(Unit::ImageInput, detail(&mut of_input, "image_tokens"))
            .with(Unit::Reasoning, reasoning)
            .with(Unit::AudioOutput, detail(&mut of_output, "audio_tokens"))
            .with(Unit::ImageOutput, detail(&mut of_output, "image_tokens")),
    )
}

fn detail(told: &mut Map<String, Value>, name: &str) -> i64 {
    told.take_count(name).map_or(0, signed)
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Writes a `usage`, with what LiteLLM adds of caches.
pub(super) fn write(usage: &Usage) -> Value {
    let (read, hour) = (usage[Unit::CacheRead], usage[Unit::CacheWriteHour]);
    let written = usage[Unit::CacheWrite] + hour;
    let mut told = json!({
        "prompt_tokens": usage[Unit::Input],
        "completion_tokens": usage[Unit::Output],
        "total_tokens": usage.total(),
        "prompt_tokens_details": {
            "cached_tokens": read,
            "audio_tokens": usage[Unit::AudioInput],
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage[Unit::Reasoning],
            "audio_tokens": usage[Unit::AudioOutput],
        },
    });
    if written > 0 {
        told["prompt_tokens_details"]["cache_creation_tokens"] = written.into();
        told["prompt_tokens_details"]["cache_creation_token_details"] = json!({
            "ephemeral_5m_input_tokens": written - hour,
            "ephemeral_1h_input_tokens": hour,
        });
    }
    if written > 0 || read > 0 {
        told["cache_creation_input_tokens"] = written.into();
        told["cache_read_input_tokens"] = read.into();
    }
    told
}
