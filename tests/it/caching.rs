//! Answers that are kept and given again.
use crate::client::{Answer, Call, chat, chat_stream, get, post};
use crate::documented::content;
use crate::proxy::{KEY, Proxy, with};
use crate::upstream::{COMPLETION, Gate, Step, Upstream, json, stream};
use futures_util::future::join_all;
use serde_json::{Value, json as value};

const CACHE: &str = "litellm_settings: {cache: true, cache_params: {type: local}}";

async fn proxy(upstream: &Upstream, more: &str) -> Proxy {
    let config = format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{model: openai/gpt-4o-mini, api_base: {}, api_key: k, num_retries: 0}}
  - model_name: claude
    litellm_params: {{model: anthropic/claude-sonnet-4-5, api_base: {}, api_key: k, num_retries: 0}}
general_settings: {{master_key: {KEY}}}
{more}
",
        upstream.base(),
        upstream.origin()
    );
    with(&config).start().await
}

fn hit(answer: &Answer) -> bool {
    answer.header("x-litellm-cache-key").is_some()
}

fn asking(more: &Value) -> Call {
    let mut body = value!({"model": "gpt", "messages": [{"role": "user", "content": "hi"}]});
    let members = body.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    post("/v1/chat/completions", body.to_string())
}

#[tokio::test]
async fn the_same_question_is_answered_from_the_cache() {
    let upstream = Upstream::playing(json(200, COMPLETION)).await;
    let proxy = proxy(&upstream, CACHE).await;
    let first = proxy.call(chat("gpt")).await.expect(200);
    assert!(!hit(&first));
    let reordered = r#"{ "messages":[{"content":"h\u0069","role":"user"}], "model":"gpt" }"#;
    for call in [chat("gpt"), post("/v1/chat/completions", reordered)] {
        let again = proxy.call(call).await.expect(200);
        assert!(hit(&again));
        assert_eq!(again.text(), first.text());
        for name in ["x-litellm-model-id", "x-litellm-model-group", "x-litellm-model-name"] {
            assert_eq!(again.header(name), first.header(name));
        }
        assert_ne!(again.header("x-litellm-call-id"), first.header("x-litellm-call-id"));
        assert_eq!(again.header("x-litellm-response-cost"), Some("0.0"));
    }
    assert_eq!(upstream.seen().begun, 1);
    let other = proxy.call(asking(&value!({"temperature": 0.1}))).await.expect(200);
    assert!(!hit(&other));
}

#[tokio::test]
async fn streams_and_whole_answers_stand_for_each_other() {
    let upstream = Upstream::start(|request| {
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match asked["stream"] == true {
            false => json(200, COMPLETION),
            true => stream(&[
                r#"{"id":"c2","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{"role":"assistant","content":"streamed "}}]}"#,
                r#"{"id":"c2","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{"content":"words"}}]}"#,
                r#"{"id":"c2","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
                "[DONE]",
            ]),
        }
    })
    .await;
    let proxy = proxy(&upstream, CACHE).await;
    let streamed = proxy.call(chat_stream("gpt")).await.expect(200);
    let whole = proxy.call(chat("gpt")).await.expect(200);
    assert!(hit(&whole), "{}", whole.text());
    assert_eq!(content(&whole), "streamed words");
    let again = proxy.call(chat_stream("gpt")).await.expect(200);
    assert!(hit(&again) && again.events().last().is_some_and(|event| event == "[DONE]"));
    assert!(streamed.text().contains("streamed"));
    proxy.call(asking(&value!({"seed": 1}))).await.expect(200);
    let replayed = proxy.call(asking(&value!({"seed": 1, "stream": true}))).await.expect(200);
    assert!(hit(&replayed));
    let said: String = replayed
        .events()
        .iter()
        .filter_map(|event| serde_json::from_str::<Value>(event).ok())
        .filter_map(|event| Some(event["choices"][0]["delta"]["content"].as_str()?.to_owned()))
        .collect();
    assert_eq!(said, "ok");
    assert_eq!(upstream.seen().begun, 2);
}

