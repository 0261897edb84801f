//! Calls besides chat whose body is JSON: images, moderations, reranking, speech.
use crate::client::post;
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::upstream::{self, Gate, Step, Upstream};
use bytes::Bytes;
use serde_json::{Value, json};

/// A proxy whose model `m` is `model` at `base`, with these more lines of its entry.
async fn with(model: &str, base: &str, more: &str) -> Proxy {
    let config = format!(
        "model_list:\n  - model_name: m\n    litellm_params:\n      model: {model}\n      \
         api_base: {base}\n      api_key: {CREDENTIAL}\n{more}general_settings:\n  \
         master_key: {KEY}\n"
    );
    proxy::with(&config).start().await
}

fn sent(upstream: &Upstream) -> (String, Value) {
    let request = upstream.requests().pop().expect("a request");
    (request.head.word().to_owned(), serde_json::from_slice(&request.body).expect("JSON"))
}

#[tokio::test]
async fn images_are_made_and_their_usage_is_counted() {
    let image = r#"{"created":1,"data":[{"b64_json":"AA=="}],"usage":{"input_tokens":10,"output_tokens":20,"total_tokens":30,"input_tokens_details":{"text_tokens":10,"image_tokens":0}}}"#;
    let upstream = Upstream::playing(upstream::json(200, image)).await;
    let price = "      input_cost_per_token: 0.001\n      output_cost_per_token: 0.002\n";
    let proxy = with("openai/gpt-image-1", &upstream.base(), price).await;
    let body = r#"{"model":"m","prompt":"a cat","n":1,"size":"1024x1024"}"#;
    for path in [
        "/v1/images/generations",
        "/images/generations",
        "/openai/deployments/m/images/generations?api-version=2024-10-21",
    ] {
        let answer = proxy.call(post(path, body)).await.expect(200);
        assert_eq!(answer.text(), image, "the answer is the provider's own");
        assert_eq!(answer.header("x-litellm-response-cost"), Some("0.05"));
        let (path, request) = sent(&upstream);
        assert_eq!(path, "/v1/images/generations");
        assert_eq!(request["model"], "gpt-image-1");
        assert_eq!(request["size"], "1024x1024");
    }
    let answer = proxy.call(post("/v1/images/generations", r#"{"model":"m"}"#)).await.expect(400);
    assert!(answer.error_message().contains("'prompt'"), "{}", answer.text());
}

#[tokio::test]
async fn a_stream_of_images_passes_whole() {
    let part =
        r#"{"type":"image_generation.partial_image","partial_image_index":0,"b64_json":"AA=="}"#;
    let done = r#"{"type":"image_generation.completed","b64_json":"AAAA","usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}"#;
    let upstream = Upstream::playing(upstream::stream(&[part, done])).await;
    let proxy = with("openai/gpt-image-1", &upstream.base(), "").await;
    let body = r#"{"model":"m","prompt":"a cat","stream":true,"partial_images":1}"#;
    let answer = proxy.call(post("/v1/images/generations", body)).await.expect(200);
    assert_eq!(answer.events(), [part, done]);
    let (_, request) = sent(&upstream);
    assert_eq!(request.get("stream_options"), None, "images know no such option");
}

#[tokio::test]
async fn a_stream_of_images_that_breaks_off_ends_in_an_error() {
    let part = r#"{"type":"image_generation.partial_image","b64_json":"AA=="}"#;
    let steps =
        vec![upstream::stream_head(), upstream::piece(format!("data: {part}\n\n")), Step::Reset];
    let upstream = Upstream::playing(steps).await;
    let proxy = with("openai/gpt-image-1", &upstream.base(), "").await;
    let body = r#"{"model":"m","prompt":"a cat","stream":true}"#;
    let answer = proxy.call(post("/v1/images/generations", body)).await.expect(200);
    let last = answer.events().pop().expect("an event");
    assert!(last.contains("\"error\""), "{last}");
}

#[tokio::test]
async fn speech_begins_to_play_before_it_ends() {
    let gate = Gate::new();
    let first = Bytes::from_static(b"\xff\xfb\x90first");
    let steps = vec![
        upstream::chunked_head(200, &[("content-type", "audio/mpeg")]),
        upstream::piece(first.clone()),
        Step::Wait(gate.clone()),
        upstream::piece("last"),
        Step::End,
    ];
    let upstream = Upstream::playing(steps).await;
    let proxy = with("openai/gpt-4o-mini-tts", &upstream.base(), "").await;
    let body = r#"{"model":"m","input":"hello","voice":"alloy","response_format":"mp3"}"#;
    let mut wire = post("/v1/audio/speech", body).key(KEY).open(proxy.addr()).await;
    let head = wire.head().await.unwrap().expect("an answer");
    assert_eq!(head.get("content-type"), Some("audio/mpeg"));
    assert_eq!(wire.chunk().await.unwrap().expect("a first chunk"), first);
    gate.open();
    assert_eq!(wire.chunk().await.unwrap().expect("a last chunk"), "last");
    assert_eq!(wire.chunk().await.unwrap(), None);
    let (path, request) = sent(&upstream);
    assert_eq!((path.as_str(), &request["voice"]), ("/v1/audio/speech", &"alloy".into()));
}

#[tokio::test]
async fn speech_as_events_and_errors_of_speech_pass_too() {
    let delta = r#"{"type":"speech.audio.delta","audio":"AA=="}"#;
    let done = r#"{"type":"speech.audio.done","usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}"#;
    let upstream = Upstream::start(move |request| {
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        match body["stream_format"].as_str() {
            Some("sse") => upstream::stream(&[delta, done]),
            _ => upstream::json(400, r#"{"error":{"message":"no such voice"}}"#),
        }
    })
    .await;
    let proxy = with("openai/gpt-4o-mini-tts", &upstream.base(), "").await;
    let body = r#"{"model":"m","input":"hello","voice":"alloy","stream_format":"sse"}"#;
    let answer = proxy.call(post("/audio/speech", body)).await.expect(200);
    assert_eq!(answer.events(), [delta, done]);
    let body = r#"{"model":"m","input":"hello","voice":"none"}"#;
    let answer = proxy.call(post("/audio/speech", body)).await.expect(400);
    assert_eq!(answer.error_message(), "no such voice");
    let answer = proxy.call(post("/audio/speech", r#"{"model":"m"}"#)).await.expect(400);
    assert!(answer.error_message().contains("'input'"), "{}", answer.text());
}

const MODERATION: &str = r#"{"id":"modr-1","model":"up","results":[{"flagged":false}]}"#;

#[tokio::test]
async fn a_moderation_without_a_model_finds_the_one_for_it() {
    let upstream = Upstream::playing(upstream::json(200, MODERATION)).await;
    let entry = |name: &str, model: &str, info: &str| {
        format!(
            "  - model_name: {name}\n    litellm_params:\n      model: openai/{model}\n      \
             api_base: {}\n      api_key: {CREDENTIAL}\n{info}",
            upstream.base()
        )
    };
    let mode = "    model_info:\n      mode: moderation\n";
    let (chat, own) = (entry("gpt", "gpt-4o", ""), entry("guard", "own-guard", mode));
    let named = entry("omni-moderation-latest", "omni-moderation-latest", "");
    let default = "  completion_model: gpt\n";
    for (list, settings, expected) in [
        (format!("{chat}{own}{named}"), default, "own-guard"),
        (format!("{chat}{named}"), default, "omni-moderation-latest"),
        (chat.clone(), default, "gpt-4o"),
    ] {
        let config =
            format!("model_list:\n{list}general_settings:\n  master_key: {KEY}\n{settings}");
        let proxy = proxy::with(&config).start().await;
        for path in ["/v1/moderations", "/moderations"] {
            let answer = proxy.call(post(path, r#"{"input":"hello"}"#)).await.expect(200);
            assert_eq!(answer.text(), MODERATION);
            let (path, request) = sent(&upstream);
            assert_eq!(path, "/v1/moderations");
            assert_eq!(request["model"], expected);
        }
        proxy.call(post("/moderations", r#"{"input":"a","model":"gpt"}"#)).await.expect(200);
        assert_eq!(sent(&upstream).1["model"], "gpt-4o", "the request's own model wins");
    }
    let config = format!("model_list:\n{chat}general_settings:\n  master_key: {KEY}\n");
    let proxy = proxy::with(&config).start().await;
    let answer = proxy.call(post("/moderations", r#"{"input":"hello"}"#)).await.expect(400);
    assert!(answer.error_message().contains("mode: moderation"), "{}", answer.text());
}

#[tokio::test]
async fn a_moderation_without_any_model_goes_to_openai() {
    let upstream = Upstream::playing(upstream::json(200, MODERATION)).await;
    let entry = |name: &str, model: &str| {
        let at = format!("api_base: {}, api_key: {CREDENTIAL}", upstream.base());
        let params = format!("{{model: \"{model}\", {at}}}");
        let list =
            format!("model_list:\n  - {{model_name: \"{name}\", litellm_params: {params}}}\n");
        format!("{list}general_settings:\n  master_key: {KEY}\n")
    };
    let keyed = |setup: proxy::Setup| {
        setup.env("OPENAI_API_KEY", CREDENTIAL).env("OPENAI_BASE_URL", &upstream.base())
    };
    let default = "  completion_model: gpt\n";
    for (what, setup) in [
        ("no config", keyed(proxy::bare().env("LITELLM_MASTER_KEY", KEY))),
        ("a wildcard", proxy::with(&(entry("*", "openai/*") + default))),
        ("an account", keyed(proxy::with(&entry("claude", "anthropic/claude-sonnet-4-5")))),
    ] {
        let proxy = setup.start().await;
        let answer = proxy.call(post("/v1/moderations", r#"{"input":"hello"}"#)).await;
        assert_eq!(answer.expect(200).text(), MODERATION, "{what}");
        let request = upstream.requests().pop().expect("a request");
        assert_eq!(request.head.word(), "/v1/moderations");
        let sent: Value = serde_json::from_slice(&request.body).expect("JSON");
        assert_eq!(sent, json!({"model": "omni-moderation-latest", "input": "hello"}), "{what}");
        let bearer = format!("Bearer {CREDENTIAL}");
        assert_eq!(request.head.get("authorization"), Some(&*bearer), "{what}");
    }
    let elsewhere = proxy::with(&entry("*", "groq/*")).start().await;
    elsewhere.call(post("/v1/moderations", r#"{"input":"hello"}"#)).await.expect(400);
    let chat = proxy::with(&(entry("gpt", "groq/llama") + default));
    let chat = keyed(chat).start().await;
    chat.call(post("/v1/moderations", r#"{"input":"hello"}"#)).await.expect(200);
    assert_eq!(sent(&upstream).1["model"], "llama", "the config's own choice wins");
}

const RERANKED: &str =
    r#"{"id":"r","results":[{"index":0,"relevance_score":0.9}],"usage":{"total_tokens":12}}"#;
const RERANK: &str = r#"{"model":"m","query":"a","documents":["b","c"],"top_n":1}"#;

#[tokio::test]
async fn cohere_is_asked_to_rerank_in_the_version_of_the_path() {
    let upstream = Upstream::playing(upstream::json(200, RERANKED)).await;
    for base in ["/compatibility/v1", "/v1", "/v2", ""] {
        let base = format!("{}{base}", upstream.origin());
        let proxy = with("cohere/rerank-v3.5", &base, "").await;
        for (path, expected) in
            [("/v1/rerank", "/v1/rerank"), ("/v2/rerank", "/v2/rerank"), ("/rerank", "/v2/rerank")]
        {
            let answer = proxy.call(post(path, RERANK)).await.expect(200);
            assert_eq!(answer.text(), RERANKED);
            let (path, request) = sent(&upstream);
            assert_eq!(path, expected, "{base}");
            assert_eq!(request["model"], "rerank-v3.5");
        }
    }
}

#[tokio::test]
async fn other_providers_rerank_below_their_base_and_their_tokens_count() {
    let upstream = Upstream::playing(upstream::json(200, RERANKED)).await;
    let price = "      input_cost_per_token: 0.001\n";
    let proxy = with("jina_ai/jina-reranker-v2", &upstream.base(), price).await;
    for path in ["/rerank", "/v1/rerank", "/v2/rerank"] {
        let answer = proxy.call(post(path, RERANK)).await.expect(200);
        assert_eq!(answer.header("x-litellm-response-cost"), Some("0.012"));
        assert_eq!(sent(&upstream).0, "/v1/rerank");
    }
    let answer = proxy.call(post("/rerank", r#"{"model":"m"}"#)).await.expect(400);
    assert!(answer.error_message().contains("'query'"), "{}", answer.text());
}
