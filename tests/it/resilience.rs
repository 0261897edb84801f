//! Retries, fallbacks and cooldowns: a call is answered where somebody can answer it.
use crate::client::{Answer, Call, chat, chat_stream, get, post};
use crate::documented::{body, content};
use crate::proxy::{KEY, Proxy, with};
use crate::upstream::{COMPLETION, Step, Upstream, answer, json, stream, stream_head};
use serde_json::{Value, json as value};
use std::collections::HashMap;
use std::sync::Mutex;

const ERROR: &str = r#"{"error":{"message":"told so","type":"t","code":null}}"#;
const TOO_LONG: &str =
    r#"{"error":{"message":"too long","type":"t","code":"context_length_exceeded"}}"#;
const FILTERED: &str =
    r#"{"error":{"message":"not nice","type":"t","code":"content_policy_violation"}}"#;

/// An upstream whose models answer as they are called: `ok`, or a status; `500-once` fails the
/// first time only, `late` and `long` with their own error, `cut` begins a stream and resets it.
async fn upstream() -> Upstream {
    let seen = Mutex::new(HashMap::<String, usize>::new());
    Upstream::start(move |request| {
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let model = asked["model"].as_str().unwrap_or_default().to_owned();
        let streamed = asked["stream"] == true;
        let mut seen = seen.lock().expect("no script panics");
        let times = seen.entry(model.clone()).or_default();
        *times += 1;
        answer_of(&model, *times, streamed)
    })
    .await
}

