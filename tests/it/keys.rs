//! Virtual keys: each route of `/key/*`, as an admin.
use crate::client::{Answer, Call, chat, get, post};
use crate::proxy::{KEY, Proxy, Setup, with};
use bartizan::store::{Actor, Doc, Kind, Store};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A proxy whose model `echo` needs no upstream, with `more` settings.
pub(crate) fn setup(more: &str) -> Setup {
    with(&format!(
        "model_list:
  - {{model_name: echo, litellm_params: {{model: echo/echo}}}}
  - {{model_name: other, litellm_params: {{model: echo/echo}}}}
general_settings: {{master_key: {KEY}}}
{more}"
    ))
}

pub(crate) async fn proxy() -> Proxy {
    setup("").start().await
}

/// Puts things into the state directory of a proxy that is not started yet.
pub(crate) async fn seed(setup: &Setup, things: &[(Kind, &str, Value)]) {
    let store = Store::open(crate::postgres::place(setup.state())).await.unwrap();
    let mut change = store.change(Actor { user: "test".into(), key: "test".into() }).await.unwrap();
    for (kind, id, doc) in things {
        let doc: Doc = doc.as_object().unwrap().clone();
        change.insert(*kind, *id, doc).await.unwrap();
    }
    change.commit().await.unwrap();
    store.close().await;
}

/// What a route answers to the holder of `key`.
pub(crate) async fn told(proxy: &Proxy, key: &str, path: &str, body: &Value) -> Answer {
    post(path, body.to_string()).key(key).send(proxy.addr()).await
}

/// The same, as JSON, to an admin for whom all goes well.
pub(crate) async fn done(proxy: &Proxy, path: &str, body: Value) -> Value {
    told(proxy, KEY, path, &body).await.expect(200).json()
}

pub(crate) async fn asked(proxy: &Proxy, key: &str, path: &str) -> Answer {
    get(path).key(key).send(proxy.addr()).await
}

/// What is known of a key.
pub(crate) async fn info(proxy: &Proxy, key: &str) -> Value {
    asked(proxy, KEY, &format!("/key/info?key={key}")).await.expect(200).json()["info"].clone()
}

/// A new key with these fields.
pub(crate) async fn made(proxy: &Proxy, fields: Value) -> String {
    done(proxy, "/key/generate", fields).await["key"].as_str().unwrap().to_owned()
}

async fn status(proxy: &Proxy, key: &str, call: Call) -> u16 {
    call.key(key).send(proxy.addr()).await.status
}

