//! Who is told when budgets run out.
use crate::client::chat;
use crate::proxy::{CREDENTIAL, KEY, Proxy, Setup, ticks, with};
use crate::upstream::{Step, Upstream, json as playing};
use crate::wire::PATIENCE;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::time::timeout;

/// Calls that cost one dollar each, and whoever is told of them at `hook`.
async fn house(hook: &Upstream, alerting: &str) -> (Upstream, Setup) {
    let body = json!({
        "id": "c", "object": "chat.completion", "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 1}
    });
    let upstream = Upstream::playing(playing(200, body.to_string())).await;
    let setup = with(&format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{model: openai/gpt-4o, api_base: {}, api_key: {CREDENTIAL}, input_cost_per_token: 1, output_cost_per_token: 1}}
general_settings:
  master_key: {KEY}
  alerting: {alerting}
",
        upstream.base()
    ));
    let url = |path: &str| format!("http://{}{path}", hook.addr());
    let setup = setup.env("WEBHOOK_URL", &url("/own/s3cret?token=s3cret"));
    (upstream, setup.env("SLACK_WEBHOOK_URL", &url("/services/s3cret")))
}

async fn taking() -> Upstream {
    Upstream::playing(playing(200, "ok")).await
}

/// The bodies that came, once there are so many.
async fn heard(hook: &Upstream, count: usize) -> Vec<Value> {
    assert!(hook.saw(PATIENCE, |seen| seen.begun >= count).await, "{:?}", hook.seen());
    let requests = hook.requests();
    requests.iter().map(|it| serde_json::from_slice(&it.body).expect("JSON")).collect()
}

async fn spend(proxy: &Proxy, key: &str, calls: usize) {
    for _ in 0..calls {
        chat("gpt").key(key).send(proxy.addr()).await.expect(200);
    }
}

/// Waits until metrics tell this.
async fn counted(proxy: &Proxy, line: &str) {
    let told = async {
        let mut ticks = ticks();
        while !proxy.call(crate::client::get("/metrics")).await.expect(200).text().contains(line) {
            ticks.tick().await;
        }
    };
    timeout(PATIENCE, told).await.unwrap_or_else(|_| panic!("{line}"));
}

