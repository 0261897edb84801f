//! Keys and names that were made to do harm, and the log of who changed what.
use crate::client::{get, post, with_body};
use crate::keys::{asked, done, info, made, proxy, told};
use crate::proxy::KEY;
use crate::tenancy::house;
use serde_json::{Value, json};

/// Texts that mean something to a database, a terminal, a header or a reader of paths.
const HOSTILE: [&str; 9] = [
    "'; DROP TABLE things; --",
    "\" OR \"\"=\"",
    "%",
    "_%\\",
    "../../etc/passwd",
    "{{7*7}} ${HOME} <script>",
    "Ünïcödé 🦀 \u{202e}gnp",
    "null",
    "1e999",
];

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn hostile_names_are_kept_as_they_are_and_mean_nothing() {
    let proxy = proxy().await;
    for (at, name) in HOSTILE.into_iter().enumerate() {
        let fields = json!({
            "key_alias": name, "user_id": name, "models": [name], "tags": [name],
            "metadata": {name: name, "nul": "\0", "line": "\r\n"}, "max_budget": at,
        });
        let key = made(&proxy, fields).await;
        let info = info(&proxy, &key).await;
        assert_eq!((&info["key_alias"], &info["user_id"]), (&json!(name), &json!(name)));
        assert_eq!(
            (&info["metadata"]["nul"], &info["metadata"]["line"]),
            (&json!("\0"), &json!("\r\n"))
        );
    }
    for name in HOSTILE {
        for query in ["key_alias", "user_id"] {
            let path = format!("/key/list?return_full_object=true&{query}={}", encoded(name));
            let list = asked(&proxy, KEY, &path).await.expect(200).json();
            assert_eq!(list["total_count"], 1, "{query} {name}");
            assert_eq!(list["keys"][0]["key_alias"], name);
        }
        let path = format!("/key/aliases?search={}", encoded(name));
        let aliases = asked(&proxy, KEY, &path).await.expect(200).json();
        let with = HOSTILE.iter().filter(|other| other.contains(name)).count();
        assert_eq!(aliases["total_count"], with, "{name}");
        for path in ["/key/info?key=", "/key/list?key_hash=", "/key/list?team_id="] {
            let answer = asked(&proxy, KEY, &format!("{path}{}", encoded(name))).await;
            let is_none = answer.status == 404 || answer.json()["total_count"] == 0;
            assert!(is_none, "{path}{name}: {}", answer.text());
        }
        told(&proxy, KEY, "/key/delete", &json!({"keys": [name]})).await.expect(404);
        told(&proxy, KEY, &format!("/key/{}/regenerate", encoded(name)), &json!({}))
            .await
            .expect(404);
    }
    for name in HOSTILE {
        done(&proxy, "/key/delete", json!({"key_aliases": [name]})).await;
    }
    assert_eq!(asked(&proxy, KEY, "/key/list").await.json()["total_count"], 0);
}

#[tokio::test]
async fn keys_that_are_huge_or_broken_are_refused_and_cost_nothing() {
    let proxy = proxy().await;
    let huge = format!("sk-{}", "a".repeat(10 << 20));
    for path in ["/key/generate", "/key/update", "/key/delete", "/key/block"] {
        let body = json!({"key": huge, "keys": [huge]});
        assert_eq!(told(&proxy, KEY, path, &body).await.status, 413, "{path}");
    }
    let long = format!("sk-{}", "a".repeat(1 << 20));
    told(&proxy, KEY, "/key/generate", &json!({"key": long})).await.expect(400);
    told(&proxy, KEY, "/key/generate", &json!({"key_alias": long})).await.expect(400);
    told(&proxy, KEY, "/key/generate", &json!({"user_id": long})).await.expect(400);
    told(&proxy, KEY, "/key/update", &json!({"key": long})).await.expect(404);
    told(&proxy, KEY, "/key/delete", &json!({"keys": [long]})).await.expect(404);
    for key in ["sk-\0", "sk-\r\nx-evil: 1", "sk-é", "sk- "] {
        told(&proxy, KEY, "/key/generate", &json!({"key": key})).await.expect(400);
    }
    for body in ["[]", "\"x\"", "{", "{\"key\": 1}", "nope", "\u{feff}{}"] {
        let answer = post("/key/generate", body).key(KEY).send(proxy.addr()).await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.text());
    }
    let deep = "[".repeat(100_000);
    let answer = post("/key/generate", format!("{{\"metadata\": {deep}")).key(KEY);
    assert_eq!(answer.send(proxy.addr()).await.status, 422);
    assert_eq!(asked(&proxy, KEY, "/key/list").await.json()["total_count"], 0);
    assert_eq!(get("/key/generate").key(KEY).send(proxy.addr()).await.status, 405);
}

