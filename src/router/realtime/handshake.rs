//! What a client must ask with to get a WebSocket (RFC 6455, 4.2.1), and what of it goes upstream.
use crate::forward::strip_request;
use crate::providers::Problem;
use crate::router::Rules;
use bartizan_layers::auth::ProtocolKey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    CONNECTION, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};

/// The one version there is.
const VERSION: HeaderValue = HeaderValue::from_static("13");

/// The name of the protocol.
pub(super) const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");

/// What `Connection` says where an `Upgrade` is meant (RFC 9110, 7.8).
pub(super) const SWITCH: HeaderValue = HeaderValue::from_static("Upgrade");

/// Subprotocols that name or prove an account: never the provider's business.
const ACCOUNT: [&str; 3] = [ProtocolKey::PREFIX, "openai-organization.", "openai-project."];

/// Why a request gets no WebSocket, and what its answer asks for.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) problem: Problem,
    asks_for: Missing,
}

/// What a request lacks that a header of its answer can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    Nothing,
    Upgrade,
    Version,
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem, asks_for: Missing::Nothing }
    }
}

impl Refusal {
    /// The headers that say what would have been right.
    pub(super) fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let [first, second] = match self.asks_for {
            Missing::Nothing => [None, None],
            Missing::Upgrade => [Some((UPGRADE, WEBSOCKET)), Some((CONNECTION, SWITCH))],
            Missing::Version => [Some((SEC_WEBSOCKET_VERSION, VERSION)), None],
        };
        first.into_iter().chain(second)
    }
}

/// Checks that the request asks for a WebSocket, and rightly.
pub(super) fn check(parts: &Parts, has_body: bool) -> Result<(), Refusal> {
    let headers = &parts.headers;
    let is_http1 = parts.version == Version::HTTP_11;
    if !is_http1 || !has_token(headers, &UPGRADE) || !has_token(headers, &CONNECTION) {
        return Err(not_asked_for(parts.version));
    }
    if headers.get(SEC_WEBSOCKET_VERSION) != Some(&VERSION) {
        let problem = Problem::bad_request(
            "/realtime: this is no version of the WebSocket protocol that is spoken here; send \
             `Sec-WebSocket-Version: 13`.",
        );
        return Err(Refusal { problem, asks_for: Missing::Version });
    }
    let mut keys = headers.get_all(SEC_WEBSOCKET_KEY).iter();
    let is_key = |key: &HeaderValue| STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16);
    if !keys.next().is_some_and(is_key) || keys.next().is_some() {
        return Err(Problem::bad_request(
            "/realtime: a WebSocket needs one `Sec-WebSocket-Key` of 16 bytes in base64.",
        )
        .into());
    }
    if has_body {
        return Err(Problem::bad_request("/realtime: a WebSocket begins without a body.").into());
    }
    Ok(())
}

fn not_asked_for(version: Version) -> Refusal {
    let problem = Problem::new(
        StatusCode::UPGRADE_REQUIRED,
        "/realtime: this path is a WebSocket. Connect to it with a WebSocket client (`ws://` or \
         `wss://`, HTTP/1.1 with `Upgrade: websocket`); without one, call `/v1/chat/completions`.",
    );
    // HTTP/2 knows no such header (RFC 9113, 8.2.2).
    let can_be_said = version < Version::HTTP_2;
    let asks_for = if can_be_said { Missing::Upgrade } else { Missing::Nothing };
    Refusal { problem, asks_for }
}

/// Whether one of the words in the header `name` is what a WebSocket needs there.
fn has_token(headers: &HeaderMap, name: &HeaderName) -> bool {
    let wanted: &[u8] = if *name == UPGRADE { b"websocket" } else { b"upgrade" };
    words(headers, name).any(|word| word.eq_ignore_ascii_case(wanted))
}

/// The words of a list, which may stand on several lines.
fn words<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(name).iter();
    let words = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    words.map(<[u8]>::trim_ascii).filter(|word| !word.is_empty())
}

