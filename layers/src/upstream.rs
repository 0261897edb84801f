//! Sends a server's calls to an upstream: its address and its credential in place of the client's.
//!
//! A request that came to a server names that server, and bears the client's key. [`Upstream`] makes
//! of it one that a client can send, and belongs right around that client.
//!
//! ```
//! use bartizan_layers::upstream::Upstream;
//! use http::Request;
//! # use {bytes::Bytes, http::Response, http_body_util::Empty};
//! use tower::{BoxError, ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let upstream = Upstream::new("http://10.0.0.7:8000/api/v1")?.bearer("sk-provider")?;
//! let client = ServiceBuilder::new()
//!     .map_request(move |req| upstream.direct(req))
//!     .service_fn(async |req: Request<()>| {
//!         assert_eq!(req.uri(), "http://10.0.0.7:8000/api/v1/chat/completions");
//!         assert_eq!(req.headers()["authorization"], "Bearer sk-provider");
//!         assert!(!req.headers().contains_key("x-api-key"));
//!         Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new()))
//!     });
//!
//! let call = Request::post("/v1/chat/completions").header("x-api-key", "sk-alice").body(())?;
//! client.oneshot(call).await?;
//! # Ok(())
//! # }
//! ```
use http::header::{self, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};
use http::uri::{Authority, InvalidUri, PathAndQuery, Scheme};
use http::{Request, Uri};
use std::borrow::Cow;

/// An upstream's address, and the credential that is sent there and nowhere else.
#[derive(Clone, Debug)]
pub struct Upstream {
    scheme: Scheme,
    authority: Authority,
    /// The base URL's path, without a slash at its end.
    path: Box<str>,
    credential: Option<(HeaderName, HeaderValue)>,
}

/// Why a base URL is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpstreamError {
    /// It cannot be read.
    #[error("the base URL cannot be read")]
    Unreadable(#[from] InvalidUri),
    /// It has no scheme, or no host.
    #[error("the base URL needs a scheme and a host")]
    Relative,
}

/// What belongs to the client's connection or proves the client. Of encodings none is asked for:
/// the layer `usage_tap` reads what passes.
const REMOVED: [HeaderName; 19] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::ACCEPT_ENCODING,
    header::COOKIE,
    header::AUTHORIZATION,
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("x-litellm-api-key"),
    HeaderName::from_static("ocp-apim-subscription-key"),
];

impl Upstream {
    /// An upstream at `base`, such as `http://127.0.0.1:8000/v1`, without a credential.
    ///
    /// # Errors
    /// [`UpstreamError`] for what is no absolute URL.
    pub fn new(base: &str) -> Result<Self, UpstreamError> {
        let parts = base.parse::<Uri>()?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(UpstreamError::Relative);
        };
        let path = parts.path_and_query.as_ref().map_or("", PathAndQuery::path);
        let path = path.trim_end_matches('/').into();
        Ok(Self { scheme, authority, path, credential: None })
    }

    /// Sends `key` as OpenAI wants it. An empty one is no credential.
    ///
    /// # Errors
    /// [`InvalidHeaderValue`] for a key that cannot stand in a header.
    pub fn bearer(self, key: &str) -> Result<Self, InvalidHeaderValue> {
        let value = HeaderValue::try_from(format!("Bearer {key}"))?;
        if key.is_empty() { Ok(self) } else { Ok(self.credential(header::AUTHORIZATION, value)) }
    }

    /// Sends this header, such as Anthropic's `x-api-key`.
    #[must_use]
    pub fn credential(mut self, name: HeaderName, mut value: HeaderValue) -> Self {
        value.set_sensitive(true);
        self.credential = Some((name, value));
        self
    }

    /// Makes `req` one for this upstream. Its path goes below the base URL's, also where it has
    /// segments like `..`; what the one begins and the other ends with, such as `/v1`, stands once.
    /// All other headers stay.
    #[must_use]
    pub fn direct<B>(&self, mut req: Request<B>) -> Request<B> {
        *req.uri_mut() = self.uri(req.uri());
        let headers = req.headers_mut();
        remove_listed(headers);
        for name in &REMOVED {
            headers.remove(name);
        }
        if let Some((name, value)) = &self.credential {
            headers.insert(name, value.clone());
        }
        req
    }

    fn uri(&self, asked: &Uri) -> Uri {
        let path = &*without_dots(asked.path());
        let query = asked.query();
        let mut ends = self.path.match_indices('/').filter_map(|(at, _)| self.path.get(at..));
        let common = |end: &&str| {
            path.strip_prefix(end).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let rest = path.get(ends.find(common).map_or(0, str::len)..).unwrap_or(path);
        let (mark, query) = query.map_or(("", ""), |query| ("?", query));
        let uri = Uri::builder().scheme(self.scheme.clone()).authority(self.authority.clone());
        // A server may be asked for `*`.
        let slash = if self.path.is_empty() && !rest.starts_with('/') { "/" } else { "" };
        let uri = uri.path_and_query(format!("{}{slash}{rest}{mark}{query}", self.path));
        uri.build().expect("a path below another is one")
    }
}

