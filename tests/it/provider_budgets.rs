//! Budgets of deployments and of providers: those that have spent theirs are left out.
use crate::client::{chat, post};
use crate::proxy::{KEY, Proxy, Setup, with};
use crate::upstream::{Upstream, json as playing};
use crate::wire::PATIENCE;
use serde_json::{Value, json};
use tokio::time::timeout;

/// What a call costs: three dollars.
const PRICES: &str = "input_cost_per_token: 1, output_cost_per_token: 1, num_retries: 2";

/// An upstream whose answers name who gave them.
async fn upstream(name: &str) -> Upstream {
    let body = json!({
        "id": name, "object": "chat.completion", "model": name,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": name}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    });
    Upstream::playing(playing(200, body.to_string())).await
}

/// Two deployments of `gpt`, the first with these parameters and always before the second, and one
/// of `spare`.
fn house(upstreams: [&Upstream; 2], first: &str, more: &str) -> Setup {
    let [one, other] = upstreams.map(Upstream::base);
    with(&format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{model: openai/gpt-4o, api_base: {one}, api_key: k, order: 1, {PRICES}{first}}}
    model_info: {{id: first}}
  - model_name: gpt
    litellm_params: {{model: groq/llama, api_base: {other}, api_key: k, order: 2, {PRICES}}}
    model_info: {{id: second}}
  - model_name: alone
    litellm_params: {{model: openai/gpt-4o, api_base: {one}, api_key: k, {PRICES}}}
    model_info: {{id: third}}
  - model_name: other
    litellm_params: {{model: groq/llama, api_base: {other}, api_key: k, {PRICES}}}
    model_info: {{id: fourth}}
general_settings: {{master_key: {KEY}}}
{more}
"
    ))
}

async fn served(proxy: &Proxy, model: &str) -> String {
    let answer = proxy.call(chat(model)).await.expect(200);
    answer.header("x-litellm-model-id").expect("a deployment").to_owned()
}

#[tokio::test]
async fn a_deployment_that_has_spent_its_budget_is_left_out() {
    let (one, other) = (upstream("one").await, upstream("other").await);
    let proxy = house([&one, &other], ", max_budget: 5, budget_duration: 1d", "").start().await;
    assert_eq!(served(&proxy, "gpt").await, "first");
    assert_eq!(served(&proxy, "gpt").await, "first");
    // Six dollars are more than five, for the very next call.
    assert_eq!(served(&proxy, "gpt").await, "second");
    assert_eq!(served(&proxy, "alone").await, "third");
    assert_eq!((one.seen().begun, other.seen().begun), (3, 1));
}

#[tokio::test]
async fn a_provider_that_has_spent_its_budget_is_left_out_wherever_it_serves() {
    let (one, other) = (upstream("one").await, upstream("other").await);
    let more = "router_settings:
  fallbacks: [{alone: [gpt]}]
  provider_budget_config:
    openai: {budget_limit: 3, time_period: 1d}
    groq: {max_budget: 5, budget_duration: 7d}";
    let proxy = house([&one, &other], "", more).start().await;
    let before = proxy.got("/provider/budgets").await;
    let openai = &before["providers"]["openai"];
    assert_eq!(
        *openai,
        json!({"budget_limit": 3.0, "time_period": "1d", "spend": 0.0, "budget_reset_at": null})
    );
    assert_eq!(served(&proxy, "alone").await, "third");
    assert_eq!(served(&proxy, "gpt").await, "second");
    // Nobody is left in its own group: a fallback answers.
    assert_eq!(served(&proxy, "alone").await, "second");
    let refused = proxy.call(chat("gpt")).await.expect(429);
    let message = refused.error_message();
    assert!(message.starts_with("No deployments available - crossed budget: "), "{message}");
    for line in ["provider openai: 3.0 >= 3.0\n", "provider groq: 6.0 >= 5.0\n"] {
        assert!(message.contains(&format!("Exceeded budget for {line}")), "{message}");
    }
    let wait: u64 = refused.header("retry-after").expect("when to come again").parse().unwrap();
    assert!((86_000..=86_400).contains(&wait), "{wait}");
    let after = proxy.got("/provider/budgets").await;
    assert_eq!(after["providers"]["groq"]["spend"], 6.0);
    let at = after["providers"]["openai"]["budget_reset_at"].as_str().expect("a time");
    assert!(at.ends_with('Z'), "{at}");
    assert_eq!((one.seen().begun, other.seen().begun), (1, 2));
}

