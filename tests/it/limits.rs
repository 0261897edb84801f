//! Limits of calls, tokens and parallel calls, and the budget of the proxy.
use crate::client::{Answer, chat, chat_stream, get, post};
use crate::proxy::{KEY, Proxy, with};
use crate::upstream::{COMPLETION, Gate, Step, Upstream, json, piece, stream_head};
use futures_util::future::join_all;
use serde_json::json as value;
use std::time::Duration;

async fn proxy(upstream: &Upstream, params: &str, more: &str) -> Proxy {
    let config = format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{model: openai/gpt-4o-mini, api_base: {}, api_key: k{params}}}
{more}
",
        upstream.base()
    );
    let config = match more.contains("general_settings") {
        true => {
            config.replace("general_settings:", &format!("general_settings:\n  master_key: {KEY}"))
        }
        false => format!("{config}general_settings: {{master_key: {KEY}}}\n"),
    };
    with(&config).start().await
}

fn said(input: u32, output: u32) -> Vec<Step> {
    let usage = format!(r#""prompt_tokens":{input},"completion_tokens":{output}"#);
    json(200, COMPLETION.replace(r#""prompt_tokens":1,"completion_tokens":1"#, &usage))
}

fn refused(answer: Answer) -> String {
    let answer = answer.expect(429);
    let wait: u64 = answer.header("retry-after").expect("a time").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(answer.message.head.count("retry-after"), 1);
    answer.error_message()
}

/// The same, of a limit of the proxy's own.
fn limited(answer: Answer) -> String {
    let reset = answer.header("reset_at").expect("the time of the reset").to_owned();
    let message = refused(answer);
    assert!(message.ends_with(&format!(". Limit resets at: {reset}")), "{message}");
    message
}

/// Asserts that one refusal of that measure was counted, or of that measure and scope.
async fn refusals(proxy: &Proxy, measure: &str) {
    let metrics = proxy.call(get("/metrics")).await.expect(200).text().to_owned();
    let name = format!("bartizan_limit_refusals_total{{measure=\"{measure}\"");
    let line = metrics.lines().find(|line| line.starts_with(&name));
    assert!(line.is_some_and(|line| line.ends_with(" 1.0")), "{line:?}");
}

#[tokio::test]
async fn calls_per_minute_are_limited_wherever_the_limit_stands() {
    for more in [
        "router_settings: {rpm: 2}",
        "general_settings:\n  rpm_limit: 2",
        "general_settings:\n  user_rate_limit: {rpm: 2}",
        "general_settings:\n  rpm: 2",
        "litellm_settings: {rpm: 2}",
    ] {
        let upstream = Upstream::playing(said(1, 1)).await;
        let proxy = proxy(&upstream, "", more).await;
        let call = || {
            let body = value!({"model": "gpt", "user": "u1", "messages": [{"role": "user", "content": "hi"}]});
            proxy.call(post("/v1/chat/completions", body.to_string()))
        };
        for _ in 0..2 {
            call().await.expect(200);
        }
        let message = limited(call().await);
        assert!(message.contains("Limit type: requests. Current limit: 2"), "{message}");
        refusals(&proxy, "requests").await;
        assert_eq!(upstream.seen().begun, 2, "{more}");
    }
}

#[tokio::test]
async fn a_header_names_the_end_user_whose_limit_counts() {
    let upstream = Upstream::playing(said(1, 1)).await;
    let more = "general_settings:\n  user_rate_limit: {ann: {rpm: 1}}";
    let proxy = proxy(&upstream, "", more).await;
    for (name, status) in [("x-litellm-end-user-id", 200), ("x-litellm-customer-id", 429)] {
        proxy.call(chat("gpt").header(name, "ann")).await.expect(status);
        proxy.call(chat("gpt").header(name, "bob")).await.expect(200);
    }
    proxy.call(chat("gpt")).await.expect(200);
}

#[tokio::test]
async fn tokens_per_minute_are_limited_by_what_was_used() {
    let upstream = Upstream::playing(said(80, 40)).await;
    let proxy = proxy(&upstream, "", "general_settings:\n  tpm_limit: 100").await;
    let call = || {
        let body = value!({"model": "gpt", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]});
        proxy.call(post("/v1/chat/completions", body.to_string()))
    };
    call().await.expect(200);
    let message = limited(call().await);
    assert!(message.contains("Limit type: tokens. Current limit: 100"), "{message}");
}

#[tokio::test]
async fn an_answer_tells_what_is_left() {
    let upstream = Upstream::playing(said(1, 1)).await;
    let proxy = proxy(&upstream, "", "router_settings: {rpm: 5, tpm: 1000}").await;
    let answer = proxy.call(chat("gpt")).await.expect(200);
    assert_eq!(answer.header("x-ratelimit-global-limit-requests"), Some("5"));
    assert_eq!(answer.header("x-ratelimit-global-remaining-requests"), Some("4"));
    assert_eq!(answer.header("x-ratelimit-global-limit-tokens"), Some("1000"));
}

#[tokio::test]
async fn open_calls_are_limited_until_their_bodies_end() {
    for more in [
        "general_settings:\n  max_parallel_requests: 1",
        "general_settings:\n  global_max_parallel_requests: 1",
    ] {
        let gate = Gate::new();
        let chunk = piece("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n");
        let end = piece("data: [DONE]\n\n");
        let steps = vec![stream_head(), chunk, Step::Wait(gate.clone()), end, Step::End];
        let upstream = Upstream::playing(steps).await;
        let proxy = proxy(&upstream, "", more).await;
        let mut open = chat_stream("gpt").key(KEY).open(proxy.addr()).await;
        let head = open.head().await.expect("a head").expect("an answer");
        assert_eq!(head.word(), "200");
        assert!(upstream.saw(crate::wire::PATIENCE, |seen| seen.begun == 1).await);
        let message = proxy.call(chat_stream("gpt")).await.expect(429).error_message();
        assert!(message.contains("max_parallel_requests"), "{message}");
        gate.open();
        drop(open.body(&head, true).await);
        proxy.call(chat_stream("gpt")).await.expect(200);
    }
}

#[tokio::test]
async fn a_budget_that_is_spent_refuses_calls() {
    for section in ["litellm_settings", "general_settings"] {
        let upstream = Upstream::playing(said(1_000_000, 0)).await;
        let prices = ", input_cost_per_token: 1e-6, output_cost_per_token: 1e-6";
        let more = format!("{section}:\n  max_budget: 1.5\n  budget_duration: 30d");
        let proxy = proxy(&upstream, prices, &more).await;
        proxy.call(chat("gpt")).await.expect(200);
        proxy.call(chat("gpt")).await.expect(200);
        let answer = proxy.call(chat("gpt")).await.expect(422);
        let error = &answer.json()["error"];
        assert_eq!(error["type"], "budget_exceeded");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.contains("Current cost: 2.0, Max budget: 1.5"), "{message}");
        refusals(&proxy, "budget").await;
        assert_eq!(upstream.seen().begun, 2);
    }
}

#[tokio::test]
async fn an_answer_that_does_not_tell_its_usage_is_paid_for() {
    for usage in ["", r#","usage":null"#] {
        let (body, _) = COMPLETION.split_once(r#","usage""#).expect("it has one");
        let upstream = Upstream::playing(json(200, format!("{body}{usage}}}"))).await;
        let prices = ", input_cost_per_token: 1e-3, output_cost_per_token: 1e-3";
        let proxy = proxy(&upstream, prices, "litellm_settings:\n  max_budget: 0.00001").await;
        let answer = proxy.call(chat("gpt")).await.expect(200);
        let cost: f64 = answer.header("x-litellm-response-cost").expect("a cost").parse().unwrap();
        assert!(cost >= 0.002, "{cost}");
        let message = proxy.call(chat("gpt")).await.expect(422).error_message();
        assert!(message.ends_with(", Max budget: 1e-05"), "{message}");
    }
}

#[tokio::test]
async fn a_strict_budget_needs_a_bound() {
    let upstream = Upstream::playing(said(10, 10)).await;
    let prices = ", input_cost_per_token: 1e-3, output_cost_per_token: 1e-3";
    let more = "general_settings:\n  max_budget: 1.0\n  budget_admission: strict";
    let proxy = proxy(&upstream, prices, more).await;
    let input = r#"{"model":"gpt","input":"hi"}"#;
    for (call, field) in
        [(chat("gpt"), "max_tokens"), (post("/v1/responses", input), "max_output_tokens")]
    {
        let answer = proxy.call(call).await.expect(400);
        assert_eq!(answer.json()["error"]["param"], field);
        assert!(answer.error_message().starts_with(&format!("`{field}` is missing")));
    }
    assert_eq!(upstream.seen().begun, 0);
    let bounded = |most: u32| {
        let body = value!({"model": "gpt", "max_tokens": most, "messages": [{"role": "user", "content": "hi"}]});
        proxy.call(post("/v1/chat/completions", body.to_string()))
    };
    bounded(100).await.expect(200);
    let over = bounded(5000).await.expect(422);
    assert!(over.error_message().contains("budget"), "{}", over.text());
}

#[tokio::test]
async fn a_client_that_leaves_pays_for_what_was_produced() {
    let chunk = format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n",
        "a word ".repeat(400)
    );
    let upstream = Upstream::playing(vec![stream_head(), piece(chunk), Step::Hang]).await;
    let prices = ", input_cost_per_token: 1e-3, output_cost_per_token: 1e-3, num_retries: 0";
    let proxy = proxy(&upstream, prices, "litellm_settings:\n  max_budget: 0.1").await;
    let mut open = chat_stream("gpt").key(KEY).open(proxy.addr()).await;
    assert_eq!(open.head().await.expect("a head").expect("an answer").word(), "200");
    drop(open.chunk().await.expect("content"));
    drop(open);
    let refused = async {
        while proxy.call(chat_stream("gpt").header("x-litellm-timeout", "1")).await.status == 200 {}
    };
    tokio::time::timeout(crate::wire::PATIENCE, refused).await.expect("it is refused soon");
}

/// Makes calls at once, and opens the gate when `open` of them wait behind it, and no more do.
async fn all_answered_with_no_more_open_than(
    open: usize,
    calls: usize,
    proxy: &Proxy,
    upstream: &Upstream,
    gate: &Gate,
) {
    let calls = join_all((0..calls).map(|_| proxy.call(chat("gpt"))));
    let opening = async {
        assert!(upstream.saw(crate::wire::PATIENCE, |seen| seen.begun == open).await);
        // Time enough for more, if there were any.
        assert!(!upstream.saw(Duration::from_millis(200), |seen| seen.begun > open).await);
        gate.open();
    };
    let (answers, ()) = tokio::join!(calls, opening);
    assert!(answers.iter().all(|answer| answer.status == 200));
}

#[tokio::test]
async fn calls_wait_for_room_where_concurrency_is_learnt() {
    let gate = Gate::new();
    let steps = [Step::Wait(gate.clone())].into_iter().chain(said(1, 1));
    let upstream = Upstream::playing(steps.collect()).await;
    let proxy = proxy(&upstream, "", "router_settings: {adaptive_concurrency: true}").await;
    all_answered_with_no_more_open_than(10, 30, &proxy, &upstream, &gate).await;
    assert_eq!(upstream.seen().begun, 30);
}

#[tokio::test]
async fn where_concurrency_is_learnt_calls_wait_for_what_the_provider_allows_too() {
    let gate = Gate::new();
    let steps = [Step::Wait(gate.clone())].into_iter().chain(said(1, 1));
    let upstream = Upstream::playing(steps.collect()).await;
    let params = ", max_parallel_requests: 2, num_retries: 0";
    let proxy = proxy(&upstream, params, "router_settings: {adaptive_concurrency: true}").await;
    all_answered_with_no_more_open_than(2, 8, &proxy, &upstream, &gate).await;
}

#[tokio::test]
async fn a_deployment_has_no_more_open_calls_than_its_provider_allows() {
    let gate = Gate::new();
    let steps = [Step::Wait(gate.clone())].into_iter().chain(said(1, 1));
    let upstream = Upstream::playing(steps.collect()).await;
    let params = ", max_parallel_requests: 1, num_retries: 0";
    let proxy = proxy(&upstream, params, "").await;
    let second = async {
        assert!(upstream.saw(crate::wire::PATIENCE, |seen| seen.begun == 1).await);
        let message = refused(proxy.call(chat("gpt")).await);
        assert!(message.contains("as many calls as they may"), "{message}");
        refusals(&proxy, "max_parallel_requests\",scope=\"deployment").await;
        gate.open();
    };
    let (first, ()) = tokio::join!(proxy.call(chat("gpt")), second);
    first.expect(200);
    proxy.call(chat("gpt")).await.expect(200);
}

#[tokio::test]
async fn tokens_of_a_deployment_are_limited_by_what_was_used() {
    let upstream = Upstream::playing(said(60, 40)).await;
    let params = ", num_retries: 0, tpm: 250";
    let proxy = proxy(&upstream, params, "router_settings: {enable_pre_call_checks: true}").await;
    let body =
        value!({"model": "gpt", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]});
    let call = || proxy.call(post("/v1/chat/completions", body.to_string()));
    for _ in 0..3 {
        call().await.expect(200);
    }
    let message = refused(call().await);
    assert!(message.contains("as many calls as they may"), "{message}");
    // Until the window is over, not at once.
    assert!(!message.contains("Try again in 1 seconds"), "{message}");
    refusals(&proxy, "tokens\",scope=\"deployment").await;
    assert_eq!(upstream.seen().begun, 3);
}

