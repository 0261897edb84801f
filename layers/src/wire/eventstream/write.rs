//! Writing a message.
use super::headers::TEXT;
use super::{CHECKSUM, PRELUDE};

/// A message with these headers, all of them texts, and this payload.
///
/// # Panics
/// If a name is longer than 255 bytes, a value longer than 65,535, or all of it longer than 4 GiB.
#[must_use]
pub fn encode(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let told: usize = headers.iter().map(|(name, value)| 4 + name.len() + value.len()).sum();
    let length = PRELUDE + told + payload.len() + CHECKSUM;
    let number = |length: usize| u32::try_from(length).expect("a message is below 4 GiB");
    let mut message = Vec::with_capacity(length);
    message.extend(number(length).to_be_bytes());
    message.extend(number(told).to_be_bytes());
    message.extend(crc32fast::hash(&message).to_be_bytes());
    for (name, value) in headers {
        message.push(u8::try_from(name.len()).expect("a name is short"));
        message.extend_from_slice(name.as_bytes());
        message.push(TEXT);
        let length = u16::try_from(value.len()).expect("a value is below 64 KiB");
        message.extend(length.to_be_bytes());
        message.extend_from_slice(value.as_bytes());
    }
    message.extend_from_slice(payload);
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message
}
