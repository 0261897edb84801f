//! AWS Bedrock as a provider: where it is asked, what is signed, how it answers.
use crate::client::{Answer, post};
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::upstream::{Step, Upstream, answer, chunked_head, json, piece};
use bartizan_layers::wire::eventstream::encode;
use serde_json::{Value, json as value};

const MODEL: &str = "us.anthropic.claude-3-5-sonnet-20240620-v1:0";
const PLACE: &str = "/model/us.anthropic.claude-3-5-sonnet-20240620-v1%3A0";
const SAID: &str = r#"{"output":{"message":{"role":"assistant","content":[{"text":"Hi"}]}},"stopReason":"end_turn","usage":{"inputTokens":7,"outputTokens":2,"totalTokens":9}}"#;

/// A config with one model at Bedrock, and these parameters.
fn config(model: &str, params: &[(&str, &str)]) -> String {
    let params: String =
        params.iter().map(|(name, text)| format!("      {name}: {text}\n")).collect();
    format!(
        "model_list:\n  - model_name: gpt\n    litellm_params:\n      model: {model}\n{params}      \
         num_retries: 0\n      cooldown_time: 0\ngeneral_settings:\n  master_key: {KEY}\n"
    )
}

/// A proxy before `upstream`, with a key.
async fn before(upstream: &Upstream, model: &str) -> Proxy {
    let origin = upstream.origin();
    let params = [("aws_bedrock_runtime_endpoint", origin.as_str()), ("api_key", CREDENTIAL)];
    proxy::with(&config(&format!("bedrock/{model}"), &params)).start().await
}

async fn chat(proxy: &Proxy, stream: bool) -> Answer {
    let body = value!({"model": "gpt", "stream": stream, "stream_options": {"include_usage": true},
                       "messages": [{"role": "user", "content": "Hello?"}]});
    proxy.call(post("/v1/chat/completions", body.to_string()).key(KEY)).await
}

#[tokio::test]
async fn a_model_is_asked_by_converse_however_its_name_is_written() {
    let arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0";
    let of_arn = "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile\
                  %2Fus.amazon.nova-lite-v1%3A0";
    for (model, place) in [
        (MODEL.to_owned(), PLACE),
        (format!("converse/{MODEL}"), PLACE),
        (format!("eu-central-1/{MODEL}"), PLACE),
        (arn.to_owned(), of_arn),
    ] {
        let upstream = Upstream::playing(json(200, SAID)).await;
        let got = chat(&before(&upstream, &model).await, false).await.expect(200).json();
        assert_eq!(got["choices"][0]["message"]["content"], "Hi", "{model}");
        assert_eq!(got["usage"]["total_tokens"], 9, "{model}");
        let request = upstream.only_request();
        assert_eq!(request.head.word(), format!("{place}/converse"), "{model}");
        let wanted = format!("Bearer {CREDENTIAL}");
        assert_eq!(request.head.get("authorization"), Some(wanted.as_str()), "{model}");
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        assert_eq!(body["messages"][0]["content"][0]["text"], "Hello?", "{model}");
    }
}

fn event(name: &str, data: &Value) -> Vec<u8> {
    let headers =
        [(":event-type", name), (":content-type", "application/json"), (":message-type", "event")];
    encode(&headers, data.to_string().as_bytes())
}

/// A stream that says "Hi".
fn told() -> Vec<u8> {
    let delta = |text: &str| {
        event("contentBlockDelta", &value!({"contentBlockIndex": 0, "delta": {"text": text}}))
    };
    let usage = value!({"inputTokens": 7, "outputTokens": 2, "totalTokens": 9});
    [
        event("messageStart", &value!({"role": "assistant"})),
        delta("H"),
        delta("i"),
        event("contentBlockStop", &value!({"contentBlockIndex": 0})),
        event("messageStop", &value!({"stopReason": "end_turn"})),
        event("metadata", &value!({"usage": usage, "metrics": {"latencyMs": 1}})),
    ]
    .concat()
}

/// `bytes` as a stream of Bedrock's, in pieces that cut its messages.
fn streamed(bytes: &[u8]) -> Vec<Step> {
    let head = chunked_head(200, &[("content-type", "application/vnd.amazon.eventstream")]);
    let pieces = bytes.chunks(61).map(|it| piece(it.to_vec()));
    std::iter::once(head).chain(pieces).chain([Step::End]).collect()
}