#[tokio::test]
async fn what_calls_of_a_deployment_may_use_is_set_aside_while_they_are_open() {
    let gate = Gate::new();
    let steps = [Step::Wait(gate.clone())].into_iter().chain(said(1, 1));
    let upstream = Upstream::playing(steps.collect()).await;
    let params = ", num_retries: 0, tpm: 250";
    let proxy = proxy(&upstream, params, "router_settings: {enable_pre_call_checks: true}").await;
    let body = value!({"model": "gpt", "max_tokens": 250, "messages": [{"role": "user", "content": "hi"}]});
    let call = || proxy.call(post("/v1/chat/completions", body.to_string()));
    let second = async {
        assert!(upstream.saw(crate::wire::PATIENCE, |seen| seen.begun == 1).await);
        refused(call().await);
        gate.open();
    };
    let (first, ()) = tokio::join!(call(), second);
    first.expect(200);
    call().await.expect(200);
}

#[tokio::test]
async fn a_prompt_that_no_deployment_takes_is_not_sent() {
    let upstream = Upstream::playing(said(1, 1)).await;
    let params = ", num_retries: 0}\n    model_info: {max_input_tokens: 100";
    let proxy = proxy(&upstream, params, "router_settings: {enable_pre_call_checks: true}").await;
    proxy.call(chat("gpt")).await.expect(200);
    let long = "a word ".repeat(200);
    let body = value!({"model": "gpt", "messages": [{"role": "user", "content": long}]});
    let answer = proxy.call(post("/v1/chat/completions", body.to_string())).await.expect(400);
    let message = answer.error_message();
    assert!(message.starts_with("litellm.ContextWindowExceededError"), "{message}");
    assert_eq!(upstream.seen().begun, 1);
}