fn answer_of(model: &str, times: usize, streamed: bool) -> Vec<Step> {
    let (name, once) = model.split_once("-once").map_or((model, false), |(name, _)| (name, true));
    match name {
        _ if once && times > 1 => said(model, streamed),
        "long" => json(400, TOO_LONG),
        "filtered" => json(400, FILTERED),
        "wait" => answer(429, &[("content-type", "application/json"), ("retry-after", "1")], ERROR),
        "cut" => vec![stream_head(), Step::Reset],
        "broken" => stream(&[r#"{"error":{"message":"overloaded","code":503}}"#]),
        status => match status.parse() {
            Ok(status) => json(status, ERROR),
            Err(_) => said(model, streamed),
        },
    }
}

fn said(model: &str, streamed: bool) -> Vec<Step> {
    if streamed {
        let text = format!(
            r#"{{"choices":[{{"index":0,"delta":{{"content":"{model}"}},"finish_reason":"stop"}}]}}"#
        );
        return stream(&[&text, "[DONE]"]);
    }
    json(200, COMPLETION.replace(r#""content":"ok""#, &format!(r#""content":"{model}""#)))
}

/// A proxy with these groups, each a list of models of the upstream, and more settings.
async fn proxy(upstream: &Upstream, groups: &[(&str, &[&str])], more: &str) -> Proxy {
    let mut config = format!("general_settings: {{master_key: {KEY}}}\n{more}\nmodel_list:\n");
    for (group, models) in groups {
        for model in *models {
            let params =
                format!("{{model: openai/{model}, api_base: {}, api_key: k}}", upstream.base());
            config += &format!("  - {{model_name: {group}, litellm_params: {params}}}\n");
        }
    }
    with(&config).start().await
}

/// Which models were called, in order.
fn called(upstream: &Upstream) -> Vec<String> {
    let requests = upstream.requests();
    requests.iter().map(|it| body(it)["model"].as_str().unwrap_or_default().to_owned()).collect()
}

fn asking(model: &str, more: &Value) -> Call {
    let mut body = value!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
    let members = body.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    post("/v1/chat/completions", body.to_string())
}

fn told(answer: &Answer, name: &str) -> String {
    answer.header(name).unwrap_or("-").to_owned()
}

async fn metrics(proxy: &Proxy) -> String {
    proxy.call(get("/metrics")).await.expect(200).text().to_owned()
}

#[tokio::test]
async fn a_call_that_fails_once_is_tried_again() {
    let upstream = upstream().await;
    let proxy = proxy(&upstream, &[("m", &["500-once"])], "").await;
    let answer = proxy.call(chat("m")).await.expect(200);
    assert_eq!(content(&answer), "500-once");
    assert_eq!(told(&answer, "x-litellm-attempted-retries"), "1");
    assert_eq!(upstream.seen().begun, 2);
    let metrics = metrics(&proxy).await;
    assert!(metrics.contains("bartizan_retries_total{requested_model=\"m\"} 1.0"), "{metrics}");
    let failed = "litellm_deployment_failure_responses_total{";
    assert!(metrics.lines().any(|line| line.starts_with(failed) && line.ends_with(" 1.0")));
}

#[tokio::test]
async fn a_request_may_ask_for_any_number_of_retries_and_gets_twenty() {
    let upstream = upstream().await;
    let models = ["500-once", "503-once", "502-once"];
    let groups = models.each_ref().map(|model| (*model, std::slice::from_ref(model)));
    let proxy = proxy(&upstream, &groups, "").await;
    let member = |retries| asking(models[0], &value!({"num_retries": retries}));
    let answer = proxy.call(member(1_000_000_000_000_u64)).await.expect(200);
    assert_eq!(told(&answer, "x-litellm-max-retries"), "20");
    let header = chat(models[1]).header("x-litellm-num-retries", "1000");
    let answer = proxy.call(header).await.expect(200);
    assert_eq!(told(&answer, "x-litellm-max-retries"), "20");
    let fewer = chat(models[2]).header("x-litellm-num-retries", "3");
    let answer = proxy.call(fewer).await.expect(200);
    assert_eq!(told(&answer, "x-litellm-max-retries"), "3");
}

#[tokio::test]
async fn a_stream_that_fails_before_its_first_content_is_tried_again() {
    for model in ["cut-once", "broken-once", "503-once"] {
        let upstream = upstream().await;
        let proxy = proxy(&upstream, &[("m", &[model])], "").await;
        let answer = proxy.call(chat_stream("m")).await.expect(200);
        assert!(answer.text().contains(model), "{}", answer.text());
        assert!(!answer.text().contains("error"), "{}", answer.text());
        assert_eq!(upstream.seen().begun, 2, "{model}");
    }
}

#[tokio::test]
async fn a_mistake_of_the_client_is_not_tried_again() {
    for status in ["400", "404", "422"] {
        let upstream = upstream().await;
        let proxy = proxy(&upstream, &[("m", &[status])], "").await;
        proxy.call(chat("m")).await.expect(status.parse().expect("a status"));
        assert_eq!(upstream.seen().begun, 1, "{status}");
    }
}

#[tokio::test]
async fn a_refused_credential_is_tried_elsewhere_and_rests() {
    let upstream = upstream().await;
    let proxy = proxy(&upstream, &[("m", &["401", "ok"])], "").await;
    for _ in 0..8 {
        let answer = proxy.call(chat("m")).await.expect(200);
        assert_eq!(content(&answer), "ok");
    }
    assert!(called(&upstream).iter().filter(|model| *model == "401").count() <= 1);
}

#[tokio::test]
async fn how_often_is_said_by_the_request_before_the_config() {
    let upstream = upstream().await;
    let more = "router_settings: {num_retries: 1, disable_cooldowns: true}";
    let proxy = proxy(&upstream, &[("m", &["500", "500"])], more).await;
    proxy.call(chat("m")).await.expect(500);
    assert_eq!(upstream.seen().begun, 2);
    proxy.call(asking("m", &value!({"num_retries": 0}))).await.expect(500);
    assert_eq!(upstream.seen().begun, 3);
    proxy.call(chat("m").header("x-litellm-num-retries", "3")).await.expect(500);
    assert_eq!(upstream.seen().begun, 7);
    assert!(upstream.requests().iter().all(|it| body(it).get("num_retries").is_none()));
}

#[tokio::test]
async fn a_retry_policy_counts_by_class() {
    let upstream = upstream().await;
    let more = "router_settings:
  disable_cooldowns: true
  retry_policy: {RateLimitErrorRetries: 0, InternalServerErrorRetries: 1}
  model_group_retry_policy: {other: {InternalServerErrorRetries: 2}}";
    let groups: &[(&str, &[&str])] =
        &[("busy", &["429", "429"]), ("broken", &["500", "500"]), ("other", &["500", "500"])];
    let proxy = proxy(&upstream, groups, more).await;
    for (group, status, times) in [("busy", 429, 1), ("broken", 500, 2), ("other", 500, 3)] {
        let before = upstream.seen().begun;
        proxy.call(chat(group)).await.expect(status);
        assert_eq!(upstream.seen().begun - before, times, "{group}");
    }
}

#[tokio::test]
async fn a_group_that_fails_is_followed_by_its_fallbacks() {
    for section in ["router_settings", "litellm_settings"] {
        let upstream = upstream().await;
        let more = format!("{section}: {{num_retries: 0, fallbacks: [{{a: [b, c]}}]}}");
        let groups: &[(&str, &[&str])] = &[("a", &["500"]), ("b", &["503"]), ("c", &["ok"])];
        let proxy = proxy(&upstream, groups, &more).await;
        let answer = proxy.call(chat("a")).await.expect(200);
        assert_eq!(called(&upstream), ["500", "503", "ok"], "{section}");
        assert_eq!(told(&answer, "x-litellm-model-group"), "c");
        assert_eq!(told(&answer, "x-litellm-attempted-fallbacks"), "2");
        let answer = proxy.call(chat_stream("a")).await.expect(200);
        assert!(answer.text().contains("ok"));
        let metrics = metrics(&proxy).await;
        for (outcome, group) in [("failed", "b"), ("successful", "c")] {
            let name = format!("litellm_deployment_{outcome}_fallbacks_total{{");
            let told: Vec<_> = metrics.lines().filter(|line| line.starts_with(&name)).collect();
            let [line] = told.as_slice() else { panic!("{told:?}") };
            assert!(line.contains(&format!("fallback_model=\"{group}\"")), "{line}");
            assert!(line.contains("exception_status=\"500\"") && line.ends_with(" 2.0"), "{line}");
            assert!(line.contains("requested_model=\"a\""), "{line}");
        }
    }
}

#[tokio::test]
async fn any_class_of_error_leads_to_the_fallbacks() {
    for status in ["400", "401", "404", "429", "500"] {
        let upstream = upstream().await;
        let more = "router_settings: {num_retries: 0, fallbacks: [{a: [b]}]}";
        let proxy = proxy(&upstream, &[("a", &[status]), ("b", &["ok"])], more).await;
        let answer = proxy.call(chat("a")).await.expect(200);
        assert_eq!(content(&answer), "ok", "{status}");
    }
}

#[tokio::test]
async fn a_prompt_that_is_too_long_or_not_nice_has_fallbacks_of_its_own() {
    let upstream = upstream().await;
    let more = "router_settings:
  fallbacks: [{long: [general]}, {filtered: [general]}]
  context_window_fallbacks: [{long: [larger]}]
  content_policy_fallbacks: [{filtered: [laxer]}]";
    let groups: &[(&str, &[&str])] = &[
        ("long", &["long"]),
        ("filtered", &["filtered"]),
        ("general", &["general"]),
        ("larger", &["larger"]),
        ("laxer", &["laxer"]),
    ];
    let proxy = proxy(&upstream, groups, more).await;
    for (group, answered) in [("long", "larger"), ("filtered", "laxer")] {
        assert_eq!(content(&proxy.call(chat(group)).await.expect(200)), answered);
    }
}

#[tokio::test]
async fn all_other_groups_have_the_default_fallbacks() {
    let upstream = upstream().await;
    let more = "litellm_settings: {num_retries: 0, default_fallbacks: [b]}";
    let proxy = proxy(&upstream, &[("a", &["500"]), ("b", &["ok"])], more).await;
    assert_eq!(content(&proxy.call(chat("a")).await.expect(200)), "ok");
}

#[tokio::test]
async fn if_all_fallbacks_fail_the_first_error_is_the_answer() {
    let upstream = upstream().await;
    let more = "router_settings: {num_retries: 0, max_fallbacks: 2, \
                fallbacks: [{a: [b]}, {b: [c]}, {c: [d]}, {d: [a]}]}";
    let groups: &[(&str, &[&str])] =
        &[("a", &["422"]), ("b", &["500"]), ("c", &["503"]), ("d", &["502"])];
    let proxy = proxy(&upstream, groups, more).await;
    let answer = proxy.call(chat("a")).await.expect(422);
    assert!(answer.error_message().contains("told so"));
    assert_eq!(called(&upstream), ["422", "500", "503"]);
}

#[tokio::test]
async fn a_request_may_bring_its_fallbacks_or_refuse_them() {
    let upstream = upstream().await;
    let more = "router_settings: {num_retries: 0, fallbacks: [{a: [b]}]}";
    let groups: &[(&str, &[&str])] = &[("a", &["500"]), ("b", &["ok"]), ("c", &["other"])];
    let proxy = proxy(&upstream, groups, more).await;
    let own = asking("a", &value!({"fallbacks": ["c"]}));
    assert_eq!(content(&proxy.call(own).await.expect(200)), "other");
    let params = asking("a", &value!({"fallbacks": [{"model": "c", "temperature": 0.5}]}));
    assert_eq!(content(&proxy.call(params).await.expect(200)), "other");
    let last = upstream.requests().pop().expect("it was called");
    assert_eq!(body(&last)["temperature"], 0.5);
    assert!(body(&last).get("fallbacks").is_none());
    proxy.call(asking("a", &value!({"disable_fallbacks": true}))).await.expect(500);
}

#[tokio::test]
async fn a_fallback_of_a_request_changes_neither_its_way_nor_its_form() {
    let upstream = upstream().await;
    let groups: &[(&str, &[&str])] = &[("a", &["500"]), ("c", &["other"])];
    let proxy = proxy(&upstream, groups, "router_settings: {num_retries: 0}").await;
    for name in ["api_key", "api_base", "base_url", "api_version", "stream"] {
        let target = value!({"fallbacks": [{"model": "c", name: "x"}]});
        proxy.call(asking("a", &target)).await.expect(200);
        let last = body(&upstream.requests().pop().expect("it was called"));
        assert!(last.get(name).is_none(), "{name}");
    }
    let target = value!({"fallbacks": [{"model": "c", "timeout": 5, "top_p": 0.5}]});
    proxy.call(asking("a", &target)).await.expect(200);
    let last = body(&upstream.requests().pop().expect("it was called"));
    assert_eq!((&last["top_p"], last.get("timeout")), (&value!(0.5), None));
}

#[tokio::test]
async fn a_mistake_in_a_request_is_neither_tried_again_nor_held_against_deployments() {
    let upstream = upstream().await;
    let more = "router_settings: {allowed_fails: 0, cooldown_time: 60}";
    let proxy = proxy(&upstream, &[("m", &["ok", "ok"])], more).await;
    // Twice the member that asks for usage: found when the request is edited.
    let twice = r#"{"model":"m","stream":true,"stream_options":{},"stream_options":{},"messages":[{"role":"user","content":"hi"}]}"#;
    for _ in 0..3 {
        proxy.call(post("/v1/chat/completions", twice)).await.expect(400);
    }
    let metrics = metrics(&proxy).await;
    assert!(!metrics.contains("bartizan_retries_total{"), "{metrics}");
    proxy.call(chat("m")).await.expect(200);
    assert_eq!(upstream.seen().begun, 1);
}

#[tokio::test]
async fn fallbacks_can_be_rehearsed() {
    let upstream = upstream().await;
    let more = "router_settings:
  num_retries: 0
  fallbacks: [{a: [b]}]
  context_window_fallbacks: [{a: [c]}]
  content_policy_fallbacks: [{a: [d]}]";
    let groups: &[(&str, &[&str])] =
        &[("a", &["first"]), ("b", &["second"]), ("c", &["third"]), ("d", &["fourth"])];
    let proxy = proxy(&upstream, groups, more).await;
    for (switch, answered) in [
        ("mock_testing_fallbacks", "second"),
        ("mock_testing_context_fallbacks", "third"),
        ("mock_testing_content_policy_fallbacks", "fourth"),
    ] {
        let answer = proxy.call(asking("a", &value!({switch: true}))).await.expect(200);
        assert_eq!(content(&answer), answered, "{switch}");
    }
    assert!(!called(&upstream).contains(&"first".to_owned()));
    proxy.call(asking("b", &value!({"mock_testing_rate_limit_error": true}))).await.expect(429);
}

#[tokio::test]
async fn a_deployment_that_is_rate_limited_rests_and_the_other_answers() {
    let upstream = upstream().await;
    let proxy = proxy(&upstream, &[("m", &["wait", "ok"])], "").await;
    for _ in 0..10 {
        assert_eq!(content(&proxy.call(chat("m")).await.expect(200)), "ok");
    }
    assert!(called(&upstream).iter().filter(|model| *model == "wait").count() <= 1);
    let metrics = metrics(&proxy).await;
    if called(&upstream).contains(&"wait".to_owned()) {
        assert!(metrics.contains("litellm_deployment_cooled_down_total{"), "{metrics}");
    }
}

#[tokio::test]
async fn a_group_that_rests_as_a_whole_says_when_to_come_again() {
    let upstream = upstream().await;
    let more = "router_settings: {num_retries: 0, cooldown_time: 60}";
    let proxy = proxy(&upstream, &[("m", &["404"])], more).await;
    proxy.call(chat("m")).await.expect(404);
    let answer = proxy.call(chat("m")).await.expect(429);
    let message = answer.error_message();
    assert!(message.starts_with("No deployments available for selected model"), "{message}");
    let wait: u64 = told(&answer, "retry-after").parse().expect("seconds");
    assert!((50..=60).contains(&wait), "{wait}");
    assert_eq!(answer.json()["error"]["type"], "all_deployments_in_cooldown");
    assert_eq!(upstream.seen().begun, 1);
}

#[tokio::test]
async fn nothing_rests_where_cooldowns_are_off() {
    for more in ["disable_cooldowns: true", "cooldown_time: 0"] {
        let upstream = upstream().await;
        let more = format!("router_settings: {{num_retries: 0, {more}}}");
        let proxy = proxy(&upstream, &[("m", &["404"])], &more).await;
        for _ in 0..3 {
            proxy.call(chat("m")).await.expect(404);
        }
        assert_eq!(upstream.seen().begun, 3);
    }
}

#[tokio::test]
async fn so_many_failures_are_allowed_as_the_config_says() {
    let upstream = upstream().await;
    let more = "router_settings: {num_retries: 0, allowed_fails: 2, cooldown_time: 60}";
    let proxy = proxy(&upstream, &[("m", &["500"])], more).await;
    for _ in 0..3 {
        proxy.call(chat("m")).await.expect(500);
    }
    proxy.call(chat("m")).await.expect(429);
}

/// A proxy whose group `m` says this of its one deployment, and whose group `b` says nothing.
async fn told_of(params: &str, upstream: &Upstream) -> Proxy {
    let base = upstream.base();
    let config = format!(
        "general_settings: {{master_key: {KEY}}}
model_list:
  - {{model_name: m, litellm_params: {{model: openai/m, api_base: {base}, api_key: k, {params}}}}}
  - {{model_name: b, litellm_params: {{model: openai/b, api_base: {base}, api_key: k}}}}
"
    );
    with(&config).start().await
}

#[tokio::test]
async fn a_rehearsed_limit_leaves_as_many_retries_as_the_deployment_wants() {
    let upstream = upstream().await;
    let proxy = told_of("num_retries: 50", &upstream).await;
    let call = asking("m", &value!({"mock_testing_rate_limit_error": true}));
    let answer = proxy.call(call).await.expect(200);
    assert_eq!(told(&answer, "x-litellm-attempted-retries"), "1");
    assert_eq!(told(&answer, "x-litellm-max-retries"), "50");
    assert_eq!(upstream.seen().begun, 1);
}

#[tokio::test]
async fn a_rehearsed_timeout_takes_as_long_as_the_call_may_and_says_how_long() {
    let upstream = upstream().await;
    let proxy = told_of("timeout: 0.2, stream_timeout: 0.1", &upstream).await;
    let member = |more: Value| {
        let mut members = value!({"mock_timeout": true, "num_retries": 0});
        let own = members.as_object_mut().expect("an object");
        own.extend(more.as_object().expect("an object").clone());
        asking("m", &members)
    };
    for (call, seconds) in [
        (member(value!({})), "0.2"),
        (member(value!({"stream": true})), "0.1"),
        (member(value!({"timeout": 0.05})), "0.05"),
        (member(value!({})).header("x-litellm-timeout", "0.001"), "0.001"),
    ] {
        let answer = proxy.call(call).await.expect(408);
        assert_eq!(told(&answer, "x-litellm-timeout"), seconds);
        assert!(answer.error_message().starts_with("litellm.Timeout"), "{}", answer.text());
    }
    assert_eq!(upstream.seen().begun, 0, "nobody is called");
    let retried = asking("m", &value!({"mock_timeout": true, "num_retries": 1, "timeout": 0.01}));
    let answer = proxy.call(retried).await.expect(408);
    assert_eq!(told(&answer, "x-litellm-attempted-retries"), "1");
    proxy.call(chat("m")).await.expect(200);
    let fallback = member(value!({"timeout": 0.01, "fallbacks": ["b"]}));
    let answer = proxy.call(fallback).await.expect(200);
    assert_eq!(told(&answer, "x-litellm-model-group"), "b");
}
