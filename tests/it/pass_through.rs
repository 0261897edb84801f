//! Providers' own paths, and paths of the config that lead to other servers.
use crate::client::{Call, get, post, with_body};
use crate::proxy::{self, KEY, Proxy};
use crate::upstream::{COMPLETION, Gate, Step, Upstream, answer, json, piece, stream, stream_head};
use crate::wire::{Ended, PATIENCE};

async fn lent(upstream: &Upstream) -> Proxy {
    let base = upstream.origin();
    let rows = [
        ("openai/gpt-4o-mini", format!("{base}/v1")),
        ("anthropic/claude-sonnet-4-5", base.clone()),
        ("gemini/gemini-2.5-flash", format!("{base}/v1beta")),
    ];
    let models: String = rows
        .iter()
        .map(|(model, base)| {
            format!(
                "  - model_name: {model}
    litellm_params:
      model: {model}
      api_base: {base}
      api_key: key-of-{model}
      use_in_pass_through: true\n"
            )
        })
        .collect();
    let config = format!("model_list:\n{models}general_settings:\n  master_key: {KEY}\n");
    proxy::with(&config).start().await
}

#[tokio::test]
async fn a_providers_own_path_gets_the_providers_key() {
    let upstream = Upstream::playing(json(200, COMPLETION)).await;
    let proxy = lent(&upstream).await;
    let chat = r#"{ "model":"gpt-4o-mini","messages":[],"metadata":{"a":1},"model":"twice"}"#;
    let sent = proxy.call(post("/openai/v1/chat/completions?x=1", chat)).await.expect(200);
    assert_eq!(sent.text(), COMPLETION);
    assert!(sent.header("x-litellm-call-id").is_some());
    proxy.call(post("/openai/chat/completions", chat)).await.expect(200);
    let claude = post("/anthropic/v1/messages", "{}").header("x-api-key", KEY);
    claude.header("anthropic-beta", "b").send(proxy.addr()).await.expect(200);
    let path = "/v1beta/models/gemini-2.5-flash:generateContent";
    let gemini = post(format!("/gemini{path}?key={KEY}&alt=json"), "{}");
    gemini.send(proxy.addr()).await.expect(200);
    let gemini = post(format!("/gemini{path}"), "{}").header("x-goog-api-key", KEY);
    gemini.send(proxy.addr()).await.expect(200);
    let requests = upstream.requests();
    let lines: Vec<_> = requests.iter().map(|request| request.head.word()).collect();
    let alt = format!("{path}?alt=json");
    assert_eq!(
        lines,
        ["/v1/chat/completions?x=1", "/v1/chat/completions", "/v1/messages", &alt, path]
    );
    assert_eq!(requests[0].body, chat);
    let key = |at: usize, name: &str| requests[at].head.get(name).map(str::to_owned);
    assert_eq!(key(0, "authorization").unwrap(), "Bearer key-of-openai/gpt-4o-mini");
    assert_eq!(key(2, "x-api-key").unwrap(), "key-of-anthropic/claude-sonnet-4-5");
    assert_eq!(key(2, "anthropic-beta").unwrap(), "b");
    assert_eq!(key(3, "x-goog-api-key").unwrap(), "key-of-gemini/gemini-2.5-flash");
    assert!(requests.iter().all(|one| !format!("{one:?}").contains(KEY)));
}

#[tokio::test]
async fn any_method_and_encoding_passes() {
    let zipped = answer(200, &[("content-encoding", "gzip"), ("x-own", "1")], b"\x1f\x8b");
    let upstream = Upstream::playing(zipped).await;
    let proxy = lent(&upstream).await;
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        let call = with_body(method, "/openai/v1/things/1", "x/y", "body");
        let answer = proxy.call(call.header("accept-encoding", "gzip, br")).await.expect(200);
        assert_eq!(answer.message.body, &b"\x1f\x8b"[..]);
        assert_eq!(answer.header("content-encoding"), Some("gzip"));
        assert_eq!(answer.header("x-own"), Some("1"));
        let request = upstream.requests().pop().unwrap();
        assert!(request.head.first.starts_with(method));
        assert_eq!(request.head.get("accept-encoding"), Some("gzip, br"));
        assert_eq!(request.head.get("content-type"), Some("x/y"));
        assert_eq!(request.body, "body");
    }
    let redirect = answer(307, &[("location", "http://127.0.0.1:9/")], "");
    let elsewhere = Upstream::playing(redirect).await;
    let proxy = lent(&elsewhere).await;
    proxy.call(get("/openai/v1/x")).await.expect(307);
}

