//! Mistakes that gateways were attacked through, each by its kind. Those with a file of their own:
//! request smuggling (`sockets`), upstreams of a client's choice (`elsewhere`), Host and Origin
//! (`auth`, `addresses`), floods of form parts (`uploads`).
use crate::client::{chat, connect, get, post};
use crate::proxy::{self, KEY};
use crate::upstream::{COMPLETION as OK, Upstream, json};
use crate::wire::PATIENCE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// Spellings that a server, a proxy or a framework somewhere reads as one of our paths: an open
/// one, to get past the check of the key, or a guarded one.
const SPELLINGS: [&str; 26] = [
    "//v1/chat/completions",
    "/v1//chat/completions",
    "/v1/chat/completions/.",
    "/v1/./chat/completions",
    "/v1/x/../chat/completions",
    "/v1/chat%2fcompletions",
    "/v1/chat%2Fcompletions",
    "/v1%2fchat/completions",
    "/%76%31/chat/completions",
    "/V1/Chat/Completions",
    "/v1/chat/completions;x=1",
    "/v1;x/chat/completions",
    "/v1/chat/completions%00",
    "/v1/chat/completions%20",
    "/v1/chat/completions//",
    "/v1\\chat\\completions",
    "/health/liveliness/../../v1/chat/completions",
    "/health/liveliness/..%2f..%2fv1/chat/completions",
    "/health/liveliness%3f/../v1/chat/completions",
    "/health/liveliness;/v1/chat/completions",
    "/health/liveliness/v1/chat/completions",
    "/.well-known/v1/chat/completions",
    "/v1/models/../chat/completions",
    "/openai/../v1/chat/completions",
    "/openai/%2e%2e/v1/chat/completions",
    "/files/..%2f..%2fv1/chat/completions",
];

#[tokio::test]
async fn no_spelling_of_a_path_gets_past_the_key() {
    let upstream = Upstream::playing(json(200, OK)).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    for path in SPELLINGS {
        for call in [post(path, chat_body()), get(path)] {
            let status = call.send(proxy.addr()).await.status;
            assert!(matches!(status, 400 | 401 | 404 | 405), "{path}: {status}");
        }
        // Nor does the key open what only looks like a path.
        let status = proxy.call(post(path, chat_body()).key(KEY)).await.status;
        assert!(matches!(status, 400 | 404 | 405), "{path} with a key: {status}");
    }
    assert_eq!(upstream.seen().begun, 0);
}

#[tokio::test]
async fn headers_that_name_another_path_or_method_change_nothing() {
    let upstream = Upstream::playing(json(200, OK)).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    for name in ["x-original-url", "x-rewrite-url", "x-forwarded-prefix", "x-forwarded-uri"] {
        let call = get("/health/liveliness").header(name, "/v1/models");
        assert_eq!(proxy.call(call).await.expect(200).text(), "\"I'm alive!\"", "{name}");
    }
    let call = get("/v1/chat/completions").header("x-http-method-override", "POST").key(KEY);
    proxy.call(call).await.expect(405);
}

#[tokio::test]
async fn only_the_whole_key_opens_the_door() {
    let upstream = Upstream::playing(json(200, OK)).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    let start = KEY.strip_suffix('r').unwrap();
    for key in [
        start.to_owned(),
        format!("{KEY}x"),
        format!("{KEY}{KEY}"),
        format!("{KEY},{KEY}"),
        format!("x{KEY}"),
        KEY.to_uppercase(),
        KEY.replace('-', "_"),
        format!("{start}%74"),
        "sk-".to_owned(),
        "*".to_owned(),
        "null".to_owned(),
        "undefined".to_owned(),
        // The digest of a key is kept, and must not be one.
        sha256(KEY),
    ] {
        for call in [chat("gpt").key(&key), chat("gpt").header("x-api-key", &key)] {
            call.send(proxy.addr()).await.expect(401);
        }
    }
    assert_eq!(upstream.seen().begun, 0);
}

#[tokio::test]
async fn a_client_that_resets_its_calls_at_once_is_cut_off() {
    // CVE-2023-44487: requests that are reset before they cost their sender anything.
    let upstream = Upstream::playing(json(200, OK)).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    let mut wire = connect(proxy.addr()).await;
    let mut bytes =
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00".to_vec();
    for stream in (1..2000_u32).step_by(2) {
        // HPACK: POST, http, /, and an authority; then RST_STREAM with CANCEL.
        bytes.extend([0, 0, 6, 1, 4]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend([0x83, 0x86, 0x84, 0x41, 0x01, b'a']);
        bytes.extend([0, 0, 4, 3, 0]);
        bytes.extend(stream.to_be_bytes());
        bytes.extend([0, 0, 0, 8]);
    }
    // The server may close while this is still being written.
    drop(wire.io.write_all(&bytes).await);
    let mut answer = Vec::new();
    let ended = timeout(PATIENCE, wire.io.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "the connection was ended");
    proxy.call(chat("gpt").key(KEY)).await.expect(200);
}

fn chat_body() -> &'static str {
    r#"{"model":"gpt","messages":[]}"#
}

fn sha256(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
