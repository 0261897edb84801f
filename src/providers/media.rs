//! Media types of bodies (RFC 9110, 8.3.1).
use http::{HeaderMap, HeaderValue, header};

/// Whether a body has this media type, whatever its parameters.
#[must_use]
pub fn is_of_type(headers: &HeaderMap, media: &str) -> bool {
    let told = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    told.get(..media.len()).is_some_and(|start| start.eq_ignore_ascii_case(media.as_bytes()))
}