#[tokio::test]
async fn keys_that_begin_alike_are_told_apart() {
    let proxy = proxy().await;
    let prefix = format!("sk-{}", "same".repeat(200));
    let keys: Vec<_> = (0..20).map(|at| format!("{prefix}{at:02}")).collect();
    for (at, key) in keys.iter().enumerate() {
        made(&proxy, json!({"key": key, "rpm_limit": at})).await;
    }
    for (at, key) in keys.iter().enumerate() {
        assert_eq!(info(&proxy, key).await["rpm_limit"], at);
    }
    done(&proxy, "/key/delete", json!({"keys": [keys[7]]})).await;
    for (at, key) in keys.iter().enumerate() {
        let status = get("/v1/models").key(key).send(proxy.addr()).await.status;
        assert_eq!(status, if at == 7 { 401 } else { 200 });
    }
    let other = format!("{prefix}0");
    assert_eq!(get("/v1/models").key(&other).send(proxy.addr()).await.status, 401);
    assert_eq!(get("/v1/models").key(&prefix).send(proxy.addr()).await.status, 401);
}

#[tokio::test]
async fn every_change_is_in_the_audit_log_without_secrets() {
    let proxy = proxy().await;
    let secret = "a very secret secret";
    let fields = json!({"key_alias": "one", "metadata": {"api_key": secret, "note": "n"}});
    let row = done(&proxy, "/key/generate", fields).await;
    let (key, id) = (row["key"].as_str().unwrap(), &row["token"]);
    done(&proxy, "/key/update", json!({"key": key, "max_budget": 5})).await;
    done(&proxy, "/key/delete", json!({"keys": [key]})).await;
    done(&proxy, "/key/generate", json!({"key_alias": "other"})).await;
    let log = asked(&proxy, KEY, "/audit").await.expect(200);
    assert!(!log.text().contains(secret) && !log.text().contains(key));
    let log = log.json();
    assert_eq!(
        (&log["total"], &log["page"], &log["page_size"]),
        (&json!(4), &json!(1), &json!(10))
    );
    assert_eq!(log["total_pages"], 1);
    let path = format!("/audit?object_id={}&sort_order=asc", id.as_str().unwrap());
    let own = asked(&proxy, KEY, &path).await.expect(200).json();
    let own = own["audit_logs"].as_array().unwrap();
    let actions: Vec<_> = own.iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["created", "updated", "deleted"]);
    assert_eq!(own[0]["before_value"], Value::Null);
    assert_eq!(own[0]["updated_values"]["metadata"], json!({"api_key": "*****", "note": "n"}));
    assert_eq!(own[1]["before_value"].get("max_budget"), None);
    assert_eq!(own[1]["updated_values"]["max_budget"], 5.0);
    assert_eq!(own[2]["updated_values"], Value::Null);
    for entry in own {
        assert_eq!(entry["table_name"], "LiteLLM_VerificationToken");
        assert_eq!(entry["changed_by"], "default_user_id");
        assert_eq!(entry["changed_by_api_key"], "litellm_proxy_master_key");
    }
    let one = asked(&proxy, KEY, &format!("/audit/{}", own[1]["id"].as_str().unwrap())).await;
    assert_eq!(one.expect(200).json(), own[1]);
    for (query, total) in [
        ("action=deleted", 1),
        ("table_name=key", 4),
        ("table_name=LiteLLM_VerificationToken&action=created", 2),
        ("table_name=LiteLLM_TeamTable", 0),
        ("changed_by=default_user_id", 4),
        ("changed_by=somebody", 0),
        ("start_date=2020-01-01&end_date=2020-01-02", 0),
        ("start_date=2020-01-01", 4),
        ("end_date=2999-01-01T00:00:00Z", 4),
    ] {
        let log = asked(&proxy, KEY, &format!("/audit?{query}")).await.expect(200).json();
        assert_eq!(log["total"], total, "{query}");
    }
    let page = asked(&proxy, KEY, "/audit?page=2&page_size=3").await.expect(200).json();
    assert_eq!(
        (page["audit_logs"].as_array().unwrap().len(), &page["total_pages"]),
        (1, &json!(2))
    );
    asked(&proxy, KEY, "/audit?start_date=soon").await.expect(422);
    asked(&proxy, KEY, "/audit/nothing").await.expect(404);
}

#[tokio::test]
async fn a_body_that_no_route_reads_does_not_end_the_connection() {
    let proxy = house().start().await;
    let body = "x".repeat(300_000);
    let call = with_body("POST", "/key/health", "application/json", body).key(KEY);
    let mut wire = call.open(proxy.addr()).await;
    for _ in 0..3 {
        let answer = wire.answer().await;
        assert_ne!(answer.header("connection"), Some("close"));
        wire.send(call.bytes(proxy.addr())).await.unwrap();
    }
    wire.answer().await;
}
