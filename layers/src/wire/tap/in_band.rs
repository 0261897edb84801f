//! An error that a provider sends inside a 200 stream.
use crate::wire::scan::{Value, value};
use bytes::Bytes;

/// So many bytes of an error event are kept: 16 KiB.
const KEPT: usize = 16 * 1024;

/// The provider's own error event. It was handed on untouched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InBand {
    /// The event's data, at most 16 KiB of it.
    pub data: Bytes,
    /// The HTTP status that it names (`status`, `status_code`, or a `code` that is one).
    pub status: Option<u16>,
    /// Its `type` (OpenAI, Anthropic) or `status` word (Gemini).
    pub kind: Option<String>,
    /// Its `code`, as text.
    pub code: Option<String>,
    /// Its `message`.
    pub message: Option<String>,
}

impl InBand {
    pub(super) fn new(data: &[u8]) -> Self {
        let whole = value(data);
        let error = whole
            .get("error")
            .or_else(|| whole.get("response")?.get("error"))
            // Cohere's last event.
            .or_else(|| whole.get("delta"))
            .filter(Value::is_object)
            .unwrap_or(whole);
        let status =
            ["status", "status_code", "code"].iter().find_map(|key| status(error.get(key)?));
        let kind = error.get("type").or_else(|| error.get("status"));
        let message = error.get("message").or_else(|| error.get("error").or(whole.get("error")));
        Self {
            data: Bytes::copy_from_slice(&data[..data.len().min(KEPT)]),
            status,
            kind: kind.and_then(text),
            code: error.get("code").and_then(text),
            message: message.and_then(text),
        }
    }
}

fn status(value: Value<'_>) -> Option<u16> {
    let text = text(value)?;
    text.parse().ok().filter(|status| (400..600).contains(status))
}

/// A string or a number as text.
fn text(value: Value<'_>) -> Option<String> {
    match value.as_str() {
        Some(text) => Some(text.into_owned()),
        None => value.as_u64().map(|number| number.to_string()),
    }
}
