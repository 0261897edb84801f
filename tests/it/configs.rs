//! The configs that people run today, unchanged, with variables as their users set them: every
//! name and every alias answers.
use crate::client::{Call, chat, get, post};
use crate::fixtures;
use crate::proxy::{self, KEY, Proxy};
use crate::upstream::{self, COMPLETION, Upstream};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A provider of these files: the start of its variables, and what it has below the host.
const PROVIDERS: [(&str, &str); 8] = [
    ("OPENAI", "/openai/v1"),
    ("ANTHROPIC", "/anthropic"),
    ("GEMINI", "/gemini/v1beta"),
    ("COHERE", "/cohere/compatibility/v1"),
    ("OLLAMA", "/ollama"),
    ("OPENROUTER", "/openrouter/api/v1"),
    ("GROQ", "/groq/openai/v1"),
    ("DEEPSEEK", "/deepseek/beta"),
];

fn folder(test: &str) -> Option<PathBuf> {
    fixtures::shared("configs", "BARTIZAN_CONFIGS", test)
}

/// A file as it is, but for the one address of a container's host, which is the upstream here.
fn text(folder: &Path, name: &str, upstream: &Upstream) -> String {
    let text = std::fs::read_to_string(folder.join(name)).expect("a readable file");
    text.replace("http://host.docker.internal:11434", &format!("{}/ollama", upstream.origin()))
}

/// A proxy with a config, and every variable that a user of these files sets.
async fn run(config: &str, upstream: &Upstream) -> Proxy {
    let mut setup = proxy::with(config).env("LITELLM_MASTER_KEY", KEY);
    for (provider, path) in PROVIDERS {
        let base = format!("{}{path}", upstream.origin());
        setup = setup.env(&format!("{provider}_API_BASE"), &base);
        for end in ["", "_1", "_2"] {
            setup = setup.env(&format!("{provider}_API_KEY{end}"), &key_of(provider, end));
        }
    }
    setup.env("REDIS_HOST", "127.0.0.1").env("REDIS_PORT", "1").start().await
}

fn key_of(provider: &str, end: &str) -> String {
    format!("sk-planted-{}{end}", provider.to_lowercase())
}

/// The key of a config: the one that it spells out, or the variable's.
fn key(config: &str) -> &str {
    let literal = "sk-change-me-please";
    if config.contains(literal) { literal } else { KEY }
}

/// All names and aliases of a proxy, a model in place of each star.
async fn names(proxy: &Proxy, config: &str) -> BTreeSet<String> {
    let info = get("/model/info").key(key(config)).send(proxy.addr()).await.expect(200).json();
    let groups = info["data"].as_array().expect("a list").iter();
    let groups = groups.map(|model| model["model_name"].as_str().expect("a name").to_owned());
    let mut all: BTreeSet<String> = groups.collect();
    if !all.iter().any(|name| name.contains('*')) {
        let listed = get("/v1/models").key(key(config)).send(proxy.addr()).await.expect(200).json();
        let listed = listed["data"].as_array().expect("a list").iter();
        all.extend(listed.map(|model| model["id"].as_str().expect("a name").to_owned()));
    }
    all.into_iter().map(|name| name.replace('*', "some-model")).collect()
}

/// `ok`, in the words of the provider that has this path.
fn said(path: &str) -> &'static str {
    if path.ends_with("/anthropic/v1/messages") {
        return r#"{"id":"msg_1","type":"message","role":"assistant","model":"up","content":[{"type":"text","text":"ok"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}"#;
    }
    if path.starts_with("/gemini/v1beta/models/") && path.ends_with(":generateContent") {
        return r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"ok"}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}}"#;
    }
    if path == "/cohere/v2/chat" {
        return r#"{"id":"c","finish_reason":"COMPLETE","message":{"role":"assistant","content":[{"type":"text","text":"ok"}]},"usage":{"tokens":{"input_tokens":1,"output_tokens":1}}}"#;
    }
    if path == "/ollama/api/chat" {
        return r#"{"model":"up","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"ok"},"done":true,"done_reason":"stop","prompt_eval_count":1,"eval_count":1}"#;
    }
    if path.ends_with("/chat/completions") { COMPLETION } else { "" }
}

