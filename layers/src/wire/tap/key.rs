//! Finds keys in JSON without parsing it: most events hold none that matters.
use memchr::memmem::Finder;
use std::sync::LazyLock;

static FINISH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""finish_reason""#));
/// The key of a usage report.
pub(super) static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""usage""#));
/// The key of an error.
pub(super) static ERROR: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(r#""error""#));

/// Whether a chunk names a finish reason.
pub(super) enum Finish {
    /// The key is not there.
    Absent,
    /// Present, and everywhere null or an empty string.
    Null,
    /// A choice finished.
    Some,
}

/// Looks for the finish reasons without parsing. Text of the assistant cannot forge the key: a
/// quote inside a string is escaped.
#[inline]
pub(super) fn finish_of(data: &[u8]) -> Finish {
    let mut found = Finish::Absent;
    for at in FINISH.find_iter(data) {
        let value = behind_colon(&data[at + FINISH.needle().len()..]);
        if !value.starts_with(b"null") && !value.starts_with(b"\"\"") {
            return Finish::Some;
        }
        found = Finish::Null;
    }
    found
}

/// Whether some member called `key` is an object.
#[inline]
pub(super) fn has_object(data: &[u8], key: &Finder<'static>) -> bool {
    key.find_iter(data).any(|at| behind_colon(&data[at + key.needle().len()..]).starts_with(b"{"))
}

/// The value behind a key.
#[inline]
pub(super) fn behind_colon(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii_start();
    text.strip_prefix(b":").map_or(text, <[u8]>::trim_ascii_start)
}

/// Whether a delta is part of a call of a tool that the client is to make.
pub(super) fn is_tool_call(kind: &[u8]) -> bool {
    matches!(
        kind,
        b"response.function_call_arguments.delta" | b"response.custom_tool_call_input.delta"
    )
}
