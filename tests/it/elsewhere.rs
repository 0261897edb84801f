//! Who may send a call, or a credential, to another upstream than the config's: nobody, unless a
//! setting says so, and never beyond the public internet.
use crate::client::post;
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::upstream::{COMPLETION as OK, Upstream, json};
use serde_json::{Value, json as value};
use std::time::Duration;

const CHAT: &str = "/v1/chat/completions";

async fn answering() -> Upstream {
    Upstream::playing(json(200, OK)).await
}

/// A proxy before `upstream` with `setting` among its general settings, or its parameters.
async fn with(upstream: &Upstream, general: &str, params: &str) -> Proxy {
    let config = proxy::config(&upstream.base()) + general;
    let params = format!("{params}general_settings:");
    proxy::with(&config.replace("general_settings:", &params)).start().await
}

fn asking(extra: &Value) -> String {
    let mut body = value!({"model": "gpt", "messages": [{"role": "user", "content": "hi"}]});
    let members = extra.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(members);
    body.to_string()
}

const EVERYTHING: &str = "  allow_client_side_credentials: true\n";

#[tokio::test]
async fn a_client_that_names_an_upstream_or_a_credential_is_refused() {
    let (upstream, evil) = (answering().await, answering().await);
    let proxy = with(&upstream, "", "").await;
    for (name, told) in [
        ("api_base", value!(evil.base())),
        ("base_url", value!(evil.base())),
        ("api_key", value!("sk-mine")),
        ("api_version", value!("2024")),
        ("api_base", Value::Null),
    ] {
        let answer = proxy.call(post(CHAT, asking(&value!({name: told}))).key(KEY)).await;
        let message = answer.expect(400).error_message();
        assert_eq!(
            message,
            format!("/chat/completions: `{name}` in the request is not allowed here.")
        );
    }
    let messages = value!({
        "model": "gpt", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}],
        "api_base": evil.base(),
    });
    let contents = value!({"contents": [{"parts": [{"text": "hi"}]}], "base_url": evil.base()});
    for (path, body) in [
        ("/v1/messages", &messages),
        ("/v1/messages/count_tokens", &messages),
        ("/v1beta/models/gpt:generateContent", &contents),
    ] {
        let answer = proxy.call(post(path, body.to_string()).key(KEY)).await.expect(400);
        assert!(answer.text().contains("in the request is not allowed here"), "{}", answer.text());
    }
    assert_eq!((upstream.seen().begun, evil.seen().connections), (0, 0));
}

#[tokio::test]
async fn no_depth_of_a_request_leads_a_call_elsewhere() {
    let (upstream, evil) = (answering().await, answering().await);
    let proxy = with(&upstream, "", "").await;
    let params = value!({
        "model": "openai/gpt", "api_base": evil.base(), "base_url": evil.base(), "api_key": "sk-x",
    });
    let list = value!([{"model_name": "gpt", "litellm_params": params}]);
    for extra in [
        value!({"metadata": params}),
        value!({"litellm_metadata": params}),
        value!({"litellm_params": params}),
        value!({"extra_body": params, "optional_params": params}),
        value!({"user_config": {"model_list": list}}),
        value!({"model_list": list}),
        value!({"router_settings_override": {"model_list": list, "fallbacks": [{"gpt": [params]}]}}),
        value!({"fallbacks": [params], "context_window_fallbacks": [{"gpt": [params]}]}),
        value!({"secret_fields": {"raw_headers": params}}),
        value!({"litellm_credential_name": "other"}),
    ] {
        proxy.call(post(CHAT, asking(&extra)).key(KEY)).await.expect(200);
    }
    let query = format!("{CHAT}?api_base={0}&base_url={0}&api_key=sk-x", evil.base());
    proxy.call(post(query, asking(&value!({}))).key(KEY)).await.expect(200);
    let mut call = post(CHAT, asking(&value!({}))).key(KEY);
    for name in ["x-litellm-api-base", "api-base", "base-url", "x-forwarded-host", "forwarded"] {
        call = call.header(name, &evil.origin());
    }
    proxy.call(call).await.expect(200);
    assert_eq!((upstream.seen().begun, evil.seen().connections), (12, 0));
    for request in upstream.requests() {
        assert_eq!(request.head.get("authorization"), Some(&*format!("Bearer {CREDENTIAL}")));
    }
}

