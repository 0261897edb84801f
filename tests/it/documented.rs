//! Configs in the shapes that LiteLLM's documentation shows: each loads, each key is honoured or
//! named, and each answers.
use crate::client::{Answer, chat, get, post};
use crate::proxy::{self, KEY, Proxy};
use crate::upstream::{self, COMPLETION, Upstream};
use crate::wire::Message;
use serde_json::Value;
use std::collections::HashSet;

/// A proxy with a config in which `BASE` is an upstream that says "ok".
pub(crate) async fn run(config: &str) -> (Upstream, Proxy) {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let proxy = proxy::with(&told(config, &upstream)).start().await;
    (upstream, proxy)
}

/// The config with what differs from run to run.
fn told(config: &str, upstream: &Upstream) -> String {
    let key = if config.contains("general_settings:") { "" } else { "general_settings:\n" };
    let master = format!("general_settings:\n  master_key: {KEY}\n");
    let config = format!("{config}{key}").replace("BASE", &upstream.base());
    config.replace("general_settings:\n", &master)
}

pub(crate) fn last(upstream: &Upstream) -> Message {
    upstream.requests().pop().expect("a request")
}

pub(crate) fn body(request: &Message) -> Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

fn names(answer: &Answer) -> Vec<String> {
    let list = answer.json();
    let models = list["data"].as_array().expect("a list").iter();
    models.map(|model| model["id"].as_str().expect("a name").to_owned()).collect()
}

