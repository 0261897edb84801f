//! Every path of the table, as a stranger and as a client sees it.
use crate::client::{get, post, request};
use crate::proxy::{self, CREDENTIAL, KEY, Proxy};
use crate::upstream::{self, COMPLETION, Upstream};
use bartizan::edge::{ROWS, Row};
use serde_json::Value;

/// A proxy whose model `gpt`, and whose wildcard, are at an upstream.
async fn with(model: &str) -> (Upstream, Proxy) {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    let setup = proxy::with(&config(model, &upstream));
    let setup = setup.env("OPENAI_API_KEY", CREDENTIAL).env("OPENAI_BASE_URL", &upstream.base());
    (upstream, setup.start().await)
}

fn config(model: &str, upstream: &Upstream) -> String {
    proxy::config(&upstream.base()).replace("model_name: gpt", &format!("model_name: \"{model}\""))
}

fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().copied().flatten()
}

/// A path that the pattern stands for.
fn filled(pattern: &str) -> String {
    let pattern = pattern.replace("*}", "}");
    let filled = pattern.replace("{model}", "gpt").replace("{provider}", "groq");
    filled.replace("{rest}", "a/b")
}

/// All methods that a client might try.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];

/// Paths that answer anyone.
const PUBLIC: [&str; 7] = [
    "/routes",
    "/",
    "/openapi.json",
    "/health",
    "/health/liveliness",
    "/health/liveness",
    "/health/readiness",
];

/// The methods that the table has for a path: those of all rows that match it.
fn taken(path: &str) -> Vec<&'static str> {
    let matching = rows().filter(|row| row.paths().any(|pattern| filled(&pattern) == path));
    matching.flat_map(|row| row.methods.split(", ")).collect()
}

#[tokio::test]
async fn every_path_needs_a_key_and_takes_its_methods_only() {
    let (upstream, proxy) = with("gpt").await;
    let mut seen = 0;
    for path in rows().flat_map(Row::paths).map(|pattern| filled(&pattern)) {
        let taken = taken(&path);
        for method in METHODS {
            let answer = request(method, &path).send(proxy.addr()).await;
            let public = PUBLIC.contains(&path.as_str());
            let expected = match (taken.contains(&method), public) {
                (false, _) => 405,
                (true, false) => 401,
                (true, true) => 200,
            };
            assert_eq!(answer.status, expected, "{method} {path}");
            if expected == 405 {
                let allowed = answer.header("allow").unwrap_or_default();
                assert!(taken.contains(&allowed.split(", ").next().unwrap_or_default()), "{path}");
            }
            seen += 1;
        }
    }
    assert!(seen > 700, "only {seen} were tried");
    assert!(upstream.requests().is_empty(), "a stranger reached the upstream");
}

#[tokio::test]
async fn what_is_described_is_there_and_refuses_strangers_in_its_dialect() {
    let (_upstream, proxy) = with("gpt").await;
    let document = get("/openapi.json").send(proxy.addr()).await.expect(200).json();
    let mut seen = 0;
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let public = operation["security"].as_array().is_some_and(|any| {
                any.is_empty() || any.iter().any(|one| one == &serde_json::json!({}))
            });
            let method = METHODS.iter().find(|known| known.eq_ignore_ascii_case(method));
            let method = *method.expect("a known method");
            let answer = request(method, filled(path)).send(proxy.addr()).await;
            let answer = answer.expect(if public { 200 } else { 401 });
            let refusal = &operation["responses"]["401"]["$ref"];
            let Some(name) = refusal.as_str().filter(|_| !public) else { continue };
            let (body, name) = (answer.json(), name.rsplit('/').next().unwrap_or_default());
            let found = match (&body["type"], &body["error"]["status"], &body["error"]) {
                (Value::String(_), ..) => "AnthropicError",
                (_, Value::String(_), _) => "GeminiError",
                (.., Value::String(_)) => "OllamaError",
                (.., Value::Null) => "CohereError",
                _ => "Error",
            };
            assert_eq!(found, name, "{method} {path}: {body}");
            seen += 1;
        }
    }
    assert!(seen > 250, "only {seen} were tried");
    let filled = filled("/v1beta/models/{model}:generateContent");
    assert_eq!(filled, "/v1beta/models/gpt:generateContent");
    assert!(document["paths"]["/v1beta/models/{model}"].is_null(), "it is no path");
}

