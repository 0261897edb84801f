//! Conversations of `/v1/responses` with models whose providers keep no responses.
use crate::client::{Answer, get, post, with_body};
use crate::postgres::Postgres;
use crate::proxy::{self, CREDENTIAL, KEY, Proxy, Setup};
use crate::upstream::{Step, Upstream, json, stream};
use serde_json::{Value, json as value};

const SAID: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-up","content":[{"type":"thinking","thinking":"Hm.","signature":"c2ln"},{"type":"text","text":"Hi, Ann."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":9}}"#;

/// The same, in a stream.
fn said() -> Vec<Step> {
    stream(&[
        r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-up","content":[],"stop_reason":null,"usage":{"input_tokens":10,"output_tokens":1}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi, Ann."}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}"#,
        r#"{"type":"message_stop"}"#,
    ])
}

fn config(upstream: &Upstream) -> String {
    proxy::config(&upstream.origin()).replace("openai/gpt-4o-mini", "anthropic/claude-up")
}

fn claude(upstream: &Upstream) -> Setup {
    proxy::with(&config(upstream))
}

async fn respond(proxy: &Proxy, body: Value) -> Answer {
    proxy.call(post("/v1/responses", body.to_string())).await
}

async fn delete(proxy: &Proxy, path: &str) -> Answer {
    proxy.call(with_body("DELETE", path, "text/plain", "")).await
}

fn id(answer: &Value) -> &str {
    answer["id"].as_str().expect("an id")
}

/// What the upstream was asked last, as roles and texts.
fn asked(upstream: &Upstream) -> Vec<(String, String)> {
    let request = upstream.requests().pop().expect("a request");
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    let turns = body["messages"].as_array().expect("turns").iter();
    let text = |content: &Value| match content {
        Value::Array(blocks) => blocks.iter().filter_map(|it| it["text"].as_str()).collect(),
        text => text.as_str().unwrap_or_default().to_owned(),
    };
    turns.map(|turn| (turn["role"].as_str().unwrap().to_owned(), text(&turn["content"]))).collect()
}

fn turns(told: &[(&str, &str)]) -> Vec<(String, String)> {
    told.iter().map(|(role, text)| ((*role).to_owned(), (*text).to_owned())).collect()
}

#[tokio::test]
async fn a_call_goes_on_from_a_response_of_a_provider_that_keeps_none() {
    let upstream = Upstream::playing(json(200, SAID)).await;
    let proxy = claude(&upstream).start().await;
    let first = respond(&proxy, value!({"model": "gpt", "input": "I am Ann."})).await;
    let first = first.expect(200).json();
    let body = value!({"model": "gpt", "input": "Who am I?", "previous_response_id": id(&first)});
    let second = respond(&proxy, body).await.expect(200).json();
    assert_eq!(second["previous_response_id"], first["id"]);
    let told = [("user", "I am Ann."), ("assistant", "Hi, Ann."), ("user", "Who am I?")];
    assert_eq!(asked(&upstream), turns(&told));
    let sent: Value = serde_json::from_slice(&upstream.requests()[1].body).expect("JSON");
    assert_eq!(sent["messages"][1]["content"][0]["signature"], "c2ln", "thoughts go back");
    assert!(sent.get("previous_response_id").is_none());
    let item = value!({"role": "user", "content": [{"type": "input_text", "text": "Sure?"}]});
    let body = value!({"model": "gpt", "input": [item], "previous_response_id": id(&second)});
    respond(&proxy, body).await.expect(200);
    let more = [("assistant", "Hi, Ann."), ("user", "Sure?")];
    assert_eq!(asked(&upstream), turns(&[&told[..], &more[..]].concat()));
}

#[tokio::test]
async fn a_stream_is_kept_before_its_client_sees_the_end() {
    let upstream = Upstream::playing(said()).await;
    let proxy = claude(&upstream).start().await;
    let ask = value!({"model": "gpt", "input": "I am Ann.", "stream": true});
    let mut told = vec![("user", "I am Ann.")];
    let mut previous = Value::Null;
    for _ in 0..5 {
        let mut body = ask.clone();
        body["previous_response_id"] = previous;
        let answer = respond(&proxy, body).await.expect(200);
        assert_eq!(asked(&upstream), turns(&told));
        let last: Value = serde_json::from_str(answer.events().last().unwrap()).expect("JSON");
        assert_eq!(last["type"], "response.completed");
        previous = last["response"]["id"].clone();
        told.extend([("assistant", "Hi, Ann."), ("user", "I am Ann.")]);
    }
}