/// Makes the client's headers into those for an upstream that has the headers `own`.
pub(super) fn outgoing(headers: &mut HeaderMap, rules: &Rules, own: &[(HeaderName, HeaderValue)]) {
    without_account(headers);
    let protocols = headers.remove(SEC_WEBSOCKET_PROTOCOL);
    (*headers, _) = strip_request(headers, rules.key_header.as_ref());
    headers.extend(protocols.map(|protocols| (SEC_WEBSOCKET_PROTOCOL, protocols)));
    // Frames that are compressed could not be read for their usage.
    headers.remove(SEC_WEBSOCKET_EXTENSIONS);
    for (name, value) in own {
        headers.insert(name, value.clone());
    }
    headers.insert(&rules.hop.0, rules.hop.1.clone());
    headers.insert(CONNECTION, SWITCH);
    headers.insert(UPGRADE, WEBSOCKET);
}

/// Takes the client's key, and whatever names its account, out of the subprotocols.
fn without_account(headers: &mut HeaderMap) {
    let left: Vec<_> = words(headers, &SEC_WEBSOCKET_PROTOCOL)
        .filter(|word| {
            !ACCOUNT.iter().any(|prefix| {
                word.get(..prefix.len())
                    .is_some_and(|it| it.eq_ignore_ascii_case(prefix.as_bytes()))
            })
        })
        .collect();
    match HeaderValue::from_bytes(&left.join(&b", "[..])) {
        Ok(value) if !left.is_empty() => drop(headers.insert(SEC_WEBSOCKET_PROTOCOL, value)),
        _ => drop(headers.remove(SEC_WEBSOCKET_PROTOCOL)),
    }
}

#[cfg(test)]
mod tests {
    use super::{check, without_account};
    use http::{HeaderMap, HeaderValue, Request, Version};

    const GOOD: [(&str, &str); 4] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    fn status(change: Option<(&str, &str)>, version: Version) -> Option<(u16, Option<String>)> {
        let mut request = Request::get("/v1/realtime").version(version);
        for (name, value) in GOOD {
            let changed = change.filter(|(changed, _)| *changed == name);
            let value = changed.map_or(value, |(_, value)| value);
            request = request.header(name, value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let refusal = check(&parts, false).err()?;
        let header = refusal.headers().next();
        let header = header.map(|(name, value)| format!("{name}: {value:?}"));
        Some((refusal.problem.status.as_u16(), header))
    }

    #[test]
    fn only_a_right_handshake_is_taken() {
        assert_eq!(status(None, Version::HTTP_11), None);
        let upgrade = Some((426, Some("upgrade: \"websocket\"".to_owned())));
        assert_eq!(status(Some(("upgrade", "h2c")), Version::HTTP_11), upgrade);
        assert_eq!(status(Some(("connection", "close")), Version::HTTP_11), upgrade);
        assert_eq!(status(None, Version::HTTP_10), upgrade);
        assert_eq!(status(None, Version::HTTP_2), Some((426, None)));
        let version = Some((400, Some("sec-websocket-version: \"13\"".to_owned())));
        assert_eq!(status(Some(("sec-websocket-version", "8")), Version::HTTP_11), version);
        for key in ["", "c2hvcnQ=", "not base64 at all!!!!!!=="] {
            assert_eq!(
                status(Some(("sec-websocket-key", key)), Version::HTTP_11),
                Some((400, None))
            );
        }
    }

    #[test]
    fn no_account_is_named_among_the_subprotocols() {
        for (given, left) in [
            (
                "realtime, openai-insecure-api-key.sk-1, openai-beta.realtime-v1",
                Some("realtime, openai-beta.realtime-v1"),
            ),
            ("OpenAI-Insecure-API-Key.sk-1", None),
            ("realtime,openai-organization.org-1,openai-project.p", Some("realtime")),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("sec-websocket-protocol", HeaderValue::from_str(given).unwrap());
            without_account(&mut headers);
            let found = headers.get("sec-websocket-protocol").map(|value| value.to_str().unwrap());
            assert_eq!(found, left.filter(|left| !left.is_empty()), "{given}");
        }
    }
}
