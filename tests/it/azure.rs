//! Azure's resources: which path, which header, which body each of their APIs gets.
use crate::client::{Answer, chat, get, post};
use crate::fixtures::{self, Exchange};
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::upstream::{self, COMPLETION, Step, Upstream, piece};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const VERSION: &str = "2025-02-01-preview";

/// One deployment, whose address is the upstream's with `path` behind it.
fn config(model: &str, base: &str, more: &str) -> String {
    format!(
        "model_list:
  - model_name: gpt
    litellm_params:
      model: {model}
      api_base: {base}
      api_key: {CREDENTIAL}
      num_retries: 0
      cooldown_time: 0
{more}general_settings:
  master_key: {KEY}
"
    )
}

async fn run(model: &str, path: &str, more: &str) -> (Upstream, Proxy) {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let config = config(model, &format!("{}{path}", upstream.origin()), more);
    (upstream, proxy::with(&config).start().await)
}

#[tokio::test]
async fn a_chat_reaches_its_deployment_with_the_key_in_a_header_of_azures() {
    let (upstream, proxy) = run("azure/my-dep", "/", "").await;
    proxy.call(chat("gpt").header("api-key", "theirs")).await.expect(200);
    let request = upstream.only_request();
    let wanted = format!("/openai/deployments/my-dep/chat/completions?api-version={VERSION}");
    assert_eq!(request.head.word(), wanted);
    assert_eq!(request.head.get("api-key"), Some(CREDENTIAL));
    assert_eq!(request.head.get("authorization"), None);
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body, json!({"model": "my-dep", "messages": [{"role": "user", "content": "hi"}]}));
}

#[tokio::test]
async fn each_operation_has_its_path() {
    let more = "      api_version: \"2025-04-01-preview\"\n";
    let (upstream, proxy) = run("azure/my-dep", "", more).await;
    let version = "?api-version=2025-04-01-preview";
    for (path, wanted) in [
        ("/v1/embeddings", "/openai/deployments/my-dep/embeddings"),
        ("/v1/images/generations", "/openai/deployments/my-dep/images/generations"),
        ("/v1/audio/speech", "/openai/deployments/my-dep/audio/speech"),
        ("/v1/responses", "/openai/responses"),
        ("/openai/deployments/gpt/embeddings", "/openai/deployments/my-dep/embeddings"),
    ] {
        let body = json!({"model": "gpt", "input": "hi", "prompt": "hi", "voice": "a"});
        drop(proxy.call(post(path, body.to_string())).await);
        let arrived = upstream.requests().pop().unwrap();
        assert_eq!(arrived.head.word(), format!("{wanted}{version}"), "{path}");
    }
    let theirs =
        post("/v1/embeddings?api-version=2020-01-01&a=b", r#"{"model":"gpt","input":"x"}"#);
    drop(proxy.call(theirs).await);
    let arrived = upstream.requests().pop().unwrap();
    assert_eq!(arrived.head.word(), format!("/openai/deployments/my-dep/embeddings{version}&a=b"));
}

#[tokio::test]
async fn an_address_may_be_copied_from_azures_pages() {
    for (path, more, wanted) in [
        (
            "/openai/deployments/own/chat/completions?api-version=2024-10-21",
            "",
            "/openai/deployments/own/chat/completions?api-version=2024-10-21",
        ),
        ("/openai/v1/", "", "/openai/v1/chat/completions"),
        ("", "      api_version: v1\n", "/openai/v1/chat/completions"),
        ("", "      api_version: preview\n", "/openai/v1/chat/completions?api-version=preview"),
    ] {
        let (upstream, proxy) = run("azure/my-dep", path, more).await;
        proxy.call(chat("gpt")).await.expect(200);
        assert_eq!(upstream.only_request().head.word(), wanted);
    }
}

#[tokio::test]
async fn variables_say_where_it_is() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let config = format!(
        "model_list: [{{model_name: gpt, litellm_params: {{model: azure/dep}}}}]
general_settings: {{master_key: {KEY}}}\n"
    );
    let proxy = proxy::with(&config)
        .env("AZURE_API_BASE", &upstream.origin())
        .env("AZURE_API_KEY", "from-env")
        .env("AZURE_API_VERSION", "2024-06-01")
        .start()
        .await;
    proxy.call(chat("gpt")).await.expect(200);
    let request = upstream.only_request();
    let wanted = "/openai/deployments/dep/chat/completions?api-version=2024-06-01";
    assert_eq!(request.head.word(), wanted);
    assert_eq!(request.head.get("api-key"), Some("from-env"));
}

