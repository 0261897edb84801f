//! Money under a crowd: a strict budget is never overspent, and every sum is that of the answers.
use crate::client::{get, post};
use crate::proxy::{KEY, Proxy, with};
use crate::redis::Redis;
use crate::shared::connected;
use crate::upstream::{COMPLETION, Upstream, json as playing};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

/// Clients that call at once.
const CLIENTS: usize = 200;
/// Calls that each of them makes, one after the other: more than the budget has money for.
const EACH: usize = 6;
/// Billionths of a dollar that a call costs: two tokens.
const COST: i64 = 2_000_000;
/// Calls that the budget has money for.
const PAID: i64 = 1_000;

async fn proxy(upstream: &Upstream, state: &Path, router: &str) -> Proxy {
    let config = format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{model: openai/gpt-4o-mini, api_base: {}, api_key: k, num_retries: 0,
      input_cost_per_token: 0.001, output_cost_per_token: 0.001}}
general_settings: {{master_key: {KEY}, budget_admission: strict}}
{router}",
        upstream.base()
    );
    with(&config).arg("--state-dir").arg(state.to_str().unwrap()).start().await
}

/// So many clients call until all are through; how many calls were answered, and what these cost.
async fn crowd(proxies: &[Proxy], key: &str, clients: usize) -> (i64, i64) {
    let body =
        json!({"model": "gpt", "max_tokens": 1, "messages": [{"role": "user", "content": "a"}]});
    let body = body.to_string();
    let client = async |at: usize| {
        let (mut answered, mut cost) = (0, 0);
        for _ in 0..EACH {
            let call = post("/v1/chat/completions", body.clone()).key(key);
            let answer = call.send(proxies[at % proxies.len()].addr()).await;
            match answer.status {
                200 => {
                    let told = answer.header("x-litellm-response-cost").unwrap();
                    cost += (told.parse::<f64>().unwrap() * 1e9).round() as i64;
                    answered += 1;
                }
                422 => assert!(answer.text().contains("Budget has been exceeded!")),
                status => panic!("{status}: {}", answer.text()),
            }
        }
        (answered, cost)
    };
    let all = join_all((0..clients).map(client)).await;
    all.into_iter().fold((0, 0), |(calls, sum), (more, cost)| (calls + more, sum + cost))
}

fn nanos(value: &Value) -> i64 {
    (value.as_f64().unwrap_or_else(|| panic!("no number: {value}")) * 1e9).round() as i64
}

/// What was spent, as each of the sums has it.
async fn sums(proxy: &Proxy, key: &str) -> Vec<(String, i64)> {
    let read = async |path: String| proxy.call(get(&path)).await.expect(200).json();
    let key = read(format!("/key/info?key={key}")).await;
    let team = read("/team/info?team_id=red".to_owned()).await;
    let mut sums = vec![
        ("key".to_owned(), nanos(&key["info"]["spend"])),
        ("team".to_owned(), nanos(&team["team_info"]["spend"])),
        ("proxy".to_owned(), nanos(&read("/global/spend".to_owned()).await["spend"])),
    ];
    let rows = read("/spend/logs".to_owned()).await;
    let rows = rows.as_array().expect("rows").iter().map(|row| nanos(&row["spend"]));
    sums.push(("rows".to_owned(), rows.sum()));
    sums
}

async fn overspends_nothing(proxies: Vec<Proxy>) {
    let first = &proxies[0];
    first.done("/team/new", json!({"team_id": "red"})).await;
    let dollars = (COST * PAID) as f64 / 1e9;
    let key = first.key(json!({"team_id": "red", "max_budget": dollars})).await;
    // The others have heard of it.
    for proxy in &proxies {
        proxy.hears_of(&key).await;
    }
    // What open calls may cost at most is held, so that a crowd is refused before all is spent; what
    // is left is for those who come after it.
    let (mut answered, mut cost) = crowd(&proxies, &key, CLIENTS).await;
    loop {
        let (more, spent) = crowd(&proxies, &key, 1).await;
        if more == 0 {
            break;
        }
        (answered, cost) = (answered + more, cost + spent);
    }
    assert!(answered <= PAID, "{answered} calls were answered");
    // What the last one could have cost at most did not fit any more.
    assert!(answered > PAID - 50, "{answered} calls were answered");
    assert_eq!(cost, answered * COST);
    // Each takes over what it has booked itself before it answers.
    for proxy in &proxies {
        sums(proxy, &key).await;
    }
    for proxy in &proxies {
        for (whose, sum) in sums(proxy, &key).await {
            assert_eq!(sum, cost, "{whose}");
        }
    }
}

#[tokio::test]
async fn a_crowd_on_one_key_spends_its_budget_and_not_more() {
    let upstream = Upstream::playing(playing(200, COMPLETION)).await;
    let state = TempDir::new().unwrap();
    overspends_nothing(vec![proxy(&upstream, state.path(), "").await]).await;
}

#[tokio::test]
async fn a_crowd_on_three_nodes_of_one_redis_spends_its_budget_and_not_more() {
    let Some(redis) = Redis::start().await else { return };
    let state = TempDir::new().unwrap();
    let upstream = Upstream::playing(playing(200, COMPLETION)).await;
    let place =
        format!("router_settings: {{redis_host: 127.0.0.1, redis_port: {}}}\n", redis.port());
    let mut proxies = Vec::new();
    for _ in 0..3 {
        let proxy = proxy(&upstream, state.path(), &place).await;
        connected(&proxy).await;
        proxies.push(proxy);
    }
    overspends_nothing(proxies).await;
}

#[tokio::test]
async fn a_key_whose_spend_is_set_goes_on_at_once() {
    let upstream = Upstream::playing(playing(200, COMPLETION)).await;
    let proxy = crate::proxy::in_front_of(&upstream.base()).start().await;
    let key = proxy.key(json!({"max_budget": 1e-8})).await;
    let call = async || crate::client::chat("gpt").key(&key).send(proxy.addr()).await.status;
    assert_eq!((call().await, call().await), (200, 422));
    proxy.done(&format!("/key/{key}/reset_spend"), json!({"reset_to": 0})).await;
    assert_eq!((call().await, call().await), (200, 422));
}

impl Proxy {
    /// Waits until calls with this key are let in.
    async fn hears_of(&self, key: &str) {
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(20));
        let heard = async {
            loop {
                ticks.tick().await;
                if get("/v1/models").key(key).send(self.addr()).await.status == 200 {
                    return;
                }
            }
        };
        tokio::time::timeout(crate::wire::PATIENCE, heard).await.expect("the key is known");
    }
}
