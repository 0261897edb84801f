//! Where a client's key is looked for.
use http::{HeaderMap, HeaderName, Request, Uri, header};

/// What a client presented as its key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Presented<'a> {
    /// No key at all.
    Nothing,
    /// An `Authorization` header without a scheme that carries a key.
    Malformed,
    /// These bytes.
    Key(&'a [u8]),
}

impl std::fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Malformed => "Malformed",
            Self::Key(_) => "Key([secret])",
        })
    }
}

/// A request fact: the route takes its key from the query parameter `key` too, as Gemini's do.
#[derive(Clone, Copy, Debug)]
pub struct QueryKey;

/// A request fact: the route takes its key from a WebSocket's subprotocols too, since browsers can
/// set no other header there.
#[derive(Clone, Copy, Debug)]
pub struct ProtocolKey;

impl ProtocolKey {
    /// What stands before the key.
    pub const PREFIX: &'static str = "openai-insecure-api-key.";
}

/// A request fact: the route is open. A key that proves someone still names the caller; without
/// one the call goes on, and there is no [`Principal`](crate::facts::Principal).
#[derive(Clone, Copy, Debug)]
pub struct KeyNotNeeded;

/// The header whose key counts before all others: `KEY`, or `Bearer KEY`.
pub const KEY_HEADER: HeaderName = HeaderName::from_static("x-litellm-api-key");
/// Headers that hold nothing but the key: Azure's, Anthropic's, Gemini's, and Azure's gateway's.
const PLAIN: [HeaderName; 4] = [
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("ocp-apim-subscription-key"),
];

/// Finds the key of a request: in `only` if one is given, else in the first of
/// `x-litellm-api-key`, `Authorization`, `api-key`, `x-api-key`, `x-goog-api-key`,
/// `Ocp-Apim-Subscription-Key`; then in the query where the request bears a [`QueryKey`], and in
/// the subprotocols where it bears a [`ProtocolKey`].
pub fn presented<'a, B>(req: &'a Request<B>, only: Option<&HeaderName>) -> Presented<'a> {
    if let Some(name) = only {
        return raw(req.headers(), name).map_or(Presented::Nothing, Presented::Key);
    }
    match in_headers(req.headers()) {
        Presented::Nothing if req.extensions().get::<QueryKey>().is_some() => {
            in_query(req.uri()).map_or(Presented::Nothing, Presented::Key)
        }
        Presented::Nothing if req.extensions().get::<ProtocolKey>().is_some() => {
            in_protocols(req.headers()).map_or(Presented::Nothing, Presented::Key)
        }
        found => found,
    }
}

fn in_headers(headers: &HeaderMap) -> Presented<'_> {
    if let Some(key) = raw(headers, &KEY_HEADER) {
        return Presented::Key(key);
    }
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        return scheme_stripped(value.as_bytes()).map_or(Presented::Malformed, Presented::Key);
    }
    let plain = PLAIN.iter().find_map(|name| headers.get(name));
    plain.map_or(Presented::Nothing, |value| Presented::Key(value.as_bytes()))
}

/// A header that may hold the bare key, or `Bearer KEY`.
fn raw<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let value = headers.get(name)?.as_bytes();
    Some(scheme_stripped(value).unwrap_or(value))
}

/// The part after `Bearer ` or `Basic `, whatever its case (RFC 9110 11.1).
fn scheme_stripped(value: &[u8]) -> Option<&[u8]> {
    let at = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, key) = value.split_at(at);
    let known = scheme.eq_ignore_ascii_case(b"bearer") || scheme.eq_ignore_ascii_case(b"basic");
    known.then(|| key.trim_ascii()).filter(|key| !key.is_empty())
}

fn in_protocols(headers: &HeaderMap) -> Option<&[u8]> {
    let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let mut names = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let key = names.find_map(|name| name.trim_ascii().strip_prefix(ProtocolKey::PREFIX.as_bytes()));
    key.filter(|key| !key.is_empty())
}

fn in_query(uri: &Uri) -> Option<&[u8]> {
    let mut pairs = uri.query()?.split('&');
    pairs.find_map(|pair| pair.strip_prefix("key=")).map(str::as_bytes)
}