#[tokio::test]
async fn names_of_clients_stay_below_their_path() {
    let (upstream, proxy) = run("azure/*", "", "").await;
    let config = config("azure/*", &upstream.origin(), "").replace("name: gpt", "name: \"*\"");
    drop(proxy);
    let proxy = proxy::with(&config).start().await;
    proxy.call(chat("my.dep-1")).await.expect(200);
    let arrived = upstream.requests().pop().unwrap();
    assert!(arrived.head.word().starts_with("/openai/deployments/my.dep-1/chat"));
    for name in ["../x", "a/../b", "a?b=c", "a%2fb"] {
        proxy.call(chat(name)).await.expect(400);
    }
    assert_eq!(upstream.requests().len(), 1);
}

#[tokio::test]
async fn what_a_deployment_takes_is_known_by_its_base_model() {
    let by_info = "    model_info: {base_model: azure/gpt-5-mini}\n";
    for (model, more) in
        [("azure/d", by_info), ("azure/gpt5_series/d", ""), ("azure/o_series/d", "")]
    {
        let (upstream, proxy) = run(model, "", more).await;
        for path in ["/v1/chat/completions", "/v1/messages"] {
            let body = json!({"model": "gpt", "max_tokens": 9,
                              "messages": [{"role": "user", "content": "hi"}]});
            proxy.call(post(path, body.to_string())).await.expect(200);
            let arrived = upstream.requests().pop().unwrap();
            let sent: Value = serde_json::from_slice(&arrived.body).unwrap();
            assert_eq!((&sent["max_completion_tokens"], &sent["model"]), (&json!(9), &json!("d")));
            assert!(arrived.head.word().starts_with("/openai/deployments/d/chat/completions?"));
        }
    }
}

#[tokio::test]
async fn its_price_is_that_of_its_base_model() {
    let more = "    model_info: {base_model: azure/gpt-4o}\n";
    let (_upstream, proxy) = run("azure/d", "", more).await;
    let answer = proxy.call(chat("gpt")).await.expect(200);
    assert_eq!(answer.header("x-litellm-response-cost"), Some("1.25e-05"));
}

#[tokio::test]
async fn usage_of_a_stream_is_asked_for_where_the_version_knows_that() {
    for (version, asked) in [("2024-06-01", false), ("2024-10-21", true), ("v1", true)] {
        let more = format!("      api_version: \"{version}\"\n");
        let (upstream, proxy) = run("azure/dep", "", &more).await;
        drop(proxy.call(crate::client::chat_stream("gpt")).await);
        let sent: Value = serde_json::from_slice(&upstream.only_request().body).unwrap();
        assert_eq!(sent.pointer("/stream_options/include_usage").is_some(), asked, "{version}");
    }
}

/// What Azure says where its filter stops a prompt.
const FILTERED: &str = r#"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"violence":{"filtered":true,"severity":"medium"}}}}}"#;

#[tokio::test]
async fn a_filtered_prompt_goes_to_the_fallbacks_for_that() {
    let upstream = Upstream::start(|request| match request.head.word().contains("/strict/") {
        true => upstream::json(400, FILTERED),
        false => upstream::json(200, COMPLETION),
    })
    .await;
    let origin = upstream.origin();
    let config = format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{model: azure/strict, api_base: {origin}, api_key: k, num_retries: 0}}
  - model_name: lax
    litellm_params: {{model: azure/lax, api_base: {origin}, api_key: k}}
router_settings:
  content_policy_fallbacks: [{{gpt: [lax]}}]
general_settings: {{master_key: {KEY}}}\n"
    );
    let proxy = proxy::with(&config).start().await;
    proxy.call(chat("gpt")).await.expect(200);
    assert_eq!(upstream.requests().len(), 2);
}

