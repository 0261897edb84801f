//! Images that a chat names by URL, for a provider that takes them in the request only.
use crate::client::{Answer, post};
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::upstream::{COMPLETION as OK, Upstream, answer, json};
use serde_json::Value;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

async fn before(upstream: &Upstream, provider: &str, general: &str) -> Proxy {
    let config = proxy::config(&upstream.base()) + general;
    proxy::with(&config.replace("openai/gpt-4o-mini", provider)).start().await
}

const TRUSTING: &str = "  user_url_validation: false\n";

/// What Ollama says to a picture.
const SEEN: &str =
    r#"{"model":"llava","message":{"role":"assistant","content":"a cat"},"done":true}"#;

async fn looking_at(proxy: &Proxy, url: &str) -> Answer {
    let image = format!(r#"{{"type":"image_url","image_url":{{"url":"{url}"}}}}"#);
    let text = r#"{"type":"text","text":"what is this?"}"#;
    let message = format!(r#"{{"role":"user","content":[{text},{image}]}}"#);
    let body = format!(r#"{{"model":"gpt","messages":[{message}]}}"#);
    proxy.call(post("/v1/chat/completions", body).key(KEY)).await
}

#[tokio::test]
async fn a_provider_that_fetches_nothing_gets_the_image_itself() {
    let upstream = Upstream::playing(json(200, SEEN)).await;
    let album = Upstream::playing(answer(200, &[("content-type", "image/png")], PNG)).await;
    let proxy = before(&upstream, "ollama/llava", TRUSTING).await;
    let url = format!("{}/a.png?size=1", album.origin());
    looking_at(&proxy, &url).await.expect(200);
    let asked = album.only_request();
    assert_eq!(asked.head.first, "GET /a.png?size=1 HTTP/1.1");
    let strangers = asked.head.headers.iter().any(|(_, value)| value.contains(CREDENTIAL));
    assert!(!strangers && asked.head.get("authorization").is_none());
    let sent: Value = serde_json::from_slice(&upstream.only_request().body).unwrap();
    assert_eq!(sent["messages"][0]["images"][0], "iVBORw0KGgo=");
}

#[tokio::test]
async fn a_provider_that_fetches_gets_the_url() {
    let upstream = Upstream::playing(json(200, OK)).await;
    let album = Upstream::playing(answer(200, &[("content-type", "image/png")], PNG)).await;
    let proxy = before(&upstream, "openai/gpt-4o", TRUSTING).await;
    let url = format!("{}/a.png", album.origin());
    looking_at(&proxy, &url).await.expect(200);
    assert!(upstream.only_request().body.windows(url.len()).any(|part| part == url.as_bytes()));
    assert_eq!(album.seen().connections, 0);
}

#[tokio::test]
async fn nothing_is_fetched_without_tls_or_from_a_private_address() {
    let upstream = Upstream::playing(json(200, OK)).await;
    let album = Upstream::playing(answer(200, &[("content-type", "image/png")], PNG)).await;
    let proxy = before(&upstream, "ollama/llava", "").await;
    let port = album.addr().port();
    for (url, why) in [
        (format!("http://127.0.0.1:{port}/a.png"), "must begin with https://"),
        (format!("https://127.0.0.1:{port}/a.png"), "not on the public internet"),
        (format!("https://localhost:{port}/a.png"), "not on the public internet"),
        ("https://169.254.169.254/latest/meta-data".to_owned(), "not on the public internet"),
        (format!("https://[::ffff:7f00:1]:{port}/a.png"), "not on the public internet"),
    ] {
        let message = looking_at(&proxy, &url).await.expect(400).error_message();
        assert!(message.starts_with("litellm.ImageFetchError: "), "{message}");
        assert!(message.contains(why), "{url}: {message}");
    }
    assert_eq!((album.seen().connections, upstream.seen().begun), (0, 0));
}

#[tokio::test]
async fn redirects_pages_and_what_is_too_large_are_refused() {
    let large = "HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 20971521\r\n\r\n";
    for (steps, why) in [
        (answer(302, &[("location", "http://127.0.0.1:1/")], ""), "status 302"),
        (answer(404, &[], "no"), "status 404"),
        (answer(200, &[("content-type", "text/html")], "<p>"), "not an image"),
        (vec![crate::upstream::send(large)], "more than 20971520 bytes"),
    ] {
        let upstream = Upstream::playing(json(200, OK)).await;
        let album = Upstream::playing(steps).await;
        let proxy = before(&upstream, "ollama/llava", TRUSTING).await;
        let url = format!("{}/a.png", album.origin());
        let message = looking_at(&proxy, &url).await.expect(400).error_message();
        assert!(message.contains(why), "{message}");
        assert_eq!(upstream.seen().begun, 0);
    }
}