#[tokio::test]
async fn the_lists_have_the_paths_of_the_config_in_force() {
    let entry = |path: &str, more: &str| {
        format!("    - {{path: {path}, target: \"http://127.0.0.1:9/x\"{more}}}\n")
    };
    let config = |entries: &str| {
        let section = format!("  pass_through_endpoints:\n{entries}");
        format!("{}{section}", proxy::config("http://127.0.0.1:9/v1"))
    };
    let first = entry("/pt", ", include_subpath: true, methods: [GET, post]")
        + &entry("/open", ", auth: false")
        + &entry("/v1/files", ", auth: false");
    let proxy = proxy::with(&config(&first)).start().await;
    let lists = async || {
        let routes = proxy.call(get("/routes")).await.expect(200).json();
        let document = get("/openapi.json").send(proxy.addr()).await.expect(200).json();
        (routes["routes"].as_array().expect("a list").clone(), document["paths"].clone())
    };
    let (routes, paths) = lists().await;
    let methods = |path: &str| {
        let found: Vec<_> = routes.iter().filter(|route| route["path"] == path).collect();
        assert_eq!(found.len(), 1, "{path}");
        found[0]["methods"].clone()
    };
    for path in ["/pt", "/pt/{rest}"] {
        assert_eq!(methods(path), serde_json::json!(["GET", "POST"]));
        let item = paths[path].as_object().expect("a path");
        assert_eq!(item.keys().collect::<Vec<_>>(), ["get", "post"]);
        assert!(item["get"]["security"].is_null() && item["get"]["responses"]["401"].is_object());
        get(filled(path)).send(proxy.addr()).await.expect(401);
    }
    assert_eq!(paths["/open"]["patch"]["security"], serde_json::json!([]));
    assert_eq!(methods("/open").as_array().map(Vec::len), Some(7));
    assert!(paths["/open/{rest}"].is_null());
    assert!(paths["/v1/files"]["get"]["security"].is_null(), "it is a path of our own");

    proxy.replace_file("config.yaml", &config(&entry("/later", "")));
    let mut ticks = proxy::ticks();
    while !lists().await.0.iter().any(|route| route["path"] == "/later") {
        ticks.tick().await;
    }
    let (routes, paths) = lists().await;
    assert!(paths["/later"].is_object() && paths["/pt"].is_null());
    assert!(routes.iter().all(|route| route["path"] != "/pt"));
}

#[tokio::test]
async fn metrics_are_public_where_the_config_says_so() {
    let (_upstream, proxy) = with("gpt").await;
    get("/metrics").send(proxy.addr()).await.expect(401);
    let config = format!(
        "{}litellm_settings:\n  require_auth_for_metrics_endpoint: false\n",
        proxy::config("http://127.0.0.1:9/v1")
    );
    let open = proxy::with(&config).start().await;
    get("/metrics").send(open.addr()).await.expect(200);
    let document = get("/openapi.json").send(open.addr()).await.json();
    assert_eq!(document["paths"]["/metrics"]["get"]["security"], serde_json::json!([]));
}

