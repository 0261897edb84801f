//! Who may call, and what is said to those who may not.
use crate::client::{Answer, Call, chat, get, post};
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::upstream::{self, COMPLETION, Upstream};

async fn guarded() -> (Upstream, Proxy) {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    (upstream, proxy)
}

async fn refused(call: Call) -> Answer {
    let (upstream, proxy) = guarded().await;
    let answer = call.send(proxy.addr()).await.expect(401);
    assert_eq!(upstream.seen().connections, 0, "a refused call reached the upstream");
    answer
}

#[tokio::test]
async fn every_key_header_opens_the_door() {
    let (_upstream, proxy) = guarded().await;
    let bearer = format!("Bearer {KEY}");
    for (name, value) in [
        ("authorization", bearer.as_str()),
        ("authorization", &format!("bearer {KEY}")),
        ("authorization", &format!("Basic {KEY}")),
        ("x-litellm-api-key", KEY),
        ("x-litellm-api-key", &bearer),
        ("api-key", KEY),
        ("x-api-key", KEY),
        ("x-goog-api-key", KEY),
        ("Ocp-Apim-Subscription-Key", KEY),
    ] {
        let answer = chat("gpt").header(name, value).send(proxy.addr()).await;
        assert_eq!(answer.status, 200, "{name}: {value}: {}", answer.text());
    }
}

#[tokio::test]
async fn the_first_key_header_present_wins() {
    let (_upstream, proxy) = guarded().await;
    let call = chat("gpt").header("x-litellm-api-key", KEY).key("sk-something-else");
    call.send(proxy.addr()).await.expect(200);
    let call = chat("gpt").header("x-litellm-api-key", "sk-wrong").key(KEY);
    call.send(proxy.addr()).await.expect(401);
}

#[tokio::test]
async fn a_wrong_key_is_401_in_the_openai_envelope() {
    let answer = refused(chat("gpt").key("sk-wrong")).await;
    let error = &answer.json()["error"];
    assert_eq!(error["code"], "401");
    assert!(error["message"].is_string());
    assert!(error.get("type").is_some() && error.get("param").is_some());
    assert!(!answer.text().contains("sk-wrong"), "the key is echoed: {}", answer.text());
}

#[tokio::test]
async fn a_wrong_key_is_401_in_the_anthropic_envelope_on_messages() {
    let body = r#"{"model":"gpt","max_tokens":1,"messages":[]}"#;
    let answer = refused(post("/v1/messages", body).header("x-api-key", "sk-wrong")).await;
    let body = answer.json();
    assert_eq!(body["type"], "error");
    assert_eq!(body["error"]["type"], "authentication_error");
    assert!(body["error"]["message"].is_string());
}

#[tokio::test]
async fn a_wrong_key_is_401_in_the_gemini_envelope_on_gemini_paths() {
    let call = post("/v1beta/models/gpt:generateContent", "{}");
    let answer = refused(call.header("x-goog-api-key", "sk-wrong")).await;
    let error = &answer.json()["error"];
    assert_eq!(error["code"], 401);
    assert_eq!(error["status"], "UNAUTHENTICATED");
    assert!(error["message"].is_string());
}

#[tokio::test]
async fn no_key_is_401_and_says_so() {
    let answer = refused(chat("gpt")).await;
    let error = &answer.json()["error"];
    assert_eq!(error["message"], "Authentication Error, No api key passed in.");
    assert_eq!(error["type"], "auth_error");
    assert_eq!(error["param"], serde_json::Value::Null);
    assert_eq!(error["code"], "401");
}

#[tokio::test]
async fn authorization_without_a_scheme_is_malformed() {
    let answer = refused(chat("gpt").header("authorization", KEY)).await;
    let text = "Authentication Error, Malformed API Key passed in. \
                Ensure Key has `Bearer ` prefix.";
    assert_eq!(answer.error_message(), text);
}

