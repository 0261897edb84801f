//! How one call is told from all others.
use http::{HeaderName, HeaderValue};
use std::fmt;

/// The id of one call: a version 4 UUID, or what the client sent as `x-litellm-call-id`. Kept as
/// the header that tells it.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The header that tells it, as LiteLLM names it.
    pub const HEADER: HeaderName = HeaderName::from_static("x-litellm-call-id");

    /// A new random id.
    #[must_use]
    pub fn random() -> Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        const PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
        // RFC 9562 5.4: version 4 in bits 48..52, variant 10 in bits 64..66.
        let bits = fastrand::u128(..) & !(0xf << 76) & !(0b11 << 62) | (0x4 << 76) | (0b10 << 62);
        let mut text = [b'-'; 36];
        for (byte, at) in bits.to_be_bytes().into_iter().zip(PLACES) {
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 0xf)];
        }
        Self(HeaderValue::from_bytes(&text).expect("hexadecimal digits can stand in a header"))
    }

    /// The client's own id, if it is fit for a header and a log: up to 128 visible characters.
    #[must_use]
    pub fn given(text: &str) -> Option<Self> {
        let fit =
            (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fit.then(|| HeaderValue::from_str(text).ok().map(Self)).flatten()
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The value of its header.
    #[must_use]
    pub const fn header(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
