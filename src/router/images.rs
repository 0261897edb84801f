//! Images that a request names by their URLs, fetched for a provider that cannot.
use crate::forward::{FetchError, ForwardError, Forwarder};
use crate::providers::Hold;
use crate::providers::openai::{data_url, remote_images, with_images};
use bartizan_layers::body::{Body, Parts};
use http::Request;
use http_body_util::BodyExt;

/// Images that one request may name; more are refused as one too large.
const MOST_IMAGES: usize = 32;

/// `req` with its remote images in it, fetched one after the other.
pub(super) async fn inlined(
    forwarder: &Forwarder,
    req: Request<Body>,
    held: &dyn Hold,
) -> Result<Request<Body>, ForwardError> {
    let (parts, body) = req.into_parts();
    let collected = body.collect().await.map_err(ForwardError::RequestBody)?;
    let request = collected.to_bytes();
    let remote = remote_images(&request);
    if remote.is_empty() {
        return Ok(Request::from_parts(parts, Body::Full(request)));
    }
    if remote.len() > MOST_IMAGES {
        return Err(ForwardError::Image(FetchError::TooLarge));
    }
    let mut images = Vec::with_capacity(remote.len());
    for image in remote {
        // Base64 is a third longer than what it stands for.
        let hold = |bytes: usize| held.hold_more(bytes + bytes.div_ceil(3) * 4);
        let fetched = forwarder.fetch_image(&image.url, hold).await.map_err(ForwardError::Image)?;
        images.push((image.range, data_url(&fetched.kind, &fetched.bytes)));
    }
    let pieces = with_images(&request, &images);
    Ok(Request::from_parts(parts, Body::Parts(Parts::new(pieces))))
}
