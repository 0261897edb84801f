//! Which headers of one connection never reach the next (RFC 9110, 7.6.1), and which headers of a
//! client never reach an upstream.
//!
//! Order matters: strip first with [`strip_request`], then add what the deployment needs. A
//! client that names our credential in its `Connection` header then removes only its own.
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

const HOP: usize = 9;

/// Hop-by-hop headers, then what is no longer true of the request, then what proves or names the
/// client's account. `Host` is not among them: the forwarder replaces it.
static NAMES: [HeaderName; 22] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    CONTENT_LENGTH,
    EXPECT,
    AUTHORIZATION,
    COOKIE,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("api-key"),
    HeaderName::from_static("x-goog-api-key"),
    HeaderName::from_static("ocp-apim-subscription-key"),
    HeaderName::from_static("x-litellm-api-key"),
    HeaderName::from_static("openai-organization"),
    HeaderName::from_static("openai-project"),
    HeaderName::from_static("litellm_user_api_key"),
    // Of a handshake alone, where it may hold a key; see `router::realtime`.
    SEC_WEBSOCKET_PROTOCOL,
];

const HOP_MASK: u32 = (1 << HOP) - 1;
/// The bit of all headers that begin with [`LITELLM`].
const OURS: u32 = 1 << 31;
const LITELLM: &str = "x-litellm-";

/// Those of a client's headers that go to an upstream: hop-by-hop headers, what names or proves an
/// account of the client (and `key_header`, where config names one more), `Content-Length` and
/// `Expect` stay behind; `Accept-Encoding` becomes `identity`, so that answers can be read. There
/// is room for what the deployment adds.
///
/// With them come the headers that were meant for this proxy, and go nowhere: `x-litellm-…`.
pub fn strip_request(
    headers: &HeaderMap,
    key_header: Option<&HeaderName>,
) -> (HeaderMap, Vec<(HeaderName, HeaderValue)>) {
    let mut kept = HeaderMap::with_capacity(headers.len() + MORE);
    let (mut ours, named) = (Vec::new(), named(headers));
    for (name, value) in headers {
        match bit(name) {
            _ if named.contains(name) => {}
            0 if key_header != Some(name) => {
                kept.append(name, value.clone());
            }
            OURS => ours.push((name.clone(), value.clone())),
            _ => {}
        }
    }
    kept.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    (kept, ours)
}

/// So many headers are added to most requests.
const MORE: usize = 4;

/// Removes what concerns one connection only: the fixed list, and each header that `Connection`
/// names. For requests and for responses.
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let mut found = headers.keys().fold(0, |found, name| found | bit(name)) & HOP_MASK;
    if found & 1 != 0 {
        named(headers).into_iter().for_each(|name| drop(headers.remove(name)));
    }
    while found != 0 {
        let index = found.trailing_zeros();
        found &= found - 1;
        if let Some(name) = NAMES.get(index as usize) {
            headers.remove(name);
        }
    }
}

/// The headers that `Connection` names. Mostly it names none.
fn named(headers: &HeaderMap) -> Vec<HeaderName> {
    let is_plain = |value: &HeaderValue| {
        let value = value.as_bytes();
        value.eq_ignore_ascii_case(b"keep-alive") || value.eq_ignore_ascii_case(b"close")
    };
    let values = headers.get_all(CONNECTION);
    if values.iter().all(is_plain) {
        return Vec::new();
    }
    let names = values.iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    names.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).collect()
}

/// The bit of `name` in [`NAMES`], [`OURS`], or 0. A `match` on strings compares lengths first.
fn bit(name: &HeaderName) -> u32 {
    let index = match name.as_str() {
        "connection" => 0,
        "keep-alive" => 1,
        "proxy-connection" => 2,
        "proxy-authenticate" => 3,
        "proxy-authorization" => 4,
        "te" => 5,
        "trailer" => 6,
        "transfer-encoding" => 7,
        "upgrade" => 8,
        "content-length" => 9,
        "expect" => 10,
        "authorization" => 11,
        "cookie" => 12,
        "x-api-key" => 13,
        "api-key" => 14,
        "x-goog-api-key" => 15,
        "ocp-apim-subscription-key" => 16,
        "x-litellm-api-key" => 17,
        "openai-organization" => 18,
        "openai-project" => 19,
        "litellm_user_api_key" => 20,
        "sec-websocket-protocol" => 21,
        name if name.starts_with(LITELLM) => return OURS,
        _ => return 0,
    };
    1 << index
}

