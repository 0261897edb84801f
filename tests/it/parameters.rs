//! Providers that speak OpenAI in their own way, before clients of OpenAI and of others.
use crate::client::{Answer, post};
use crate::proxy::{self, KEY, Proxy};
use crate::upstream::{Upstream, json};
use serde_json::{Value, json as value};

const SAID: &str = r#"{"id":"c1","object":"chat.completion","created":1,"model":"up","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14}}"#;

/// A proxy before `upstream`, which is the provider of `model`.
async fn before(upstream: &Upstream, model: &str) -> Proxy {
    let base = format!("{}/v1", upstream.origin());
    let config = proxy::config(&base).replace("openai/gpt-4o-mini", model);
    proxy::with(&config).start().await
}

async fn ask(proxy: &Proxy, body: &Value) -> Answer {
    proxy.call(post("/v1/chat/completions", body.to_string()).key(KEY)).await
}

fn sent(upstream: &Upstream) -> Value {
    serde_json::from_slice(&upstream.only_request().body).expect("JSON")
}

/// What the provider of `model` gets of `body`, and what the client is told that it does not get.
async fn told(model: &str, body: &Value) -> (Value, Option<String>) {
    let upstream = Upstream::playing(json(200, SAID)).await;
    let proxy = before(&upstream, model).await;
    let got = ask(&proxy, body).await.expect(200);
    assert_eq!(got.text(), SAID, "{model}: the answer is the provider's own");
    (sent(&upstream), got.header("x-bartizan-dropped").map(str::to_owned))
}

