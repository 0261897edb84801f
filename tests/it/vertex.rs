//! Google's cloud: where its models are asked, in whose words, and what clients hear.
use crate::client::{Answer, Call, chat, post};
use crate::google::{self, Cloud};
use crate::proxy::{KEY, Proxy, with};
use crate::upstream::{self, Step};
use crate::wire::Message;
use serde_json::{Value, json};

const GEMINI: &str = r#"{"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi."}]}, "finishReason": "STOP"}],
  "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2, "totalTokenCount": 7}, "modelVersion": "gemini-2.5-pro", "responseId": "r"}"#;
const CLAUDE: &str = r#"{"id": "msg_vrtx_1", "type": "message", "role": "assistant", "model": "claude-opus-4-1-20250805",
  "content": [{"type": "text", "text": "Hi."}], "stop_reason": "end_turn", "usage": {"input_tokens": 5, "output_tokens": 2}}"#;
const CLAUDE_EVENTS: [&str; 6] = [
    r#"{"type":"message_start","message":{"id":"msg_vrtx_1","type":"message","role":"assistant","model":"claude","content":[],"usage":{"input_tokens":5,"output_tokens":0}}}"#,
    r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi."}}"#,
    r#"{"type":"content_block_stop","index":0}"#,
    r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}"#,
    r#"{"type":"message_stop"}"#,
];