#[tokio::test]
async fn every_name_of_every_config_answers() {
    let Some(folder) = folder("every_name_of_every_config_answers") else { return };
    for file in ["minimal.yaml", "home-lab.yaml", "team-service.yaml", "sidecar.yaml"] {
        let upstream =
            Upstream::start(|request| upstream::json(200, said(request.head.word()))).await;
        let config = text(&folder, file, &upstream);
        let proxy = run(&config, &upstream).await;
        let names = names(&proxy, &config).await;
        for name in &names {
            let answer = chat(name).key(key(&config)).send(proxy.addr()).await.expect(200);
            assert_eq!(answer.json()["choices"][0]["message"]["content"], "ok", "{file}: {name}");
            // Each provider gets its own key, at its own address.
            let request = upstream.requests().pop().expect("a request");
            let path = request.head.word().to_owned();
            let provider = path.split('/').nth(1).expect("a path").to_owned();
            let credentials = ["authorization", "x-api-key", "x-goog-api-key"];
            let credential = credentials.iter().find_map(|name| request.head.get(name));
            let credential = credential.unwrap_or_default();
            let own = credential.trim_start_matches("Bearer ");
            let own = own.starts_with(&format!("sk-planted-{provider}"));
            assert!(own || provider == "ollama", "{file}: {name}: {path} {credential}");
            assert!(!said(&path).is_empty(), "{file}: {name}: {path}");
        }
        let aliases: &[&str] = match file {
            "team-service.yaml" => &["gpt-4-group", "claude-group", "llama2", "gemini-pro"],
            "sidecar.yaml" => &["some-model", "claude-some-model"],
            _ => &[],
        };
        for alias in aliases {
            assert!(names.contains(*alias), "{file}: {alias} is not in {names:?}");
        }
        assert!(!proxy.output().contains("sk-planted"), "{file}");
    }
}

#[tokio::test]
async fn keys_of_a_config_are_honoured_or_named() {
    let Some(folder) = folder("keys_of_a_config_are_honoured_or_named") else { return };
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let config = text(&folder, "team-service.yaml", &upstream);
    let proxy = run(&config, &upstream).await;
    for named in [
        "max_budget",
        "budget_duration",
        "cache_params",
        "success_callback",
        "failure_callback",
        "num_retries",
        "usage-based-routing",
        "`gpt-4-turbo`, which no model has",
    ] {
        proxy.line(|line| line.contains(named)).await;
    }
    assert!(!proxy.output().contains("unknown key"), "{}", proxy.output());
    let output = proxy.output();
    for honoured in ["blocked_ips", "rpm_limit", "user_rate_limit", "cooldown_time", "base_delay"] {
        let idle = |line: &str| line.contains("without effect") && line.contains(honoured);
        assert!(!output.lines().any(idle), "{honoured} is honoured");
    }
    // One price for each token of the two names in `cost_per_token`: 2 tokens here.
    for (name, cost) in [("gpt-4", "0.00012"), ("gpt-3.5-turbo", "4e-06")] {
        let answer = proxy.call(chat(name)).await.expect(200);
        assert_eq!(answer.header("x-litellm-response-cost"), Some(cost), "{name}");
    }
}

/// The answer to embeddings, and to everything else.
fn answers(path: &str) -> &'static str {
    let vectors = r#"{"object":"list","model":"up","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"usage":{"prompt_tokens":1,"total_tokens":1}}"#;
    if path.contains("embeddings") { vectors } else { COMPLETION }
}

#[tokio::test]
async fn a_platform_that_swaps_its_base_url_without_v1_gets_its_answers() {
    let test = "a_platform_that_swaps_its_base_url_without_v1_gets_its_answers";
    let Some(folder) = folder(test) else { return };
    let swap = std::fs::read_to_string(folder.join("autogpt.env")).expect("a readable file");
    let base = swap.lines().find_map(|line| line.strip_prefix("OPENAI_BASE_URL="));
    let path = base.expect("the swap").trim_start_matches("http://localhost:4000");
    let upstream =
        Upstream::start(|request| upstream::json(200, answers(request.head.word()))).await;
    let config = text(&folder, "sidecar.yaml", &upstream);
    let proxy = run(&config, &upstream).await;
    let input = r#"{"model":"text-embedding-3-small","input":["a"],"encoding_format":"float"}"#;
    let turn = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"hi"}]}"#;
    let calls: [(&str, &str); 2] = [("/embeddings", input), ("/chat/completions", turn)];
    for (end, body) in calls {
        let call: Call = post(format!("{path}{end}"), body);
        let answer = proxy.call(call).await.expect(200);
        assert_eq!(answer.text(), answers(end));
        let request = upstream.requests().pop().expect("a request");
        assert_eq!(request.head.word(), format!("/openai/v1{end}"));
        let sent: Value = serde_json::from_slice(&request.body).expect("JSON");
        assert_eq!(sent["model"], serde_json::from_str::<Value>(body).expect("JSON")["model"]);
    }
}