#[tokio::test]
async fn what_is_no_path_is_not_found() {
    let (upstream, proxy) = with("*").await;
    for path in [
        "//",
        "/v1",
        "/v2/chat/completions",
        "/v1/chat",
        "/v1/chat/completions/x",
        "//v1/chat/completions",
        "/v1//chat/completions",
        "/v1/chat/completions//",
        "/v1%2fchat/completions",
        "/v1/chat%2fcompletions",
        "/v1/./chat/completions",
        "/v1/../v1/chat/completions",
        "/metrics/../v1/chat/completions",
        "/health/liveliness/..%2f..%2fv1/chat/completions",
        "/v1/chat/completions;x=y",
        "/v1;/chat/completions",
        "/V1/chat/completions",
        "/v1/Chat/Completions",
        "/v1/chat/completions%00",
        "/v1/chat/completions%20",
        "/v1\\chat\\completions",
        "/v1/files/..",
        "/v1/files/../chat/completions",
        "/v1/files/%2e%2e/models",
        "/v1/files/a%2f..%2fb",
        "/v1/files/%252e%252e/models",
        "/v1/files/..;/models",
        "/v1/files//a",
        "/openai/",
        "/openai/../v1/models",
        "/openai/deployments/../chat/completions",
        "/openai/deployments//chat/completions",
        "/openai/deployments/a/../b/chat/completions",
        "/engines/..%2f../chat/completions",
        "/nobody/v1/files",
        "/unknown",
        "/openapi.yaml",
        "/key",
    ] {
        for answer in [
            post(path, r#"{"model":"gpt","messages":[]}"#).send(proxy.addr()).await,
            proxy.call(post(path, r#"{"model":"gpt","messages":[]}"#)).await,
        ] {
            assert!(matches!(answer.status, 404 | 400), "{path}: {}", answer.status);
            if answer.status == 404 {
                assert_eq!(answer.text(), r#"{"detail":"Not Found"}"#, "{path}");
            }
        }
    }
    assert!(upstream.requests().is_empty(), "{:#?}", upstream.requests());
}

#[tokio::test]
async fn a_wrong_method_says_which_are_right() {
    let (_upstream, proxy) = with("gpt").await;
    let answer = get("/v1/chat/completions").send(proxy.addr()).await.expect(405);
    assert_eq!(answer.header("allow"), Some("POST"));
    assert_eq!(answer.text(), r#"{"detail":"Method Not Allowed"}"#);
    let answer = post("/openai/deployments/gpt/embeddings/", "{}").send(proxy.addr()).await;
    answer.expect(401);
    let answer = get("/engines/gpt/embeddings").send(proxy.addr()).await.expect(405);
    assert_eq!(answer.header("allow"), Some("POST"));
}

#[tokio::test]
async fn the_model_of_the_path_overrules_the_bodys() {
    let (upstream, proxy) = with("meta/llama 3:8b").await;
    let messages = r#""messages":[{"role":"user","content":"hi"}]"#;
    for body in [format!("{{{messages}}}"), format!(r#"{{"model":"other",{messages}}}"#)] {
        for path in [
            "/openai/deployments/meta/llama%203:8b/chat/completions?api-version=2024-10-21",
            "/openai/deployments/meta%2Fllama%203:8b/chat/completions?api-version=1&x=y",
            "/engines/meta/llama%203:8b/chat/completions",
            "/engines/meta/llama%203:8b/chat/completions/",
        ] {
            proxy.call(post(path, &body)).await.expect(200);
            let request = upstream.requests().pop().expect("a request");
            let query = if path.contains("x=y") { "?x=y" } else { "" };
            assert_eq!(request.head.word(), format!("/v1/chat/completions{query}"));
            let sent: Value = serde_json::from_slice(&request.body).expect("JSON");
            assert_eq!(sent["model"], "gpt-4o-mini");
        }
    }
    let nobody = "/openai/deployments/nobody/chat/completions";
    let answer = proxy.call(post(nobody, format!("{{{messages}}}"))).await.expect(400);
    let expected = "/chat/completions: Invalid model name passed in model=nobody.";
    assert!(answer.error_message().starts_with(expected), "{}", answer.text());
    let plain = "/v1/chat/completions?api-version=1";
    proxy.call(post(plain, format!(r#"{{"model":"meta/llama 3:8b",{messages}}}"#))).await;
    let request = upstream.requests().pop().expect("a request");
    assert_eq!(request.head.word(), "/v1/chat/completions?api-version=1", "it is the client's");
}

#[tokio::test]
async fn cursors_path_is_a_chat() {
    let (upstream, proxy) = with("gpt").await;
    let body = r#"{"model":"gpt","messages":[{"role":"user","content":"hi"}]}"#;
    proxy.call(post("/cursor/chat/completions", body)).await.expect(200);
    assert_eq!(upstream.only_request().head.word(), "/v1/chat/completions");
}

#[tokio::test]
async fn paths_that_are_not_served_yet_say_why() {
    let (_upstream, proxy) = with("gpt").await;
    for path in ["/bedrock/model/x/invoke", "/vertex_ai/v1/x", "/vertex-ai/v1/x", "/milvus/x"] {
        for answer in [proxy.call(post(path, "{}")).await, proxy.call(get(path)).await] {
            let message = answer.expect(400).error_message();
            assert!(message.contains("not served yet"), "{message}");
        }
        get(path).send(proxy.addr()).await.expect(401);
    }
}

#[tokio::test]
async fn every_path_also_stands_below_the_root_path() {
    let upstream = Upstream::playing(upstream::json(200, COMPLETION)).await;
    for root in ["/llm/", "llm"] {
        let setup = proxy::in_front_of(&upstream.base()).env("SERVER_ROOT_PATH", root);
        let proxy = setup.start().await;
        let body = r#"{"model":"gpt","messages":[{"role":"user","content":"hi"}]}"#;
        for prefix in ["", "/llm"] {
            for path in ["/v1/chat/completions?a=b", "/openai/deployments/gpt/chat/completions?a=b"]
            {
                proxy.call(post(format!("{prefix}{path}"), body)).await.expect(200);
                let request = upstream.requests().pop().expect("a request");
                assert_eq!(request.head.word(), "/v1/chat/completions?a=b");
            }
            get(format!("{prefix}/health/liveliness")).send(proxy.addr()).await.expect(200);
            get(format!("{prefix}/v1/models")).send(proxy.addr()).await.expect(401);
            proxy.call(get(format!("{prefix}/v1/models"))).await.expect(200);
        }
        get("/llm").send(proxy.addr()).await.expect(200);
        for path in ["/llmx/v1/models", "/llm/llm/v1/models", "/llm//v1/models", "/LLM/v1/models"] {
            proxy.call(get(path)).await.expect(404);
        }
        let document = get("/llm/openapi.json").send(proxy.addr()).await.expect(200).json();
        assert_eq!(document["servers"][0]["url"], "/llm");
    }
    let setup = proxy::in_front_of(&upstream.base()).env("SERVER_ROOT_PATH", "/a b");
    let proxy = setup.start().await;
    proxy.line(|line| line.contains("SERVER_ROOT_PATH")).await;
}

#[tokio::test]
async fn the_list_of_routes_and_the_description_have_every_row() {
    let (_upstream, proxy) = with("gpt").await;
    let routes = proxy.call(get("/routes")).await.expect(200).json();
    let document = get("/openapi.json").send(proxy.addr()).await.expect(200).json();
    assert_eq!(document["openapi"], "3.1.0");
    let listed = routes["routes"].as_array().expect("a list");
    for (path, method) in [("/key/generate", "post"), ("/spend/logs", "get")] {
        assert!(listed.iter().any(|route| route["path"] == path), "{path}");
        assert!(document["paths"][path][method]["responses"].is_object(), "{path}");
    }
    for row in rows().filter(|row| !row.is_managed()) {
        for path in row.paths().map(|path| path.replace("*}", "}")) {
            assert!(listed.iter().any(|route| route["path"] == path.as_str()), "{path}");
            for method in row.methods.split(", ") {
                let operation = &document["paths"][&path][method.to_ascii_lowercase()];
                assert!(operation["responses"].is_object(), "{method} {path}");
            }
        }
    }
    let ids = document["paths"].as_object().expect("paths").values().flat_map(|item| {
        item.as_object().expect("methods").values().map(|one| one["operationId"].to_string())
    });
    let ids: Vec<_> = ids.collect();
    let unique: std::collections::HashSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "an operation's id stands twice");
}

#[tokio::test]
async fn small_answers_of_the_proxys_own() {
    let (_upstream, proxy) = with("gpt").await;
    let home = get("/").send(proxy.addr()).await.expect(200);
    assert!(home.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
    assert!(home.text().contains("Bartizan") && home.text().contains("LiteLLM API"));
    let test = proxy.call(get("/test")).await.expect(200);
    assert_eq!(test.text(), r#"{"route":"/test"}"#);
    let params = |query: &str| get(format!("/utils/supported_openai_params{query}"));
    let known = proxy.call(params("?model=gpt")).await.expect(200).json();
    let known = known["supported_openai_params"].as_array().expect("a list").clone();
    assert!(known.contains(&"tools".into()) && known.contains(&"temperature".into()), "{known:?}");
    proxy.call(params("?model=openai%2Fgpt-4o")).await.expect(200);
    let unknown = proxy.call(params("?model=nope")).await.expect(400).json();
    assert_eq!(unknown["detail"]["error"], "Could not map model=nope");
    let missing = proxy.call(params("")).await.expect(422).json();
    assert_eq!(missing["detail"][0]["loc"][1], "model");
}

#[tokio::test]
async fn model_groups_are_told_as_the_best_of_their_deployments() {
    let config = format!(
        "model_list:
  - {{model_name: a, litellm_params: {{model: openai/gpt-4o, api_key: k, rpm: 10}}}}
  - {{model_name: a, litellm_params: {{model: groq/llama-3.3-70b-versatile, api_key: k, rpm: 5}}}}
  - {{model_name: \"x/*\", litellm_params: {{model: \"openai/*\", api_key: k}}}}
general_settings:
  master_key: {KEY}
"
    );
    let proxy = proxy::with(&config).start().await;
    let all = proxy.call(get("/model_group/info")).await.expect(200).json();
    let all = all["data"].as_array().expect("a list");
    let named = |name: &str| all.iter().filter(|group| group["model_group"] == name).count();
    // Behind the wildcard each model that is known.
    assert_eq!((named("a"), named("x/*"), named("x/gpt-4o-mini")), (1, 1, 1), "{all:?}");
    let one = proxy.call(get("/model_group/info?model_group=a")).await.expect(200).json();
    let group = &one["data"][0];
    assert_eq!(group["model_group"], "a");
    assert_eq!(group["providers"], serde_json::json!(["groq", "openai"]));
    assert_eq!((&group["rpm"], &group["tpm"]), (&15.into(), &Value::Null));
    assert_eq!(group["supports_vision"], true);
    assert_eq!(group["max_input_tokens"].as_f64().map(|max| max >= 128_000.0), Some(true));
    assert!(group["input_cost_per_token"].as_f64().is_some_and(|cost| cost > 0.0), "{group}");
    let none = proxy.call(get("/model_group/info?model_group=nope")).await.expect(200).json();
    assert_eq!(none["data"].as_array().map(Vec::len), Some(0));
}