#[tokio::test]
async fn a_stream_of_binary_messages_is_one_of_events_to_the_client() {
    let upstream = Upstream::playing(streamed(&told())).await;
    let got = chat(&before(&upstream, MODEL).await, true).await.expect(200);
    let events = got.events();
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    let all: Vec<Value> =
        events.iter().filter_map(|event| serde_json::from_str(event).ok()).collect();
    let texts = all.iter().filter_map(|it| it["choices"][0]["delta"]["content"].as_str());
    assert_eq!(texts.collect::<String>(), "Hi");
    assert!(all.iter().any(|it| it["usage"]["total_tokens"] == 9));
    assert_eq!(upstream.only_request().head.word(), format!("{PLACE}/converse-stream"));
}

#[tokio::test]
async fn a_damaged_or_cut_stream_is_never_a_whole_one() {
    let whole = told();
    let mut damaged = whole.clone();
    let place = whole.len() / 2;
    damaged[place] ^= 4;
    let failed = [
        event("messageStart", &value!({"role": "assistant"})),
        event("contentBlockDelta", &value!({"contentBlockIndex": 0, "delta": {"text": "H"}})),
        encode(
            &[(":exception-type", "throttlingException"), (":message-type", "exception")],
            br#"{"message":"Too many requests"}"#,
        ),
    ]
    .concat();
    for (bytes, words) in
        [(damaged, "damaged"), (whole[..whole.len() - 3].to_vec(), ""), (failed, "Too many")]
    {
        let upstream = Upstream::playing(streamed(&bytes)).await;
        let got = chat(&before(&upstream, MODEL).await, true).await.expect(200);
        assert!(!got.text().contains("[DONE]"), "{}", got.text());
        assert!(got.text().contains("\"error\"") && got.text().contains(words), "{}", got.text());
    }
}

#[tokio::test]
async fn an_error_has_the_cause_that_its_header_names() {
    for (status, kind, class, got) in [
        (429, "ThrottlingException", "RateLimitError", 429),
        (403, "ExpiredTokenException:http://internal.amazon.com/", "", 403),
        (400, "ValidationException", "BadRequestError", 400),
    ] {
        let headers = [("content-type", "application/json"), ("x-amzn-errortype", kind)];
        let upstream = Upstream::playing(answer(status, &headers, r#"{"message":"No."}"#)).await;
        let told = chat(&before(&upstream, MODEL).await, false).await.expect(got).json();
        let message = told["error"]["message"].as_str().unwrap_or_default();
        assert!(message.ends_with("BedrockException - No."), "{message}");
        assert!(message.contains(class), "{message}");
    }
}

#[tokio::test]
async fn embeddings_are_invoked_and_counted_by_the_answers_head() {
    let cohere = r#"{"embeddings":{"float":[[0.5],[0.25]]},"id":"e"}"#;
    let headers = [("content-type", "application/json"), ("x-amzn-bedrock-input-token-count", "5")];
    let upstream = Upstream::playing(answer(200, &headers, cohere)).await;
    let proxy = before(&upstream, "cohere.embed-v4:0").await;
    let asked = |input: Value| {
        let body = value!({"model": "gpt", "input": input});
        proxy.call(post("/v1/embeddings", body.to_string()).key(KEY))
    };
    let got = asked(value!(["a", "b"])).await.expect(200).json();
    assert_eq!(got["data"][1]["embedding"], value!([0.25]));
    assert_eq!(got["usage"]["prompt_tokens"], 5);
    assert_eq!(upstream.only_request().head.word(), "/model/cohere.embed-v4%3A0/invoke");
}

#[tokio::test]
async fn tokens_are_counted_by_bedrock() {
    let upstream = Upstream::playing(json(200, r#"{"inputTokens":42}"#)).await;
    let proxy = before(&upstream, MODEL).await;
    let body = r#"{"model":"gpt","messages":[{"role":"user","content":"Hello?"}]}"#;
    let got = proxy.call(post("/v1/messages/count_tokens", body).key(KEY)).await.expect(200).json();
    assert_eq!(got, value!({"input_tokens": 42}));
    let request = upstream.only_request();
    let place = "/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/count-tokens";
    assert_eq!(request.head.word(), place);
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!(body["input"]["converse"]["messages"][0]["content"][0]["text"], "Hello?");
}