#[cfg(test)]
mod tests {
    use super::{NAMES, bit, strip_hop_by_hop, strip_request};
    use http::{HeaderMap, HeaderName, HeaderValue};

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_listed_name_has_its_bit() {
        for (index, name) in NAMES.iter().enumerate() {
            assert_eq!(bit(name), 1 << index, "{name}");
        }
    }

    #[test]
    fn headers_of_one_connection_stay_there() {
        let mut headers = map(&[
            ("connection", "close, X-Trace"),
            ("x-trace", "1"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("proxy-authenticate", "Basic"),
            ("proxy-authorization", "Basic abc"),
            ("te", "trailers"),
            ("trailer", "x-sum"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("content-type", "application/json"),
        ]);
        strip_hop_by_hop(&mut headers);
        assert_eq!(names(&headers), ["content-type"]);
    }

    #[test]
    fn several_connection_headers_are_all_read() {
        let mut headers = map(&[("connection", "keep-alive"), ("x-a", "1"), ("x-b", "1")]);
        headers.append("connection", HeaderValue::from_static("x-a , ,x-b"));
        strip_hop_by_hop(&mut headers);
        assert!(headers.is_empty());
    }

    #[test]
    fn a_client_credential_is_removed_wherever_it_was_sent() {
        let mut headers = map(&[
            ("authorization", "Bearer sk"),
            ("x-api-key", "sk"),
            ("api-key", "sk"),
            ("x-goog-api-key", "sk"),
            ("ocp-apim-subscription-key", "sk"),
            ("x-litellm-api-key", "sk"),
            ("cookie", "token=sk"),
            ("x-own", "sk"),
            ("openai-organization", "org"),
            ("openai-project", "project"),
            ("litellm_user_api_key", "sk"),
            ("sec-websocket-protocol", "openai-insecure-api-key.sk"),
            ("accept", "*/*"),
        ]);
        (headers, _) = strip_request(&headers, Some(&HeaderName::from_static("x-own")));
        assert_eq!(names(&headers), ["accept", "accept-encoding"]);
    }

    #[test]
    fn headers_for_this_proxy_are_taken_out() {
        let mut headers = map(&[("x-litellm-timeout", "3"), ("x-litellm-tags", "a"), ("x-a", "1")]);
        let mut ours;
        (headers, ours) = strip_request(&headers, None);
        ours.sort_by_key(|(name, _)| name.to_string());
        let texts: Vec<_> = ours.iter().map(|(n, v)| (n.as_str(), v.as_bytes())).collect();
        assert_eq!(texts, [("x-litellm-tags", &b"a"[..]), ("x-litellm-timeout", b"3")]);
        assert_eq!(names(&headers), ["accept-encoding", "x-a"]);
    }

    #[test]
    fn connection_cannot_remove_what_is_added_afterwards() {
        let mut headers = map(&[("connection", "x-api-key"), ("x-api-key", "client")]);
        (headers, _) = strip_request(&headers, None);
        headers.insert("x-api-key", HeaderValue::from_static("deployment"));
        strip_hop_by_hop(&mut headers);
        assert_eq!(headers["x-api-key"], "deployment");
    }

    #[test]
    fn a_request_asks_for_plain_bytes_and_leaves_lengths_to_the_body() {
        let mut headers = map(&[
            ("accept-encoding", "gzip, br"),
            ("content-length", "3"),
            ("expect", "100-continue"),
            ("traceparent", "00-1-1-00"),
        ]);
        (headers, _) = strip_request(&headers, None);
        assert_eq!(names(&headers), ["accept-encoding", "traceparent"]);
        assert_eq!(headers["accept-encoding"], "identity");
    }
}
