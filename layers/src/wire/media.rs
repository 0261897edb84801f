//! What headers say of a body.
use super::tap::Framing;
use http::{HeaderMap, HeaderValue, header};

/// Whether a body has this media type, whatever its parameters (RFC 9110, 8.3.1).
#[must_use]
pub fn is_of_type(headers: &HeaderMap, media: &str) -> bool {
    let told = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    told.get(..media.len()).is_some_and(|start| start.eq_ignore_ascii_case(media.as_bytes()))
}

/// Whether a body is compressed, so that it cannot be read as it is (RFC 9110, 8.4).
#[must_use]
pub fn is_encoded(headers: &HeaderMap) -> bool {
    let encoding = headers.get(header::CONTENT_ENCODING);
    encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

impl Framing {
    /// How an answer with these `headers` is cut; `None` if it is neither a stream of events nor
    /// JSON.
    #[must_use]
    pub fn of_headers(headers: &HeaderMap) -> Option<Self> {
        if is_of_type(headers, "text/event-stream") {
            return Some(Self::Events);
        }
        is_of_type(headers, "application/json").then_some(Self::Whole)
    }
}
