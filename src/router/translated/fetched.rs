//! Media that a provider wants in the request, where the client names their URLs.
use crate::forward::{FetchError, ForwardError, Forwarder};
use crate::providers::Hold;
use crate::providers::chat::{Media, Source};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Media that one request may name; more are refused as one too large.
const MOST_MEDIA: usize = 32;

/// Fetches the media that a provider wants in the request.
pub(in super::super) async fn fetched(
    forwarder: &Forwarder,
    media: Vec<&mut Media>,
    held: &dyn Hold,
) -> Result<(), ForwardError> {
    if media.len() > MOST_MEDIA {
        return Err(ForwardError::Image(FetchError::TooLarge));
    }
    for one in media {
        let Source::Url(url) = &one.source else { continue };
        let url = url.parse().map_err(|_| ForwardError::Image(FetchError::Url))?;
        // Base64 is a third longer than what it stands for, and is written once more.
        let hold = |bytes: usize| held.hold_more(bytes + 2 * (bytes.div_ceil(3) * 4));
        let fetched = forwarder.fetch_image(&url, hold).await.map_err(ForwardError::Image)?;
        one.source = Source::Base64(STANDARD.encode(&fetched.bytes));
        one.media_type = Some(fetched.kind);
    }
    Ok(())
}
