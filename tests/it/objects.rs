//! Objects that a provider keeps for the proxy: each tenant sees and reaches its own.
use crate::client::{Answer, Call, get, post, request, with_body};
use crate::proxy::{self, KEY, Proxy};
use crate::upstream::{Upstream, json, stream};
use crate::wire::Message;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Every collection of objects, and how the provider's ids begin.
const KINDS: [(&str, &str); 9] = [
    ("/v1/files", "file-"),
    ("/v1/batches", "batch_"),
    ("/v1/fine_tuning/jobs", "ftjob-"),
    ("/v1/vector_stores", "vs_"),
    ("/v1/assistants", "asst_"),
    ("/v1/threads", "thread_"),
    ("/v1/conversations", "conv_"),
    ("/v1/containers", "cntr_"),
    ("/v1/videos", "video_"),
];

/// An account at a provider: what is made gets an id, and all of it stands in its lists.
async fn account() -> Upstream {
    let count = Arc::new(AtomicUsize::new(0));
    Upstream::start(move |request| answered(request, &count)).await
}

fn answered(request: &Message, count: &AtomicUsize) -> Vec<crate::upstream::Step> {
    let (method, path) = request.head.first.split_once(' ').expect("a request line");
    let path = path.split([' ', '?']).next().expect("a path");
    if method == "POST" && path == "/v1/responses" {
        let id = format!("resp_{}", count.fetch_add(1, Relaxed));
        if memchr::memmem::find(&request.body, b"\"stream\":true").is_some() {
            let created = json!({"type": "response.created", "response": {"id": id}});
            let usage = json!({"input_tokens": 1, "output_tokens": 1, "total_tokens": 2});
            let done = json!({"type": "response.completed",
                "response": {"id": id, "model": "gpt-4o-mini", "status": "completed", "usage": usage}});
            return stream(&[&created.to_string(), &done.to_string()]);
        }
        let body = json!({"id": id, "object": "response", "status": "completed", "output": [],
            "model": "gpt-4o-mini", "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}});
        return json(200, body.to_string());
    }
    let kind = KINDS.iter().find(|(kind, _)| path.starts_with(kind));
    let Some((kind, begin)) = kind else { return json(200, r#"{"model":"gpt-4o-mini"}"#) };
    let made = |number: usize| json!({"id": format!("{begin}{number}"), "name": "file-shared"});
    let body = match (method, path == *kind) {
        ("POST", true) => made(count.fetch_add(1, Relaxed)),
        ("GET", true) => {
            let all: Vec<_> = (0..count.load(Relaxed)).map(made).collect();
            let ends = [all.first(), all.last()].map(|one| one.map(|one| one["id"].clone()));
            json!({"object": "list", "data": all, "first_id": ends[0], "last_id": ends[1],
                "has_more": false})
        }
        ("GET", false) if *kind == "/v1/batches" => {
            json!({"id": path.rsplit('/').next(), "output_file_id": "file-of-batch"})
        }
        _ => json!({"id": path.split('/').nth(3), "file": {"id": "file-no"}}),
    };
    json(200, body.to_string())
}

async fn house(upstream: &Upstream) -> Proxy {
    let config = format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{model: openai/gpt-4o-mini, api_base: {}, api_key: sk-up, use_in_pass_through: true}}
general_settings: {{master_key: {KEY}}}
",
        upstream.base()
    );
    proxy::with(&config).start().await
}

/// Two keys of a team, and one of another.
async fn tenants(proxy: &Proxy) -> [String; 3] {
    for team in ["blue", "red"] {
        proxy.done("/team/new", json!({"team_id": team})).await;
    }
    let key = |team: &'static str| proxy.key(json!({"team_id": team}));
    [key("blue").await, key("blue").await, key("red").await]
}

impl Proxy {
    async fn by(&self, key: &str, call: Call) -> Answer {
        call.key(key).send(self.addr()).await
    }

    /// Makes an object, and tells its id.
    async fn made(&self, key: &str, kind: &str, body: &Value) -> String {
        let answer = self.by(key, post(kind, body.to_string())).await.expect(200);
        answer.json()["id"].as_str().expect("an id").to_owned()
    }
}

#[tokio::test]
async fn what_a_tenant_makes_no_other_one_reaches() {
    let upstream = account().await;
    let proxy = house(&upstream).await;
    let [blue, mate, red] = tenants(&proxy).await;
    for (kind, _) in KINDS {
        let id = proxy.made(&blue, kind, &json!({"model": "gpt"})).await;
        let (path, below) = (format!("{kind}/{id}"), format!("{kind}/{id}/content"));
        let sent = upstream.requests().len();
        for call in [
            get(&path),
            get(&below),
            get(format!("{kind}/{}", id.replace('-', "%2D").replace('_', "%5F"))),
            get(format!("/openai{path}")),
            get(format!("/openai{}", path.trim_start_matches("/v1"))),
            request("DELETE", &path),
            request("DELETE", format!("/openai{path}")),
            post(format!("{path}/cancel"), "{}"),
            post(&path, r#"{"metadata":{}}"#),
        ] {
            let refused = proxy.by(&red, call).await.expect(404);
            let told = refused.error_message();
            assert!(told.contains("No such object") && told.contains(&id), "{kind}: {told}");
        }
        assert_eq!(upstream.requests().len(), sent, "{kind}: nothing of it is sent");
        for key in [&blue, &mate, KEY] {
            proxy.by(key, get(&path)).await.expect(200);
            proxy.by(key, get(format!("/openai{path}"))).await.expect(200);
        }
        proxy.by(&mate, post(format!("{path}/cancel"), "{}")).await.expect(200);
        proxy.by(&mate, request("DELETE", &path)).await.expect(200);
    }
}

#[tokio::test]
async fn lists_have_what_is_the_tenants_own() {
    let upstream = account().await;
    let proxy = house(&upstream).await;
    let [blue, mate, red] = tenants(&proxy).await;
    for (kind, _) in KINDS {
        let first = proxy.made(&blue, kind, &json!({})).await;
        let second = proxy.made(&red, kind, &json!({})).await;
        for path in [kind.to_owned(), format!("/openai{kind}")] {
            for (key, own) in [(&blue, &first), (&mate, &first), (&red, &second)] {
                let list = proxy.by(key, get(&path).header("accept-encoding", "gzip")).await;
                let list = list.expect(200).json();
                let ids: Vec<_> =
                    list["data"].as_array().unwrap().iter().map(|it| &it["id"]).collect();
                assert_eq!(ids, [own], "{path}");
                assert_eq!((&list["first_id"], &list["last_id"]), (&json!(own), &json!(own)));
            }
            let all = proxy.by(KEY, get(&path)).await.expect(200).json();
            assert!(all["data"].as_array().unwrap().len() >= 2, "{all}");
        }
    }
}

#[tokio::test]
async fn responses_belong_to_whom_they_answer() {
    let upstream = account().await;
    let proxy = house(&upstream).await;
    let [blue, mate, red] = tenants(&proxy).await;
    for body in [
        json!({"model": "gpt", "input": "hi"}),
        json!({"model": "gpt", "input": "hi", "stream": true}),
    ] {
        let made = proxy.by(&blue, post("/v1/responses", body.to_string())).await.expect(200);
        let id = made.text().split("resp_").nth(1).unwrap().split('"').next().unwrap();
        let id = format!("resp_{id}");
        let path = format!("/v1/responses/{id}");
        for call in [
            get(&path),
            get(format!("{path}/input_items")),
            request("DELETE", &path),
            post(format!("{path}/cancel"), ""),
            get(format!("/openai/v1/responses/{id}")),
            post(
                "/v1/responses",
                json!({"model": "gpt", "input": "x", "previous_response_id": id}).to_string(),
            ),
            post(
                "/openai/v1/responses",
                format!(r#"{{"model":"gpt-4o-mini","previous\u005fresponse_id":"{id}"}}"#),
            ),
        ] {
            proxy.by(&red, call).await.expect(404);
        }
        let next = json!({"model": "gpt", "input": "x", "previous_response_id": id}).to_string();
        for key in [&blue, &mate, KEY] {
            proxy.by(key, get(&path)).await.expect(200);
            proxy.by(key, post("/v1/responses", &next)).await.expect(200);
        }
        proxy.by(&blue, request("DELETE", &path)).await.expect(200);
    }
}

#[tokio::test]
async fn what_others_made_cannot_be_named_in_a_body() {
    let upstream = account().await;
    let proxy = house(&upstream).await;
    let [blue, _, red] = tenants(&proxy).await;
    let file = proxy.made(&blue, "/v1/files", &json!({})).await;
    let store = proxy.made(&blue, "/v1/vector_stores", &json!({})).await;
    let own = proxy.made(&red, "/v1/vector_stores", &json!({})).await;
    let part = json!({"type": "file", "file": {"file_id": file}});
    let bodies = [
        ("/v1/batches", json!({"input_file_id": file})),
        ("/v1/fine_tuning/jobs", json!({"model": "gpt", "training_file": file})),
        ("/v1/vector_stores", json!({"file_ids": [file]})),
        (&*format!("/v1/vector_stores/{own}/files"), json!({"file_id": file})),
        ("/v1/chat/completions", json!({"model": "gpt", "messages": [{"content": [part]}]})),
        (
            "/v1/responses",
            json!({"model": "gpt", "input": "x",
                "tools": [{"type": "file_search", "vector_store_ids": [store]}]}),
        ),
        ("/openai/v1/chat/completions", json!({"model": "gpt", "messages": [part]})),
        ("/openai/v1/batches", json!({"input_file_id": file})),
    ];
    for (path, body) in bodies {
        let sent = upstream.requests().len();
        proxy.by(&red, post(path, body.to_string())).await.expect(404);
        assert_eq!(upstream.requests().len(), sent, "{path}");
        if !path.contains(&own) {
            proxy.by(&blue, post(path, body.to_string())).await.expect(200);
        }
    }
    // What cannot be read may hide something.
    let long = format!(r#"{{"pad":"{}","input_file_id":"{file}"}}"#, "x".repeat(1 << 20));
    proxy.by(&red, post("/v1/batches", long)).await.expect(413);
    let kind = "multipart/form-data; boundary=x";
    let form = format!(
        "--x\r\nContent-Disposition: form-data; name=\"file_id\"\r\n\r\n{file}\r\n--x--\r\n"
    );
    proxy.by(&red, with_body("POST", "/v1/files", kind, form)).await.expect(404);
    let text = json!({"input_file_id": file}).to_string();
    proxy.by(&red, with_body("POST", "/v1/batches", "text/plain", text)).await.expect(404);
}

#[tokio::test]
async fn what_a_provider_makes_of_an_object_is_its_owners() {
    let upstream = account().await;
    let proxy = house(&upstream).await;
    let [blue, mate, red] = tenants(&proxy).await;
    let batch = proxy.made(&blue, "/v1/batches", &json!({})).await;
    proxy.by(&mate, get(format!("/v1/batches/{batch}"))).await.expect(200);
    proxy.by(&red, get("/v1/files/file-of-batch/content")).await.expect(404);
    proxy.by(&blue, get("/v1/files/file-of-batch/content")).await.expect(200);
    // A name that somebody chooses makes nobody an owner.
    proxy.made(&red, "/v1/vector_stores", &json!({"name": "file-shared"})).await;
    proxy.by(&red, request("DELETE", "/v1/files/file-shared")).await.expect(404);
    proxy.by(&blue, get("/v1/files/file-shared")).await.expect(200);
    // Nor does a file's content.
    proxy.by(&red, request("DELETE", "/v1/files/file-no")).await.expect(404);
}

#[tokio::test]
async fn owners_outlive_the_process_and_their_keys_change() {
    let upstream = account().await;
    let state = tempfile::tempdir().unwrap();
    let config = format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{model: openai/gpt-4o-mini, api_base: {}, api_key: sk-up}}
general_settings: {{master_key: {KEY}}}
",
        upstream.base()
    );
    let start = || {
        let directory = state.path().to_str().unwrap().to_owned();
        proxy::with(&config).arg("--state-dir").arg(&directory).start()
    };
    let first = start().await;
    let (own, other) = (first.key(json!({})).await, first.key(json!({})).await);
    let user = first.user("ann", "internal_user").await;
    let file = first.made(&own, "/v1/files", &json!({})).await;
    let anns = first.made(&user, "/v1/files", &json!({})).await;
    let of_admin = first.made(KEY, "/v1/files", &json!({})).await;
    first.terminate();
    drop(first);
    let proxy = start().await;
    let path = |id: &str| get(format!("/v1/files/{id}"));
    proxy.by(&own, path(&file)).await.expect(200);
    for id in [&file, &anns, &of_admin] {
        proxy.by(&other, path(id)).await.expect(404);
    }
    let second = proxy.key(json!({"user_id": "ann"})).await;
    proxy.by(&second, path(&anns)).await.expect(200);
    let renewed = proxy.done("/key/regenerate", json!({"key": own})).await;
    let renewed = renewed["key"].as_str().unwrap();
    proxy.by(renewed, path(&file)).await.expect(200);
    proxy.done("/key/delete", json!({"keys": [renewed]})).await;
    proxy.by(&other, path(&file)).await.expect(404);
    proxy.by(KEY, path(&file)).await.expect(200);
}

/// Keys with lists of models, of teams with such lists, and of one without.
#[tokio::test]
async fn a_list_of_models_holds_on_a_providers_own_paths() {
    let upstream = account().await;
    let config = format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{model: openai/gpt-4o-mini, api_base: {}, api_key: sk-up, use_in_pass_through: true}}
  - model_name: gem
    litellm_params: {{model: gemini/gemini-2.5-flash, api_base: {}/v1beta, api_key: k, use_in_pass_through: true}}
general_settings: {{master_key: {KEY}}}
",
        upstream.base(),
        upstream.origin()
    );
    let proxy = proxy::with(&config).start().await;
    let listed = proxy.key(json!({"models": ["gpt-4o-mini", "gemini/gemini-2.5-flash"]})).await;
    let pattern = proxy.key(json!({"models": ["openai/*"]})).await;
    let routed = proxy
        .key(json!({"models": ["other"], "allowed_routes": ["/openai/v1/files", "/openai/v1/x/*"]}))
        .await;
    let confined = proxy.key(json!({"allowed_routes": ["/chat/completions"]})).await;
    let calls = proxy.key(json!({"key_type": "llm_api"})).await;
    let body = |model: &str| json!({"model": model, "messages": []}).to_string();
    let chat = |model: &str| post("/openai/v1/chat/completions", body(model));
    let flash = "/gemini/v1beta/models/gemini-2.5-flash:generateContent";
    let pro = "/gemini/v1beta/models/gemini-2.5-pro:generateContent";
    let twice = r#"{"model":"gpt-4o-mini","model":"gpt-4o"}"#;
    let text = |body: String| with_body("POST", "/openai/v1/embeddings", "text/plain", body);
    for (key, call, status) in [
        (&listed, chat("gpt-4o-mini"), 200),
        (&listed, chat("gpt-4o"), 403),
        (&listed, post(flash, "{}"), 200),
        (&listed, post(pro, "{}"), 403),
        (&listed, post(flash, r#"{"model":"models/gemini-2.5-pro"}"#), 403),
        (&listed, post("/openai/v1/chat/completions", twice), 403),
        (&listed, post("/openai/v1/chat/completions", "{}"), 403),
        (&listed, get("/openai/v1/models"), 403),
        (&listed, text(body("gpt-4o-mini")), 200),
        (&listed, text(body("gpt-4o")), 403),
        (
            &listed,
            with_body(
                "POST",
                "/openai/v1/audio/transcriptions",
                "multipart/form-data; boundary=x",
                "--x--",
            ),
            403,
        ),
        (&pattern, chat("gpt-4o"), 200),
        (&pattern, post(flash, "{}"), 403),
        (&routed, get("/openai/v1/files"), 200),
        (&routed, request("DELETE", "/openai/v1/x/1"), 200),
        (&routed, chat("other"), 403),
        (&confined, chat("gpt-4o-mini"), 403),
        (&calls, chat("gpt-4o-mini"), 200),
        (&calls, get("/openai/v1/models"), 200),
        (&calls, request("DELETE", "/openai/v1/models/ft:x"), 403),
    ] {
        let answer = proxy.by(key, call.clone()).await;
        assert_eq!(answer.status, status, "{call:?}: {}", answer.text());
    }
    proxy.call(request("DELETE", "/openai/v1/models/ft:x")).await.expect(200);
    // Objects are made with an account that some model stands for.
    let tune = |model: &str| post("/v1/fine_tuning/jobs", json!({"model": model}).to_string());
    proxy.by(&listed, tune("gpt-4o-mini")).await.expect(200);
    proxy.by(&listed, tune("gpt-4o")).await.expect(403);
    proxy.by(&listed, get("/v1/files?model=gpt")).await.expect(403);
    proxy.by(&listed, get("/v1/files").header("x-litellm-model", "gpt")).await.expect(403);
}

#[tokio::test]
async fn a_spent_budget_ends_calls_on_a_providers_own_paths_too() {
    let upstream = account().await;
    let proxy = house(&upstream).await;
    let poor = proxy.key(json!({"max_budget": 0})).await;
    let body = r#"{"model":"gpt-4o-mini","messages":[]}"#;
    for call in
        [post("/openai/v1/chat/completions", body), get("/v1/files"), get("/openai/v1/files")]
    {
        let refused = proxy.by(&poor, call).await.expect(422);
        assert!(refused.error_message().contains("Budget has been exceeded"));
    }
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn health_probes_what_the_key_may_use() {
    let upstream = account().await;
    let config = format!(
        "model_list:
  - {{model_name: a, litellm_params: {{model: openai/a-model, api_base: {0}, api_key: k}}}}
  - {{model_name: b, litellm_params: {{model: openai/b-model, api_base: {0}, api_key: k}}}}
general_settings: {{master_key: {KEY}}}
",
        upstream.base()
    );
    let proxy = proxy::with(&config).start().await;
    let key = proxy.key(json!({"models": ["a"]})).await;
    let own = proxy.by(&key, get("/health")).await.expect(200);
    assert!(own.text().contains("a-model") && !own.text().contains("b-model"), "{}", own.text());
    assert_eq!(upstream.requests().len(), 1);
    let other = proxy.by(&key, get("/health?model=b")).await.expect(200).json();
    assert_eq!((&other["healthy_count"], &other["unhealthy_count"]), (&json!(0), &json!(0)));
    let all = proxy.by(KEY, get("/health")).await.expect(200);
    assert!(all.text().contains("a-model") && all.text().contains("b-model"));
}