#[tokio::test]
async fn a_filtered_prompt_is_told_as_it_came() {
    let upstream = Upstream::playing(upstream::json(400, FILTERED)).await;
    let proxy = proxy::with(&config("azure/dep", &upstream.origin(), "")).start().await;
    let answer = proxy.call(chat("gpt")).await.expect(400);
    let told: Value = serde_json::from_slice(&answer.message.body).unwrap();
    assert_eq!(told["error"]["innererror"]["code"], "ResponsibleAIPolicyViolation");
    let body = r#"{"model":"gpt","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#;
    let answer = proxy.call(post("/v1/messages", body)).await.expect(400);
    assert!(answer.error_message().contains("content management policy"));
}

#[tokio::test]
async fn its_own_paths_are_passed_on_below_its_name() {
    let (upstream, proxy) = run("azure/dep", "", "      use_in_pass_through: true\n").await;
    let target = "/openai/assistants?api-version=2024-05-01-preview";
    proxy.call(get(format!("/azure{target}"))).await.expect(200);
    let request = upstream.only_request();
    assert_eq!(request.head.word(), target);
    assert_eq!(request.head.get("api-key"), Some(CREDENTIAL));
}

#[tokio::test]
async fn models_of_others_have_their_own_api() {
    let (upstream, proxy) = run("azure_ai/grok-4", "/models", "").await;
    proxy.call(chat("gpt")).await.expect(200);
    let request = upstream.only_request();
    let wanted = "/models/chat/completions?api-version=2024-05-01-preview";
    assert_eq!(request.head.word(), wanted);
    assert_eq!(request.head.get("api-key"), Some(CREDENTIAL));
    let (upstream, proxy) = run("azure_ai/llama", "", "").await;
    proxy.call(chat("gpt")).await.expect(200);
    let request = upstream.only_request();
    assert_eq!(request.head.word(), "/chat/completions");
    let bearer = format!("Bearer {CREDENTIAL}");
    assert_eq!(request.head.get("authorization"), Some(&*bearer));
}

#[tokio::test]
async fn claude_is_asked_in_its_own_words() {
    let (upstream, proxy) = run("azure_ai/claude-sonnet-4-5", "", "").await;
    drop(proxy.call(chat("gpt")).await);
    let request = upstream.only_request();
    assert_eq!(request.head.word(), "/anthropic/v1/messages");
    assert_eq!(request.head.get("x-api-key"), Some(CREDENTIAL));
    assert!(request.head.get("anthropic-version").is_some());
    let sent: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(sent["model"], "claude-sonnet-4-5");
}

/// One recorded exchange, and the deployment that stands for where it was recorded.
struct Recorded {
    exchange: Exchange,
    /// `provider/model`, what follows the upstream's address, and the version.
    model: String,
    path: &'static str,
    version: Option<String>,
    /// Our path, and what the provider was asked by.
    ours: &'static str,
    theirs: String,
    request: Value,
}

impl Recorded {
    fn new(exchange: Exchange) -> Option<Self> {
        let (_, target) = exchange.text("/request/url").split_once("azure.com/")?;
        let theirs = format!("/{}", target.trim_start_matches('/'));
        let (path, query) = theirs.split_once('?').unwrap_or((&theirs, ""));
        let version = query.strip_prefix("api-version=").map(str::to_owned);
        let model = exchange.text("/model");
        let deployment = path.strip_prefix("/openai/deployments/");
        let deployment = deployment.and_then(|rest| rest.split('/').next());
        let (model, base) = match deployment {
            Some(name) if path.ends_with("/deployments/test-openai/completions") => {
                (format!("azure_text/{name}"), "")
            }
            Some(name) => (format!("azure/{name}"), ""),
            None if path.starts_with("/openai/v1") => (format!("azure/{model}"), "/openai/v1"),
            None if path.starts_with("/openai/") => (format!("azure/{model}"), ""),
            None if path.starts_with("/models/") => (format!("azure_ai/{model}"), "/models"),
            None => (format!("azure_ai/{model}"), ""),
        };
        let ends = ["/chat/completions", "/completions", "/embeddings", "/responses", "/messages"];
        let end = ends.into_iter().position(|end| path.ends_with(end))?;
        let ours = [
            "/v1/chat/completions",
            "/v1/completions",
            "/v1/embeddings",
            "/v1/responses",
            "/v1/messages",
        ];
        let request = exchange.file["request"]["body"].clone();
        let request = Some(request).filter(Value::is_object)?;
        let ours = ours[end];
        Some(Self { model, path: base, version, ours, theirs, request, exchange })
    }

