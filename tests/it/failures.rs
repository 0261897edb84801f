//! What is told of a call that failed: in its headers, in metrics and in its log line.
use crate::client::{Answer, Call, chat, chat_stream, get, post};
use crate::documented::body;
use crate::proxy::{KEY, Proxy, free_port, with};
use crate::upstream::{COMPLETION, Gate, Step, Upstream, json, stream};
use crate::wire::{Message, PATIENCE};
use futures_util::future::join_all;
use serde_json::json as value;
use std::time::Duration;

const ERROR: &str = r#"{"error":{"message":"told so","type":"t","code":null}}"#;

/// A proxy with these groups of one model each at the upstream, and more settings.
async fn proxy(upstream: &Upstream, groups: &[(&str, &str)], more: &str) -> Proxy {
    let mut config = format!("general_settings: {{master_key: {KEY}}}\n{more}\nmodel_list:\n");
    for (group, model) in groups {
        let base = match *model {
            "dead" => format!("http://127.0.0.1:{}/v1", free_port()),
            _ => upstream.base(),
        };
        config += &format!(
            "  - {{model_name: {group}, litellm_params: {{model: openai/{model}, api_base: {base}, \
             api_key: k}}, model_info: {{id: {group}-{model}}}}}\n"
        );
    }
    with(&config).start().await
}

fn model(request: &Message) -> String {
    body(request)["model"].as_str().unwrap_or_default().to_owned()
}

/// An upstream whose models are called as they answer: with a status, or well.
async fn upstream() -> Upstream {
    let answer = |request: &Message| match model(request).parse() {
        Ok(status) => json(status, ERROR),
        Err(_) => json(200, COMPLETION),
    };
    Upstream::start(answer).await
}

fn told(answer: &Answer, names: &[&str]) -> Vec<String> {
    let told = |name: &&str| answer.header(&format!("x-litellm-{name}")).unwrap_or("-").to_owned();
    names.iter().map(told).collect()
}

const TOLD: [&str; 5] =
    ["model-id", "model-group", "attempted-retries", "max-retries", "attempted-fallbacks"];

async fn metrics(proxy: &Proxy, name: &str) -> Vec<String> {
    let all = proxy.call(get("/metrics")).await.expect(200).text().to_owned();
    let counts = |line: &&str| line.starts_with(name) && !line.ends_with(" 0.0");
    all.lines().filter(counts).map(ToOwned::to_owned).collect()
}

async fn ask(proxy: &Proxy, call: Call, status: u16) -> Answer {
    proxy.call(call).await.expect(status)
}

#[tokio::test]
async fn an_error_that_is_made_here_tells_of_its_attempts_as_others_do() {
    let upstream = upstream().await;
    let groups = [("lost", "dead"), ("down", "500"), ("full", "429")];
    let settings = "router_settings: {num_retries: 1, retry_policy: {InternalServerErrorRetries: 1, \
                    RateLimitErrorRetries: 0}, fallbacks: [{lost: [full]}, {down: [full]}]}";
    let proxy = proxy(&upstream, &groups, settings).await;
    let lost = ask(&proxy, chat("lost"), 500).await;
    assert_eq!(told(&lost, &TOLD), ["lost-dead", "lost", "1", "1", "1"]);
    assert!(lost.header("x-litellm-model-api-base").is_some());
    let down = ask(&proxy, chat("down"), 500).await;
    assert_eq!(told(&down, &TOLD), ["down-500", "down", "1", "1", "1"]);
    let unknown = ask(&proxy, chat("nobody"), 400).await;
    assert_eq!(told(&unknown, &TOLD), ["-"; 5]);
}

#[tokio::test]
async fn a_call_that_no_deployment_takes_tells_its_group() {
    let upstream = upstream().await;
    let proxy = proxy(&upstream, &[("one", "401")], "").await;
    ask(&proxy, chat("one"), 401).await;
    let resting = ask(&proxy, chat("one"), 429).await;
    assert_eq!(told(&resting, &TOLD), ["-", "one", "0", "-", "0"]);
}