#[tokio::test]
async fn what_is_not_to_be_stored_is_not_found() {
    let upstream = Upstream::playing(json(200, SAID)).await;
    let proxy = claude(&upstream).start().await;
    let first = respond(&proxy, value!({"model": "gpt", "input": "x", "store": false})).await;
    let first = first.expect(200).json();
    let body = value!({"model": "gpt", "input": "y", "previous_response_id": id(&first)});
    let refused = respond(&proxy, body).await.expect(400).json();
    assert_eq!(refused["error"]["param"], "previous_response_id");
    let unkept = config(&upstream) + "  store_responses: false\n";
    let proxy = proxy::with(&unkept).start().await;
    let first = respond(&proxy, value!({"model": "gpt", "input": "x"})).await.expect(200).json();
    let body = value!({"model": "gpt", "input": "y", "previous_response_id": id(&first)});
    respond(&proxy, body).await.expect(400);
}

#[tokio::test]
async fn a_kept_response_can_be_read_listed_and_deleted() {
    let upstream = Upstream::playing(json(200, SAID)).await;
    let proxy = claude(&upstream).start().await;
    let first = respond(&proxy, value!({"model": "gpt", "input": "one"})).await.expect(200).json();
    let body = value!({"model": "gpt", "input": "two", "previous_response_id": id(&first)});
    let second = respond(&proxy, body).await.expect(200).json();
    let path = format!("/v1/responses/{}", id(&second));
    assert_eq!(proxy.call(get(&path)).await.expect(200).json(), second);
    let list = format!("{path}/input_items?order=asc");
    let items = proxy.call(get(&list)).await.expect(200).json();
    let kinds = items["data"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap());
    assert_eq!(kinds.collect::<Vec<_>>(), ["message", "reasoning", "message", "message"]);
    assert_eq!(items["data"][3]["content"], value!([{"type": "input_text", "text": "two"}]));
    let page = proxy.call(get(format!("{list}&limit=2"))).await.expect(200).json();
    assert_eq!((&page["has_more"], &page["data"][1]), (&value!(true), &items["data"][1]));
    let after = page["last_id"].as_str().unwrap();
    let rest = proxy.call(get(format!("{list}&after={after}"))).await.expect(200).json();
    assert_eq!((&rest["has_more"], &rest["data"][0]), (&value!(false), &items["data"][2]));
    for wrong in ["limit=0", "limit=x", "order=up", "after=nobody"] {
        proxy.call(get(format!("{path}/input_items?{wrong}"))).await.expect(400);
    }
    proxy.call(get(format!("{path}?stream=true"))).await.expect(400);
    proxy.call(post(format!("{path}/cancel"), "")).await.expect(400);
    let gone = delete(&proxy, &path).await.expect(200).json();
    assert_eq!(gone, value!({"id": second["id"], "object": "response", "deleted": true}));
    let body = value!({"model": "gpt", "input": "three", "previous_response_id": id(&second)});
    respond(&proxy, body).await.expect(400);
    assert_ne!(proxy.call(get(&path)).await.status, 200);
    assert_eq!(upstream.requests().len(), 2);
}

#[tokio::test]
async fn a_conversation_of_others_is_closed() {
    let upstream = Upstream::playing(json(200, SAID)).await;
    let proxy = claude(&upstream).start().await;
    let ann = proxy.key(value!({"user_id": "ann"})).await;
    let bob = proxy.key(value!({"user_id": "bob"})).await;
    let body = value!({"model": "gpt", "input": "a secret"}).to_string();
    let first = post("/v1/responses", body).key(&ann).send(proxy.addr()).await.expect(200).json();
    let path = format!("/v1/responses/{}", id(&first));
    let body = value!({"model": "gpt", "input": "?", "previous_response_id": id(&first)});
    let body = body.to_string();
    let item = first["output"][1]["id"].clone();
    let says = |text: &str| value!({"role": "user", "content": text});
    let item = value!({"type": "item_reference", "id": item});
    let refer = value!({"model": "gpt", "input": [says("I am Ann."), item, says("Who am I?")]});
    for (call, status) in [
        (post("/v1/responses", body.clone()), 404),
        (post("/v1/responses", refer.to_string()), 404),
        (get(&path), 404),
        (get(format!("{path}/input_items")), 404),
        (with_body("DELETE", &path, "text/plain", ""), 404),
    ] {
        let refused = call.key(&bob).send(proxy.addr()).await.expect(status);
        assert!(!refused.text().contains("secret"), "{}", refused.text());
    }
    post("/v1/responses", body).key(&ann).send(proxy.addr()).await.expect(200);
    post("/v1/responses", refer.to_string()).key(&ann).send(proxy.addr()).await.expect(200);
    let told = [("user", "I am Ann."), ("assistant", "Hi, Ann."), ("user", "Who am I?")];
    assert_eq!(asked(&upstream), turns(&told));
}

