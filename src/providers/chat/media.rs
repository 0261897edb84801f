//! What is known of media by how they are given.
use super::Source;

/// A picture's type by its first bytes, of which base64 shows the first characters; PNG in doubt.
#[must_use]
pub fn picture_type(base64: &str) -> &'static str {
    let kinds = [("/9j/", "image/jpeg"), ("R0lG", "image/gif"), ("UklG", "image/webp")];
    let known = kinds.into_iter().find(|(start, _)| base64.starts_with(start));
    known.map_or("image/png", |(_, kind)| kind)
}

/// What a URL names: itself, or the bytes in it (RFC 2397), with their media type.
#[must_use]
pub fn source_of_url(mut url: String) -> (Source, Option<String>) {
    let Some((head, _)) = url.strip_prefix("data:").and_then(|rest| rest.split_once(',')) else {
        return (Source::Url(url), None);
    };
    let media_type = head.split(';').next().filter(|it| !it.is_empty()).map(str::to_owned);
    if !head.ends_with(";base64") {
        return (Source::Url(url), media_type);
    }
    let data = url.split_off("data:".len() + head.len() + 1);
    (Source::Base64(data), media_type)
}
