//! Images that a chat names by their URLs, for providers that take them only in the request.
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Uri;
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::ops::Range;

/// A URL in a request, and where its JSON text stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteImage {
    /// The URL's JSON string, quotes included, as a range of the request.
    pub range: Range<usize>,
    /// The URL.
    pub url: Uri,
}

#[derive(Deserialize)]
struct Chat<'a> {
    #[serde(borrow, default)]
    messages: Vec<Message<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, default)]
    image_url: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ImageUrl<'a> {
    #[serde(borrow, default)]
    url: Option<&'a RawValue>,
}

/// The images of a chat request that stand elsewhere on the web, in their order. What is not
/// understood is left to the provider.
#[must_use]
pub fn remote_images(request: &[u8]) -> Vec<RemoteImage> {
    if memmem::find(request, b"image_url").is_none() {
        return Vec::new();
    }
    let Ok(chat) = serde_json::from_slice::<Chat<'_>>(request) else { return Vec::new() };
    let contents = chat.messages.iter().filter_map(|message| message.content);
    let parts =
        contents.filter_map(|content| serde_json::from_str::<Vec<Part<'_>>>(content.get()).ok());
    let images = parts.flatten().filter_map(|part| part.image_url);
    images.filter_map(|image| remote(request, image)).collect()
}

/// An image is an object with a URL, or a URL alone.
fn remote(request: &[u8], image: &RawValue) -> Option<RemoteImage> {
    let raw = match serde_json::from_str::<ImageUrl<'_>>(image.get()) {
        Ok(object) => object.url?,
        Err(_) => image,
    };
    let text: Cow<'_, str> = serde_json::from_str(raw.get()).ok()?;
    let url: Uri = text.parse().ok()?;
    let web = matches!(url.scheme_str(), Some("http" | "https"));
    // The text was borrowed from the request, so it lies in it.
    let start = (raw.get().as_ptr() as usize).checked_sub(request.as_ptr() as usize)?;
    let range = start..start + raw.get().len();
    (web && request.get(range.clone())? == raw.get().as_bytes())
        .then_some(RemoteImage { range, url })
}

/// An image as a `data:` URL (RFC 2397), in JSON text.
#[must_use]
pub fn data_url(kind: &str, bytes: &[u8]) -> Bytes {
    format!("\"data:{kind};base64,{}\"", STANDARD.encode(bytes)).into()
}

/// The `request` with `images` in place of the URLs at `ranges`, which are in order.
#[must_use]
pub fn with_images(request: &Bytes, images: &[(Range<usize>, Bytes)]) -> Vec<Bytes> {
    let mut pieces = Vec::with_capacity(images.len() * 2 + 1);
    let mut at = 0;
    for (range, image) in images {
        pieces.push(request.slice(at..range.start));
        pieces.push(image.clone());
        at = range.end;
    }
    pieces.push(request.slice(at..));
    pieces
}

#[cfg(test)]
mod tests {
    use super::{data_url, remote_images, with_images};
    use bytes::Bytes;

    #[test]
    fn urls_of_images_are_found_wherever_a_chat_may_have_them() {
        let request = br#"{"model":"m","messages":[
            {"role":"system","content":"https:\/\/a\/image_url"},
            {"role":"user","content":[
                {"type":"text","text":"image_url"},
                {"type":"image_url","image_url":{"url":"https://a.example/1.png","detail":"low"}},
                {"type":"image_url","image_url":"http:\/\/b.example\/2.png"},
                {"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},
                {"type":"image_url","image_url":{"url":7}}]}]}"#;
        let found = remote_images(request);
        let urls: Vec<_> = found.iter().map(|image| image.url.to_string()).collect();
        assert_eq!(urls, ["https://a.example/1.png", "http://b.example/2.png"]);
        assert_eq!(&request[found[0].range.clone()], br#""https://a.example/1.png""#);
        assert_eq!(&request[found[1].range.clone()], br#""http:\/\/b.example\/2.png""#);
    }

    #[test]
    fn only_the_urls_change() {
        let request = Bytes::from_static(
            br#"{ "n":1.0e5, "messages":[{"content":[{"image_url":{"url":"https://a/1"}}]}]}"#,
        );
        let found = remote_images(&request);
        let images = [(found[0].range.clone(), data_url("image/png", b"\0\x01"))];
        let edited = with_images(&request, &images).concat();
        let expected = br#"{ "n":1.0e5, "messages":[{"content":[{"image_url":{"url":"data:image/png;base64,AAE="}}]}]}"#;
        assert_eq!(edited, expected);
    }

    #[test]
    fn what_is_no_chat_has_no_images() {
        for request in ["", "image_url", "[]", r#"{"messages":7,"x":"image_url"}"#] {
            assert!(remote_images(request.as_bytes()).is_empty(), "{request}");
        }
    }
}
