//! Providers as rows of data: where each is reached, and with what; what is known of it; and the
//! rows that a config has of its own.
mod evidence;
mod own;
mod page;

use crate::client::{Call, chat, chat_stream, post};
use crate::proxy::{self, KEY, Proxy};
use crate::upstream::{self, COMPLETION, Step, Upstream};
use crate::wire::Message;
use bartizan::data::{self, Provider, Wire};
use serde_json::{Value, json};
use std::fmt::Write;

const CHUNK: &str = r#"{"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[{"index":0,"delta":{"role":"assistant","content":"ok"},"finish_reason":"stop"}]}"#;

/// Rows that are asked in another dialect than OpenAI's, or not at all.
const OTHERS: [&str; 8] =
    ["azure", "azure_ai", "azure_text", "cohere", "cohere_chat", "echo", "ollama", "ollama_chat"];

/// Says "ok", as it is asked.
fn script(request: &Message) -> Vec<Step> {
    match json_of(request)["stream"] == true {
        true => upstream::stream(&[CHUNK, "[DONE]"]),
        false => upstream::json(200, COMPLETION),
    }
}

fn json_of(request: &Message) -> Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

/// Where OpenAI's `path` is at this provider, below what its variable says.
fn place(provider: &str, path: &str) -> String {
    match (provider, path) {
        ("perplexity", "/embeddings") => "/v1/embeddings".to_owned(),
        ("snowflake", "/chat/completions") => "/api/v2/cortex/v1/chat/completions".to_owned(),
        ("snowflake", "/embeddings") => "/api/v2/cortex/inference:embed".to_owned(),
        ("writer", "/chat/completions") => "/chat".to_owned(),
        ("cloudflare", _) => format!("/ai/v1{path}"),
        ("databricks", _) => format!("/serving-endpoints{path}"),
        ("datarobot", _) => format!("/api/v2/genai/llmgw{path}"),
        ("heroku" | "huggingface", _) => format!("/v1{path}"),
        ("snowflake", _) => format!("/api/v2{path}"),
        ("watsonx", _) => format!("/ml/gateway/v1{path}"),
        _ => path.to_owned(),
    }
}

/// The calls of a row: OpenAI's path below its base, and what a client sends.
fn calls(row: &Provider) -> Vec<(&'static str, Call)> {
    let name = row.name;
    let with = |told: Value| {
        let mut body = json!({"model": name});
        body.as_object_mut().expect("an object").extend(told.as_object().expect("one").clone());
        body.to_string()
    };
    let documents = json!({"query": "a", "documents": ["b"]});
    let mut calls = vec![
        ("/chat/completions", chat(name)),
        ("/chat/completions", chat_stream(name)),
        ("/embeddings", post("/v1/embeddings", with(json!({"input": "a"})))),
        ("/rerank", post("/v1/rerank", with(documents))),
    ];
    if row.responses {
        calls.push(("/responses", post("/v1/responses", with(json!({"input": "a"})))));
    }
    calls
}

/// What is wrong with how a call of this row arrived; nothing for nothing.
fn wrong(row: &Provider, path: &str, call: &Call, arrived: Option<Message>) -> Option<String> {
    let Some(arrived) = arrived else { return Some("nothing arrives".to_owned()) };
    let base = row.base_env.first().expect("a variable");
    let path = format!("/{base}{}", place(row.name, path));
    if arrived.head.word() != path {
        return Some(format!("{} is not {path}", arrived.head.word()));
    }
    let key = row.key_env.first().map(|name| format!("Bearer sk-{name}"));
    if arrived.head.get("authorization") != key.as_deref() {
        return Some(format!("{:?} is not {key:?}", arrived.head.get("authorization")));
    }
    let kind = arrived.head.get("x-snowflake-authorization-token-type");
    if kind != (row.name == "snowflake").then_some("KEYPAIR_JWT") {
        return Some(format!("{kind:?} as the kind of a token"));
    }
    let mut wanted: Value = serde_json::from_slice(&call.body).expect("JSON");
    wanted["model"] = match row.name {
        "fireworks_ai" => "accounts/fireworks/models/m".into(),
        _ => "m".into(),
    };
    let mut body = json_of(&arrived);
    let options = body.as_object_mut().and_then(|body| body.shift_remove("stream_options"));
    let asked = options.is_none_or(|options| row.stream_usage && options["include_usage"] == true);
    (!asked || body != wanted).then(|| format!("{body} is not {wanted}"))
}

async fn started(rows: &[&Provider], upstream: &Upstream) -> Proxy {
    let mut config = format!("general_settings: {{master_key: {KEY}}}\nmodel_list:\n");
    for row in rows {
        let name = row.name;
        writeln!(config, "- {{model_name: {name}, litellm_params: {{model: {name}/m}}}}").unwrap();
    }
    let mut setup = proxy::with(&config);
    for row in rows {
        if let Some(name) = row.key_env.first() {
            setup = setup.env(name, &format!("sk-{name}"));
        }
        let base = row.base_env.first().expect("a variable");
        setup = setup.env(base, &format!("{}/{base}", upstream.origin()));
    }
    setup.start().await
}

#[tokio::test]
async fn every_row_reaches_its_provider_with_its_path_its_key_and_its_body() {
    let rows = data::providers().iter();
    let rows: Vec<_> =
        rows.filter(|row| row.wire == Wire::OpenAi && !OTHERS.contains(&row.name)).collect();
    assert!(rows.len() >= 100, "{} rows", rows.len());
    let upstream = Upstream::start(script).await;
    let proxy = started(&rows, &upstream).await;
    let (mut played, mut found) = (0, String::new());
    for row in rows {
        for (path, call) in calls(row) {
            let seen = upstream.seen().begun;
            let answer = call.clone().key(KEY).send(proxy.addr()).await;
            played += 1;
            let name = row.name;
            if let Some(why) = wrong(row, path, &call, upstream.request(seen)) {
                writeln!(found, "{name} {path}: {why}: {}", answer.text()).unwrap();
            } else if answer.status != 200 || !answer.is_whole() {
                writeln!(found, "{name} {path}: {}", answer.text()).unwrap();
            }
        }
    }
    assert!(found.is_empty(), "of {played} calls:\n{found}");
}