/// The request of contract 10.8.
fn golden() -> Value {
    let image = value!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}});
    let function = value!({
        "name": "get_w", "description": "d", "strict": true,
        "parameters": {"type": "object", "properties": {"c": {"type": "integer"}}},
    });
    let call = value!({"name": "get_w", "arguments": "{\"c\": 2}"});
    value!({
        "model": "gpt",
        "messages": [
            {"role": "system", "content": "sys"},
            {"role": "user", "content": [{"type": "text", "text": "look"}, image]},
            {"role": "assistant", "content": null,
             "tool_calls": [{"id": "call_1", "type": "function", "function": call}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
            {"role": "user", "content": "and now?"},
        ],
        "tools": [{"type": "function", "function": function}],
        "tool_choice": "required", "parallel_tool_calls": false, "max_tokens": 64,
        "temperature": 0.2, "top_p": 0.9, "stop": ["END"], "user": "u1", "seed": 7,
    })
}

fn dropping(mut body: Value) -> Value {
    body["drop_params"] = true.into();
    body
}

/// The golden request as `model`'s provider must get it, but for what `change` changes.
async fn differs(model: &str, dropped: Option<&str>, change: impl FnOnce(&mut Value)) {
    let (sent, named) = told(model, &dropping(golden())).await;
    let mut want = golden();
    want["model"] = model.split_once('/').expect("a provider").1.into();
    change(&mut want);
    assert_eq!(sent, want, "{model}");
    assert_eq!(named.as_deref(), dropped, "{model}");
}

fn without(body: &mut Value, names: &[&str]) {
    let body = body.as_object_mut().expect("an object");
    names.iter().for_each(|name| drop(body.remove(*name)));
}

#[tokio::test]
async fn groq_and_openrouter_get_the_request_as_it_is() {
    differs("groq/llama-3.3-70b-versatile", None, |_| {}).await;
    differs("openrouter/anthropic/claude-sonnet-4.5", None, |_| {}).await;
}

#[tokio::test]
async fn mistral_is_asked_in_its_own_words() {
    differs("mistral/mistral-large-latest", Some("user"), |want| {
        without(want, &["user", "seed"]);
        want["random_seed"] = 7.into();
        want["tool_choice"] = "any".into();
        want["messages"][2]["tool_calls"][0]["id"] = "95ebfe0a9".into();
        want["messages"][3]["tool_call_id"] = "95ebfe0a9".into();
    })
    .await;
}

#[tokio::test]
async fn deepseek_gets_texts_and_the_client_hears_of_its_picture() {
    let dropped = Some("messages.content.image_url");
    differs("deepseek/deepseek-chat", dropped, |want| {
        want["messages"][1]["content"] = "look".into();
    })
    .await;
    let upstream = Upstream::playing(json(200, SAID)).await;
    let proxy = before(&upstream, "deepseek/deepseek-chat").await;
    let refused = ask(&proxy, &golden()).await.expect(400);
    assert_eq!(refused.json()["error"]["param"], "messages.content.image_url");
    assert_eq!(upstream.seen().connections, 0);
}

#[tokio::test]
async fn a_model_of_openai_that_thinks_is_asked_as_it_takes_it() {
    let dropped = Some("temperature, top_p, stop, parallel_tool_calls");
    differs("openai/o3-mini", dropped, |want| {
        without(want, &["max_tokens", "temperature", "top_p", "stop", "parallel_tool_calls"]);
        want["max_completion_tokens"] = 64.into();
    })
    .await;
    let upstream = Upstream::playing(json(200, SAID)).await;
    let proxy = before(&upstream, "openai/o3-mini").await;
    let refused = ask(&proxy, &golden()).await.expect(400);
    let start = "litellm.UnsupportedParamsError: openai does not support parameters";
    assert!(refused.error_message().starts_with(start), "{}", refused.error_message());
    assert_eq!(refused.json()["error"]["param"], "temperature");
    assert_eq!(upstream.seen().connections, 0);
}

#[tokio::test]
async fn what_the_client_allows_is_sent_and_what_it_drops_is_not() {
    let body = value!({
        "model": "gpt", "messages": [], "stop": ["x"], "seed": 7, "temperature": 0.2,
        "allowed_openai_params": ["stop"], "additional_drop_params": ["seed", "temperature"],
    });
    let (sent, named) = told("openai/o3-mini", &body).await;
    assert_eq!(sent, value!({"model": "o3-mini", "messages": [], "stop": ["x"]}));
    assert_eq!(named, None);
}

#[tokio::test]
async fn a_server_that_only_speaks_like_openai_gets_every_parameter() {
    for model in ["openai/my-model", "openai_like/o3-mini", "hosted_vllm/gpt-5"] {
        differs(model, None, |_| {}).await;
    }
}

#[tokio::test]
async fn a_client_of_anthropic_meets_the_same_rows() {
    let body = r#"{"model":"gpt","max_tokens":64,"temperature":0.2,"stop_sequences":["END"],
        "metadata":{"user_id":"u1"},"tools":[{"name":"f","input_schema":{"type":"object"}}],
        "tool_choice":{"type":"any"},"messages":[
        {"role":"user","content":"look"},
        {"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"f","input":{}}]},
        {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"a"}]}]}"#;
    let asked = |model: &'static str| async move {
        let upstream = Upstream::playing(json(200, SAID)).await;
        let proxy = before(&upstream, model).await;
        let got = proxy.call(post("/v1/messages", body).key(KEY)).await.expect(200);
        (sent(&upstream), got.header("x-bartizan-dropped").map(str::to_owned))
    };
    let (sent, named) = asked("mistral/mistral-large-latest").await;
    assert_eq!(sent["tool_choice"], "any");
    let id = sent["messages"][1]["tool_calls"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!((id.len(), &sent["messages"][2]["tool_call_id"]), (9, &value!(id)));
    assert_eq!((sent.get("user"), named.as_deref()), (None, Some("user")));
    let (sent, named) = asked("openai/o3-mini").await;
    assert_eq!(sent["max_completion_tokens"], 64);
    assert_eq!((sent.get("temperature"), sent.get("stop")), (None, None));
    assert_eq!(named.as_deref(), Some("temperature, stop"));
}

#[tokio::test]
async fn openrouter_hears_who_calls_and_its_own_members_pass() {
    let upstream = Upstream::playing(json(200, SAID)).await;
    let base = format!("{}/v1", upstream.origin());
    let config = proxy::config(&base).replace("openai/gpt-4o-mini", "openrouter/a/b");
    let proxy = proxy::with(&config).env("OR_SITE_URL", "https://mine.example");
    let proxy = proxy.env("OR_APP_NAME", "Mine").start().await;
    let body = value!({
        "model": "gpt", "messages": [], "transforms": ["middle-out"], "models": ["a/b", "c/d"],
        "route": "fallback", "provider": {"only": ["x"]}, "reasoning": {"effort": "high"},
    });
    ask(&proxy, &body).await.expect(200);
    let request = upstream.only_request();
    assert_eq!(request.head.get("http-referer"), Some("https://mine.example"));
    assert_eq!(request.head.get("x-title"), Some("Mine"));
    let mut want = body;
    want["model"] = "a/b".into();
    assert_eq!(sent(&upstream), want);
}