#[tokio::test]
async fn where_it_is_allowed_a_clients_own_credential_takes_the_place_of_ours() {
    let upstream = answering().await;
    for (general, params) in
        [(EVERYTHING, ""), ("", "      configurable_clientside_auth_params: [api_key]\n")]
    {
        let proxy = with(&upstream, general, params).await;
        let body = asking(&value!({"api_key": "sk-mine", "user": "u"}));
        proxy.call(post(CHAT, body).key(KEY)).await.expect(200);
        let request = upstream.requests().pop().unwrap();
        assert_eq!(request.head.get("authorization"), Some("Bearer sk-mine"));
        let sent: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!((sent.get("api_key"), &sent["user"]), (None, &value!("u")));
        proxy.call(post(CHAT, asking(&value!({}))).key(KEY)).await.expect(200);
        let request = upstream.requests().pop().unwrap();
        assert_eq!(request.head.get("authorization"), Some(&*format!("Bearer {CREDENTIAL}")));
    }
}

#[tokio::test]
async fn what_a_deployment_does_not_take_from_clients_is_refused() {
    let upstream = answering().await;
    let params = "      configurable_clientside_auth_params: [api_key]\n";
    let proxy = with(&upstream, "", params).await;
    let body = asking(&value!({"api_base": "https://example.com/v1"}));
    let message = proxy.call(post(CHAT, body).key(KEY)).await.expect(400).error_message();
    assert!(message.contains("`api_base` in the request is not allowed for this model"));
    for key in ["a\r\nX: y", "\u{0}", ""] {
        let body = asking(&value!({"api_key": key}));
        let message = proxy.call(post(CHAT, body).key(KEY)).await.expect(400).error_message();
        assert!(message.contains("`api_key` in the request cannot be a key"), "{message}");
    }
    assert_eq!(upstream.seen().begun, 0);
}

#[tokio::test]
async fn an_allowed_upstream_is_never_a_private_address() {
    let (upstream, evil) = (answering().await, answering().await);
    let port = evil.addr().port();
    let proxy = with(&upstream, EVERYTHING, "").await;
    for host in ["127.0.0.1", "localhost", "a.localhost", "[::ffff:127.0.0.1]", "[::1]", "0.0.0.0"]
    {
        let body = asking(&value!({"api_base": format!("http://{host}:{port}/v1")}));
        let answer = proxy.call(post(CHAT, body).key(KEY)).await.expect(403);
        assert!(answer.error_message().contains("not on the public internet"), "{host}");
    }
    let odd = ["2130706433", "0x7f000001", "0x7f.1", "127.1", "017700000001", "u:p@127.0.0.1"];
    let odd = odd.map(|host| format!("{host}:{port}"));
    let no_port = ["1.1.1.1:99999", "1.1.1.1:abc", "1.1.1.1:0", "1.1.1.1:"].map(str::to_owned);
    for host in odd.iter().chain(&no_port) {
        let body = asking(&value!({"api_base": format!("http://{host}/v1")}));
        let answer = proxy.call(post(CHAT, body).key(KEY)).await.expect(400);
        assert!(answer.error_message().contains("is not the URL of a provider"), "{host}");
    }
    let metadata = asking(&value!({"base_url": "http://169.254.169.254/latest/meta-data"}));
    proxy.call(post(CHAT, metadata).key(KEY)).await.expect(403);
    let seen = evil.saw(Duration::ZERO, |seen| seen.connections > 0).await;
    assert!(!seen && upstream.seen().begun == 0);
}
