//! Members of a JSON object, written as text.

pub(super) fn number(out: &mut Vec<u8>, before: &str, number: i64) {
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

pub(super) fn maybe(out: &mut Vec<u8>, before: &str, value: Option<&str>) {
    if let Some(value) = value {
        text(out, before, value);
    }
}

/// A JSON string.
pub(super) fn text(out: &mut Vec<u8>, before: &str, text: &str) {
    out.extend_from_slice(before.as_bytes());
    let special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    // All bytes are looked at, as that can be done for many at once.
    if text.bytes().fold(false, |found, byte| found | special(byte)) {
        // A vector takes all that is written, and every text can be written.
        serde_json::to_writer(out, text).ok();
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}