/// Resolves segments `.` and `..` (RFC 3986 5.2.4), escaped ones too: upstreams do, and would leave
/// the path of the base URL.
fn without_dots(path: &str) -> Cow<'_, str> {
    if path.split('/').all(|segment| dots(segment) == 0) {
        return path.into();
    }
    let mut kept = Vec::new();
    for segment in path.split('/').skip(1) {
        match dots(segment) {
            0 => kept.push(segment),
            1 => {}
            _ => drop(kept.pop()),
        }
    }
    if path.rsplit('/').next().is_some_and(|last| dots(last) > 0) {
        kept.push("");
    }
    format!("/{}", kept.join("/")).into()
}

/// 1 for `.`, 2 for `..`, 0 for any other segment.
fn dots(segment: &str) -> usize {
    let (mut rest, mut count) = (segment, 0);
    while !rest.is_empty() {
        let dot = [".", "%2e", "%2E"].iter().find_map(|dot| rest.strip_prefix(dot));
        let Some(behind) = dot.filter(|_| count < 2) else { return 0 };
        (rest, count) = (behind, count + 1);
    }
    count
}

/// Takes out the headers that `connection` says are for one hop (RFC 9110 7.6.1).
fn remove_listed(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in listed {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::{Upstream, UpstreamError};
    use http::Request;

    #[test]
    fn a_path_goes_below_the_base_and_nothing_stands_twice() {
        for (base, asked, sent) in [
            ("http://h:1/v1", "/v1/chat/completions?a=b", "http://h:1/v1/chat/completions?a=b"),
            ("http://h/", "/v1/chat/completions", "http://h/v1/chat/completions"),
            ("http://h/api/v1/", "/v1/embeddings", "http://h/api/v1/embeddings"),
            ("http://h/api/v1", "/v10/embeddings", "http://h/api/v1/v10/embeddings"),
            ("http://h/v1", "/v1", "http://h/v1"),
            ("http://h/v1", "http://gateway/messages", "http://h/v1/messages"),
            ("http://h/v1", "*", "http://h/v1*"),
            ("http://h", "*", "http://h/*"),
        ] {
            let req = Request::get(asked).body(()).unwrap();
            assert_eq!(Upstream::new(base).unwrap().direct(req).uri(), sent, "{base} {asked}");
        }
    }

    #[test]
    fn no_path_leads_out_of_the_base() {
        for (asked, sent) in [
            ("/v1/../../admin?a=..", "http://h/api/v1/admin?a=.."),
            ("/%2e%2E/.%2e/admin/%2e/x", "http://h/api/v1/admin/x"),
            ("/v1/models/..", "http://h/api/v1/"),
            ("/v1/./models/.", "http://h/api/v1/models/"),
            ("/v1/a..b/...", "http://h/api/v1/a..b/..."),
        ] {
            let req = Request::get(asked).body(()).unwrap();
            assert_eq!(
                Upstream::new("http://h/api/v1").unwrap().direct(req).uri(),
                sent,
                "{asked}"
            );
        }
    }

    #[test]
    fn nothing_of_the_clients_connection_and_no_key_of_its_goes_along() {
        let req = Request::get("/")
            .header("authorization", "Bearer sk-client")
            .header("connection", "close, X-Hop")
            .header("x-hop", "1")
            .header("accept-encoding", "br")
            .header("anthropic-version", "2023-06-01");
        let upstream = Upstream::new("http://h").unwrap().bearer("").unwrap();
        let sent = upstream.direct(req.body(()).unwrap());
        assert_eq!(sent.headers().keys().collect::<Vec<_>>(), ["anthropic-version"]);
    }

    #[test]
    fn a_base_url_is_absolute_and_a_key_is_not_shown() {
        assert!(matches!(Upstream::new("/v1"), Err(UpstreamError::Relative)));
        assert!(matches!(Upstream::new("http://a b"), Err(UpstreamError::Unreadable(_))));
        let upstream = Upstream::new("http://h").unwrap().bearer("sk-secret").unwrap();
        assert!(!format!("{upstream:?}").contains("sk-secret"));
    }
}
