//! Models that are added at run time.
use crate::client::{chat, get, post};
use crate::proxy::{self, KEY, Proxy, Setup};
use crate::upstream::{COMPLETION, Upstream, json};
use serde_json::{Value, json};
use std::path::Path;

const SECRET: &str = "sk-credential-of-the-added-model";

fn config(more: &str) -> String {
    format!(
        "model_list:
  - model_name: own
    litellm_params: {{model: openai/gpt-4o-mini, api_base: http://127.0.0.1:9, api_key: sk-own}}
    model_info: {{id: of-config}}
general_settings: {{master_key: {KEY}{more}}}
litellm_settings: {{num_retries: 0}}
"
    )
}

fn house() -> Setup {
    proxy::with(&config(", store_model_in_db: true"))
}

fn at(state: &Path, config: &str) -> Setup {
    proxy::with(config).arg("--state-dir").arg(state.to_str().expect("a path in UTF-8"))
}

fn model(name: &str, id: &str, base: &str) -> Value {
    json!({
        "model_name": name,
        "litellm_params": {"model": "openai/gpt-4o", "api_base": base, "api_key": SECRET},
        "model_info": {"id": id, "mode": "chat"},
    })
}

async fn provider() -> Upstream {
    Upstream::playing(json(200, COMPLETION)).await
}

impl Proxy {
    async fn lists(&self, key: &str, name: &str) -> bool {
        let list = self.ask(key, "GET", "/v1/models", Value::Null).await.expect(200).json();
        list["data"].as_array().expect("a list").iter().any(|model| model["id"] == name)
    }
}

#[tokio::test]
async fn a_model_is_there_from_its_adding_to_its_end() {
    let (first, second) = (provider().await, provider().await);
    let proxy = house().start().await;
    let key = proxy.key(json!({})).await;
    chat("added").key(&key).send(proxy.addr()).await.expect(400);
    let added = proxy.done("/model/new", model("added", "m-1", &first.base())).await;
    assert_eq!((&added["model_id"], &added["model_info"]["id"]), (&json!("m-1"), &json!("m-1")));
    assert_eq!(added["litellm_params"]["model"], "openai/gpt-4o");
    chat("added").key(&key).send(proxy.addr()).await.expect(200);
    let sent = first.only_request();
    assert_eq!(sent.head.get("authorization"), Some(&*format!("Bearer {SECRET}")));
    assert!(proxy.lists(&key, "added").await && proxy.lists(&key, "own").await);
    let shown = proxy.got("/v2/model/info?model=added&debug=True").await;
    assert_eq!(
        (&shown["total_count"], &shown["data"][0]["model_info"]["db_model"]),
        (&json!(1), &json!(true))
    );
    assert!(shown["data"][0]["openai_client"].is_string());
    let change = json!({
        "model_info": {"id": "m-1"}, "litellm_params": {"api_base": second.base(), "api_key": "*****"}
    });
    let updated = proxy.done("/model/update", change).await;
    assert_eq!(updated["model_name"], "added");
    chat("added").key(&key).send(proxy.addr()).await.expect(200);
    let sent = second.only_request();
    assert_eq!(sent.head.get("authorization"), Some(&*format!("Bearer {SECRET}")));
    let by_id = json!({"id": "m-1", "litellm_params": {"temperature": 0.5}});
    proxy.done("/model/update", by_id).await;
    let rename = json!({"model_name": "renamed"});
    proxy.ask(KEY, "PATCH", "/model/m-1/update", rename).await.expect(200);
    chat("added").key(&key).send(proxy.addr()).await.expect(400);
    chat("renamed").key(&key).send(proxy.addr()).await.expect(200);
    for path in ["/model/info", "/v2/model/info", "/audit", "/config/yaml"] {
        let told = proxy.ask(KEY, "GET", path, Value::Null).await.expect(200);
        assert!(!told.text().contains(SECRET), "{path}: {}", told.text());
    }
    assert!(![&added, &updated].iter().any(|it| it.to_string().contains(SECRET)));
    proxy.done("/model/delete", json!({"id": "m-1"})).await;
    chat("renamed").key(&key).send(proxy.addr()).await.expect(400);
    assert!(!proxy.lists(&key, "renamed").await && proxy.lists(&key, "own").await);
    assert!(!proxy.output().contains(SECRET));
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_nothing_kept() {
    let upstream = provider().await;
    let proxy = house().start().await;
    let (plain, user) = (proxy.key(json!({})).await, proxy.user("ann", "internal_user").await);
    for key in [&plain, &user] {
        let asked = model("m", "m", &upstream.base());
        proxy.ask(key, "POST", "/model/new", asked).await.expect(401);
        proxy.ask(key, "POST", "/model/delete", json!({"id": "of-config"})).await.expect(401);
    }
    proxy.done("/model/new", model("m", "m", &upstream.base())).await;
    for (path, body, status) in [
        ("/model/new", model("again", "m", &upstream.base()), 409),
        ("/model/new", model("again", "of-config", &upstream.base()), 409),
        ("/model/new", model("", "x", &upstream.base()), 422),
        ("/model/new", model("x", "x", "not a url"), 400),
        ("/model/new", json!({"model_name": "x"}), 422),
        ("/model/new", json!({"model_name": "x", "litellm_params": {"model": "nobody/x"}}), 400),
        ("/model/new", json!({"model_name": "x", "litellm_params": []}), 422),
        (
            "/model/new",
            json!({"model_name": "x", "litellm_params": {"model": "openai/x"},
            "model_info": {"team_id": "none"}}),
            400,
        ),
        ("/model/update", json!({"model_info": {"id": "none"}}), 400),
        ("/model/update", json!({"model_info": {"id": "of-config"}}), 400),
        ("/model/update", json!({}), 422),
        ("/model/delete", json!({"id": "none"}), 400),
        ("/model/delete", json!({"id": "of-config"}), 400),
        ("/model/delete", json!({}), 422),
    ] {
        let refused = proxy.ask(KEY, "POST", path, body.clone()).await;
        assert_eq!(refused.status, status, "{path} {body}: {}", refused.text());
    }
    assert!(!proxy.lists(KEY, "x").await && !proxy.lists(KEY, "again").await);
    let closed = proxy::with(&config("")).start().await;
    let refused = closed.ask(KEY, "POST", "/model/new", model("m", "m", "http://h")).await;
    assert!(refused.expect(400).text().contains("store_model_in_db"));
}

#[tokio::test]
async fn models_are_sealed_outlive_the_process_and_reach_others() {
    let upstream = provider().await;
    let state = tempfile::tempdir().unwrap();
    let config = config(", store_model_in_db: true");
    let (one, other) =
        (at(state.path(), &config).start().await, at(state.path(), &config).start().await);
    one.done("/model/new", model("added", "m", &upstream.base())).await;
    one.call(chat("added")).await.expect(200);
    let mut ticks = proxy::ticks();
    for _ in 0..500 {
        if other.call(chat("added")).await.status == 200 {
            break;
        }
        ticks.tick().await;
    }
    other.call(chat("added")).await.expect(200);
    drop((one, other));
    for file in std::fs::read_dir(state.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        assert!(memchr::memmem::find(&bytes, SECRET.as_bytes()).is_none(), "{}", path.display());
    }
    let again = at(state.path(), &config).start().await;
    again.call(chat("added")).await.expect(200);
    drop(again);
    let salted = at(state.path(), &config).env("LITELLM_SALT_KEY", "another").start().await;
    salted.call(chat("added")).await.expect(400);
    salted.call(get("/health/readiness")).await.expect(200);
    salted.line(|line| line.contains("LITELLM_SALT_KEY")).await;
    salted.done("/model/delete", json!({"id": "m"})).await;
}

#[tokio::test]
async fn a_model_of_a_team_is_for_that_team() {
    let upstream = provider().await;
    let proxy = house().start().await;
    for team in ["blue", "red"] {
        proxy.done("/team/new", json!({"team_id": team})).await;
    }
    let (blue, red) =
        (proxy.key(json!({"team_id": "blue"})).await, proxy.key(json!({"team_id": "red"})).await);
    let alone = proxy.key(json!({})).await;
    let mut asked = model("fast", "m", &upstream.base());
    asked["model_info"]["team_id"] = "blue".into();
    let added = proxy.done("/model/new", asked).await;
    let name = added["model_name"].as_str().unwrap();
    assert_eq!(added["model_info"]["team_public_model_name"], "fast");
    chat("fast").key(&blue).send(proxy.addr()).await.expect(200);
    assert!(proxy.lists(&blue, "fast").await && proxy.lists(&blue, "own").await);
    for key in [&red, &alone] {
        for model in ["fast", name] {
            assert!([400, 403].contains(&chat(model).key(key).send(proxy.addr()).await.status));
            assert!(!proxy.lists(key, model).await);
        }
        let shown = proxy.ask(key, "GET", "/v2/model/info", Value::Null).await.expect(200);
        assert!(!shown.text().contains("fast"), "{}", shown.text());
    }
    proxy.done("/model/delete", json!({"id": "m"})).await;
    chat("fast").key(&blue).send(proxy.addr()).await.expect(400);
    let team = proxy.got("/team/info?team_id=blue").await;
    assert!(!team["team_info"].to_string().contains("fast"), "{team}");
}

#[tokio::test]
async fn a_changed_config_and_added_models_go_together() {
    let upstream = provider().await;
    let proxy = house().start().await;
    proxy.done("/model/new", model("added", "m", &upstream.base())).await;
    let changed =
        config(", store_model_in_db: true").replace("model_name: own", "model_name: changed");
    proxy.replace_file("config.yaml", &changed);
    proxy.hang_up();
    proxy.line(|line| line.contains("Config reloaded")).await;
    assert!(proxy.lists(KEY, "changed").await && proxy.lists(KEY, "added").await);
    proxy
        .call(post("/v1/chat/completions", r#"{"model":"added","messages":[]}"#))
        .await
        .expect(200);
}