#[tokio::test]
async fn a_window_begins_anew_with_the_first_call_after_its_time() {
    let (one, other) = (upstream("one").await, upstream("other").await);
    let more =
        "router_settings: {provider_budget_config: {openai: {budget_limit: 1, time_period: 1s}}}";
    let proxy = house([&one, &other], "", more).start().await;
    assert_eq!(served(&proxy, "alone").await, "third");
    let again = async { while proxy.call(chat("alone")).await.status != 200 {} };
    timeout(PATIENCE, again).await.expect("the window ends");
}

#[tokio::test]
async fn what_was_spent_outlives_the_process() {
    let (one, other) = (upstream("one").await, upstream("other").await);
    let more = "router_settings: {provider_budget_config: {openai: {budget_limit: 1}}}";
    let state = tempfile::tempdir().expect("a directory");
    let path = state.path().to_str().expect("UTF-8");
    let start = || house([&one, &other], "", more).arg("--state-dir").arg(path).start();
    let mut proxy = start().await;
    assert_eq!(served(&proxy, "alone").await, "third");
    proxy.terminate();
    proxy.exited().await;
    let proxy = start().await;
    proxy.call(chat("alone")).await.expect(429);
    let budget = proxy.got("/provider/budgets").await["providers"]["openai"].clone();
    assert_eq!(
        budget,
        json!({"budget_limit": 1.0, "time_period": null, "spend": 3.0, "budget_reset_at": null})
    );
}

#[tokio::test]
async fn two_processes_on_one_store_share_what_providers_have_spent() {
    let (one, other) = (upstream("one").await, upstream("other").await);
    let more = "router_settings: {provider_budget_config: {openai: {budget_limit: 1}}}";
    let state = tempfile::tempdir().expect("a directory");
    let path = state.path().to_str().expect("UTF-8");
    let start = || house([&one, &other], "", more).arg("--state-dir").arg(path).start();
    let (here, there) = (start().await, start().await);
    assert_eq!(served(&here, "alone").await, "third");
    let heard = async {
        while there.got("/provider/budgets").await["providers"]["openai"]["spend"] != 3.0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, heard).await.expect("it is heard of");
    there.call(chat("alone")).await.expect(429);
}

#[tokio::test]
async fn without_budgets_of_providers_there_is_nothing_to_show() {
    let (one, other) = (upstream("one").await, upstream("other").await);
    let more = "litellm_settings: {max_budget: 100, budget_duration: 30d}";
    let proxy = house([&one, &other], "", more).start().await;
    proxy.ask(KEY, "GET", "/provider/budgets", Value::Null).await.expect(400);
    let key = proxy.key(json!({})).await;
    let denied = proxy.ask(&key, "GET", "/provider/budgets", Value::Null).await;
    assert!([401, 403].contains(&denied.status), "{}", denied.text());
    served(&proxy, "gpt").await;
    assert_eq!(proxy.got("/global/spend").await, json!({"spend": 3.0, "max_budget": 100.0}));
    let body = json!({"model": "gpt", "messages": []}).to_string();
    post("/v1/chat/completions", body).key(KEY).send(proxy.addr()).await.expect(200);
}

#[tokio::test]
async fn each_attempt_is_paid_for_where_it_was_made() {
    let (one, other) = (upstream("one").await, upstream("other").await);
    let more = "router_settings: {provider_budget_config: {openai: {budget_limit: 9}, groq: {budget_limit: 9}}}";
    let state = tempfile::tempdir().expect("a directory");
    let path = state.path().to_str().expect("UTF-8");
    let start = || house([&one, &other], "", more).arg("--state-dir").arg(path).start();
    let mut proxy = start().await;
    // Two models at once: one call, two providers.
    let body = json!({"model": "alone,other", "messages": [{"role": "user", "content": "hi"}]});
    proxy.call(post("/v1/chat/completions", body.to_string())).await.expect(200);
    served(&proxy, "other").await;
    let spent = async |proxy: &Proxy| {
        let providers = proxy.got("/provider/budgets").await["providers"].clone();
        ["openai", "groq"].map(|name| providers[name]["spend"].as_f64().unwrap())
    };
    assert_eq!(spent(&proxy).await, [3.0, 6.0]);
    assert_eq!(proxy.got("/global/spend").await["spend"], 9.0);
    proxy.terminate();
    proxy.exited().await;
    // So it stands in the store.
    assert_eq!(spent(&start().await).await, [3.0, 6.0]);
}
