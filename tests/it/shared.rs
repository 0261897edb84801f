//! Several proxies that share one Redis: limits, budgets, cooldowns and answers.
use crate::client::{Call, chat, get, post};
use crate::proxy::{KEY, Proxy, Setup, with};
use crate::redis::Redis;
use crate::upstream::{COMPLETION, Gate, Step, Upstream, json};
use futures_util::future::join_all;
use serde_json::json as value;
use std::time::Duration;
use tokio::time::{interval, timeout};

const PRICES: &str = "input_cost_per_token: 1e-3, output_cost_per_token: 1e-3";

/// A proxy beside `redis` that charges 0.001 for a token, with more settings.
pub(crate) async fn proxy(redis: &Redis, upstream: &Upstream, general: &str, more: &str) -> Proxy {
    let place = format!("redis_host: 127.0.0.1\n  redis_port: {}", redis.port());
    let proxy = placed(&place, upstream, general, more).start().await;
    connected(&proxy).await;
    proxy
}

/// As [`proxy`], not started yet, with a Redis in another `place`.
pub(crate) fn placed(place: &str, upstream: &Upstream, general: &str, more: &str) -> Setup {
    let params = format!("model: openai/gpt-4o-mini, api_base: {}, api_key: k", upstream.base());
    with(&format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{{params}, num_retries: 0, {PRICES}}}
general_settings: {{master_key: {KEY}{general}}}
router_settings:
  {place}
{more}
"
    ))
}

/// Waits until the proxy has found its Redis.
pub(crate) async fn connected(proxy: &Proxy) {
    let ready = async {
        let mut ticks = interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            let body = get("/health/readiness").key(KEY).send(proxy.addr()).await.json();
            if body["redis"] == "connected" {
                return;
            }
        }
    };
    timeout(crate::wire::PATIENCE, ready).await.expect("Redis is found");
}

