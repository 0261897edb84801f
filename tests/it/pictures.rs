//! What images cost: by their number, their size and their quality.
use crate::client::{Answer, post, with_body};
use crate::ledger::{nanos, read, rows};
use crate::proxy::{KEY, Proxy, with};
use crate::upstream::{self, Upstream};
use crate::wire::{Message, PATIENCE};
use serde_json::{Value, json};
use std::path::Path;
use tempfile::TempDir;

const MADE: &str = "/v1/images/generations";

/// A provider that makes as many images as it is asked for, each of so many bytes.
async fn provider(bytes: usize) -> Upstream {
    let image = format!(r#"{{"b64_json":"{}"}}"#, "A".repeat(bytes));
    Upstream::start(move |request| {
        let images = vec![image.as_str(); wanted(request)].join(",");
        upstream::json(200, format!(r#"{{"created":1,"data":[{images}]}}"#))
    })
    .await
}

fn wanted(request: &Message) -> usize {
    let body = String::from_utf8_lossy(&request.body);
    let of_form = || body.split_once("name=\"n\"\r\n\r\n")?.1.split("\r\n").next()?.parse().ok();
    let count = serde_json::from_str::<Value>(&body).map(|body| body["n"].as_u64());
    count
        .map_or_else(|_| of_form(), |count| count.and_then(|count| count.try_into().ok()))
        .unwrap_or(1)
}

async fn proxy(base: &str, state: &Path, general: &str) -> Proxy {
    let config = format!(
        "model_list:
  - model_name: dall-e-3
    litellm_params: {{model: openai/dall-e-3, api_base: {base}, api_key: k}}
  - model_name: dall-e-2
    litellm_params: {{model: openai/dall-e-2, api_base: {base}, api_key: k}}
  - model_name: hd
    litellm_params: {{model: openai/dall-e-3, api_base: {base}, api_key: k, quality: hd}}
  - model_name: azure
    litellm_params: {{model: openai/mine, api_base: {base}, api_key: k}}
    model_info: {{base_model: azure/dall-e-3}}
  - model_name: own
    litellm_params: {{model: openai/own, api_base: {base}, api_key: k, output_cost_per_image: 0.3}}
  - model_name: pixels
    litellm_params: {{model: openai/own, api_base: {base}, api_key: k, num_retries: 0}}
    model_info: {{input_cost_per_pixel: 1.0e-9}}
  - model_name: any/*
    litellm_params: {{model: openai/*, api_base: {base}, api_key: k}}
general_settings: {{master_key: {KEY}{general}}}
"
    );
    with(&config).arg("--state-dir").arg(state.to_str().unwrap()).start().await
}

async fn make(proxy: &Proxy, key: &str, model: &str, more: &Value) -> Answer {
    let mut body = json!({"model": model, "prompt": "a cat"});
    let members = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(members);
    post(MADE, body.to_string()).key(key).send(proxy.addr()).await
}

fn told(answer: &Answer) -> &str {
    answer.header("x-litellm-response-cost").unwrap_or("nothing")
}

#[tokio::test]
async fn images_cost_what_the_catalogue_says_of_their_size_and_quality() {
    let (upstream, state) = (provider(4).await, TempDir::new().unwrap());
    let proxy = proxy(&upstream.base(), state.path(), "").await;
    let key = proxy.key(json!({})).await;
    for (model, more, cost) in [
        ("dall-e-3", json!({}), "0.04"),
        ("dall-e-3", json!({"n": 2}), "0.08"),
        ("dall-e-3", json!({"size": "auto", "quality": "auto"}), "0.04"),
        // 6.539e-8 dollars for each of 1024 x 1792 pixels.
        ("dall-e-3", json!({"size": "1024x1792", "quality": "hd"}), "0.119991174"),
        ("dall-e-3", json!({"size": "1024x1792", "quality": "hd", "n": 2}), "0.239982347"),
        // Standard is what is made where no quality is named.
        ("dall-e-3", json!({"size": "1792x1024"}), "0.079987999"),
        ("dall-e-2", json!({"size": "256x256", "n": 3}), "0.047999878"),
        ("hd", json!({}), "0.079995864"),
        ("hd", json!({"quality": "standard", "size": "1792x1024"}), "0.079987999"),
        ("azure", json!({"quality": "hd"}), "0.087999959"),
        ("any/dall-e-3", json!({"n": 1}), "0.04"),
        ("own", json!({"size": "512x512", "n": 2}), "0.6"),
        ("pixels", json!({"size": "1000x2000"}), "0.002"),
    ] {
        let answer = make(&proxy, &key, model, &more).await.expect(200);
        assert_eq!(told(&answer), cost, "{model} {more}");
    }
}

#[tokio::test]
async fn images_are_booked_with_their_key_and_stay_what_they_cost() {
    let (upstream, state) = (provider(4).await, TempDir::new().unwrap());
    let proxy = proxy(&upstream.base(), state.path(), "").await;
    let key = proxy.key(json!({})).await;
    make(&proxy, &key, "dall-e-3", &json!({})).await.expect(200);
    let hd = json!({"size": "1024x1792", "quality": "hd", "n": 2});
    make(&proxy, &key, "dall-e-3", &hd).await.expect(200);
    let logs = read(&proxy, &format!("/spend/logs?api_key={key}")).await;
    let mut spent: Vec<_> = rows(&logs).iter().map(|row| nanos(&row["spend"])).collect();
    spent.sort_unstable();
    assert_eq!(spent, [40_000_000, 239_982_347]);
    assert!(rows(&logs).iter().all(|row| row["call_type"] == "aimage_generation"), "{logs}");
    let info = read(&proxy, &format!("/key/info?key={key}")).await;
    assert_eq!(nanos(&info["info"]["spend"]), 279_982_347);
    let days = json!({"start_date": "2020-01-01", "end_date": "2099-01-01"});
    let again = proxy.done("/spend/reprice", days).await;
    assert_eq!((&again["calls"], &again["changed"]), (&json!(2), &json!(0)), "{again}");
}

#[tokio::test]
async fn an_answer_too_long_to_be_read_costs_what_was_asked_for() {
    let (upstream, state) = (provider(2 << 20).await, TempDir::new().unwrap());
    let proxy = proxy(&upstream.base(), state.path(), "").await;
    let key = proxy.key(json!({})).await;
    let answer = make(&proxy, &key, "dall-e-3", &json!({"n": 2})).await.expect(200);
    assert_eq!(told(&answer), "0.08");
    assert_eq!(answer.json()["data"].as_array().unwrap().len(), 2);
    // It has its length, so that the client has it all before it has ended.
    let spent =
        async || nanos(&read(&proxy, &format!("/key/info?key={key}")).await["info"]["spend"]);
    let booked = async { while spent().await == 0 {} };
    tokio::time::timeout(PATIENCE, booked).await.expect("it is booked");
    assert_eq!(spent().await, 80_000_000);
}

#[tokio::test]
async fn a_form_says_what_its_images_cost() {
    let (upstream, state) = (provider(4).await, TempDir::new().unwrap());
    let proxy = proxy(&upstream.base(), state.path(), "").await;
    let part = |name: &str, value: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let picture = "--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\
                   Content-Type: image/png\r\n\r\npng\r\n";
    let (model, two) = (part("model", "dall-e-2"), part("n", "2"));
    let small = part("size", "256x256");
    for (path, fields, cost) in [
        ("/v1/images/variations", [&*model, picture], "0.019922944"),
        ("/v1/images/edits", [&*(model.clone() + &two + &small), picture], "0.031999919"),
        // The model may come first, and all else when the call is on its way.
        ("/v1/images/edits", [&*(model.clone() + picture), &*(two + &small)], "0.031999919"),
    ] {
        let body = fields.concat() + "--x--\r\n";
        let kind = "multipart/form-data; boundary=x";
        let answer = proxy.call(with_body("POST", path, kind, body)).await.expect(200);
        assert_eq!(told(&answer), cost, "{path}");
    }
}

#[tokio::test]
async fn tokens_that_an_answer_reports_are_charged_instead() {
    let image = r#"{"created":1,"data":[{"b64_json":"AA=="}],"usage":{"input_tokens":10,"output_tokens":1000,"total_tokens":1010,"input_tokens_details":{"text_tokens":4,"image_tokens":6}}}"#;
    let upstream = Upstream::playing(upstream::json(200, image)).await;
    let state = TempDir::new().unwrap();
    let proxy = proxy(&upstream.base(), state.path(), "").await;
    let key = proxy.key(json!({})).await;
    let answer =
        make(&proxy, &key, "any/gpt-image-1", &json!({"quality": "low"})).await.expect(200);
    // 4 x 5, 6 x 10 and 1000 x 40 dollars for a million.
    assert_eq!(told(&answer), "0.04008");
    let answer = make(&proxy, &key, "dall-e-3", &json!({})).await.expect(200);
    assert_eq!(told(&answer), "0.04", "its tokens have no price");
}

#[tokio::test]
async fn a_strict_budget_knows_what_images_cost_before_they_are_made() {
    let (upstream, state) = (provider(4).await, TempDir::new().unwrap());
    let proxy = proxy(&upstream.base(), state.path(), ", budget_admission: strict").await;
    let key = proxy.key(json!({"max_budget": 0.1})).await;
    let refused = make(&proxy, &key, "dall-e-3", &json!({"n": 3})).await;
    assert!(refused.status != 200 && refused.text().contains("udget"), "{}", refused.text());
    assert_eq!(upstream.requests().len(), 0);
    make(&proxy, &key, "dall-e-3", &json!({"n": 2})).await.expect(200);
    let refused = make(&proxy, &key, "dall-e-3", &json!({})).await;
    assert!(refused.status != 200 && refused.text().contains("udget"), "{}", refused.text());
    assert_eq!(upstream.requests().len(), 1);
}
