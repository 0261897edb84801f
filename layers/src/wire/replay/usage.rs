//! Usage as OpenAI's streams tell it: in an event before `[DONE]`, for those who asked.
use super::{Object, Out};
use crate::facts::{Unit, Usage};
use bytes::Bytes;
use memchr::memmem::rfind;
use serde_json::{Value, json};

const DONE: &[u8] = b"data: [DONE]";

/// The member `usage` of an answer.
pub(super) fn object(usage: &Usage) -> Value {
    json!({
        "prompt_tokens": usage[Unit::Input],
        "completion_tokens": usage[Unit::Output],
        "total_tokens": usage.total(),
        "prompt_tokens_details": {
            "cached_tokens": usage[Unit::CacheRead],
            "audio_tokens": usage[Unit::AudioInput],
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage[Unit::Reasoning],
            "audio_tokens": usage[Unit::AudioOutput],
        },
    })
}

/// `stream` with a usage event if one is wanted and known, and without one if not. Only its last
/// events are read; where they are not as expected, it stays as it is.
pub(super) fn adapted(stream: &Bytes, wanted: Option<Option<Usage>>, object: &str) -> Bytes {
    let Some((last, done)) = last_event(stream) else { return stream.clone() };
    let Some(event) = parsed(&stream[last..done]) else { return stream.clone() };
    let is_usage = event.get("usage").is_some_and(Value::is_object)
        && event.get("choices").and_then(Value::as_array).is_some_and(Vec::is_empty);
    match (is_usage, wanted) {
        (true, None) => [&stream[..last], &stream[done..]].concat().into(),
        (false, Some(Some(usage))) if event.get("usage").is_none_or(Value::is_null) => {
            let told = usage_event(event, &usage, object);
            [&stream[..done], &told.0, &stream[done..]].concat().into()
        }
        _ => stream.clone(),
    }
}

/// Where the event before `[DONE]` begins, and `[DONE]` itself.
fn last_event(stream: &[u8]) -> Option<(usize, usize)> {
    let done = rfind(stream, DONE)?;
    let before = stream[..done].strip_suffix(b"\n\n")?;
    Some((rfind(before, b"\n\n").map_or(0, |at| at + 2), done))
}

fn parsed(event: &[u8]) -> Option<Object> {
    serde_json::from_slice(event.strip_prefix(b"data:")?).ok()
}

fn usage_event(mut last: Object, usage: &Usage, name: &str) -> Out {
    last.insert("object".into(), name.into());
    last.insert("choices".into(), json!([]));
    last.insert("usage".into(), object(usage));
    let mut out = Out::default();
    out.data(&last.into());
    out
}