pub(crate) fn said(input: u32, output: u32) -> Vec<Step> {
    let usage = format!(r#""prompt_tokens":{input},"completion_tokens":{output}"#);
    json(200, COMPLETION.replace(r#""prompt_tokens":1,"completion_tokens":1"#, &usage))
}

fn bounded(most: u32) -> Call {
    let body = value!({"model": "gpt", "max_tokens": most, "messages": [{"role": "user", "content": "hi"}]});
    post("/v1/chat/completions", body.to_string())
}

/// Makes calls at all proxies at once; how many were answered.
pub(crate) async fn answered(proxies: &[&Proxy], calls: usize, call: &Call) -> usize {
    let calls = (0..calls).map(|at| proxies[at % proxies.len()].call(call.clone()));
    join_all(calls).await.iter().filter(|answer| answer.status == 200).count()
}

#[tokio::test]
async fn two_proxies_admit_exactly_what_their_limit_says() {
    let Some(redis) = Redis::start().await else { return };
    let upstream = Upstream::playing(said(1, 1)).await;
    let one = proxy(&redis, &upstream, ", rpm_limit: 25", "").await;
    let two = proxy(&redis, &upstream, ", rpm_limit: 25", "").await;
    assert_eq!(answered(&[&one, &two], 80, &chat("gpt")).await, 25);
    assert_eq!(upstream.seen().begun, 25);
}

#[tokio::test]
async fn three_proxies_never_overspend_a_strict_budget() {
    let Some(redis) = Redis::start().await else { return };
    let upstream = Upstream::playing(said(10, 40)).await;
    let general = ", max_budget: 1.0, budget_admission: strict";
    let nodes = [
        proxy(&redis, &upstream, general, "").await,
        proxy(&redis, &upstream, general, "").await,
        proxy(&redis, &upstream, general, "").await,
    ];
    let nodes = nodes.each_ref();
    let mut calls = 0;
    // What was held and not used becomes free again, until nothing more fits.
    for _ in 0..10 {
        calls += answered(&nodes, 100, &bounded(50)).await;
    }
    // Each costs 0.05.
    assert!((10..=20).contains(&calls), "{calls} calls");
}

#[tokio::test]
async fn one_round_trip_before_a_call_and_one_after() {
    let Some(redis) = Redis::start().await else { return };
    let upstream = Upstream::playing(said(1, 1)).await;
    let general =
        ", rpm_limit: 1000, tpm_limit: 1000000, max_budget: 100, max_parallel_requests: 50";
    let proxy = proxy(&redis, &upstream, general, "").await;
    proxy.call(chat("gpt")).await.expect(200);
    redis.tell(&["config", "resetstat"]);
    for _ in 0..20 {
        proxy.call(chat("gpt")).await.expect(200);
    }
    let settled = async {
        let mut ticks = interval(Duration::from_millis(20));
        while redis.calls("evalsha") < 40 {
            ticks.tick().await;
        }
    };
    timeout(Duration::from_secs(5), settled).await.ok();
    let scripts = redis.calls("evalsha");
    assert!((21..=42).contains(&scripts), "{scripts}\n{}", redis.tell(&["info", "commandstats"]));
}

#[tokio::test]
async fn a_deployment_gets_no_more_from_two_proxies_than_its_provider_grants() {
    for more in ["", ", adaptive_concurrency: true"] {
        no_more_than_granted(more).await;
    }
}

async fn no_more_than_granted(more: &str) {
    let Some(redis) = Redis::start().await else { return };
    let upstream = Upstream::playing(said(1, 1)).await;
    let entry = |model: &str| {
        let base = upstream.base();
        format!(
            "  - {{model_name: gpt, litellm_params: {{model: openai/{model}, api_base: {base}, api_key: k, num_retries: 0, rpm: 10}}}}\n"
        )
    };
    let config = format!(
        "model_list:
{}{}general_settings: {{master_key: {KEY}}}
router_settings: {{redis_host: 127.0.0.1, redis_port: {}, enable_pre_call_checks: true{more}}}
",
        entry("one"),
        entry("two"),
        redis.port()
    );
    let (one, two) = (with(&config).start().await, with(&config).start().await);
    connected(&one).await;
    connected(&two).await;
    // Whoever is too late at the first deployment is answered by the second.
    assert_eq!(answered(&[&one, &two], 50, &chat("gpt")).await, 20, "{more}");
    assert_eq!(upstream.seen().begun, 20);
    let answer = one.call(chat("gpt")).await.expect(429);
    assert!(answer.error_message().contains("as many calls as they may"), "{answer:?}");
}

#[tokio::test]
async fn what_is_open_at_a_deployment_counts_for_all_proxies() {
    let Some(redis) = Redis::start().await else { return };
    let gate = Gate::new();
    let steps = [Step::Wait(gate.clone())].into_iter().chain(said(1, 1));
    let upstream = Upstream::playing(steps.collect()).await;
    let more = "  default_max_parallel_requests: 1";
    let one = proxy(&redis, &upstream, "", more).await;
    let two = proxy(&redis, &upstream, "", more).await;
    let second = async {
        assert!(upstream.saw(crate::wire::PATIENCE, |seen| seen.begun == 1).await);
        two.call(chat("gpt")).await.expect(429);
        gate.open();
    };
    let (first, ()) = tokio::join!(one.call(chat("gpt")), second);
    first.expect(200);
    let free = async { while two.call(chat("gpt")).await.status != 200 {} };
    timeout(crate::wire::PATIENCE, free).await.expect("its place is free again");
}

#[tokio::test]
async fn an_answer_is_kept_for_all() {
    let Some(redis) = Redis::start().await else { return };
    let upstream = Upstream::playing(said(1, 1)).await;
    let cache = "litellm_settings: {cache: true, cache_params: {type: redis}}";
    let one = proxy(&redis, &upstream, "", cache).await;
    let two = proxy(&redis, &upstream, "", cache).await;
    one.call(chat("gpt")).await.expect(200);
    let found = async {
        let mut ticks = interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            let answer = two.call(chat("gpt")).await.expect(200);
            if answer.header("x-litellm-cache-key").is_some() {
                return;
            }
        }
    };
    timeout(crate::wire::PATIENCE, found).await.expect("it is found");
}

#[tokio::test]
async fn calls_go_on_while_redis_is_away_and_count_again_when_it_is_back() {
    let Some(mut redis) = Redis::start().await else { return };
    let upstream = Upstream::playing(said(1, 1)).await;
    let proxy = proxy(&redis, &upstream, ", rpm_limit: 1000, max_budget: 100", "").await;
    proxy.call(chat("gpt")).await.expect(200);
    redis.kill();
    for _ in 0..5 {
        proxy.call(chat("gpt")).await.expect(200);
    }
    proxy.line(|line| line.contains("Redis is away")).await;
    redis.restart().await;
    proxy.line(|line| line.contains("Redis is back")).await;
    let counted = async {
        let mut ticks = interval(Duration::from_millis(50));
        loop {
            ticks.tick().await;
            proxy.call(chat("gpt")).await.expect(200);
            if redis.tell(&["--raw", "keys", "*requests*"]).contains("requests") {
                return;
            }
        }
    };
    timeout(crate::wire::PATIENCE, counted).await.expect("it counts there again");
}

#[tokio::test]
async fn a_deployment_that_rests_here_rests_there() {
    let Some(redis) = Redis::start().await else { return };
    let upstream = Upstream::playing(json(404, r#"{"error":{"message":"gone"}}"#)).await;
    let more = "";
    let general = "";
    let one = proxy(&redis, &upstream, general, more).await;
    let two = proxy(&redis, &upstream, general, more).await;
    one.call(chat("gpt")).await.expect(404);
    let heard = async {
        let mut ticks = interval(Duration::from_millis(50));
        while two
            .call(get("/metrics"))
            .await
            .text()
            .lines()
            .any(|line| line.starts_with("litellm_deployment_state{") && line.ends_with(" 0.0"))
        {
            ticks.tick().await;
        }
    };
    timeout(Duration::from_secs(4), heard).await.expect("it hears of it");
}