/// All events that came before it was told that the budget is spent.
async fn until_spent(hook: &Upstream) -> Vec<Value> {
    let all = async {
        loop {
            let events = heard(hook, 1).await;
            if events.iter().any(|event| event["event"] == "budget_crossed") {
                break events;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, all).await.expect("the last event")
}

#[tokio::test]
async fn a_webhook_gets_each_event_once_in_the_shape_of_litellm() {
    let hook = taking().await;
    let (_upstream, setup) = house(&hook, "[webhook]").await;
    let proxy = setup.start().await;
    let team = json!({"team_id": "t", "team_alias": "T", "max_budget": 1000});
    proxy.done("/team/new", team).await;
    proxy.done("/user/new", json!({"user_id": "u", "user_email": "u@x.test"})).await;
    let key = proxy
        .key(json!({
            "key_alias": "ci", "max_budget": 20, "soft_budget": 5, "budget_duration": "30d",
            "team_id": "t", "user_id": "u"
        }))
        .await;
    // The first dollar may already be too much for the month, whatever day it is.
    spend(&proxy, &key, 20).await;
    chat("gpt").key(&key).send(proxy.addr()).await.expect(422);
    let events = until_spent(&hook).await;
    let (projected, events): (Vec<_>, Vec<_>) =
        events.into_iter().partition(|event| event["event"] == "projected_limit_exceeded");
    let told: Vec<_> = events
        .iter()
        .map(|event| (event["event"].as_str().unwrap(), event["spend"].as_f64().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("soft_budget_crossed", 5.0),
            ("threshold_crossed", 17.0),
            ("threshold_crossed", 19.0),
            ("budget_crossed", 20.0)
        ]
    );
    assert!(projected.len() <= 1, "{projected:?}");
    for event in &projected {
        assert!(event["projected_spend"].as_f64().unwrap() > 5.0);
        assert_eq!(event["projected_exceeded_date"].as_str().unwrap().len(), 10);
    }
    let last = events.last().unwrap();
    let token = last["token"].as_str().unwrap();
    assert_eq!(token.len(), 64);
    assert_eq!(
        *last,
        json!({
            "spend": 20.0, "max_budget": 20.0, "soft_budget": 5.0, "token": token,
            "customer_id": null, "user_id": "u", "team_id": "t", "team_alias": "T",
            "organization_id": null, "user_email": "u@x.test", "key_alias": "ci",
            "projected_exceeded_date": null, "projected_spend": null, "event_group": "key",
            "event": "budget_crossed",
            "event_message": "Key Budget: Budget Crossed\n Total Budget:`20.0`"
        })
    );
    let request = hook.requests().pop().unwrap();
    assert_eq!(request.head.word(), "/own/s3cret?token=s3cret");
    assert_eq!(request.head.get("content-type"), Some("application/json"));
    let sent = 4 + projected.len();
    counted(&proxy, &format!("bartizan_alerts_total{{result=\"sent\"}} {sent}.0\n")).await;
    assert!(!proxy.output().contains("s3cret"), "{}", proxy.output());
}

#[tokio::test]
async fn slack_gets_a_text_of_teams_users_and_the_proxy() {
    let hook = taking().await;
    let (_upstream, setup) = house(&hook, "[slack, email]").await;
    let more = "litellm_settings: {max_budget: 4}\n";
    let config = std::fs::read_to_string(setup.home().join("config.yaml")).unwrap() + more;
    let proxy = setup
        .file("config.yaml", &config)
        .env("PROXY_BASE_URL", "https://llm.example")
        .start()
        .await;
    proxy.line(|line| line.contains("general_settings.alerting: email")).await;
    proxy.done("/team/new", json!({"team_id": "t", "max_budget": 1})).await;
    proxy.done("/user/new", json!({"user_id": "u", "max_budget": 2})).await;
    spend(&proxy, &proxy.key(json!({"team_id": "t"})).await, 1).await;
    spend(&proxy, &proxy.key(json!({"user_id": "u"})).await, 2).await;
    spend(&proxy, &proxy.key(json!({})).await, 1).await;
    let texts: Vec<_> = heard(&hook, 3)
        .await
        .iter()
        .map(|body| body["text"].as_str().expect("a text").to_owned())
        .collect();
    for (text, message, group) in [
        (&texts[0], "Team Budget: Budget Crossed\n Total Budget:`1.0`", "team"),
        (&texts[1], "User Budget: Budget Crossed\n Total Budget:`2.0`", "user"),
        (&texts[2], "Proxy Budget: Budget Crossed\n Total Budget:`4.0`", "proxy"),
    ] {
        assert!(text.starts_with("Alert type: `budget_alerts`\nLevel: `High`\n"), "{text}");
        assert!(text.contains(&format!("Message: {message}\n\n*spend:* `")), "{text}");
        assert!(text.contains(&format!("*event_group:* `{group}`")), "{text}");
        assert!(text.ends_with("Proxy URL: `https://llm.example`"), "{text}");
        assert!(!text.contains("token"), "{text}");
    }
}

#[tokio::test]
async fn a_webhook_that_fails_is_tried_again_and_holds_no_call_up() {
    let count = AtomicUsize::new(0);
    let hook = Upstream::start(move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => playing(500, "no"),
        1 => vec![Step::Reset],
        _ => playing(200, "ok"),
    })
    .await;
    let (_upstream, setup) = house(&hook, "[webhook]").await;
    let proxy = setup.start().await;
    let key = proxy.key(json!({"max_budget": 1})).await;
    spend(&proxy, &key, 1).await;
    let events = heard(&hook, 3).await;
    assert_eq!(events[2]["event"], "budget_crossed");
    counted(&proxy, "bartizan_alerts_total{result=\"sent\"} 1.0\n").await;
}

#[tokio::test]
async fn what_a_webhook_refuses_is_counted_and_told_without_its_url() {
    let hook = Upstream::playing(playing(403, "no")).await;
    let (_upstream, setup) = house(&hook, "[webhook]").await;
    let proxy = setup.start().await;
    spend(&proxy, &proxy.key(json!({"max_budget": 1})).await, 1).await;
    counted(&proxy, "bartizan_alerts_total{result=\"dropped\"} 1.0\n").await;
    let line = proxy.line(|line| line.contains("could not be sent")).await;
    assert!(line.contains("`webhook`") && line.contains("403"), "{line}");
    assert!(!proxy.output().contains("s3cret"), "{}", proxy.output());
    assert_eq!(hook.seen().begun, 1);
}

#[tokio::test]
async fn nobody_is_told_of_budgets_where_other_alerts_are_wanted() {
    let hook = taking().await;
    let (_upstream, setup) = house(&hook, "[webhook]\n  alert_types: [llm_exceptions]").await;
    let proxy = setup.start().await;
    proxy.line(|line| line.contains("general_settings.alert_types: llm_exceptions")).await;
    spend(&proxy, &proxy.key(json!({"max_budget": 1})).await, 1).await;
    assert_eq!(proxy.got("/global/spend").await["spend"], 1.0);
    assert_eq!(hook.seen().begun, 0);
}

#[tokio::test]
async fn a_budget_that_refuses_from_the_beginning_is_told_of() {
    let hook = taking().await;
    let (_upstream, setup) = house(&hook, "webhook").await;
    let proxy = setup.start().await;
    let key = proxy.key(json!({"max_budget": 0, "budget_duration": "1d"})).await;
    for _ in 0..3 {
        chat("gpt").key(&key).send(proxy.addr()).await.expect(422);
    }
    let event = heard(&hook, 1).await.remove(0);
    assert_eq!((&event["event"], &event["spend"]), (&json!("budget_crossed"), &json!(0.0)));
    // Each event is told once: the next one is another key's.
    let key = proxy.key(json!({"key_alias": "next", "max_budget": 0})).await;
    chat("gpt").key(&key).send(proxy.addr()).await.expect(422);
    assert_eq!(heard(&hook, 2).await[1]["key_alias"], "next");
}