#[tokio::test]
async fn a_conversation_outlives_the_process() {
    let upstream = Upstream::playing(json(200, SAID)).await;
    let state = tempfile::tempdir().expect("a directory");
    let kept = state.path().to_str().expect("UTF-8");
    let proxy = claude(&upstream).arg("--state-dir").arg(kept).start().await;
    let first = respond(&proxy, value!({"model": "gpt", "input": "I am Ann."})).await;
    let first = first.expect(200).json();
    drop(proxy);
    let proxy = claude(&upstream).arg("--state-dir").arg(kept).start().await;
    let body = value!({"model": "gpt", "input": "Who am I?", "previous_response_id": id(&first)});
    respond(&proxy, body).await.expect(200);
    let told = [("user", "I am Ann."), ("assistant", "Hi, Ann."), ("user", "Who am I?")];
    assert_eq!(asked(&upstream), turns(&told));
}

#[tokio::test]
async fn a_provider_that_keeps_responses_gets_what_it_cannot_know() {
    const OWN: &str = r#"{"id":"resp_own","object":"response","status":"completed","model":"gpt-up","output":[],"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}"#;
    let claude = Upstream::playing(json(200, SAID)).await;
    let openai = Upstream::playing(json(200, OWN)).await;
    let second = format!(
        "  - model_name: other
    litellm_params: {{model: openai/gpt-up, api_base: '{}', api_key: {CREDENTIAL}}}
general_settings:
  master_key: {KEY}
",
        openai.base()
    );
    let config =
        config(&claude).replace(&format!("general_settings:\n  master_key: {KEY}\n"), &second);
    let proxy = proxy::with(&config).start().await;
    let first = respond(&proxy, value!({"model": "gpt", "input": "I am Ann."})).await;
    let first = first.expect(200).json();
    let body = value!({"model": "other", "input": "Who?", "previous_response_id": id(&first)});
    respond(&proxy, body).await.expect(200);
    let sent: Value = serde_json::from_slice(&openai.only_request().body).expect("JSON");
    assert!(sent.get("previous_response_id").is_none());
    assert_eq!(sent["input"].as_array().map(Vec::len), Some(4), "{sent}");
    assert_eq!(sent["input"][3]["content"], "Who?");
    // Its own it knows itself.
    let body = value!({"model": "other", "input": "And?", "previous_response_id": "resp_own"});
    let text = body.to_string();
    respond(&proxy, body).await.expect(200);
    let sent = openai.requests().pop().expect("a request");
    let sent = String::from_utf8_lossy(&sent.body).replace("gpt-up", "other");
    assert_eq!(sent, text);
}

#[tokio::test]
async fn a_database_that_is_away_fails_no_call_but_those_that_need_what_it_has() {
    let Some(mut postgres) = Postgres::start().await else { return };
    let upstream = Upstream::playing(json(200, SAID)).await;
    let config = config(&upstream) + "  database_connection_timeout: 1\n";
    let proxy = proxy::with(&config).env("DATABASE_URL", &postgres.url()).start().await;
    let first = respond(&proxy, value!({"model": "gpt", "input": "one"})).await.expect(200).json();
    postgres.stop();
    respond(&proxy, value!({"model": "gpt", "input": "two"})).await.expect(200);
    let body = value!({"model": "gpt", "input": "three", "previous_response_id": id(&first)});
    let refused = respond(&proxy, body).await.expect(503);
    assert!(refused.header("retry-after").is_some(), "{}", refused.text());
    proxy.line(|line| line.contains("A response is not kept")).await;
}
