//! Content that a client names by its URL and that we fetch for a provider which cannot.
use super::error::ForwardError;
use super::reach::Reach;
use super::{Deadlines, Forwarder};
use bartizan_layers::body::Body;
use bytes::{Bytes, BytesMut};
use http::uri::Scheme;
use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body::Body as _;
use http_body_util::BodyExt;
use std::time::Duration;

/// Bytes of one piece of content.
pub const MOST_BYTES: usize = 20 * 1024 * 1024;

/// How long fetching one piece of content may take, connecting included.
const LONGEST: Duration = Duration::from_secs(10);

/// Why content could not be fetched. No message holds a URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// It is no URL of the web, or not an `https` one.
    #[error("its URL must begin with https:// and name a host")]
    Url,
    /// Another status than 200. Redirects are not followed: they could lead anywhere.
    #[error("its server answered with status {0}")]
    Status(u16),
    /// It is longer than [`MOST_BYTES`].
    #[error("it has more than {MOST_BYTES} bytes")]
    TooLarge,
    /// It is not what was wanted.
    #[error("it is not an image")]
    Kind,
    /// The memory for bodies is used up.
    #[error("the proxy holds as many bodies as its memory allows")]
    NoMemory,
    /// The way there.
    #[error("{0}")]
    Forward(#[source] Box<ForwardError>),
}

/// Content that was fetched.
#[derive(Debug)]
pub struct Fetched {
    /// Its media type, without parameters: `image/png`.
    pub kind: String,
    /// Its bytes.
    pub bytes: Bytes,
}

impl Forwarder {
    /// Fetches an image: by `https` and from the public internet only, unless the operator trusts
    /// whatever clients name; without redirects, 10 s and 20 MiB at most. `hold` is asked for the
    /// memory of each piece.
    ///
    /// # Errors
    ///
    /// [`FetchError`], which says which of the rules was broken.
    pub async fn fetch_image(
        &self,
        url: &Uri,
        hold: impl Fn(usize) -> bool,
    ) -> Result<Fetched, FetchError> {
        let trusts = self.0.trust_urls;
        if url.host().is_none() || (url.scheme() != Some(&Scheme::HTTPS) && !trusts) {
            return Err(FetchError::Url);
        }
        let reach = if trusts { Reach::Anywhere } else { Reach::Public };
        let path = url.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = path.parse().map_err(|_| FetchError::Url)?;
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("image/*"));
        let deadlines = Deadlines { first_byte: LONGEST, idle: LONGEST, total: Some(LONGEST) };
        let origin = origin_of(url).ok_or(FetchError::Url)?;
        let answer = self.apart(&origin, reach).send_within(request, deadlines).await;
        let answer = answer.map_err(|error| FetchError::Forward(Box::new(error)))?;
        let kind = image_kind(&answer)?;
        let mut body = answer.into_body();
        if body.size_hint().lower() > MOST_BYTES as u64 {
            return Err(FetchError::TooLarge);
        }
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| FetchError::Forward(Box::new(error)))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > MOST_BYTES {
                return Err(FetchError::TooLarge);
            }
            if !hold(data.len()) {
                return Err(FetchError::NoMemory);
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Fetched { kind, bytes: bytes.freeze() })
    }
}

/// Scheme and authority of a URL: nothing of its path goes before that of the request.
pub(super) fn origin_of(url: &Uri) -> Option<Uri> {
    let mut parts = url.clone().into_parts();
    parts.path_and_query = Some("/".parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// The media type of an answer that is an image.
fn image_kind<B>(answer: &Response<B>) -> Result<String, FetchError> {
    if answer.status() != StatusCode::OK {
        return Err(FetchError::Status(answer.status().as_u16()));
    }
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    let name = kind.strip_prefix("image/").filter(|name| !name.is_empty());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".+-".contains(&byte);
    match name {
        Some(name) if name.bytes().all(plain) => Ok(kind.to_owned()),
        _ => Err(FetchError::Kind),
    }
}