/// Whether a key opens the proxy: for models, and for a call.
async fn opens(proxy: &Proxy, key: &str) -> bool {
    let both =
        [status(proxy, key, get("/v1/models")).await, status(proxy, key, chat("echo")).await];
    assert!(both == [200, 200] || both == [401, 401], "{both:?}");
    both == [200, 200]
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_made_with_all_its_fields_and_tells_them() {
    let setup = setup("");
    seed(&setup, &[(Kind::Team, "red", json!({"team_alias": "Red"}))]).await;
    let proxy = setup.start().await;
    let fields = json!({
        "key_alias": "ci", "models": ["echo"], "aliases": {"a": "echo"}, "max_budget": 25.0,
        "soft_budget": 20.0, "budget_duration": "30d", "tpm_limit": 1000, "rpm_limit": 10,
        "max_parallel_requests": 3, "metadata": {"note": "n"}, "team_id": "red", "user_id": "ann",
        "tags": ["t"], "enforced_params": ["user"], "model_rpm_limit": {"echo": 5},
        "model_tpm_limit": {"echo": 500}, "guardrails": ["g"],
        "model_max_budget": {"echo": {"budget_limit": 1.0, "time_period": "1d"}},
        "allowed_cache_controls": ["no-cache"], "permissions": {"p": true}, "config": {"c": 1},
        "send_invite_email": true, "something_new": {"x": 1},
    });
    let made = done(&proxy, "/key/generate", fields.clone()).await;
    let key = text(&made["key"]);
    assert!(key.starts_with("sk-") && key.len() == 25, "{key}");
    assert_eq!(made["token"], made["token_id"]);
    assert_eq!(text(&made["key_name"]), format!("sk-...{}", key.get(21..).unwrap()));
    let info = info(&proxy, &key).await;
    assert!(info.get("token").is_none() && !info.to_string().contains(&key));
    for (name, value) in fields.as_object().unwrap() {
        match name.as_str() {
            "send_invite_email" | "something_new" => assert!(info.get(name).is_none(), "{name}"),
            "metadata" => {
                // Where LiteLLM keeps what has no column of its own.
                let wanted = json!({
                    "note": "n", "tags": ["t"], "enforced_params": ["user"], "guardrails": ["g"],
                    "model_rpm_limit": {"echo": 5}, "model_tpm_limit": {"echo": 500},
                });
                assert_eq!(info["metadata"], wanted);
            }
            name => assert_eq!((&info[name], &made[name]), (value, value), "{name}"),
        }
    }
    assert_eq!(info["spend"], 0.0);
    assert!(text(&info["budget_reset_at"]).ends_with("-01T00:00:00.000000Z"), "of the month");
    let by_hash = asked(&proxy, KEY, &format!("/key/info?key={}", text(&made["token"]))).await;
    assert_eq!(by_hash.expect(200).json()["info"], info);
    let own = asked(&proxy, &key, "/key/info").await.expect(200).json();
    assert_eq!((&own["key"], &own["info"]), (&made["token"], &info));
    let gone = asked(&proxy, KEY, "/key/info?key=sk-nobody").await.expect(404).json();
    let wanted = json!({
        "message": "Key not found in database", "type": "not_found_error", "param": "key",
        "code": "404",
    });
    assert_eq!(gone["error"], wanted);
}

#[tokio::test]
async fn what_a_key_cannot_be_is_refused_with_the_field() {
    let proxy = proxy().await;
    made(&proxy, json!({"key": "sk-taken", "key_alias": "taken"})).await;
    for (fields, status, param) in [
        (json!({"key": "no-prefix"}), 400, "key"),
        (json!({"key": "sk-a b"}), 400, "key"),
        (json!({"key": "sk-taken"}), 400, "key"),
        (json!({"key_alias": "taken"}), 400, "key_alias"),
        (json!({"key_alias": "a\nb"}), 400, "key_alias"),
        (json!({"duration": "soon"}), 400, "duration"),
        (json!({"duration": "9223372036854775807d"}), 400, "duration"),
        (json!({"spend": -1}), 400, "spend"),
        (json!({"team_id": "nobody"}), 400, "team_id"),
        (json!({"budget_id": "nobody"}), 400, "budget_id"),
        (json!({"model_max_budget": {"echo": "much"}}), 400, "model_max_budget"),
        (json!({"aliases": {"a": 1}}), 400, "aliases"),
    ] {
        let answer = told(&proxy, KEY, "/key/generate", &fields).await.expect(status);
        assert_eq!(answer.json()["error"]["param"], param, "{fields}");
    }
    for fields in [
        json!({"max_budget": -1}),
        json!({"rpm_limit": -1}),
        json!({"budget_duration": "never"}),
        json!({"model_rpm_limit": {"echo": "x"}}),
    ] {
        told(&proxy, KEY, "/key/generate", &fields).await.expect(400);
    }
    for fields in [json!({"models": "echo"}), json!({"key_type": "x"}), json!({"tpm_limit": "x"})] {
        let answer = told(&proxy, KEY, "/key/generate", &fields).await.expect(422);
        assert!(answer.json()["detail"][0]["loc"][0] == "body", "{}", answer.text());
    }
    assert_eq!(asked(&proxy, KEY, "/key/list").await.json()["total_count"], 1);
}

#[tokio::test]
async fn a_key_that_is_changed_keeps_what_is_not_said() {
    let proxy = proxy().await;
    let key = made(
        &proxy,
        json!({"max_budget": 5, "budget_duration": "30d", "rpm_limit": 6, "tags": ["t"],
            "metadata": {"a": 1}, "duration": "1h", "models": ["echo"]}),
    )
    .await;
    let before = info(&proxy, &key).await;
    let changed = done(&proxy, "/key/update", json!({"key": key, "rpm_limit": 7})).await;
    assert_eq!((&changed["key"], &changed["rpm_limit"]), (&json!(key), &json!(7)));
    let after = info(&proxy, &key).await;
    for (name, value) in before.as_object().unwrap() {
        if !["rpm_limit", "updated_at"].contains(&name.as_str()) {
            assert_eq!(&after[name], value, "{name}");
        }
    }
    let cleared = json!({
        "key": key, "max_budget": null, "budget_duration": null, "rpm_limit": null,
        "metadata": {}, "duration": null,
    });
    let cleared = done(&proxy, "/key/update", cleared).await;
    for name in ["max_budget", "budget_duration", "budget_reset_at", "rpm_limit", "expires"] {
        assert_eq!(cleared[name], Value::Null, "{name}");
    }
    assert_eq!((&cleared["metadata"], &cleared["tags"]), (&json!({}), &Value::Null));
    // In force with the next call.
    assert_eq!(status(&proxy, &key, chat("other")).await, 403);
    done(&proxy, "/key/update", json!({"key": key, "models": ["other"]})).await;
    assert_eq!(status(&proxy, &key, chat("other")).await, 200);
    assert_eq!(status(&proxy, &key, chat("echo")).await, 403);
    told(&proxy, KEY, "/key/update", &json!({"key": "sk-nobody"})).await.expect(404);
    told(&proxy, KEY, "/key/update", &json!({"max_budget": 1})).await.expect(422);
}

#[tokio::test]
async fn what_was_spent_is_set_shown_and_held_against_calls() {
    let proxy = proxy().await;
    let key = made(&proxy, json!({"max_budget": 1, "budget_duration": "1d"})).await;
    assert!(opens(&proxy, &key).await);
    let spent = done(&proxy, "/key/update", json!({"key": key, "spend": 2.5})).await;
    assert_eq!(spent["spend"], 2.5);
    let day = text(&spent["budget_reset_at"]);
    let month = done(&proxy, "/key/update", json!({"key": key, "budget_duration": "2mo"})).await;
    assert!(text(&month["budget_reset_at"]) > day);
    assert_eq!(month["spend"], 2.5, "another window, the same money");
    let path = format!("/key/{key}/reset_spend");
    told(&proxy, KEY, &path, &json!({"reset_to": 3.0})).await.expect(400);
    told(&proxy, KEY, &path, &json!({})).await.expect(422);
    let reset = done(&proxy, &path, json!({"reset_to": 0.5})).await;
    assert_eq!((&reset["spend"], &reset["previous_spend"]), (&json!(0.5), &json!(2.5)));
    assert_eq!(info(&proxy, &key).await["spend"], 0.5);
    let carried = done(&proxy, "/key/regenerate", json!({"key": key})).await;
    assert_eq!(carried["spend"], 0.5);
}

#[tokio::test]
async fn a_key_that_is_gone_blocked_or_made_anew_opens_nothing_from_then_on() {
    let proxy = proxy().await;
    let key = made(&proxy, json!({"key": "sk-with/a/slash", "key_alias": "mine"})).await;
    assert!(opens(&proxy, &key).await);
    let blocked = done(&proxy, "/key/block", json!({"key": key})).await;
    assert_eq!(blocked["blocked"], true);
    assert!(!opens(&proxy, &key).await);
    let hash = text(&blocked["token"]);
    assert_eq!(done(&proxy, "/key/unblock", json!({"key": hash})).await["blocked"], false);
    assert!(opens(&proxy, &key).await);
    let anew = done(&proxy, &format!("/key/{key}/regenerate"), json!({"key_alias": "new"})).await;
    let second = text(&anew["key"]);
    assert_eq!(anew["key_alias"], "new");
    assert_ne!(anew["token"], blocked["token"]);
    assert!(!opens(&proxy, &key).await && opens(&proxy, &second).await);
    let hash = text(&anew["token"]);
    let path = format!("/key/{hash}/regenerate");
    let third = done(&proxy, &path, json!({"new_key": "sk-mine"})).await;
    assert_eq!(third["key"], "sk-mine");
    assert!(!opens(&proxy, &second).await && opens(&proxy, "sk-mine").await);
    let gone = done(&proxy, "/key/delete", json!({"keys": ["sk-mine", "sk-nobody"]})).await;
    assert_eq!(gone, json!({"deleted_keys": ["sk-mine"]}));
    assert!(!opens(&proxy, "sk-mine").await);
    let answer = told(&proxy, KEY, "/key/delete", &json!({"keys": ["sk-mine"]})).await.expect(404);
    assert_eq!(answer.error_message(), "{'error': 'No keys found'}");
    told(&proxy, KEY, "/key/delete", &json!({})).await.expect(400);
    for path in ["/key/block", "/key/unblock", "/key/regenerate", "/key/sk-nobody/regenerate"] {
        told(&proxy, KEY, path, &json!({"key": "sk-nobody"})).await.expect(404);
    }
    told(&proxy, KEY, "/key/regenerate", &json!({})).await.expect(400);
    told(&proxy, KEY, "/key/sk-a/elsewhere", &json!({})).await.expect(404);
    let key = made(&proxy, json!({"key_alias": "by its name"})).await;
    done(&proxy, "/key/delete", json!({"key_aliases": ["by its name"]})).await;
    assert!(!opens(&proxy, &key).await);
}

#[tokio::test]
async fn a_key_outlives_the_process_and_its_time_does_not_outlive_it() {
    let state = tempfile::tempdir().unwrap();
    let dir = state.path().to_str().unwrap();
    let run = || setup("").arg("--state-dir").arg(dir).start();
    let first = run().await;
    let key = made(&first, json!({"max_budget": 3})).await;
    let short = made(&first, json!({"duration": "1s"})).await;
    done(&first, "/key/update", json!({"key": key, "spend": 1.5})).await;
    let before = info(&first, &key).await;
    drop(first);
    let second = run().await;
    assert_eq!(info(&second, &key).await, before);
    assert!(opens(&second, &key).await);
    let over = async { while status(&second, &short, get("/v1/models")).await == 200 {} };
    tokio::time::timeout(crate::wire::PATIENCE, over).await.unwrap();
    let answer = asked(&second, &short, "/v1/models").await;
    assert_eq!(answer.json()["error"]["type"], "expired_key");
}

#[tokio::test]
async fn keys_are_listed_by_pages_filters_and_order() {
    let proxy = proxy().await;
    let mut ids = Vec::new();
    for at in 0..12 {
        let user = if at % 2 == 0 { "even" } else { "odd" };
        let fields = json!({
            "key": format!("sk-{at}"), "key_alias": format!("k%{at:02}"), "user_id": user,
            "max_budget": 100 - at,
        });
        ids.push(text(&done(&proxy, "/key/generate", fields).await["token"]));
    }
    let list = async |query: &str| {
        asked(&proxy, KEY, &format!("/key/list?{query}")).await.expect(200).json()
    };
    let first = list("").await;
    assert_eq!((&first["total_count"], &first["total_pages"]), (&json!(12), &json!(2)));
    let second = list("page=2").await;
    let all = [&first["keys"], &second["keys"]].map(|keys| keys.as_array().unwrap().clone());
    assert_eq!((all[0].len(), all[1].len()), (10, 2));
    let all: BTreeSet<_> = all.concat().iter().map(text).collect();
    assert_eq!(all, ids.iter().cloned().collect());
    assert_eq!(list("user_id=even&size=100").await["total_count"], 6);
    assert_eq!(list("key_alias=k%2503").await["keys"], json!([ids[3]]));
    assert_eq!(list(&format!("key_hash={}", ids[5])).await["keys"], json!([ids[5]]));
    assert_eq!(list("team_id=nobody").await["total_count"], 0);
    let sorted = list("sort_by=max_budget&sort_order=asc&size=3&return_full_object=true").await;
    assert_eq!(sorted["keys"][0]["max_budget"], 89.0);
    assert_eq!(sorted["keys"][0]["key_alias"], "k%11");
    done(&proxy, "/key/block", json!({"key": "sk-7"})).await;
    assert_eq!(list("status=blocked").await["keys"], json!([ids[7]]));
    assert_eq!(list("status=active").await["total_count"], 11);
    assert_eq!(list("status=deleted").await["total_count"], 0);
    for (query, status) in [
        ("size=101", 422),
        ("page=0", 422),
        ("page=x", 422),
        ("sort_by=doc", 400),
        ("status=x", 400),
    ] {
        asked(&proxy, KEY, &format!("/key/list?{query}")).await.expect(status);
    }
    let aliases = asked(&proxy, KEY, "/key/aliases?search=%250&size=3&page=2").await.expect(200);
    let aliases = aliases.json();
    assert_eq!(aliases["aliases"], json!(["k%03", "k%04", "k%05"]));
    assert_eq!((&aliases["total_count"], &aliases["total_pages"]), (&json!(10), &json!(4)));
    let several =
        done(&proxy, "/v2/key/info", json!({"keys": ["sk-1", "sk-nobody", ids[2]]})).await;
    assert_eq!(several["info"].as_array().unwrap().len(), 2);
    told(&proxy, KEY, "/v2/key/info", &json!({})).await.expect(422);
}

#[tokio::test]
async fn many_keys_are_changed_each_for_itself() {
    let proxy = proxy().await;
    let keys = [made(&proxy, json!({})).await, made(&proxy, json!({})).await];
    let body = json!({"keys": [
        {"key": keys[0], "max_budget": 42.0},
        {"key": keys[1], "max_budget": -1},
        {"key": "sk-nobody", "max_budget": 1},
    ]});
    let answer = done(&proxy, "/key/bulk_update", body).await;
    assert_eq!(answer["total_requested"], 3);
    assert_eq!(answer["successful_updates"][0]["key"], json!(keys[0]));
    assert_eq!(answer["successful_updates"][0]["key_info"]["max_budget"], 42.0);
    let failed = answer["failed_updates"].as_array().unwrap();
    assert_eq!(failed.len(), 2);
    assert_eq!(failed[1]["failed_reason"], "Key not found in database");
    assert_eq!(info(&proxy, &keys[0]).await["max_budget"], 42.0);
    assert_eq!(info(&proxy, &keys[1]).await["max_budget"], Value::Null);
    told(&proxy, KEY, "/key/bulk_update", &json!({"keys": []})).await.expect(400);
    told(&proxy, KEY, "/key/bulk_update", &json!({"keys": vec![json!({}); 501]})).await.expect(400);
}

#[tokio::test]
async fn a_config_gives_new_keys_defaults_and_bounds_them() {
    let more = "litellm_settings:
  default_key_generate_params: {max_budget: 1.5, models: [echo], tags: [d]}
  upperbound_key_generate_params: {max_budget: 10, duration: 30d, rpm_limit: 100}";
    let proxy = setup(more).start().await;
    let key = done(&proxy, "/key/generate", json!({"models": []})).await;
    assert_eq!((&key["max_budget"], &key["models"]), (&json!(1.5), &json!(["echo"])));
    assert_eq!((&key["tags"], &key["rpm_limit"]), (&json!(["d"]), &json!(100)));
    assert!(key["expires"].is_string());
    let key = done(&proxy, "/key/generate", json!({"max_budget": 10, "duration": "2d"})).await;
    assert_eq!(key["max_budget"], 10.0);
    for over in [json!({"max_budget": 10.5}), json!({"duration": "31d"}), json!({"rpm_limit": 101})]
    {
        let answer = told(&proxy, KEY, "/key/generate", &over).await.expect(400);
        assert!(answer.error_message().contains("over max limit set in config"), "{over}");
    }
}

#[tokio::test]
async fn a_key_knows_whether_all_is_well_with_it() {
    let proxy = proxy().await;
    let well = made(&proxy, json!({})).await;
    let answer = told(&proxy, &well, "/key/health", &json!({})).await.expect(200).json();
    assert_eq!(answer, json!({"key": "healthy", "logging_callbacks": null}));
    let logging = json!({"metadata": {"logging": [{"callback_name": "gcs_bucket"}]}});
    let key = made(&proxy, logging).await;
    let answer = told(&proxy, &key, "/key/health", &json!({})).await.expect(200).json();
    assert_eq!(answer["logging_callbacks"]["callbacks"], json!(["gcs_bucket"]));
    assert_eq!(answer["logging_callbacks"]["status"], "unhealthy");
}
