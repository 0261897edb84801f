//! Which deployment a name leads to, and what the lists say.
use crate::client::{Answer, chat, get, post};
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::upstream::{self, COMPLETION, Upstream};
use serde_json::Value;
use std::collections::HashMap;

/// A proxy with these deployments, `BASE` standing for the upstream, and these other sections.
async fn with(deployments: &[(&str, &[&str])], sections: &str) -> (Upstream, Proxy) {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let mut config = "model_list:\n".to_owned();
    for (name, params) in deployments {
        config += &format!("  - model_name: \"{name}\"\n    litellm_params:\n");
        for param in *params {
            config += &format!("      {param}\n");
        }
        config += &format!("      api_base: {}\n", upstream.base());
        if !params.iter().any(|param| param.starts_with("api_key")) {
            config += &format!("      api_key: {CREDENTIAL}\n");
        }
    }
    config += &format!("{sections}general_settings:\n  master_key: {KEY}\n");
    (upstream, proxy::with(&config).start().await)
}

/// The model in the body of the last request.
fn model(upstream: &Upstream) -> String {
    let request = upstream.requests().pop().expect("a request");
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    body["model"].as_str().expect("a model").to_owned()
}

fn ids(answer: &Answer) -> Vec<String> {
    let list = answer.json();
    let ids = list["data"].as_array().expect("a list").iter();
    ids.map(|model| model["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn every_route_works_with_and_without_v1() {
    let (upstream, proxy) = with(&[("gpt", &["model: openai/up"])], "").await;
    let body =
        r#"{"model":"gpt","messages":[{"role":"user","content":"hi"}],"prompt":"a","input":"a"}"#;
    for path in ["/chat/completions", "/completions", "/embeddings", "/responses"] {
        for prefix in ["", "/v1"] {
            proxy.call(post(format!("{prefix}{path}"), body)).await.expect(200);
            let request = upstream.requests().pop().expect("a request");
            assert_eq!(request.head.word(), format!("/v1{path}"));
        }
    }
    for path in ["/models", "/models/gpt", "/model/info"] {
        for prefix in ["", "/v1"] {
            proxy.call(get(format!("{prefix}{path}"))).await.expect(200);
        }
    }
}

#[tokio::test]
async fn messages_reach_an_anthropic_upstream_in_its_own_dialect() {
    let answer = r#"{"id":"m","type":"message","role":"assistant","model":"up","content":[{"type":"text","text":"ok"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}"#;
    let upstream = Upstream::playing(upstream::json(200, answer)).await;
    let config =
        proxy::config(&upstream.origin()).replace("openai/gpt-4o-mini", "anthropic/claude");
    let proxy = proxy::with(&config).start().await;
    let body = r#"{"model":"gpt","max_tokens":1,"messages":[{"role":"user","content":"hi"}]}"#;
    let call = post("/v1/messages", body).header("anthropic-beta", "a,b");
    assert_eq!(proxy.call(call).await.expect(200).text(), answer);
    let request = upstream.only_request();
    assert_eq!(request.head.word(), "/v1/messages");
    assert_eq!(request.head.get("x-api-key"), Some(CREDENTIAL));
    assert_eq!(request.head.get("authorization"), None);
    assert_eq!(request.head.get("anthropic-version"), Some("2023-06-01"));
    assert_eq!(request.head.get("anthropic-beta"), Some("a,b"));
    assert_eq!(request.body, body.replace("\"gpt\"", "\"claude\""));
}

#[tokio::test]
async fn gemini_paths_reach_a_gemini_upstream_with_their_query() {
    let answer = r#"{"candidates":[{"content":{"parts":[{"text":"ok"}],"role":"model"},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}}"#;
    let upstream = Upstream::playing(upstream::json(200, answer)).await;
    let base = format!("{}/v1beta", upstream.origin());
    let config = proxy::config(&base).replace("openai/gpt-4o-mini", "gemini/flash");
    let proxy = proxy::with(&config).start().await;
    let body = r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#;
    let target = format!("/v1beta/models/gpt:generateContent?alt=json&key={KEY}");
    let got = post(target, body).send(proxy.addr()).await.expect(200);
    assert_eq!(got.text(), answer);
    let request = upstream.only_request();
    assert_eq!(request.head.word(), "/v1beta/models/flash:generateContent?alt=json");
    assert_eq!(request.head.get("x-goog-api-key"), Some(CREDENTIAL));
    assert_eq!(request.body, body);
}

#[tokio::test]
async fn a_provider_prefix_is_stripped_and_no_more() {
    let (upstream, proxy) = with(
        &[
            ("a", &["model: openai/ft:gpt-4o/x"]),
            ("b", &["model: openrouter/anthropic/claude-3"]),
            ("c", &["model: gpt-4o"]),
            ("d", &["model: plain", "custom_llm_provider: openai"]),
        ],
        "",
    )
    .await;
    for (name, sent) in
        [("a", "ft:gpt-4o/x"), ("b", "anthropic/claude-3"), ("c", "gpt-4o"), ("d", "plain")]
    {
        proxy.call(chat(name)).await.expect(200);
        assert_eq!(model(&upstream), sent);
    }
    // What no name leads to may be the model of an entry, in full or as it is written.
    for name in ["openai/gpt-4o", "gpt-4o", "plain", "openai/plain"] {
        proxy.call(chat(name)).await.expect(200);
        assert_eq!(model(&upstream), name.trim_start_matches("openai/"));
    }
    proxy.call(chat("openai/unheard-of")).await.expect(400);
}

#[tokio::test]
async fn the_longest_wildcard_fills_the_star() {
    let (upstream, proxy) = with(
        &[
            ("*", &["model: openai/*"]),
            ("house/*", &["model: openai/house-*"]),
            ("house/big-*", &["model: openai/big-*-turbo"]),
            ("exact", &["model: openai/gpt-4o"]),
        ],
        "",
    )
    .await;
    for (name, sent) in [
        ("exact", "gpt-4o"),
        ("house/x", "house-x"),
        ("house/big-x", "big-x-turbo"),
        ("gpt-4.1", "gpt-4.1"),
    ] {
        proxy.call(chat(name)).await.expect(200);
        assert_eq!(model(&upstream), sent, "{name}");
    }
}

#[tokio::test]
async fn an_alias_leads_to_its_group_or_to_several() {
    let sections = "router_settings:
  model_group_alias:
    one: a
    hidden: {model: a, hidden: true}
    both: [a, b]
";
    let (upstream, proxy) =
        with(&[("a", &["model: openai/up-a"]), ("b", &["model: openai/up-b"])], sections).await;
    for name in ["one", "hidden"] {
        proxy.call(chat(name)).await.expect(200);
        assert_eq!(model(&upstream), "up-a");
    }
    let mut seen = HashMap::new();
    for _ in 0..64 {
        proxy.call(chat("both")).await.expect(200);
        *seen.entry(model(&upstream)).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 2, "{seen:?}");
    let listed = ids(&proxy.call(get("/v1/models")).await.expect(200));
    assert!(listed.contains(&"one".to_owned()) && listed.contains(&"both".to_owned()));
    assert!(!listed.contains(&"hidden".to_owned()), "{listed:?}");
}

#[tokio::test]
async fn duplicated_names_rotate_their_keys() {
    let (upstream, proxy) = with(
        &[
            ("gpt", &["model: openai/gpt-4", "api_key: sk-first"]),
            ("gpt", &["model: openai/gpt-4", "api_key: sk-second"]),
        ],
        "",
    )
    .await;
    for _ in 0..64 {
        proxy.call(chat("gpt")).await.expect(200);
    }
    let mut seen = HashMap::new();
    for request in upstream.requests() {
        let key = request.head.get("authorization").expect("a credential").to_owned();
        *seen.entry(key).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 2, "{seen:?}");
}

#[tokio::test]
async fn a_weight_of_nothing_gets_nothing_and_order_comes_first() {
    let (upstream, proxy) = with(
        &[
            ("w", &["model: openai/heavy", "weight: 1"]),
            ("w", &["model: openai/never", "weight: 0"]),
            ("o", &["model: openai/second", "order: 2"]),
            ("o", &["model: openai/first", "order: 1"]),
        ],
        "",
    )
    .await;
    for (name, sent) in [("w", "heavy"), ("o", "first")] {
        for _ in 0..32 {
            proxy.call(chat(name)).await.expect(200);
            assert_eq!(model(&upstream), sent);
        }
    }
}

#[tokio::test]
async fn weights_share_the_calls() {
    let (upstream, proxy) = with(
        &[
            ("w", &["model: openai/much", "weight: 9"]),
            ("w", &["model: openai/little", "weight: 1"]),
        ],
        "",
    )
    .await;
    for _ in 0..400 {
        proxy.call(chat("w")).await.expect(200);
    }
    let bodies = upstream.requests();
    let much = bodies.iter().filter(|request| request.body.starts_with(b"{\"model\":\"much\""));
    // 360 are expected; the bounds are nine standard deviations away.
    let much = much.count();
    assert!((306..400).contains(&much), "{much} of 400");
}

#[tokio::test]
async fn a_deployments_id_and_its_model_are_names_too() {
    let (upstream, proxy) = with(&[("gpt", &["model: openai/gpt-4o"])], "").await;
    let info = proxy.call(get("/model/info")).await.expect(200).json();
    let id = info["data"][0]["model_info"]["id"].as_str().expect("an id").to_owned();
    for name in [id.as_str(), "openai/gpt-4o"] {
        proxy.call(chat(name)).await.expect(200);
        assert_eq!(model(&upstream), "gpt-4o");
    }
}

#[tokio::test]
async fn completion_model_answers_calls_that_name_none() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let config = proxy::config(&upstream.base()) + "  completion_model: gpt\n";
    let proxy = proxy::with(&config).start().await;
    let body = r#"{"messages":[{"role":"user","content":"hi"}]}"#;
    proxy.call(post("/v1/chat/completions", body)).await.expect(200);
    assert_eq!(model(&upstream), "gpt-4o-mini");
}

#[tokio::test]
async fn models_are_listed_once_in_openais_shape() {
    let deployments: &[(&str, &[&str])] = &[
        ("gpt", &["model: openai/gpt-4o"]),
        ("gpt", &["model: openai/gpt-4o", "api_key: sk-2"]),
        ("other", &["model: openai/gpt-4.1"]),
    ];
    let (_upstream, proxy) = with(deployments, "").await;
    let answer = proxy.call(get("/v1/models")).await.expect(200);
    assert_eq!(ids(&answer), ["gpt", "other"]);
    let list = answer.json();
    assert_eq!(list["object"], "list");
    assert_eq!(list["data"][0]["object"], "model");
    assert_eq!(list["data"][0]["created"], 1_677_610_602);
    assert_eq!(list["data"][0]["owned_by"], "openai");
    let one = proxy.call(get("/v1/models/gpt")).await.expect(200).json();
    assert_eq!(one["id"], "gpt");
    let error = proxy.call(get("/v1/models/nope")).await.expect(404).json();
    assert_eq!(error["error"]["code"], "404");
}

#[tokio::test]
async fn model_info_names_everything_but_the_secrets() {
    let params: &[&str] = &[
        "model: openai/gpt-4o",
        "api_key: sk-planted",
        "extra_headers: {X-Secret: planted-header, Authorization: Bearer planted-bearer}",
    ];
    let (_upstream, proxy) = with(&[("gpt", params)], "").await;
    let answer = proxy.call(get("/v1/model/info")).await.expect(200);
    for secret in ["sk-planted", "planted-bearer", KEY] {
        assert!(!answer.text().contains(secret), "{}", answer.text());
    }
    let item = &answer.json()["data"][0];
    assert_eq!(item["model_name"], "gpt");
    assert_eq!(item["litellm_params"]["model"], "openai/gpt-4o");
    assert!(item["model_info"]["id"].is_string());
    assert_eq!(item["model_info"]["db_model"], false);
    assert_eq!(item["model_info"]["litellm_provider"], "openai");
    assert_eq!(item["model_info"]["mode"], "chat");
    assert!(item["model_info"]["max_input_tokens"].is_number());
    assert!(item["model_info"]["input_cost_per_token"].is_number());
}

#[tokio::test]
async fn an_unknown_path_is_404_and_a_wrong_method_405() {
    let (upstream, proxy) = with(&[("gpt", &["model: openai/gpt-4o"])], "").await;
    for path in ["/nope", "/v1/nope", "/v1/chat", "/v2/models"] {
        let answer = proxy.call(get(path)).await.expect(404);
        assert_eq!(answer.json(), serde_json::json!({"detail": "Not Found"}), "{path}");
    }
    let answer = proxy.call(get("/v1/chat/completions")).await.expect(405);
    assert_eq!(answer.json(), serde_json::json!({"detail": "Method Not Allowed"}));
    proxy.call(post("/v1/models", "{}")).await.expect(405);
    assert_eq!(upstream.seen().connections, 0);
}

#[tokio::test]
async fn a_path_is_not_guessed_at() {
    let (upstream, proxy) = with(&[("gpt", &["model: openai/gpt-4o"])], "").await;
    let body = r#"{"model":"gpt","messages":[{"role":"user","content":"hi"}]}"#;
    for path in [
        "//v1/chat/completions",
        "/v1//chat/completions",
        "/v1%2fchat%2fcompletions",
        "/v1/chat%2Fcompletions",
        "/v1/../v1/chat/completions",
        "/v1/./chat/completions",
        "/V1/CHAT/COMPLETIONS",
    ] {
        let status = proxy.call(post(path, body)).await.status;
        assert!(status == 404 || status == 400, "{path}: {status}");
    }
    assert_eq!(upstream.seen().connections, 0);
}

#[tokio::test]
async fn a_model_name_with_slashes_is_one_name_in_a_path() {
    let (_upstream, proxy) = with(&[("house/gpt", &["model: openai/gpt-4o"])], "").await;
    for path in ["/v1/models/house/gpt", "/v1/models/house%2Fgpt", "/models/house%2fgpt"] {
        let answer = proxy.call(get(path)).await.expect(200);
        assert_eq!(answer.json()["id"], "house/gpt");
    }
}