#[tokio::test]
async fn what_is_broken_cut_or_filtered_is_not_kept() {
    let filtered = COMPLETION.replace(r#""finish_reason":"stop""#, r#""finish_reason":"length""#);
    let stopped = COMPLETION.replace(r#""finish_reason":"stop""#, r#""finish_reason":"error""#);
    for steps in [
        json(500, r#"{"error":{"message":"no"}}"#),
        json(200, r#"{"error":{"message":"no"}}"#),
        json(200, filtered),
        json(200, stopped),
        stream(&[r#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#]),
    ] {
        let upstream = Upstream::playing(steps).await;
        let proxy = proxy(&upstream, CACHE).await;
        for _ in 0..2 {
            assert!(!hit(&proxy.call(chat("gpt")).await));
        }
        assert_eq!(upstream.seen().begun, 2);
    }
    let going_on = r#"{"id":"r1","object":"response","status":"queued","output":[]}"#;
    let upstream = Upstream::playing(json(200, going_on)).await;
    let proxy = proxy(&upstream, CACHE).await;
    for _ in 0..2 {
        let asked = r#"{"model":"gpt","input":"hi","background":true}"#;
        assert!(!hit(&proxy.call(post("/v1/responses", asked)).await.expect(200)));
    }
}

#[tokio::test]
async fn a_request_may_say_how_it_is_cached() {
    let upstream = Upstream::playing(json(200, COMPLETION)).await;
    let proxy = proxy(&upstream, CACHE).await;
    proxy.call(asking(&value!({"cache": {"no-store": true}}))).await.expect(200);
    assert!(!hit(&proxy.call(asking(&value!({}))).await));
    assert!(hit(&proxy.call(asking(&value!({}))).await));
    assert!(!hit(&proxy.call(asking(&value!({"cache": {"no-cache": true}}))).await));
    assert!(!hit(&proxy.call(asking(&value!({"cache": {"namespace": "other"}}))).await));
    assert!(!hit(&proxy.call(asking(&value!({"metadata": {"redis_namespace": "third"}}))).await));
    let other = value!({"cache": {"namespace": "other"}, "metadata": {"redis_namespace": "third"}});
    assert!(hit(&proxy.call(asking(&other)).await));
    assert!(hit(&proxy.call(asking(&value!({"cache": {"s-maxage": 600}}))).await));
    assert!(!hit(&proxy.call(asking(&value!({"cache": {"s-maxage": 0}}))).await));
    assert!(!hit(&proxy.call(asking(&value!({"caching": false}))).await));
    let sent = upstream.requests();
    assert!(sent.iter().all(|it| !String::from_utf8_lossy(&it.body).contains("cach")));
}

#[tokio::test]
async fn requests_must_ask_where_the_mode_is_off_by_default() {
    let upstream = Upstream::playing(json(200, COMPLETION)).await;
    let more = "litellm_settings: {cache: true, cache_params: {type: local, mode: default_off}}";
    let proxy = proxy(&upstream, more).await;
    for (asked, hits) in
        [(value!({}), [false, false]), (value!({"cache": {"use-cache": true}}), [false, true])]
    {
        for expected in hits {
            assert_eq!(hit(&proxy.call(asking(&asked)).await.expect(200)), expected);
        }
    }
}

#[tokio::test]
async fn identical_calls_that_are_open_make_one_upstream_call() {
    let gate = Gate::new();
    let steps: Vec<_> =
        [Step::Wait(gate.clone())].into_iter().chain(json(200, COMPLETION)).collect();
    let upstream = Upstream::playing(steps).await;
    let proxy = proxy(&upstream, CACHE).await;
    let calls = join_all((0..50).map(|_| proxy.call(chat("gpt"))));
    let opening = async {
        assert!(upstream.saw(crate::wire::PATIENCE, |seen| seen.begun == 1).await);
        gate.open();
    };
    let (answers, ()) = tokio::join!(calls, opening);
    assert!(answers.iter().all(|answer| answer.status == 200 && content(answer) == "ok"));
    assert_eq!(upstream.seen().begun, 1);
}

#[tokio::test]
async fn messages_are_cached_too() {
    let text = r#"{"id":"m1","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"ok"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1}}"#;
    let upstream = Upstream::playing(json(200, text)).await;
    let proxy = proxy(&upstream, CACHE).await;
    let body = r#"{"model":"claude","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#;
    let first = proxy.call(post("/v1/messages", body)).await.expect(200);
    let again = proxy.call(post("/v1/messages", body)).await.expect(200);
    assert!(!hit(&first) && hit(&again));
    assert_eq!(again.text(), text);
    let beta = post("/v1/messages", body).header("anthropic-beta", "another");
    assert!(!hit(&proxy.call(beta).await.expect(200)));
}

#[tokio::test]
async fn metrics_tell_hits_misses_and_what_was_saved() {
    let usage = r#""prompt_tokens":1000,"completion_tokens":100"#;
    let answer = COMPLETION.replace(r#""prompt_tokens":1,"completion_tokens":1"#, usage);
    let upstream = Upstream::playing(json(200, answer)).await;
    let proxy = proxy(&upstream, CACHE).await;
    for _ in 0..3 {
        proxy.call(chat("gpt")).await.expect(200);
    }
    let metrics = proxy.call(get("/metrics")).await.expect(200).text().to_owned();
    let value = |name: &str| -> f64 {
        let line = metrics.lines().find(|line| line.starts_with(&format!("{name}{{")));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).expect(name)
    };
    assert!((value("litellm_cache_misses_metric_total") - 1.0).abs() < 1e-9);
    assert!((value("litellm_cache_hits_metric_total") - 2.0).abs() < 1e-9);
    assert!((value("litellm_cached_tokens_metric_total") - 2200.0).abs() < 1e-9);
    // 0.15 dollars for a million tokens in, 0.6 out.
    assert!((value("bartizan_cache_saved_usd_total") - 0.000_42).abs() < 1e-9);
    assert!((value("litellm_input_tokens_metric_total") - 1000.0).abs() < 1e-9);
    let hit = metrics.lines().find(|line| line.starts_with("litellm_cache_hits_metric_total{"));
    assert!(hit.is_some_and(|line| line.contains("model=\"gpt-4o-mini\"")), "{hit:?}");
    assert!(metrics.contains("bartizan_cache_saved_usd_total{requested_model=\"gpt\"}"));
}

/// An upstream that embeds: the vector of a text is its length, and each byte is a token. It puts
/// the last first.
async fn embedder() -> Upstream {
    Upstream::start(|request| {
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let all = match &asked["input"] {
            Value::Array(all) => all.clone(),
            one => vec![one.clone()],
        };
        let size = |text: &Value| text.as_str().map_or(0, str::len);
        if all.iter().any(|text| text == "bad") {
            return json(400, r#"{"error":{"message":"no","type":"t","code":null}}"#);
        }
        let base64 = asked["encoding_format"] == "base64";
        let vector = |text| match base64 {
            true => format!("\"{}==\"", size(text)),
            false => format!("[{}.0, 0.10]", size(text)),
        };
        let element = |(index, text)| {
            let vector = vector(text);
            format!(r#"{{"object":"embedding","index":{index},"embedding":{vector}}}"#)
        };
        let data: Vec<_> = all.iter().enumerate().rev().map(element).collect();
        let tokens: usize = all.iter().map(size).sum();
        json(200, format!(r#"{{"object":"list","data":[{}],"model":"up","usage":{{"prompt_tokens":{tokens},"total_tokens":{tokens}}}}}"#, data.join(",")))
    })
    .await
}

fn embedding(input: &Value, more: &Value) -> Call {
    let mut body = value!({"model": "gpt", "input": input});
    let members = body.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    post("/v1/embeddings", body.to_string())
}

/// The sizes of the texts that an answer embeds, in its order, and its tokens.
fn embedded(answer: &Answer) -> (Vec<f64>, u64) {
    let body = answer.json();
    let data = body["data"].as_array().expect("a list");
    for (at, one) in data.iter().enumerate() {
        assert_eq!(one["index"], at, "{body}");
    }
    let tokens = body["usage"]["prompt_tokens"].as_u64().expect("a number");
    assert_eq!(body["usage"]["total_tokens"], tokens);
    (data.iter().map(|one| one["embedding"][0].as_f64().unwrap_or(-1.0)).collect(), tokens)
}

fn asked_for(upstream: &Upstream) -> Vec<Value> {
    let requests = upstream.requests();
    requests.iter().map(|it| crate::documented::body(it)["input"].clone()).collect()
}

#[tokio::test]
async fn of_a_list_of_texts_those_are_embedded_that_were_not_before() {
    let upstream = embedder().await;
    let proxy = proxy(&upstream, CACHE).await;
    let none = value!({});
    let first = proxy.call(embedding(&value!(["a", "bb", "ccc"]), &none)).await.expect(200);
    assert!(!hit(&first) && first.text().contains(r#""data":[{"object":"embedding","index":2,"#));
    let some = value!(["dddd", "bb", "a", "eeeee"]);
    let mixed = proxy.call(embedding(&some, &none)).await.expect(200);
    assert_eq!(embedded(&mixed), (vec![4.0, 2.0, 1.0, 5.0], 12));
    assert!(!hit(&mixed) && mixed.header("x-litellm-model-id").is_some());
    let whole = proxy.call(embedding(&value!(["eeeee", "ccc"]), &none)).await.expect(200);
    assert_eq!(
        whole.text(),
        r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[5.0, 0.10]},{"object":"embedding","index":1,"embedding":[3.0, 0.10]}],"model":"up","usage":{"prompt_tokens":8,"total_tokens":8}}"#
    );
    assert!(hit(&whole) && whole.header("x-litellm-response-cost") == Some("0.0"));
    assert_eq!(whole.header("x-litellm-model-id"), first.header("x-litellm-model-id"));
    assert_eq!(asked_for(&upstream), [value!(["a", "bb", "ccc"]), value!(["dddd", "eeeee"])]);
}

#[tokio::test]
async fn vectors_of_another_form_or_length_are_other_ones() {
    let upstream = embedder().await;
    let proxy = proxy(&upstream, CACHE).await;
    let (texts, base64) = (value!(["a", "bb"]), value!({"encoding_format": "base64"}));
    proxy.call(embedding(&texts, &value!({}))).await.expect(200);
    for hits in [false, true] {
        let answer = proxy.call(embedding(&texts, &base64)).await.expect(200);
        assert_eq!(hit(&answer), hits);
        assert!(answer.text().contains(r#""index":1,"embedding":"2==""#), "{}", answer.text());
    }
    assert!(!hit(&proxy.call(embedding(&texts, &value!({"dimensions": 8}))).await.expect(200)));
    let again = value!({"cache": {"no-cache": true}});
    assert!(!hit(&proxy.call(embedding(&texts, &again)).await.expect(200)));
    assert_eq!(upstream.seen().begun, 4);
}

#[tokio::test]
async fn what_fails_of_a_list_fails_it_all_and_what_is_no_list_is_kept_as_it_is() {
    let upstream = embedder().await;
    let proxy = proxy(&upstream, CACHE).await;
    let none = value!({});
    proxy.call(embedding(&value!(["a"]), &none)).await.expect(200);
    for _ in 0..2 {
        let answer = proxy.call(embedding(&value!(["a", "bad"]), &none)).await.expect(400);
        assert!(answer.error_message().contains("no"), "{}", answer.text());
    }
    for hits in [false, true] {
        assert_eq!(hit(&proxy.call(embedding(&value!("a"), &none)).await.expect(200)), hits);
    }
    let bad = value!(["bad"]);
    assert_eq!(asked_for(&upstream), [value!(["a"]), bad.clone(), bad, value!("a")]);
}

/// An upstream that embeds, each text by the model that `name` makes of the one that is asked for
/// and of the first text; the vectors tell which. The model `down` is down for all texts but `a`.
async fn embedder_by(name: fn(&str, &str) -> String) -> Upstream {
    Upstream::start(move |request| {
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let (model, input) = (asked["model"].as_str().unwrap_or_default(), &asked["input"]);
        if model == "down" && *input != value!(["a"]) {
            return json(500, r#"{"error":{"message":"down","type":"t","code":null}}"#);
        }
        let size = |name: &str| name.len();
        let said = name(model, input[0].as_str().unwrap_or_default());
        let data: Vec<_> = (0..input.as_array().map_or(0, Vec::len))
            .map(
                |index| value!({"object": "embedding", "index": index, "embedding": [size(model)]}),
            )
            .collect();
        let usage = value!({"prompt_tokens": 1, "total_tokens": 1});
        json(200, value!({"data": data, "model": said, "usage": usage}).to_string())
    })
    .await
}

async fn with_models(upstream: &Upstream) -> Proxy {
    let base = upstream.base();
    let of = |model| format!("litellm_params: {{model: {model}, api_base: {base}, api_key: k}}");
    let (one, two) = (of("openai/down"), of("openai/other"));
    let config = format!(
        "model_list: [{{model_name: gpt, {one}}}, {{model_name: b, {two}}}]
general_settings: {{master_key: {KEY}}}
router_settings: {{num_retries: 0, cooldown_time: 0, fallbacks: [{{gpt: [b]}}]}}
{CACHE}
"
    );
    with(&config).start().await
}

#[tokio::test]
async fn texts_that_another_group_embedded_are_neither_mixed_nor_kept() {
    let upstream = embedder_by(|_, _| "up".to_owned()).await;
    let proxy = with_models(&upstream).await;
    let none = value!({});
    proxy.call(embedding(&value!(["a"]), &none)).await.expect(200);
    let both = value!(["a", "b"]);
    let answer = proxy.call(embedding(&both, &none)).await.expect(200);
    assert_eq!(embedded(&answer).0, [5.0, 5.0]);
    assert!(!hit(&answer) && answer.header("x-litellm-attempted-fallbacks") == Some("1"));
    let (one, other) = (value!(["a"]), value!(["b"]));
    let asked = [one.clone(), other.clone(), other.clone(), both.clone(), both];
    assert_eq!(asked_for(&upstream), asked);
    assert!(!hit(&proxy.call(embedding(&other, &none)).await.expect(200)));
    assert!(hit(&proxy.call(embedding(&one, &none)).await.expect(200)));
}

#[tokio::test]
async fn vectors_of_a_model_with_another_name_are_not_mixed() {
    let upstream = embedder_by(|model, text| format!("{model}-{text}")).await;
    let proxy = with_models(&upstream).await;
    let asking = |input: &Value| proxy.call(embedding(input, &value!({"model": "b"})));
    let [one, two, both] = [value!(["x"]), value!(["y"]), value!(["x", "y"])];
    asking(&one).await.expect(200);
    for hits in [false, true] {
        let answer = asking(&both).await.expect(200);
        assert_eq!((hit(&answer), &answer.json()["model"]), (hits, &value!("other-x")));
    }
    assert_eq!(asked_for(&upstream), [one, two, both]);
    // All are kept, of two models.
    let (other, mixed) = (value!(["z"]), value!(["z", "x"]));
    asking(&other).await.expect(200);
    for hits in [false, true] {
        assert_eq!(hit(&asking(&mixed).await.expect(200)), hits);
    }
    assert_eq!(asked_for(&upstream)[3..], [other, mixed]);
}

#[tokio::test]
async fn a_call_that_names_its_model_in_the_path_gets_the_answer_of_that_model() {
    let upstream = Upstream::start(|request| {
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let model = asked["model"].as_str().unwrap_or_default();
        json(200, COMPLETION.replace(r#""content":"ok""#, &format!(r#""content":"{model}""#)))
    })
    .await;
    let base = upstream.base();
    let config = format!(
        "model_list:
  - {{model_name: a, litellm_params: {{model: openai/one, api_base: {base}, api_key: k}}}}
  - {{model_name: b, litellm_params: {{model: openai/two, api_base: {base}, api_key: k}}}}
general_settings: {{master_key: {KEY}}}
{CACHE}
"
    );
    let proxy = with(&config).start().await;
    let body = r#"{"messages":[{"role":"user","content":"hi"}]}"#;
    for (model, said) in [("a", "one"), ("b", "two"), ("a", "one")] {
        let path = format!("/openai/deployments/{model}/chat/completions");
        assert_eq!(content(&proxy.call(post(path, body)).await.expect(200)), said);
    }
    assert_eq!(upstream.seen().begun, 2);
}