#[tokio::test]
async fn a_key_in_the_query_counts_on_gemini_paths_only() {
    let (_upstream, proxy) = guarded().await;
    let models = get(format!("/v1/models?key={KEY}")).send(proxy.addr()).await;
    assert_eq!(models.status, 401);
    let chat = post(format!("/v1/chat/completions?key={KEY}"), "{}").send(proxy.addr()).await;
    assert_eq!(chat.status, 401);
    let target = format!("/v1beta/models/gpt:generateContent?key={KEY}");
    let gemini = post(target, r#"{"contents":[]}"#).send(proxy.addr()).await;
    assert_ne!(gemini.status, 401, "{}", gemini.text());
}

#[tokio::test]
async fn a_key_that_connection_names_as_hop_by_hop_still_counts_and_goes_no_further() {
    let (upstream, proxy) = guarded().await;
    let call = chat("gpt").header("x-api-key", KEY).header("connection", "x-api-key");
    let answer = call.send(proxy.addr()).await;
    assert!(matches!(answer.status, 200 | 401), "{}", answer.status);
    for request in upstream.requests() {
        assert_eq!(request.head.get("x-api-key"), None);
        assert!(!format!("{request:?}").contains(KEY));
    }
}

#[tokio::test]
async fn connection_cannot_take_the_credential_off_the_upstream_request() {
    let (upstream, proxy) = guarded().await;
    let call = chat("gpt").key(KEY).header("connection", "authorization, keep-alive");
    call.send(proxy.addr()).await.expect(200);
    let sent = upstream.only_request();
    assert_eq!(sent.head.get("authorization"), Some(&*format!("Bearer {CREDENTIAL}")));
}

#[tokio::test]
async fn the_clients_key_never_reaches_the_upstream() {
    let (upstream, proxy) = guarded().await;
    for name in ["x-litellm-api-key", "api-key", "x-api-key", "x-goog-api-key"] {
        let call = chat("gpt").header(name, KEY);
        call.send(proxy.addr()).await.expect(200);
        // Whatever the other key headers hold was meant for us as well.
        let call = chat("gpt").key(KEY).header(name, "sk-another-secret");
        call.send(proxy.addr()).await;
    }
    for request in upstream.requests() {
        let text = format!("{request:?}");
        assert!(!text.contains(KEY) && !text.contains("sk-another-secret"), "{text}");
        let sent = request.head.get("authorization");
        assert_eq!(sent, Some(&*format!("Bearer {CREDENTIAL}")));
    }
}

#[tokio::test]
async fn only_health_is_open_to_strangers() {
    let (_upstream, proxy) = guarded().await;
    for target in ["/health/liveliness", "/health/liveness", "/health/readiness", "/health"] {
        assert_eq!(get(target).send(proxy.addr()).await.status, 200, "{target}");
    }
    for target in ["/v1/models", "/models", "/v1/models/gpt", "/model/info", "/v1/model/info"] {
        assert_eq!(get(target).send(proxy.addr()).await.status, 401, "{target}");
    }
}

#[tokio::test]
async fn a_named_key_header_replaces_all_others() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let config = proxy::config(&upstream.base()) + "  litellm_key_header_name: X-House-Key\n";
    let proxy = proxy::with(&config).start().await;
    let with_bearer = chat("gpt").header("x-house-key", &format!("Bearer {KEY}"));
    with_bearer.send(proxy.addr()).await.expect(200);
    chat("gpt").key(KEY).send(proxy.addr()).await.expect(401);
}

async fn open() -> (Upstream, Proxy) {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let config = proxy::config(&upstream.base());
    let config = config.split("general_settings").next().unwrap().to_owned();
    let proxy = proxy::with(&config).start().await;
    (upstream, proxy)
}

#[tokio::test]
async fn a_config_without_a_key_lets_anyone_on_this_machine_in() {
    let (_upstream, proxy) = open().await;
    chat("gpt").send(proxy.addr()).await.expect(200);
    chat("gpt").key("sk-whatever").send(proxy.addr()).await.expect(200);
    chat("gpt").header("authorization", "no scheme").send(proxy.addr()).await.expect(200);
}

#[tokio::test]
async fn without_a_key_a_foreign_page_is_refused() {
    let (upstream, proxy) = open().await;
    for origin in ["http://evil.example", "null", "https://localhost.evil.example"] {
        chat("gpt").header("origin", origin).send(proxy.addr()).await.expect(403);
    }
    chat("gpt").header("host", "evil.example").send(proxy.addr()).await.expect(403);
    chat("gpt").header("host", "127.0.0.1.evil.example:4000").send(proxy.addr()).await.expect(403);
    assert_eq!(upstream.seen().connections, 0);
    for host in ["localhost:4000", "127.0.0.1", "[::1]:4000"] {
        chat("gpt").header("host", host).send(proxy.addr()).await.expect(200);
    }
    chat("gpt").header("origin", "http://localhost:3000").send(proxy.addr()).await.expect(200);
}

#[tokio::test]
async fn with_a_key_a_host_name_of_the_users_own_is_fine() {
    let (_upstream, proxy) = guarded().await;
    let call = chat("gpt").key(KEY).header("host", "llm.example.internal");
    call.send(proxy.addr()).await.expect(200);
}