/// A proxy before another one, which the environment names.
async fn before_another(set: &[(&str, &str)]) -> Proxy {
    let config = format!(
        "model_list:\n  - model_name: gpt\n    litellm_params: {{model: litellm_proxy/their-gpt}}\n\
         general_settings: {{master_key: {KEY}}}\n"
    );
    let proxy = proxy::with(&config);
    set.iter().fold(proxy, |proxy, (name, value)| proxy.env(name, value)).start().await
}

#[tokio::test]
async fn another_litellm_proxy_is_found_by_any_of_its_variables() {
    let keys = ["LITELLM_PROXY_API_KEY", "litellm.apiKey", "LITELLM_API_KEY", "LITELLM_MASTER_KEY"];
    let bases = ["LITELLM_PROXY_API_BASE", "LITELLM_URL", "LITELLM_PROXY_URL"];
    for (at, key) in keys.into_iter().enumerate() {
        let upstream = Upstream::playing(json(200, SAID)).await;
        let origin = upstream.origin();
        let proxy = before_another(&[(key, "sk-theirs"), (bases[at % 3], &origin)]).await;
        ask(&proxy, &value!({"model": "gpt", "messages": []})).await.expect(200);
        let head = upstream.only_request().head;
        assert_eq!(head.get("authorization"), Some("Bearer sk-theirs"), "{key}");
        assert_eq!(head.word(), "/chat/completions", "{key}");
    }
}

#[tokio::test]
async fn another_litellm_proxy_without_a_key_gets_no_authorization() {
    let upstream = Upstream::playing(json(200, SAID)).await;
    let proxy = before_another(&[("LITELLM_URL", &format!("{}/v1/", upstream.origin()))]).await;
    ask(&proxy, &value!({"model": "gpt", "messages": []})).await.expect(200);
    let head = upstream.only_request().head;
    assert_eq!((head.get("authorization"), head.word()), (None, "/v1/chat/completions"));
}

#[tokio::test]
async fn another_litellm_proxy_hears_every_client_in_its_own_dialect() {
    let messages = r#"{ "model":"their-gpt","max_tokens":1,"messages":[{"role":"user","content":"a"}],"new":1}"#;
    let contents = r#"{"contents": [{"role":"user","parts":[{"text":"a"}]}],"new":1}"#;
    let responses = r#"{"model":"their-gpt", "input":"a","previous_response_id":"resp_1"}"#;
    let theirs = "/v1beta/models/their-gpt";
    let calls = [
        ("/v1/messages", messages, "/v1/messages".to_owned()),
        ("/v1/messages/count_tokens", messages, "/v1/messages/count_tokens".to_owned()),
        ("/v1beta/models/gpt:generateContent", contents, format!("{theirs}:generateContent")),
        ("/v1beta/models/gpt:countTokens", contents, format!("{theirs}:countTokens")),
        ("/v1/responses", responses, "BASE/responses".to_owned()),
    ];
    for base in ["", "/v1"] {
        for (path, body, place) in &calls {
            let said = r#"{"theirs": 1}"#;
            let upstream = Upstream::playing(json(200, said)).await;
            let set = [("LITELLM_URL", &*format!("{}{base}", upstream.origin()))];
            let proxy = before_another(&[set[0], ("LITELLM_API_KEY", "sk-theirs")]).await;
            let asked = body.replace("their-gpt", "gpt");
            let got = proxy.call(post(*path, asked).key(KEY)).await.expect(200);
            assert_eq!(got.text(), said, "{path}");
            let request = upstream.only_request();
            assert_eq!(request.head.word(), place.replace("BASE", base), "{path}");
            assert_eq!(request.head.get("authorization"), Some("Bearer sk-theirs"), "{path}");
            assert_eq!(request.body, *body, "{path}");
        }
    }
}