    fn entry(&self, number: usize, origin: &str) -> String {
        // Of some the query was not recorded.
        let lost = self.theirs.starts_with("/openai/responses").then_some("2025-04-01-preview");
        let version = self.version.as_deref().or(lost);
        let version = version.map(|it| format!(", api_version: \"{it}\"")).unwrap_or_default();
        let (model, path) = (&self.model, self.path);
        format!(
            "  - model_name: m{number}
    litellm_params: {{model: \"{model}\", api_base: \"{origin}{path}\", api_key: k, num_retries: 0{version}}}\n"
        )
    }

    fn play(&self) -> Vec<Step> {
        let (status, headers) = (self.exchange.status(), self.exchange.headers());
        let answer = self.exchange.answer().unwrap_or_default();
        if self.exchange.text("/response/body_text").is_empty() {
            return upstream::answer(status, &headers, &answer);
        }
        let pieces = self.exchange.pieces(answer).into_iter().map(piece);
        let head = upstream::chunked_head(status, &headers);
        std::iter::once(head).chain(pieces).chain([Step::End]).collect()
    }

    /// Whether it went where it was recorded, and its answer came back as it was.
    fn check(&self, arrived: &crate::wire::Message, answer: &Answer) -> Result<(), String> {
        let (path, _) = self.theirs.split_once('?').unwrap_or((&self.theirs, ""));
        let (word, _) = arrived.head.word().split_once('?').unwrap_or((arrived.head.word(), ""));
        let whole = self.version.is_none() || arrived.head.word() == self.theirs;
        if word != path || !whole {
            return Err(format!("{} is not {}", arrived.head.word(), self.theirs));
        }
        let (_, name) = self.model.split_once('/').expect("provider/model");
        let mut wanted = self.request.clone();
        wanted["model"] = name.into();
        let sent: Value = serde_json::from_slice(&arrived.body).map_err(|it| it.to_string())?;
        if sent != wanted {
            return Err(format!("{sent} is not {wanted}"));
        }
        let same = Some(answer.message.body.clone()) == self.exchange.answer();
        if answer.status != self.exchange.status() || !same {
            return Err(format!("{} {}", answer.status, answer.text()));
        }
        Ok(())
    }
}

#[tokio::test]
async fn every_recorded_call_goes_where_it_was_recorded() {
    let Some(root) = fixtures::root("azure") else { return };
    let exchanges = fixtures::all(&root).into_iter();
    let azure = exchanges.filter(|exchange| exchange.text("/provider") == "azure");
    let recorded: Vec<_> = azure.filter_map(Recorded::new).collect();
    assert!(recorded.len() > 40, "{}", recorded.len());
    let script = Arc::new(Mutex::new(Vec::new()));
    let playing = Arc::clone(&script);
    let upstream = Upstream::start(move |_| playing.lock().expect("not poisoned").clone()).await;
    let mut config = "model_list:\n".to_owned();
    for (number, one) in recorded.iter().enumerate() {
        config += &one.entry(number, &upstream.origin());
    }
    config += "router_settings: {disable_cooldowns: true}\n";
    config +=
        &format!("general_settings: {{master_key: {KEY}, always_include_stream_usage: false}}\n");
    let proxy = proxy::with(&config).start().await;
    let mut wrong = Vec::new();
    for (number, one) in recorded.iter().enumerate() {
        *script.lock().expect("not poisoned") = one.play();
        let mut body = one.request.clone();
        body["model"] = format!("m{number}").into();
        let before = upstream.seen().begun;
        let answer = proxy.call(post(one.ours, body.to_string())).await;
        let found = match upstream.request(before) {
            Some(arrived) => one.check(&arrived, &answer),
            None => Err(format!("nothing arrived: {}", answer.text())),
        };
        wrong.extend(found.err().map(|why| format!("{}: {why}", one.exchange.name)));
    }
    assert!(wrong.is_empty(), "{} went wrong:\n{}", wrong.len(), wrong.join("\n"));
}