#[tokio::test]
async fn what_a_raw_call_uses_is_recorded() {
    let first = r#"{"id":"c","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":"hi"}}]}"#;
    let last = r#"{"id":"c","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":100}}"#;
    let upstream = Upstream::start(move |request| {
        if memchr::memmem::find(&request.body, b"stream").is_some() {
            stream(&[first, last, "[DONE]"])
        } else {
            json(200, COMPLETION.replace("\"up\"", "\"gpt-4o-mini\""))
        }
    })
    .await;
    let proxy = lent(&upstream).await;
    let path = "/openai/v1/chat/completions";
    let whole = proxy.call(post(path, r#"{"stream":true}"#)).await.expect(200);
    assert_eq!(whole.events(), [first, last, "[DONE]"]);
    let line = proxy.line(|line| line.contains("openai") && line.contains("1000")).await;
    assert!(line.contains("100"), "{line}");
    proxy.call(post(path, "{}")).await.expect(200);
    let metrics = proxy.call(get("/metrics")).await.expect(200);
    let spend = metrics.text().lines().find(|line| line.starts_with("litellm_spend_metric"));
    let spend = spend.expect("a line of what was spent");
    let dollars: f64 = spend.rsplit(' ').next().unwrap().parse().unwrap();
    // 0.15 and 0.60 dollars per million.
    assert!((0.000_21..0.000_22).contains(&dollars), "{spend}");
}

#[tokio::test]
async fn a_stream_passes_as_it_comes_and_its_break_is_no_end() {
    let gate = Gate::new();
    let first = piece("data: {\"model\":\"m\"}\n\n");
    let steps = vec![stream_head(), first, Step::Wait(gate.clone()), Step::Reset];
    let upstream = Upstream::playing(steps).await;
    let proxy = lent(&upstream).await;
    let mut wire = post("/anthropic/v1/messages", "{}").key(KEY).open(proxy.addr()).await;
    let head = wire.head().await.unwrap().unwrap();
    assert_eq!(wire.chunk().await.unwrap().unwrap(), "data: {\"model\":\"m\"}\n\n");
    gate.open();
    assert_eq!(wire.body(&head, true).await, ("".into(), Ended::Cut));
    let upstream = Upstream::playing(vec![stream_head(), Step::Hang]).await;
    let proxy = lent(&upstream).await;
    let mut wire = post("/openai/v1/responses/x", "{}").key(KEY).open(proxy.addr()).await;
    wire.head().await.unwrap();
    drop(wire);
    assert!(upstream.saw(PATIENCE, |seen| seen.left == 1).await);
}

#[tokio::test]
async fn nobody_climbs_out_or_comes_in_without_a_key() {
    let upstream = Upstream::playing(json(200, "{}")).await;
    let proxy = lent(&upstream).await;
    for path in ["/openai/../admin", "/openai/v1/%2e%2e/x", "/openai//x", "/gemini/v1/..%2fx"] {
        proxy.call(get(path)).await.expect(404);
    }
    for path in ["/openai/v1/models", "/anthropic/v1/messages", "/gemini/v1beta/models"] {
        get(path).send(proxy.addr()).await.expect(401);
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn the_clients_key_goes_nowhere_wherever_it_stands() {
    let upstream = Upstream::playing(json(200, COMPLETION)).await;
    let proxy = lent(&upstream).await;
    let chat = r#"{"model":"openai/gpt-4o-mini","messages":[],"input":"a"}"#;
    let generate = "/v1beta/models/gemini%2Fgemini-2.5-flash:generateContent";
    for (target, left) in [
        ("/gemini/v1beta/models?%6bey=KEY", ""),
        ("/gemini/v1beta/models?key=KEY&%6bey=KEY&Key=KEY", ""),
        ("/gemini/v1beta/models?key=own&alt=sse", "?alt=sse"),
        ("/openai/v1/foo?key=KEY&a=b", "?a=b"),
        ("/openai/v1/foo?api%5Fkey=KEY&key=own", "?key=own"),
        ("/anthropic/v1/messages?api_key=KEY", ""),
        ("/v1/chat/completions?key=KEY&after=KEY_", "?after=KEY_"),
        ("/v1/embeddings?api_key=KEY&api-key=KEY", ""),
        ("/v1/responses?access_token=KEY", ""),
        ("/v1/files?key=KEY&limit=2", "?limit=2"),
        (&format!("{generate}?key=KEY&%6bey=KEY&alt=json"), "?alt=json"),
    ] {
        let (target, left) = (target.replace("KEY", KEY), left.replace("KEY", KEY));
        let call = post(&target, chat).header("litellm_user_api_key", KEY);
        let protocols = format!("realtime, openai-insecure-api-key.{KEY}");
        proxy.call(call.header("sec-websocket-protocol", &protocols)).await.expect(200);
        let request = upstream.requests().pop().unwrap();
        let word = request.head.word();
        assert_eq!(word.split_at(word.find('?').unwrap_or(word.len())).1, left, "{target}");
        let sent = format!("{request:?}").replace(&left, "");
        assert!(!sent.contains(KEY), "{target}: {sent}");
    }
    let alone = post(format!("{generate}?key={KEY}&%6bey={KEY}"), chat);
    alone.send(proxy.addr()).await.expect(200);
    assert!(!format!("{:?}", upstream.requests().pop()).contains(KEY));
}

#[tokio::test]
async fn the_files_of_another_wire_are_the_providers_own() {
    let upstream = Upstream::playing(json(200, "{}")).await;
    let proxy = lent(&upstream).await;
    for kind in ["files", "batches", "fine_tuning/jobs", "files/f1/content"] {
        let path = format!("/anthropic/v1/{kind}");
        let refused = get(&path).send(proxy.addr()).await.expect(401).json();
        assert_eq!(refused["type"], "error", "{path}: {refused}");
        let refused = get(format!("/gemini/v1/{kind}")).send(proxy.addr()).await.expect(401);
        assert_eq!(refused.json()["error"]["status"], "UNAUTHENTICATED", "{path}");
        proxy.call(get(format!("{path}?custom_llm_provider=x"))).await.expect(200);
        let request = upstream.requests().pop().unwrap();
        assert_eq!(request.head.word(), format!("/v1/{kind}?custom_llm_provider=x"));
        assert_eq!(request.head.get("x-api-key"), Some("key-of-anthropic/claude-sonnet-4-5"));
        assert_eq!(request.head.get("anthropic-version"), Some("2023-06-01"));
    }
    let refused = get("/groq/v1/files").send(proxy.addr()).await.expect(401).json();
    assert_eq!(refused["error"]["code"], "401", "OpenAI's");
}

#[tokio::test]
async fn a_provider_without_a_key_is_named() {
    let upstream = Upstream::playing(json(200, "{}")).await;
    // Its key is not lent.
    let proxy = proxy::in_front_of(&upstream.base()).start().await;
    let answer = proxy.call(get("/openai/v1/models")).await.expect(400);
    assert!(answer.error_message().contains("OPENAI_API_KEY"));
    let answer = proxy.call(post("/anthropic/v1/messages", "{}")).await.expect(400);
    assert_eq!(answer.json()["type"], "error");
    assert!(answer.error_message().contains("ANTHROPIC_API_KEY"));
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn a_key_of_the_environment_is_enough() {
    let upstream = Upstream::playing(json(200, "{}")).await;
    let proxy = proxy::with(&format!("general_settings:\n  master_key: {KEY}\n"))
        .env("ANTHROPIC_API_KEY", "sk-ant")
        .env("ANTHROPIC_API_BASE", &upstream.origin())
        .start()
        .await;
    proxy.call(post("/anthropic/v1/messages/count_tokens", "{}")).await.expect(200);
    let request = upstream.only_request();
    assert_eq!(request.head.get("x-api-key"), Some("sk-ant"));
    assert_eq!(request.head.get("anthropic-version"), Some("2023-06-01"));
}

fn endpoints(upstream: &Upstream) -> String {
    let base = upstream.origin();
    format!(
        "general_settings:
  master_key: {KEY}
  pass_through_endpoints:
    - path: /rank
      target: {base}/v1/rank?mode=fast
      headers:
        Authorization: bearer os.environ/RANK_KEY
        x-team: blue
      cost_per_request: 0.25
    - path: /tree/
      target: {base}/deep
      include_subpath: true
      forward_headers: true
      merge_query_params: true
      methods: [GET, POST]
    - path: /open
      target: {base}/open
      auth: false
    - path: /keyed
      target: {base}/keyed
      forward_headers: true
      headers: {{litellm_user_api_key: X-User-Key, x-team: red}}
"
    )
}

async fn with_endpoints(upstream: &Upstream) -> Proxy {
    proxy::with(&endpoints(upstream)).env("RANK_KEY", "rk").start().await
}

#[tokio::test]
async fn a_path_of_the_config_leads_to_its_target() {
    let upstream = Upstream::playing(json(200, "{\"ok\":1}")).await;
    let proxy = with_endpoints(&upstream).await;
    let noisy = |call: Call| call.header("x-noise", "1").header("user-agent", "me");
    let answer = proxy.call(noisy(post("/rank", "{}"))).await.expect(200);
    assert_eq!(answer.text(), "{\"ok\":1}");
    assert!(answer.header("x-litellm-call-id").is_some());
    proxy.call(noisy(post("/rank/?mode=slow", "{}"))).await.expect(200);
    let twice = format!("/tree/a/b%20c?x=1&key={KEY}");
    proxy.call(noisy(get(twice))).await.expect(200);
    let requests = upstream.requests();
    let targets: Vec<_> = requests.iter().map(|one| one.head.word()).collect();
    assert_eq!(targets, ["/v1/rank?mode=fast", "/v1/rank?mode=slow", "/deep/a/b%20c?x=1"]);
    assert_eq!(requests[0].head.get("authorization"), Some("bearer rk"));
    assert_eq!(requests[0].head.get("x-team"), Some("blue"));
    assert_eq!(requests[0].head.get("content-type"), Some("application/json"));
    assert_eq!((requests[0].head.get("x-noise"), requests[0].body.as_ref()), (None, &b"{}"[..]));
    assert_eq!(requests[2].head.get("x-noise"), Some("1"));
    assert!(requests.iter().all(|one| !format!("{one:?}").contains(KEY)));
    let metrics = proxy.call(get("/metrics")).await.expect(200);
    assert!(metrics.text().contains("0.5"), "two calls of a quarter each");
}

#[tokio::test]
async fn a_path_of_the_config_takes_what_it_says() {
    let upstream = Upstream::playing(json(200, "{}")).await;
    let proxy = with_endpoints(&upstream).await;
    proxy.call(get("/rank/below")).await.expect(404);
    proxy.call(get("/ranks")).await.expect(404);
    let refused = proxy.call(with_body("DELETE", "/tree/x", "a/b", "")).await.expect(405);
    assert_eq!(refused.header("allow"), Some("GET, POST"));
    for path in ["/tree/../x", "/tree/%2e%2e/x", "/tree//x"] {
        proxy.call(get(path)).await.expect(404);
    }
    let traced = proxy.call(with_body("TRACE", "/open", "a/b", "")).await.expect(405);
    assert_eq!(traced.header("allow"), Some("GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS"));
    get("/rank").send(proxy.addr()).await.expect(401);
    assert!(upstream.requests().is_empty());
    get("/open").send(proxy.addr()).await.expect(200);
    get("/open").key("wrong").send(proxy.addr()).await.expect(200);
    assert!(upstream.requests().iter().all(|one| one.head.get("authorization").is_none()));
}

#[tokio::test]
async fn a_path_of_the_config_may_name_the_header_of_its_callers_keys() {
    let upstream = Upstream::playing(json(200, "{}")).await;
    let proxy = with_endpoints(&upstream).await;
    let bearer = format!("Bearer {KEY}");
    for call in [
        get("/keyed").header("x-user-key", KEY),
        get("/keyed").header("x-user-key", &bearer).header("authorization", "Basic theirs"),
        get("/keyed").key(KEY),
    ] {
        call.send(proxy.addr()).await.expect(200);
        let request = upstream.requests().pop().unwrap();
        assert_eq!(request.head.get("x-team"), Some("red"));
        let sent = format!("{request:?}").to_ascii_lowercase();
        assert!(!sent.contains(KEY) && !sent.contains("user"), "{sent}");
    }
    let wrong = get("/keyed").header("x-user-key", "sk-wrong").header("authorization", &bearer);
    wrong.send(proxy.addr()).await.expect(401);
    get("/keyed").send(proxy.addr()).await.expect(401);
    get("/rank").header("x-user-key", KEY).send(proxy.addr()).await.expect(401);
    get("/v1/models").header("x-user-key", KEY).send(proxy.addr()).await.expect(401);
    assert_eq!(upstream.requests().len(), 3);
}

#[tokio::test]
async fn a_wrong_endpoint_is_told_with_its_place_and_what_to_do() {
    let config = format!(
        "general_settings:
  master_key: {KEY}
  pass_through_endpoints:
    - target: https://host.example/x
    - path: /a
    - path: no-slash
      target: https://host.example/x
    - path: /a//b
      target: https://host.example/x
    - path: /b
      target: host.example
    - path: /c
      target: http://localhost:4000/x
    - path: /d
      target: https://host.example/x
      methods: [FETCH]
      headers:
        'a b': c
        x-y: os.environ/NOT_SET_ANYWHERE
        litellm_user_api_key: no header
"
    );
    let setup = proxy::bare().file("config.yaml", &config);
    let checked = setup.arg("check").arg("config.yaml").finish();
    for words in [
        "`path` is missing",
        "`target` is missing",
        "`path` must be a path that begins with `/`",
        "`path` is not a path of this proxy",
        "`target` is not a URL",
        "`target` leads back to this proxy",
        "`FETCH` is not a method",
        "this is not a valid header",
        "`litellm_user_api_key` must be the name of a header",
        "the variable NOT_SET_ANYWHERE is not set",
    ] {
        assert!(checked.output.contains(words), "{words}:\n{}", checked.output);
    }
    assert!(!checked.status.success());
}