#[tokio::test]
async fn a_call_that_failed_everywhere_failed_as_its_client_was_told() {
    let upstream = upstream().await;
    let groups = [("down", "500"), ("full", "429")];
    let settings = "router_settings: {num_retries: 0, fallbacks: [{down: [full]}]}";
    let proxy = proxy(&upstream, &groups, settings).await;
    ask(&proxy, chat("down"), 500).await;
    let line = proxy.line(|line| line.contains("/chat/completions")).await;
    assert!(line.contains(r#""error":"InternalServerError","error_status":500"#), "{line}");
    let failed = metrics(&proxy, "litellm_proxy_failed_requests_metric_total").await;
    assert!(failed.len() == 1 && failed[0].contains("exception_status=\"500\""), "{failed:?}");
    let deployments = metrics(&proxy, "litellm_deployment_failure_responses_total").await;
    assert_eq!(deployments.len(), 2, "{deployments:?}");
    for (model, status) in [("down-500", "500"), ("full-429", "429")] {
        let (id, status) = (format!("\"{model}\""), format!("exception_status=\"{status}\""));
        let found = deployments.iter().find(|line| line.contains(&id));
        assert!(found.is_some_and(|line| line.contains(&status)), "{deployments:?}");
    }
}

#[tokio::test]
async fn a_client_that_leaves_between_two_attempts_left() {
    let upstream = upstream().await;
    for model in ["500", "dead"] {
        let settings = "router_settings: {num_retries: 5}";
        let proxy = proxy(&upstream, &[("gpt", model)], settings).await;
        let wire = chat("gpt").key(KEY).open(proxy.addr()).await;
        // The first attempt fails at once, and the pause after it takes half a second at least.
        assert!(!upstream.saw(Duration::from_millis(250), |seen| seen.begun > 1).await);
        drop(wire);
        let line = proxy.line(|line| line.contains("/chat/completions")).await;
        assert!(
            line.contains(r#""status":499"#) && line.contains(r#""error":"Cancelled""#),
            "{line}"
        );
        let failed = metrics(&proxy, "litellm_deployment_failure_responses_total").await;
        assert!(failed.len() == 1 && failed[0].contains("status=\"500\""), "{failed:?}");
    }
}

#[tokio::test]
async fn an_error_in_a_stream_counts_as_what_it_says() {
    let first = r#"{"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}"#;
    let error =
        r#"{"error":{"message":"too fast","type":"requests","code":"rate_limit_exceeded"}}"#;
    let upstream = Upstream::playing(stream(&[first, error])).await;
    let proxy = proxy(&upstream, &[("gpt", "m")], "").await;
    let answer = ask(&proxy, chat_stream("gpt"), 200).await;
    assert_eq!(answer.events().last().map(String::as_str), Some(error));
    let line = proxy.line(|line| line.contains("/chat/completions")).await;
    assert!(line.contains(r#""error":"RateLimitError","error_status":429"#), "{line}");
}

/// The answers to thirty calls at a time to deployments that take ten at once, and all answer
/// once `most` have come: how many have which status, and one that was refused.
async fn crowd(models: &[&str], most: usize) -> (usize, usize, Option<Answer>) {
    let gate = Gate::new();
    let held = gate.clone();
    let answer = |request: &Message| match &*model(request) {
        "401" => json(401, ERROR),
        _ => json(200, COMPLETION),
    };
    let upstream = Upstream::start(move |request| {
        [Step::Wait(held.clone())].into_iter().chain(answer(request)).collect()
    })
    .await;
    let groups: Vec<_> = models.iter().map(|model| ("gpt", *model)).collect();
    let settings = "router_settings: {num_retries: 0, adaptive_concurrency: true}";
    let proxy = proxy(&upstream, &groups, settings).await;
    let calls = join_all((0..30).map(|_| proxy.call(chat("gpt"))));
    let opening = async {
        assert!(upstream.saw(PATIENCE, |seen| seen.begun == most).await);
        gate.open();
    };
    let (mut answers, ()) = tokio::join!(calls, opening);
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    let (answered, failed) = (count(200), count(401));
    answers.retain(|answer| ![200, 401].contains(&answer.status));
    (answered, failed, answers.pop())
}

#[tokio::test]
async fn calls_that_wait_for_room_go_elsewhere_when_their_deployment_rests() {
    let (answered, failed, refused) = crowd(&["401", "ok"], 20).await;
    assert_eq!((answered, failed), (20, 10), "{refused:?}");
}

#[tokio::test]
async fn calls_that_wait_for_room_are_refused_when_nobody_is_left() {
    let (answered, failed, refused) = crowd(&["401"], 10).await;
    assert_eq!((answered, failed), (0, 10));
    let refused = refused.expect("twenty were").expect(429);
    assert!(refused.error_message().contains("No deployments available"), "{refused:?}");
    assert_eq!(refused.header("x-litellm-model-group"), Some("gpt"));
    assert!(refused.header("retry-after").is_some());
}

#[tokio::test]
async fn an_alias_has_the_fallbacks_and_the_retries_of_its_group() {
    let upstream = upstream().await;
    let groups = [("down", "500"), ("ok", "ok"), ("other", "other")];
    let settings = "router_settings: {num_retries: 0, model_group_alias: {nick: down, own: down}, \
                    fallbacks: [{down: [ok]}, {own: [other]}], \
                    model_group_retry_policy: {down: {InternalServerErrorRetries: 1}}}";
    let proxy = proxy(&upstream, &groups, settings).await;
    for (asked, answers) in [("down", "ok"), ("nick", "ok"), ("own", "other")] {
        let before = upstream.requests().len();
        let answer = ask(&proxy, chat(asked), 200).await;
        assert_eq!(answer.header("x-litellm-model-group"), Some(answers), "{asked}");
        assert_eq!(upstream.requests().len() - before, 3, "{asked}");
    }
}

#[tokio::test]
async fn a_name_that_nothing_has_is_told_as_litellm_does() {
    let upstream = upstream().await;
    for (settings, begin) in [
        ("", "/chat/completions: Invalid model name passed in model=nobody"),
        (
            "router_settings: {fallbacks: [{gpt: [ok]}]}",
            "litellm.BadRequestError: You passed in model=nobody",
        ),
    ] {
        let proxy = proxy(&upstream, &[("gpt", "500"), ("ok", "ok")], settings).await;
        let message = ask(&proxy, chat("nobody"), 400).await.error_message();
        assert!(message.starts_with(begin), "{message}");
    }
}

#[tokio::test]
async fn a_call_with_a_tag_stays_with_it_when_its_deployment_fails() {
    let seen = std::sync::Mutex::new(0);
    let upstream = Upstream::start(move |request| {
        let mut seen = seen.lock().expect("no script panics");
        *seen += usize::from(model(request) == "flaky");
        match &*model(request) {
            "flaky" if *seen == 1 => json(500, ERROR),
            "401" => json(401, ERROR),
            _ => json(200, COMPLETION),
        }
    })
    .await;
    let mut config = format!(
        "general_settings: {{master_key: {KEY}}}\nrouter_settings: {{enable_tag_filtering: true}}\n\
         model_list:\n"
    );
    for (group, model, tag) in
        [("gpt", "flaky", "a"), ("gpt", "ok", "b"), ("two", "401", "a"), ("two", "ok", "b")]
    {
        config += &format!(
            "  - {{model_name: {group}, litellm_params: {{model: openai/{model}, api_base: {}, \
             api_key: k, tags: [{tag}]}}}}\n",
            upstream.base()
        );
    }
    let proxy = with(&config).start().await;
    let tagged = |group, tag| chat(group).header("x-litellm-tags", tag);
    ask(&proxy, tagged("gpt", "a"), 200).await;
    let called: Vec<_> = upstream.requests().iter().map(model).collect();
    assert_eq!(called, ["flaky", "flaky"]);
    ask(&proxy, tagged("two", "a"), 401).await;
    let resting = ask(&proxy, tagged("two", "a"), 429).await;
    assert!(resting.error_message().contains("No deployments available"), "{resting:?}");
    ask(&proxy, tagged("two", "b"), 200).await;
    let refused = ask(&proxy, tagged("two", "c"), 401).await;
    assert!(refused.error_message().contains("tags configuration"), "{refused:?}");
}

#[tokio::test]
async fn a_rehearsed_failure_is_one_of_the_group_that_was_asked_for() {
    let upstream = upstream().await;
    let settings = "router_settings: {fallbacks: [{gpt: [ok]}]}";
    let proxy = proxy(&upstream, &[("gpt", "m"), ("ok", "ok")], settings).await;
    let rehearsing = |group| {
        let body = value!({"model": group, "messages": [], "mock_testing_fallbacks": true});
        post("/v1/chat/completions", body.to_string())
    };
    let failed = ask(&proxy, rehearsing("ok"), 500).await;
    assert_eq!(told(&failed, &TOLD), ["-", "ok", "0", "-", "0"]);
    ask(&proxy, rehearsing("gpt"), 200).await;
    let line = proxy.line(|line| line.contains("Call answered")).await;
    assert!(line.contains(r#""model":"gpt""#), "{line}");
    ask(&proxy, rehearsing("nobody"), 400).await;
}