pub(crate) fn content(answer: &Answer) -> String {
    answer.json()["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn load_is_balanced_by_requests_per_minute() {
    let config = "model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/big, api_base: BASE, api_key: sk-a, rpm: 900}
  - model_name: gpt-4o
    litellm_params: {model: openai/small, api_base: BASE, api_key: sk-b, rpm: 100}
router_settings:
  routing_strategy: simple-shuffle
  num_retries: 2
  timeout: 30
";
    let (upstream, proxy) = run(config).await;
    for _ in 0..60 {
        proxy.call(chat("gpt-4o")).await.expect(200);
    }
    let requests = upstream.requests();
    let big = requests.iter().filter(|request| body(request)["model"] == "big").count();
    // Nine of ten: fewer than 35 of 60 would be a wonder.
    assert!((35..=60).contains(&big), "{big}");
    assert!(!proxy.output().contains("num_retries"), "{}", proxy.output());
}

#[tokio::test]
async fn a_wildcard_serves_every_model_of_a_provider() {
    let config = "model_list:
  - model_name: \"openai/*\"
    litellm_params: {model: \"openai/*\", api_base: BASE, api_key: sk-a}
  - model_name: anything/*
    litellm_params: {model: groq/*, api_base: BASE, api_key: sk-b}
general_settings:
  return_wildcard_routes: true
";
    let (upstream, proxy) = run(config).await;
    proxy.call(chat("openai/gpt-new")).await.expect(200);
    assert_eq!(body(&last(&upstream))["model"], "gpt-new");
    proxy.call(chat("anything/llama")).await.expect(200);
    assert_eq!(last(&upstream).head.get("authorization"), Some("Bearer sk-b"));
    let listed = names(&proxy.call(get("/v1/models")).await.expect(200));
    assert!(listed.contains(&"openai/*".to_owned()), "{listed:?}");
    assert!(listed.contains(&"openai/gpt-4o".to_owned()), "{listed:?}");
}

#[tokio::test]
async fn a_default_model_takes_calls_for_names_that_nobody_knows_or_said() {
    let config = "model_list:
  - model_name: \"*\"
    litellm_params: {model: openai/*, api_base: BASE, api_key: sk-a}
general_settings:
  completion_model: fallback-model
";
    let (upstream, proxy) = run(config).await;
    proxy.call(chat("unheard-of")).await.expect(200);
    assert_eq!(body(&last(&upstream))["model"], "unheard-of");
    let nameless = r#"{"messages":[{"role":"user","content":"hi"}]}"#;
    proxy.call(post("/v1/chat/completions", nameless)).await.expect(200);
    assert_eq!(body(&last(&upstream))["model"], "fallback-model");
}

#[tokio::test]
async fn stars_on_both_sides_serve_all_models_of_all_providers_whose_keys_are_there() {
    let config = "model_list:
  - model_name: \"*\"
    litellm_params: {model: \"*\", temperature: 0.5}
  - model_name: groq/*
    litellm_params: {model: groq/*, api_base: BASE, api_key: sk-mine}
";
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let mut setup = proxy::with(&told(config, &upstream));
    for (key, base) in [("OPENAI_API_KEY", "OPENAI_BASE_URL"), ("GROQ_API_KEY", "GROQ_API_BASE")] {
        setup = setup.env(key, "sk-openai").env(base, &upstream.base());
    }
    let proxy = setup.start().await;
    for (asked, sent, key) in [
        ("openai/gpt-new", "gpt-new", "sk-openai"),
        ("gpt-4o-mini", "gpt-4o-mini", "sk-openai"),
        ("groq/llama", "llama", "sk-mine"),
        ("llama-3.3-70b-of-our-own", "llama-3.3-70b-of-our-own", "sk-openai"),
    ] {
        proxy.call(chat(asked)).await.expect(200);
        let request = last(&upstream);
        assert_eq!(body(&request)["model"], sent);
        assert_eq!(request.head.get("authorization"), Some(&*format!("Bearer {key}")));
        assert_eq!(body(&request)["temperature"] == 0.5, key == "sk-openai");
    }
}

#[tokio::test]
async fn what_litellm_keeps_to_itself_is_not_sent_but_named() {
    let own = "supports_system_message: false, ensure_alternating_roles: true, roles: {user: {}},
      user_continue_message: {role: user, content: go}, initial_prompt_value: a, bos_token: b,
      hf_model_name: c, base_model: gpt-4o, fallbacks: [x], mock_timeout: true, ttl: 3,
      tag_regex: [a], no-log: true, caching: true, metadata: {a: 1}, allowed_model_region: eu";
    let config = format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{model: openai/gpt, api_base: BASE, api_key: sk-a, {own},
      headers: {{x-team: blue}}, temperature: 0.5, chat_template_kwargs: {{a: b}}}}
"
    );
    let (upstream, proxy) = run(&config).await;
    proxy.call(chat("gpt")).await.expect(200);
    let request = last(&upstream);
    assert_eq!(request.head.get("x-team"), Some("blue"));
    let sent = body(&request);
    let mut names: Vec<_> = sent.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["chat_template_kwargs", "messages", "model", "temperature"]);
    for name in ["supports_system_message", "mock_timeout", "tag_regex", "no-log"] {
        let named = format!("litellm_params.{name}");
        proxy.line(|line| line.contains("without effect") && line.contains(&named)).await;
    }
}

#[tokio::test]
async fn variables_may_be_set_in_the_config_itself() {
    let config = "environment_variables:
  MY_BASE: BASE
  MY_KEY: sk-from-the-section
model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt, api_base: os.environ/MY_BASE, api_key: os.environ/MY_KEY}
";
    let (upstream, proxy) = run(config).await;
    proxy.call(chat("gpt")).await.expect(200);
    let authorization = last(&upstream).head.get("authorization").map(str::to_owned);
    assert_eq!(authorization.as_deref(), Some("Bearer sk-from-the-section"));
}

#[tokio::test]
async fn a_named_credential_fills_what_the_deployment_leaves_open() {
    let config = "credential_list:
  - credential_name: team
    credential_values: {api_key: sk-of-the-team, api_base: BASE}
    credential_info: {description: shared by the team}
model_list:
  - model_name: shared
    litellm_params: {model: openai/gpt, litellm_credential_name: team}
  - model_name: own
    litellm_params: {model: openai/gpt, litellm_credential_name: team, api_key: sk-own}
  - model_name: lost
    litellm_params: {model: openai/gpt, litellm_credential_name: taem}
";
    let (upstream, proxy) = run(config).await;
    for (name, key) in [("shared", "Bearer sk-of-the-team"), ("own", "Bearer sk-own")] {
        proxy.call(chat(name)).await.expect(200);
        assert_eq!(last(&upstream).head.get("authorization"), Some(key));
    }
    proxy.call(chat("lost")).await.expect(400);
    let wanted = |line: &str| line.contains("no credential is named `taem`");
    let said = proxy.line(wanted).await;
    assert!(said.contains("`team`"), "{said}");
    let info = proxy.call(get("/model/info")).await.expect(200);
    assert!(!info.text().contains("sk-of-the-team") && !proxy.output().contains("sk-of-the-team"));
}

#[tokio::test]
async fn aliases_lead_to_groups_lists_and_wildcards() {
    let config = "model_list:
  - model_name: one
    litellm_params: {model: openai/up-one, api_base: BASE, api_key: k}
  - model_name: two
    litellm_params: {model: openai/up-two, api_base: BASE, api_key: k}
  - model_name: wild/*
    litellm_params: {model: openai/*, api_base: BASE, api_key: k}
router_settings:
  model_group_alias:
    nick: one
    both: [one, two, missing]
    secret: {model: two, hidden: true}
    two: one
    far: wild/model-x
litellm_settings:
  model_alias_map: {mapped: two}
";
    let (upstream, proxy) = run(config).await;
    let sent = |upstream: &Upstream| body(&last(upstream))["model"].as_str().unwrap().to_owned();
    // An alias comes before a group of the same name.
    for (name, model) in [
        ("nick", "up-one"),
        ("secret", "up-two"),
        ("two", "up-one"),
        ("far", "model-x"),
        ("mapped", "up-two"),
    ] {
        proxy.call(chat(name)).await.expect(200);
        assert_eq!(sent(&upstream), model, "{name}");
    }
    let mut seen = HashSet::new();
    for _ in 0..200 {
        proxy.call(chat("both")).await.expect(200);
        seen.insert(sent(&upstream));
        if seen.len() == 2 {
            break;
        }
    }
    assert_eq!(seen.len(), 2, "{seen:?}");
    let listed = names(&proxy.call(get("/v1/models")).await.expect(200));
    let has = |name: &str| listed.iter().any(|one| one == name);
    assert!(has("nick") && has("both") && has("far") && has("mapped") && !has("secret"));
    assert_eq!(listed.iter().filter(|name| *name == "two").count(), 1);
    proxy.line(|line| line.contains("leads to `missing`")).await;
}

#[tokio::test]
async fn a_config_may_be_spread_over_files() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let models = format!(
        "model_list:\n  - model_name: included\n    litellm_params: {{model: openai/x, api_base: \
         {}, api_key: k}}\n",
        upstream.base()
    );
    let config = format!("include:\n  - models.yaml\ngeneral_settings:\n  master_key: {KEY}\n");
    let proxy = proxy::with(&config).file("models.yaml", &models).start().await;
    proxy.call(chat("included")).await.expect(200);
}

#[tokio::test]
async fn several_keys_share_one_model() {
    let entry = |key: &str| {
        format!(
            "  - model_name: gpt\n    litellm_params: {{model: openai/gpt, api_base: BASE, \
             api_key: {key}}}\n"
        )
    };
    let config = format!("model_list:\n{}{}", entry("sk-a"), entry("sk-b"));
    let (upstream, proxy) = run(&config).await;
    let mut seen = HashSet::new();
    for _ in 0..200 {
        proxy.call(chat("gpt")).await.expect(200);
        seen.insert(last(&upstream).head.get("authorization").map(str::to_owned));
        if seen.len() == 2 {
            return;
        }
    }
    panic!("only {seen:?}");
}

#[tokio::test]
async fn prices_of_ones_own_are_charged() {
    let config = "model_list:
  - model_name: mine
    litellm_params: {model: openai/mine, api_base: BASE, api_key: k}
    model_info: {input_cost_per_token: 0.25, output_cost_per_token: 0.5}
  - model_name: flat
    litellm_params: {model: openai/flat, api_base: BASE, api_key: k}
general_settings:
  cost_per_token: {flat: 0.125}
";
    let less = format!(
        "{config}litellm_settings:\n  cost_discount_config: {{openai: 0.5}}\n  \
         cost_margin_config: {{global: {{percentage: 1}}, groq: 9}}\n"
    );
    let (_upstream, proxy) = run(&less).await;
    let answer = proxy.call(chat("mine")).await.expect(200);
    assert_eq!(answer.header("x-litellm-response-cost"), Some("0.75"), "half of it, twice");
    let (_upstream, proxy) = run(&less.replace("percentage: 1", "percentage: 0")).await;
    let answer = proxy.call(chat("mine")).await.expect(200);
    assert_eq!(answer.header("x-litellm-response-cost"), Some("0.375"));
    let (_upstream, proxy) = run(config).await;
    for (name, cost) in [("mine", "0.75"), ("flat", "0.25")] {
        let answer = proxy.call(chat(name)).await.expect(200);
        assert_eq!(answer.header("x-litellm-response-cost"), Some(cost), "{name}");
    }
}

#[tokio::test]
async fn headers_bodies_and_parameters_of_a_deployment_are_sent() {
    let config = "model_list:
  - model_name: gpt
    litellm_params:
      model: openai/gpt
      api_base: BASE
      api_key: k
      organization: org-1
      extra_headers: {X-Team: blue}
      extra_body: {service_tier: flex}
      temperature: 0.2
      additional_drop_params: [seed, logit_bias]
      allowed_openai_params: [reasoning_effort]
router_settings:
  default_litellm_params: {max_tokens: 7, temperature: 1}
";
    let (upstream, proxy) = run(config).await;
    let asked = r#"{"model":"gpt","seed":1,"messages":[{"role":"user","content":"hi"}]}"#;
    proxy.call(post("/v1/chat/completions", asked)).await.expect(200);
    let request = last(&upstream);
    assert_eq!(request.head.get("openai-organization"), Some("org-1"));
    assert_eq!(request.head.get("x-team"), Some("blue"));
    let sent = body(&request);
    assert_eq!((&sent["service_tier"], &sent["temperature"]), (&"flex".into(), &0.2.into()));
    assert_eq!(sent["max_tokens"], 7);
    for gone in ["seed", "additional_drop_params", "allowed_openai_params"] {
        assert!(sent.get(gone).is_none(), "{sent}");
    }
}

#[tokio::test]
async fn a_provider_that_is_not_in_this_version_stops_nothing_else() {
    let config = "model_list:
  - model_name: cloud
    litellm_params:
      model: replicate/my-deployment
      api_base: https://example.com/
      api_key: k
    model_info: {base_model: azure/gpt-4o}
  - model_name: bucket
    litellm_params: {model: sagemaker/my-endpoint, aws_region_name: us-east-1}
  - model_name: gpt
    litellm_params: {model: openai/gpt, api_base: BASE, api_key: k}
";
    let (_upstream, proxy) = run(config).await;
    proxy.call(chat("gpt")).await.expect(200);
    proxy.call(chat("cloud")).await.expect(400);
    for model in ["replicate/my-deployment", "sagemaker/my-endpoint"] {
        proxy.line(|line| line.contains(model)).await;
    }
}

/// A call with these tags in its body.
fn tagged(tags: &str) -> crate::client::Call {
    let body = format!(r#"{{"model":"gpt","messages":[],"metadata":{{"tags":{tags}}}}}"#);
    post("/v1/chat/completions", body)
}

#[tokio::test]
async fn keys_in_the_environment_add_their_providers_where_that_is_wanted() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let config = "model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt, api_base: BASE, api_key: k}
general_settings:
  infer_model_from_keys: true
";
    let setup = proxy::with(&told(config, &upstream)).env("GROQ_API_KEY", "sk-groq");
    let proxy = setup.env("GROQ_API_BASE", &upstream.base()).start().await;
    for name in ["gpt", "groq/some-model"] {
        proxy.call(chat(name)).await.expect(200);
    }
    assert_eq!(last(&upstream).head.get("authorization"), Some("Bearer sk-groq"));
}

#[tokio::test]
async fn tags_choose_the_deployment() {
    let config = "model_list:
  - model_name: gpt
    litellm_params: {model: openai/free, api_base: BASE, api_key: k, tags: [free]}
  - model_name: gpt
    litellm_params: {model: openai/paid, api_base: BASE, api_key: k, tags: [paid]}
  - model_name: strict
    litellm_params: {model: openai/only, api_base: BASE, api_key: k, tags: [team-a]}
router_settings:
  enable_tag_filtering: true
";
    let (upstream, proxy) = run(config).await;
    for _ in 0..5 {
        for tag in ["free", "paid"] {
            proxy.call(tagged(&format!(r#"["{tag}"]"#))).await.expect(200);
            assert_eq!(body(&last(&upstream))["model"], tag);
            proxy.call(chat("gpt").header("x-litellm-tags", tag)).await.expect(200);
            let request = last(&upstream);
            assert_eq!(body(&request)["model"], tag);
            assert_eq!(request.head.get("x-litellm-tags"), None);
        }
    }
    let refused = proxy.call(chat("strict").header("x-litellm-tags", "team-b")).await.expect(401);
    let words = "Not allowed to access model due to tags configuration";
    assert!(refused.error_message().contains(words), "{}", refused.text());
    // A request without tags may go anywhere, unless some deployment is the default.
    proxy.call(chat("strict")).await.expect(200);
    let with_default = config.replace("[paid]", "[paid, default]");
    let (upstream, proxy) = run(&with_default).await;
    for call in [chat("gpt"), chat("gpt"), chat("gpt"), tagged(r#"["unknown"]"#)] {
        proxy.call(call).await.expect(200);
        assert_eq!(body(&last(&upstream))["model"], "paid");
    }
    let all = format!("{config}  tag_filtering_match_any: false\n");
    let (_upstream, proxy) = run(&all).await;
    proxy.call(tagged(r#"["free","paid"]"#)).await.expect(401);
    let off = config.replace("enable_tag_filtering: true", "enable_tag_filtering: false");
    let (_upstream, proxy) = run(&off).await;
    proxy.call(chat("strict").header("x-litellm-tags", "team-b")).await.expect(200);
}

#[tokio::test]
async fn access_groups_are_listed_when_asked_for_and_are_no_models() {
    let config = "model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt, api_base: BASE, api_key: k}
    model_info: {access_groups: [beta-models], team_id: t1, mode: chat, max_tokens: 99}
";
    let (_upstream, proxy) = run(config).await;
    let list =
        async |query: &str| names(&proxy.call(get(format!("/v1/models{query}"))).await.expect(200));
    assert_eq!(list("").await, ["gpt"]);
    assert_eq!(list("?include_model_access_groups=true").await, ["gpt", "beta-models"]);
    assert_eq!(list("?only_model_access_groups=true").await, ["beta-models"]);
    proxy.call(chat("beta-models")).await.expect(400);
    let info = proxy.call(get("/model/info")).await.expect(200).json();
    assert_eq!(info["data"][0]["model_info"]["max_tokens"], 99);
}

#[tokio::test]
async fn a_model_is_there_only_in_the_environments_that_it_is_for() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let config = "model_list:
  - model_name: live
    litellm_params: {model: openai/gpt, api_base: BASE, api_key: k}
    model_info: {supported_environments: [production, staging]}
  - model_name: trial
    litellm_params: {model: openai/gpt, api_base: BASE, api_key: k}
    model_info: {supported_environments: [development]}
";
    let setup = proxy::with(&told(config, &upstream)).env("LITELLM_ENVIRONMENT", "production");
    let proxy = setup.start().await;
    proxy.call(chat("live")).await.expect(200);
    proxy.call(chat("trial")).await.expect(400);
    proxy.line(|line| line.contains("`trial` is not for the environment")).await;
}

#[tokio::test]
async fn keys_in_the_wrong_section_are_read_where_they_belong_with_one_notice() {
    let config = "model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt, api_base: BASE, api_key: k}
general_settings:
  cache: true
  max_budget: 5
litellm_settings:
  model_group_alias: {nick: gpt}
router_settings:
  retry_policy: {max_retries: 3, base_delay: 1, max_delay: 10}
";
    let (_upstream, proxy) = run(config).await;
    proxy.call(chat("nick")).await.expect(200);
    let notice = proxy.line(|line| line.contains("keys that belong elsewhere")).await;
    for moved in [
        "general_settings.cache → litellm_settings.cache",
        "general_settings.max_budget → litellm_settings.max_budget",
        "litellm_settings.model_group_alias → router_settings.model_group_alias",
        "router_settings.retry_policy.max_retries → router_settings.num_retries",
    ] {
        assert!(notice.contains(moved), "{moved} in {notice}");
    }
    proxy.line(|line| line.contains("litellm_settings.cache_params: no Redis is named")).await;
    assert!(!proxy.output().contains("not in this version"), "{}", proxy.output());
}
