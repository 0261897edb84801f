//! Usage. Anthropic counts what the cache gave or took beside `input_tokens`.
use crate::providers::chat::Taking;
use bartizan_layers::facts::{Unit, Usage};
use serde_json::{Map, Value, json};

/// What a provider has reported so far. A count that a later report leaves out stays.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Report {
    input: Option<i64>,
    output: Option<i64>,
    cache_read: Option<i64>,
    /// Minutes and hours together.
    cache_write: Option<i64>,
    cache_minutes: Option<i64>,
    cache_hour: Option<i64>,
    thoughts: Option<i64>,
}

impl Report {
    /// Takes in a `usage` object.
    pub(super) fn merge(&mut self, mut usage: Map<String, Value>) {
        put(&mut self.input, &mut usage, "input_tokens");
        put(&mut self.output, &mut usage, "output_tokens");
        put(&mut self.cache_read, &mut usage, "cache_read_input_tokens");
        put(&mut self.cache_write, &mut usage, "cache_creation_input_tokens");
        if let Some(mut written) = usage.take_object("cache_creation") {
            put(&mut self.cache_minutes, &mut written, "ephemeral_5m_input_tokens");
            put(&mut self.cache_hour, &mut written, "ephemeral_1h_input_tokens");
        }
        if let Some(mut details) = usage.take_object("output_tokens_details") {
            put(&mut self.thoughts, &mut details, "thinking_tokens");
        }
    }

    /// All of it.
    pub(super) fn usage(&self) -> Usage {
        let parts = self.cache_minutes.unwrap_or(0).saturating_add(self.cache_hour.unwrap_or(0));
        let written = self.cache_write.unwrap_or(parts);
        let hour = self.cache_hour.unwrap_or(0).min(written);
        let read = self.cache_read.unwrap_or(0);
        let input = self.input.unwrap_or(0).saturating_add(read).saturating_add(written);
        Usage::tokens(input, self.output.unwrap_or(0))
            .with(Unit::CacheRead, read)
            .with(Unit::CacheWrite, written - hour)
            .with(Unit::CacheWriteHour, hour)
            .with(Unit::Reasoning, self.thoughts.unwrap_or(0))
    }
}

fn put(count: &mut Option<i64>, usage: &mut Map<String, Value>, name: &str) {
    if let Some(told) = usage.take_count(name).and_then(|told| i64::try_from(told).ok()) {
        *count = Some(told);
    }
}

/// A `usage` object: of an answer, or of a stream's end.
pub(super) fn write_usage(usage: &Usage) -> Map<String, Value> {
    let (minutes, hour) = (usage[Unit::CacheWrite], usage[Unit::CacheWriteHour]);
    let written = minutes.saturating_add(hour);
    let beside = usage[Unit::CacheRead].saturating_add(written);
    let mut object = Map::with_capacity(6);
    object.insert("input_tokens".into(), (usage[Unit::Input].saturating_sub(beside)).max(0).into());
    object.insert("cache_creation_input_tokens".into(), written.into());
    object.insert("cache_read_input_tokens".into(), usage[Unit::CacheRead].into());
    if hour > 0 {
        let parts =
            json!({"ephemeral_5m_input_tokens": minutes, "ephemeral_1h_input_tokens": hour});
        object.insert("cache_creation".into(), parts);
    }
    object.insert("output_tokens".into(), usage[Unit::Output].into());
    if usage[Unit::Reasoning] > 0 {
        let details = json!({"thinking_tokens": usage[Unit::Reasoning]});
        object.insert("output_tokens_details".into(), details);
    }
    object
}
