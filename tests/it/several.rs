//! `model: "a,b"`: several models at once.
use crate::client::{Answer, get, post};
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::upstream::{self, COMPLETION, Gate, Step, Upstream};
use crate::wire::PATIENCE;

/// A proxy whose models have these names, each at an upstream of its own.
async fn with(models: &[(&str, &Upstream)]) -> Proxy {
    let mut config = "model_list:\n".to_owned();
    for (name, upstream) in models {
        config += &format!(
            "  - model_name: \"{name}\"\n    litellm_params:\n      model: openai/{}\n      \
             api_base: {}\n      api_key: {CREDENTIAL}\n      input_cost_per_token: 0.001\n      \
             output_cost_per_token: 0.002\n    model_info:\n      id: id-{name}\n",
            name.replace(['*', ','], "x"),
            upstream.base(),
        );
    }
    config += &format!("general_settings:\n  master_key: {KEY}\n");
    proxy::with(&config).env("JSON_LOGS", "true").start().await
}

async fn good() -> Upstream {
    Upstream::playing(upstream::json(200, COMPLETION)).await
}

async fn bad(status: u16) -> Upstream {
    let error = format!(r#"{{"error":{{"message":"no {status}","type":"x"}}}}"#);
    Upstream::playing(upstream::json(status, error)).await
}

async fn ask(proxy: &Proxy, models: &str, more: &str) -> Answer {
    let body =
        format!(r#"{{"model":"{models}",{more}"messages":[{{"role":"user","content":"hi"}}]}}"#);
    proxy.call(post("/v1/chat/completions", body)).await
}

const FASTEST: &str = r#""fastest_response":true,"#;

#[tokio::test]
async fn all_models_of_a_list_are_asked_and_their_answers_come_in_its_order() {
    let (one, two) = (good().await, good().await);
    let proxy = with(&[("one", &one), ("two", &two)]).await;
    let answer = ask(&proxy, "two, one", "").await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-litellm-response-cost"), Some("0.006"));
    assert!(answer.header("x-litellm-call-id").is_some());
    let list = answer.json();
    assert_eq!(list.as_array().map(Vec::len), Some(2), "{list}");
    assert_eq!(list[0]["choices"][0]["message"]["content"], "ok");
    for (upstream, model) in [(&one, "one"), (&two, "two")] {
        let sent: serde_json::Value =
            serde_json::from_slice(&upstream.only_request().body).expect("JSON");
        assert_eq!(sent["model"], model);
    }
}

#[tokio::test]
async fn each_deployments_usage_is_counted_and_told_in_one_record() {
    let (one, two) = (good().await, good().await);
    let proxy = with(&[("one", &one), ("two", &two)]).await;
    ask(&proxy, "one,two", "").await.expect(200);
    let line = proxy.line(|line| line.contains("\"runs\"")).await;
    let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(line["runs"][0]["deployment"], "id-one");
    assert_eq!(line["runs"][1]["deployment"], "id-two");
    assert_eq!(line["runs"][1]["cost_nano_usd"], 3_000_000);
    let metrics = proxy.call(get("/metrics")).await.expect(200);
    for model in ["one", "two"] {
        let spent = metrics.text().lines().any(|line| {
            line.starts_with("litellm_spend_metric_total{")
                && line.contains(&format!("model=\"{model}\""))
                && line.ends_with(" 0.003")
        });
        assert!(spent, "{model}: {}", metrics.text());
    }
}

#[tokio::test]
async fn a_model_that_fails_stands_in_the_list_as_its_error() {
    let (one, two) = (bad(429).await, good().await);
    let proxy = with(&[("one", &one), ("two", &two)]).await;
    let list = ask(&proxy, "one,two,three", "").await.expect(200).json();
    assert_eq!(list[0]["error"]["message"], "no 429");
    assert_eq!(list[1]["choices"][0]["message"]["content"], "ok");
    assert_eq!(list[2]["error"]["code"], "400", "{list}");
}

#[tokio::test]
async fn when_all_fail_the_first_error_is_the_answer() {
    let (one, two) = (bad(429).await, bad(503).await);
    let proxy = with(&[("one", &one), ("two", &two)]).await;
    for more in ["", FASTEST] {
        let answer = ask(&proxy, "one,two", more).await.expect(429);
        assert_eq!(answer.error_message(), "no 429");
    }
    let line = proxy.line(|line| line.contains("\"status\":429,")).await;
    assert!(line.contains("\"error\":\"RateLimitError\""), "{line}");
}

#[tokio::test]
async fn the_fastest_answer_wins_and_the_others_are_cancelled() {
    let gate = Gate::new();
    let held = [vec![Step::Wait(gate.clone())], upstream::json(200, COMPLETION)].concat();
    let fast = Upstream::playing(held).await;
    let (slow, failing) = (Upstream::playing(vec![Step::Hang]).await, bad(500).await);
    let proxy = with(&[("slow", &slow), ("failing", &failing), ("fast", &fast)]).await;
    // Nobody is answered before all were asked.
    let asked = async {
        for upstream in [&slow, &failing] {
            assert!(upstream.saw(PATIENCE, |seen| seen.begun == 1).await);
        }
        gate.open();
    };
    let (answer, ()) = tokio::join!(ask(&proxy, "slow,failing,fast", FASTEST), asked);
    let answer = answer.expect(200);
    assert_eq!(answer.header("x-litellm-fastest_response_batch_completion"), Some("true"));
    assert_eq!(answer.header("x-litellm-model-id"), Some("id-fast"));
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "ok");
    assert!(slow.saw(PATIENCE, |seen| seen.left == 1).await, "it was not cancelled");
    let sent = String::from_utf8(fast.only_request().body.to_vec()).expect("text");
    assert!(!sent.contains("fastest_response"), "{sent}");
    let line = proxy.line(|line| line.contains("\"runs\"")).await;
    let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(line["runs"][0]["error"], "Cancelled");
    // Its answer and the fast one may come at the same time.
    let failed = line["runs"][1]["error"].as_str().expect("why it gave no answer");
    assert!(["InternalServerError", "Cancelled"].contains(&failed), "{line}");
    assert_eq!((&line["runs"][2]["input_tokens"], line.get("error")), (&1.into(), None));
}

#[tokio::test]
async fn the_fastest_stream_goes_on_alone() {
    let (never, later) = (Gate::new(), Gate::new());
    let chunk = r#"{"choices":[{"index":0,"delta":{"content":"ok"},"finish_reason":"stop"}]}"#;
    let answering = |gate: &Gate| {
        let mut steps = vec![Step::Wait(gate.clone())];
        steps.extend(upstream::stream(&[chunk, "[DONE]"]));
        Upstream::playing(steps)
    };
    let (slow, fast) = (answering(&never).await, answering(&later).await);
    let proxy = with(&[("slow", &slow), ("fast", &fast)]).await;
    let more = format!("{FASTEST}\"stream\":true,");
    // Neither is answered before both were asked.
    let asked = async {
        assert!(slow.saw(PATIENCE, |seen| seen.begun == 1).await);
        later.open();
    };
    let (answer, ()) = tokio::join!(ask(&proxy, "slow,fast", &more), asked);
    let answer = answer.expect(200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.events().last().map(String::as_str), Some("[DONE]"));
    assert!(slow.saw(PATIENCE, |seen| seen.left == 1).await, "it was not cancelled");
    never.open();
}

#[tokio::test]
async fn a_client_that_leaves_cancels_all_its_upstreams() {
    let hang = || Upstream::playing(vec![Step::Hang]);
    let (one, two) = (hang().await, hang().await);
    let proxy = with(&[("one", &one), ("two", &two)]).await;
    let body = r#"{"model":"one,two","messages":[{"role":"user","content":"hi"}]}"#;
    let wire = post("/v1/chat/completions", body).key(KEY).open(proxy.addr()).await;
    assert!(one.saw(PATIENCE, |seen| seen.begun == 1).await);
    assert!(two.saw(PATIENCE, |seen| seen.begun == 1).await);
    drop(wire);
    assert!(one.saw(PATIENCE, |seen| seen.left == 1).await);
    assert!(two.saw(PATIENCE, |seen| seen.left == 1).await);
}

#[tokio::test]
async fn a_list_cannot_be_a_stream() {
    let one = good().await;
    let proxy = with(&[("one", &one), ("*", &one)]).await;
    let answer = ask(&proxy, "one,two", r#""stream":true,"#).await.expect(400);
    assert!(answer.error_message().contains("fastest_response"), "{}", answer.text());
    let many = vec!["one"; 17].join(",");
    ask(&proxy, &many, "").await.expect(400);
    assert!(one.requests().is_empty());
}

#[tokio::test]
async fn a_group_whose_name_has_a_comma_wins() {
    let one = good().await;
    let proxy = with(&[("a,b", &one), ("a", &one), ("*", &one)]).await;
    let answer = ask(&proxy, "a,b", "").await.expect(200).json();
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(one.requests().len(), 1);
    let list = ask(&proxy, "a,c", "").await.expect(200).json();
    assert_eq!(list.as_array().map(Vec::len), Some(2), "a wildcard does not take a list: {list}");
}

#[tokio::test]
async fn other_operations_take_lists_too() {
    let one = good().await;
    let proxy = with(&[("one", &one), ("two", &one)]).await;
    let list = proxy.call(post("/embeddings", r#"{"model":"one,two","input":"a"}"#)).await;
    assert_eq!(list.expect(200).json().as_array().map(Vec::len), Some(2));
    let speech = r#"{"model":"one,two","input":"a","voice":"b"}"#;
    proxy.call(post("/audio/speech", speech)).await.expect(400);
}

#[tokio::test]
async fn a_fastest_stream_that_breaks_off_is_a_failed_call() {
    let chunk = r#"{"choices":[{"index":0,"delta":{"content":"ok"},"finish_reason":null}]}"#;
    let steps =
        vec![upstream::stream_head(), upstream::piece(format!("data: {chunk}\n\n")), Step::Reset];
    let (breaks, slow) =
        (Upstream::playing(steps).await, Upstream::playing(vec![Step::Hang]).await);
    let proxy = with(&[("breaks", &breaks), ("slow", &slow)]).await;
    let answer =
        ask(&proxy, "breaks,slow", &format!("{FASTEST}\"stream\":true,")).await.expect(200);
    let last = answer.events().pop().expect("an event");
    assert!(last.contains("\"error\""), "{last}");
    let line = proxy.line(|line| line.contains("\"runs\"")).await;
    let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(line["error_status"], 500, "{line}");
    assert_eq!(line["runs"][1]["error"], "Cancelled");
}