/// What the models say.
fn says(request: &Message) -> Vec<Step> {
    let path = request.head.word();
    let ends = |end: &str| path.split('?').next().is_some_and(|path| path.ends_with(end));
    let json = |body: &str| upstream::json(200, body);
    match path {
        _ if ends("count-tokens:rawPredict") => json(r#"{"input_tokens": 7}"#),
        _ if ends(":countTokens") => json(r#"{"totalTokens": 7}"#),
        _ if ends(":rawPredict") => json(CLAUDE),
        _ if ends(":streamRawPredict") => upstream::stream(&CLAUDE_EVENTS),
        _ if ends(":generateContent") => json(GEMINI),
        _ if ends(":streamGenerateContent") => upstream::stream(&[&GEMINI.replace('\n', "")]),
        _ if ends(":predict") => json(
            r#"{"predictions": [{"embeddings": {"values": [0.5], "statistics": {"token_count": 3}}}]}"#,
        ),
        _ if ends(":embedContent") => {
            json(r#"{"embedding": {"values": [0.5]}, "usageMetadata": {"promptTokenCount": 3}}"#)
        }
        _ if ends("/chat/completions") => json(upstream::COMPLETION),
        _ => upstream::json(
            404,
            r#"{"error": {"code": 404, "message": "no such thing", "status": "NOT_FOUND"}}"#,
        ),
    }
}

/// A deployment of these models, each under its own name.
fn models(origin: &str, names: &[&str]) -> String {
    let entries = names.iter().map(|name| {
        format!(
            "  - model_name: \"{name}\"
    litellm_params: {{model: \"vertex_ai/{name}\", api_base: \"{origin}\", vertex_project: p-1,
      vertex_location: europe-west4, vertex_credentials: account.json, num_retries: 0}}
"
        )
    });
    entries.collect()
}

async fn house(names: &[&str]) -> (Cloud, Proxy) {
    let cloud = Cloud::start(says).await;
    let models = models(&cloud.origin(), names);
    let config = format!("model_list:\n{models}general_settings: {{master_key: {KEY}}}\n");
    let account = google::account(&cloud.origin()).to_string();
    let proxy = with(&config).file("account.json", &account).start().await;
    (cloud, proxy)
}

/// Makes a call, and says what the cloud was asked, as which path, and what came of it.
async fn asked(cloud: &Cloud, proxy: &Proxy, call: Call) -> (String, Value, Answer) {
    let before = cloud.calls().len();
    let answer = proxy.call(call).await;
    let calls = cloud.calls();
    assert_eq!(calls.len(), before + 1, "{}", answer.text());
    let call = &calls[before];
    assert_eq!(call.head.get("authorization"), Some("Bearer token-1"));
    assert!(call.head.get("x-goog-api-key").is_none());
    let body = serde_json::from_slice(&call.body).expect("JSON");
    (call.head.word().to_owned(), body, answer)
}

const GOOGLES: &str = "/v1/projects/p-1/locations/europe-west4/publishers/google/models";
const ANTHROPICS: &str = "/v1/projects/p-1/locations/europe-west4/publishers/anthropic/models";
const PRO: &str = "gemini-2.5-pro";
const OPUS: &str = "claude-opus-4-1@20250805";

/// "hi" in each dialect: the call, and what its answer's text is.
fn said(model: &str, stream: bool) -> [(Call, &'static str); 5] {
    let turn = json!([{"role": "user", "content": "hi"}]);
    let action = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
    let openai = |path: &str, name: &str, said: Value| {
        let mut body = json!({"model": model, "stream": stream, "max_tokens": 9});
        body[name] = said;
        post(path, body.to_string())
    };
    let gemini = json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}).to_string();
    [
        (openai("/v1/chat/completions", "messages", turn.clone()), "/choices/0/message/content"),
        (openai("/v1/completions", "prompt", "hi".into()), "/choices/0/text"),
        (openai("/v1/responses", "input", "hi".into()), "/output/0/content/0/text"),
        (openai("/v1/messages", "messages", turn), "/content/0/text"),
        (
            post(format!("/v1beta/models/{model}:{action}"), gemini),
            "/candidates/0/content/parts/0/text",
        ),
    ]
}

#[tokio::test]
async fn every_client_reaches_gemini_and_claude() {
    let (cloud, proxy) = house(&[PRO, OPUS]).await;
    for (model, whole, stream) in [
        (
            PRO,
            format!("{GOOGLES}/{PRO}:generateContent"),
            format!("{GOOGLES}/{PRO}:streamGenerateContent?alt=sse"),
        ),
        (
            OPUS,
            format!("{ANTHROPICS}/{OPUS}:rawPredict"),
            format!("{ANTHROPICS}/{OPUS}:streamRawPredict"),
        ),
    ] {
        for (call, place) in said(model, false) {
            let (path, body, answer) = asked(&cloud, &proxy, call).await;
            assert_eq!((path, answer.status), (whole.clone(), 200), "{}", answer.text());
            assert_eq!(answer.json().pointer(place), Some(&json!("Hi.")), "{}", answer.text());
            assert!(body.get("model").is_none(), "{body}");
            let version = (model == OPUS).then_some("vertex-2023-10-16");
            assert_eq!(body["anthropic_version"].as_str(), version, "{body}");
        }
        for (call, _) in said(model, true) {
            let (path, _, answer) = asked(&cloud, &proxy, call).await;
            assert_eq!((path, answer.status), (stream.clone(), 200), "{}", answer.text());
            assert!(answer.is_whole() && answer.text().contains("Hi."), "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn claudes_own_clients_change_nothing_but_the_model_and_the_version() {
    let (cloud, proxy) = house(&[OPUS]).await;
    let written = format!(
        "{{ \"max_tokens\" : 9,\n \"model\" : \"{OPUS}\", \"x\": [1.0e5, \"\\u00e9\"], \"messages\": [{{\"role\": \"user\", \"content\": \"hi\"}}] }}"
    );
    let call = post("/v1/messages?beta=true", &written)
        .header("anthropic-version", "2023-06-01")
        .header("anthropic-beta", "context-1m-2025-08-07");
    let (path, _, answer) = asked(&cloud, &proxy, call).await;
    assert_eq!(path, format!("{ANTHROPICS}/{OPUS}:rawPredict"));
    assert_eq!(answer.text(), CLAUDE, "the answer is as it came");
    let sent = cloud.calls().pop().expect("a call");
    assert_eq!(sent.head.get("anthropic-beta"), Some("context-1m-2025-08-07"));
    let sent = String::from_utf8(sent.body.to_vec()).expect("text");
    let kept = [
        " \"max_tokens\" : 9",
        " \"x\": [1.0e5, \"\\u00e9\"], \"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]",
    ];
    assert!(kept.iter().all(|part| sent.contains(part)), "{sent}");
    let body: Value = serde_json::from_str(&sent).expect("JSON");
    assert!(body.get("model").is_none() && body["anthropic_version"] == "vertex-2023-10-16");
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(4), "{sent}");
}

#[tokio::test]
async fn geminis_own_clients_are_passed_on_byte_for_byte() {
    let (cloud, proxy) = house(&[PRO]).await;
    let written = "{ \"contents\" : [ {\"role\": \"user\", \"parts\":[{\"text\":\"\\u00e9\"}]} ],\n\"x\":1.0 }";
    let target = format!("/v1beta/models/{PRO}:generateContent?key={KEY}&$alt=json");
    let answer = post(target, written).send(proxy.addr()).await;
    let sent = cloud.calls().pop().expect("a call");
    assert_eq!(sent.body, written);
    assert_eq!(sent.head.word(), format!("{GOOGLES}/{PRO}:generateContent?$alt=json"));
    assert_eq!(answer.text(), GEMINI);
}

#[tokio::test]
async fn tokens_are_counted_by_the_models_own_counter() {
    let (cloud, proxy) = house(&[PRO, OPUS]).await;
    let turn = json!([{"role": "user", "content": "hi"}]);
    for (model, counter) in [
        (PRO, format!("{GOOGLES}/{PRO}:countTokens")),
        (OPUS, format!("{ANTHROPICS}/count-tokens:rawPredict")),
    ] {
        let messages = json!({"model": model, "messages": turn, "system": "be short"}).to_string();
        let contents =
            json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}).to_string();
        for (call, place) in [
            (post("/v1/messages/count_tokens", &messages), "/input_tokens"),
            (post(format!("/v1beta/models/{model}:countTokens"), &contents), "/totalTokens"),
            (post("/utils/token_counter?call_endpoint=true", &messages), "/total_tokens"),
        ] {
            let (path, body, answer) = asked(&cloud, &proxy, call).await;
            assert_eq!(path, counter);
            assert_eq!(answer.json().pointer(place), Some(&json!(7)), "{}", answer.text());
            let names: Vec<_> = body.as_object().expect("an object").keys().cloned().collect();
            if model == OPUS {
                assert!(body["model"] == OPUS && body.get("max_tokens").is_none(), "{names:?}");
                assert_eq!(body["anthropic_version"], "vertex-2023-10-16");
            } else {
                let counted = ["contents", "systemInstruction", "generationConfig"];
                assert!(names.iter().all(|name| counted.contains(&name.as_str())), "{names:?}");
            }
        }
    }
}

#[tokio::test]
async fn embeddings_are_asked_in_the_models_way() {
    let (text, new) = ("text-embedding-005", "gemini-embedding-2");
    let (cloud, proxy) = house(&[text, new]).await;
    let ask = |model: &str, input: Value| {
        let body = json!({"model": model, "input": input, "dimensions": 8, "input_type": "query"});
        post("/v1/embeddings", body.to_string())
    };
    let (path, body, answer) = asked(&cloud, &proxy, ask(text, json!(["one", "two"]))).await;
    assert_eq!(path, format!("{GOOGLES}/{text}:predict"));
    let instance = |text| json!({"content": text, "task_type": "RETRIEVAL_QUERY"});
    let parameters = json!({"outputDimensionality": 8});
    assert_eq!(
        body,
        json!({"instances": [instance("one"), instance("two")], "parameters": parameters})
    );
    assert_eq!(answer.json()["data"][0]["embedding"], json!([0.5]));
    assert_eq!(answer.json()["usage"]["prompt_tokens"], 3);
    let (path, body, answer) = asked(&cloud, &proxy, ask(new, json!("one"))).await;
    assert_eq!(path, format!("{GOOGLES}/{new}:embedContent"));
    let config = json!({"taskType": "RETRIEVAL_QUERY", "outputDimensionality": 8});
    assert_eq!(
        body,
        json!({"content": {"parts": [{"text": "one"}]}, "embedContentConfig": config})
    );
    assert_eq!(answer.json()["usage"]["prompt_tokens"], 3);
    let several = proxy.call(ask(new, json!(["one", "two"]))).await.expect(400);
    assert!(several.error_message().contains("one input"), "{}", several.text());
}

#[tokio::test]
async fn endpoints_and_models_of_others_have_their_own_paths() {
    let names = ["4965075652664360960", "meta/llama-4-scout-17b-16e-instruct-maas", "*"];
    let (cloud, proxy) = house(&names).await;
    let below = "/v1/projects/p-1/locations/europe-west4";
    let (path, ..) = asked(&cloud, &proxy, chat(names[0])).await;
    assert_eq!(path, format!("{below}/endpoints/{}:generateContent", names[0]));
    let (path, body, answer) = asked(&cloud, &proxy, chat(names[1])).await;
    assert_eq!(path, format!("{below}/endpoints/openapi/chat/completions"));
    assert_eq!((answer.text(), &body["model"]), (upstream::COMPLETION, &json!(names[1])));
    // A deployment of all models: each name tells its own dialect.
    let (path, ..) = asked(&cloud, &proxy, chat("claude-haiku-4-5")).await;
    assert_eq!(path, format!("{ANTHROPICS}/claude-haiku-4-5:rawPredict"));
    let (path, ..) = asked(&cloud, &proxy, chat("gemini-2.5-flash")).await;
    assert_eq!(path, format!("{GOOGLES}/gemini-2.5-flash:generateContent"));
}

#[tokio::test]
async fn an_error_of_the_cloud_is_told_in_the_clients_words() {
    let (cloud, proxy) = house(&["gemini-none"]).await;
    let gone = proxy.call(post("/v1beta/models/gemini-none:batchEmbedContents", "{}")).await;
    assert_eq!((gone.status, gone.json()["error"]["status"].as_str()), (404, Some("NOT_FOUND")));
    assert_eq!(cloud.calls().len(), 1);
}

#[tokio::test]
async fn what_a_call_costs_is_in_the_catalogue() {
    let (cloud, proxy) = house(&[PRO, OPUS]).await;
    for model in [PRO, OPUS] {
        let (.., answer) = asked(&cloud, &proxy, chat(model)).await;
        let cost: f64 = answer.header("x-litellm-response-cost").expect("a cost").parse().unwrap();
        assert!(cost > 0.0, "{model}");
    }
}
