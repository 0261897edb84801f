//! Budgets and access groups: what several others share.
use crate::client::{chat, post};
use crate::proxy::{KEY, in_front_of, with};
use crate::tenancy::{config, house};
use crate::upstream::{COMPLETION, Upstream, json as playing};
use serde_json::{Value, json};

#[tokio::test]
async fn a_budget_is_made_changed_listed_and_deleted() {
    let proxy = house().start().await;
    let body = json!({
        "budget_id": "gold", "max_budget": 5, "soft_budget": 4, "budget_duration": "1d",
        "rpm_limit": 7, "model_max_budget": {"gpt": {"max_budget": 1}}
    });
    let made = proxy.done("/budget/new", body.clone()).await;
    assert_eq!(made["budget_id"], "gold");
    assert!(made["budget_reset_at"].as_str().unwrap().ends_with("T00:00:00.000000Z"));
    assert_eq!(made["created_by"], "default_user_id");
    proxy.ask(KEY, "POST", "/budget/new", body).await.expect(400);
    let body = json!({"budget_id": "gold", "max_budget": 6, "rpm_limit": null});
    let changed = proxy.done("/budget/update", body).await;
    assert_eq!(changed["max_budget"], 6.0);
    assert_eq!(changed["rpm_limit"], Value::Null);
    assert_eq!(changed["soft_budget"], 4.0);
    let info = proxy.done("/budget/info", json!({"budgets": ["gold", "lead"]})).await;
    assert_eq!(info.as_array().unwrap().len(), 1);
    let fields = proxy.got("/budget/settings?budget_id=gold").await;
    assert_eq!(fields[0]["field_name"], "max_budget");
    assert_eq!(fields[0]["field_value"], 6.0);
    assert_eq!(proxy.got("/budget/list").await.as_array().unwrap().len(), 1);
    assert_eq!(proxy.done("/budget/delete", json!({"id": "gold"})).await["budget_id"], "gold");
    for (path, body, status) in [
        ("/budget/delete", json!({"id": "gold"}), 404),
        ("/budget/delete", json!({}), 422),
        ("/budget/update", json!({"budget_id": "gold"}), 404),
        ("/budget/update", json!({"max_budget": 1}), 400),
        ("/budget/info", json!({"budgets": []}), 400),
        ("/budget/new", json!({"max_budget": -1}), 400),
        ("/budget/new", json!({"soft_budget": -0.5}), 400),
        ("/budget/new", json!({"budget_duration": "1 day"}), 400),
        ("/budget/new", json!({"budget_id": "a\u{0}"}), 400),
        ("/budget/new", json!({"tpm_limit": 1.5}), 422),
    ] {
        proxy.ask(KEY, "POST", path, body.clone()).await.expect(status);
    }
    let max = proxy.ask(KEY, "POST", "/budget/new", json!({"max_budget": -1})).await.json();
    assert_eq!(max, json!({"detail": {"error": "max_budget cannot be negative. Received: -1.0"}}));
}

#[tokio::test]
async fn with_classic_a_budget_ends_so_long_after_it_was_made() {
    let proxy = house().arg("--compat").arg("classic").start().await;
    let made = proxy.done("/budget/new", json!({"budget_duration": "1d"})).await;
    let time = |field: &str| made[field].as_str().unwrap().get(10..).unwrap().to_owned();
    assert_eq!(time("budget_reset_at"), time("created_at"));
}

#[tokio::test]
async fn a_group_names_models_that_are_there() {
    let proxy = house().start().await;
    let body = json!({"access_group": "small", "model_names": ["gpt", "claude/*"]});
    let made = proxy.done("/access_group/new", body.clone()).await;
    assert_eq!(
        made,
        json!({"access_group": "small", "model_names": ["gpt", "claude/*"], "models_updated": 2})
    );
    proxy.ask(KEY, "POST", "/access_group/new", body).await.expect(409);
    let body = json!({"model_names": ["gpt"]});
    let put = proxy.ask(KEY, "PUT", "/access_group/small/update", body).await.expect(200).json();
    assert_eq!(put["models_updated"], 1);
    let listed = proxy.got("/access_group/list").await;
    assert_eq!(listed["access_groups"][0]["deployment_count"], 1);
    for path in ["/access_group/small/info", "/access_group/info?access_group=small"] {
        assert_eq!(proxy.got(path).await["model_names"], json!(["gpt"]), "{path}");
    }
    let body = json!({"access_group": "small", "model_names": ["gpt", "openai/*"]});
    assert_eq!(proxy.done("/access_group/update", body).await["models_updated"], 2);
    for (method, path, body, status) in [
        ("POST", "/access_group/new", json!({"access_group": " ", "model_names": ["gpt"]}), 400),
        ("POST", "/access_group/new", json!({"access_group": "x", "model_names": []}), 400),
        ("POST", "/access_group/new", json!({"access_group": "x", "model_names": ["no"]}), 400),
        ("PUT", "/access_group/none/update", json!({"model_names": ["gpt"]}), 404),
        ("GET", "/access_group/none/info", Value::Null, 404),
        ("DELETE", "/access_group/none/delete", Value::Null, 404),
        ("GET", "/access_group/none/nothing", Value::Null, 404),
        ("PUT", "/access_group/list", Value::Null, 405),
    ] {
        proxy.ask(KEY, method, path, body.clone()).await.expect(status);
    }
    let gone = proxy.ask(KEY, "DELETE", "/access_group/small/delete", Value::Null).await;
    assert_eq!(gone.expect(200).json()["access_group"], "small");
    proxy
        .ask(KEY, "POST", "/access_group/delete", json!({"access_group": "small"}))
        .await
        .expect(404);
}

#[tokio::test]
async fn a_reload_leaves_everything_as_it_was() {
    let proxy = house().start().await;
    proxy.done("/budget/new", json!({"budget_id": "gold"})).await;
    let more = config("  max_internal_user_budget: 3\n");
    proxy.replace_file("config.yaml", &more);
    proxy.hang_up();
    proxy.line(|line| line.contains("Config reloaded")).await;
    assert_eq!(proxy.got("/budget/list").await[0]["budget_id"], "gold");
    assert_eq!(proxy.done("/user/new", json!({})).await["max_budget"], 3.0);
}

/// A chat call of `user` with that tag.
fn call(user: &str, tag: &str) -> crate::client::Call {
    let body = json!({
        "model": "gpt", "user": user, "metadata": {"tags": [tag]},
        "messages": [{"role": "user", "content": "hi"}]
    });
    post("/v1/chat/completions", body.to_string())
}

#[tokio::test]
async fn whoever_has_spent_a_budget_is_refused_wherever_it_stands() {
    let upstream = Upstream::playing(playing(200, COMPLETION)).await;
    let proxy = in_front_of(&upstream.base()).arg("--compat").arg("classic").start().await;
    proxy.done("/budget/new", json!({"budget_id": "none", "max_budget": 0})).await;
    proxy.done("/user/new", json!({"user_id": "poor", "max_budget": 0})).await;
    proxy.done("/team/new", json!({"team_id": "poor", "max_budget": 0})).await;
    proxy.done("/team/new", json!({"team_id": "shared", "team_member_budget": 0})).await;
    let member = json!({"team_id": "shared", "member": {"role": "user", "user_id": "ann"}});
    proxy.done("/team/member_add", member).await;
    let body = json!({"organization_id": "o", "organization_alias": "O", "budget_id": "none"});
    proxy.done("/organization/new", body).await;
    proxy.done("/team/new", json!({"team_id": "within", "organization_id": "o"})).await;
    proxy.done("/customer/new", json!({"user_id": "c", "budget_id": "none"})).await;
    proxy.done("/tag/new", json!({"name": "t", "max_budget": 0})).await;
    for (key, user, tag) in [
        (json!({"user_id": "poor"}), "", ""),
        (json!({"team_id": "poor"}), "", ""),
        (json!({"team_id": "shared", "user_id": "ann"}), "", ""),
        (json!({"team_id": "within"}), "", ""),
        (json!({}), "c", ""),
        (json!({}), "", "t"),
    ] {
        let text = proxy.key(key.clone()).await;
        let refused = call(user, tag).key(&text).send(proxy.addr()).await.expect(400);
        assert_eq!(refused.json()["error"]["type"], "budget_exceeded", "{key}");
    }
    assert_eq!(upstream.seen().begun, 0);
    // Once there is money again they go on at once.
    proxy.done("/budget/update", json!({"budget_id": "none", "max_budget": 1})).await;
    let text = proxy.key(json!({"team_id": "within"})).await;
    call("c", "").key(&text).send(proxy.addr()).await.expect(200);
}

#[tokio::test]
async fn a_member_spends_its_own_part_of_what_the_team_has() {
    let upstream = Upstream::playing(playing(200, COMPLETION)).await;
    let proxy = in_front_of(&upstream.base()).arg("--compat").arg("classic").start().await;
    proxy.done("/team/new", json!({"team_id": "red"})).await;
    let ann = proxy.done("/user/new", json!({"user_id": "ann", "team_id": "red"})).await;
    let ann = ann["key"].as_str().unwrap();
    let bob = proxy.done("/user/new", json!({"user_id": "bob", "team_id": "red"})).await;
    let body = json!({"team_id": "red", "user_id": "ann", "max_budget_in_team": 1e-7});
    proxy.done("/team/member_update", body).await;
    chat("gpt").key(ann).send(proxy.addr()).await.expect(200);
    let refused = chat("gpt").key(ann).send(proxy.addr()).await.expect(400);
    let told = "Budget has been exceeded! User=ann in Team=red ";
    assert!(refused.error_message().starts_with(told), "{}", refused.text());
    chat("gpt").key(bob["key"].as_str().unwrap()).send(proxy.addr()).await.expect(200);
}

#[tokio::test]
async fn what_is_blocked_or_not_listed_is_refused() {
    let upstream = Upstream::playing(playing(200, COMPLETION)).await;
    let proxy = in_front_of(&upstream.base()).arg("--compat").arg("classic").start().await;
    let body = json!({"access_group": "small", "model_names": ["gpt"]});
    proxy.done("/access_group/new", body).await;
    proxy.done("/team/new", json!({"team_id": "red", "models": ["small"]})).await;
    let key = proxy.key(json!({"team_id": "red"})).await;
    chat("gpt").key(&key).send(proxy.addr()).await.expect(200);
    proxy.done("/team/model/delete", json!({"team_id": "red", "models": ["small"]})).await;
    let refused = chat("gpt").key(&key).send(proxy.addr()).await.expect(401).json();
    assert_eq!(refused["error"]["type"], "team_model_access_denied");
    proxy.done("/team/model/add", json!({"team_id": "red", "models": ["gpt"]})).await;
    call("c", "").key(&key).send(proxy.addr()).await.expect(200);
    proxy.done("/customer/block", json!({"user_ids": ["c"]})).await;
    let refused = call("c", "").key(&key).send(proxy.addr()).await;
    assert!((400..500).contains(&refused.status), "{}", refused.text());
    proxy.done("/customer/unblock", json!({"user_ids": ["c"]})).await;
    call("c", "").key(&key).send(proxy.addr()).await.expect(200);
    proxy.done("/team/block", json!({"team_id": "red"})).await;
    chat("gpt").key(&key).send(proxy.addr()).await.expect(401);
}

#[tokio::test]
async fn what_users_and_teams_have_spent_can_be_set_by_admins() {
    let upstream = Upstream::playing(playing(200, COMPLETION)).await;
    let proxy = in_front_of(&upstream.base()).start().await;
    proxy.done("/user/new", json!({"user_id": "u", "max_budget": 5})).await;
    proxy.done("/team/new", json!({"team_id": "t", "max_budget": 5})).await;
    for (path, id, doc) in [
        ("/user/update", "user_id", json!({"user_id": "u"})),
        ("/team/update", "team_id", json!({"team_id": "t"})),
    ] {
        let text = proxy.key(doc.clone()).await;
        let call = async || call("", "").key(&text).send(proxy.addr()).await;
        call().await.expect(200);
        let with = |spend: Value| {
            let mut doc = doc.clone();
            doc["spend"] = spend;
            doc
        };
        let changed = proxy.done(path, with(json!(5))).await;
        assert_eq!(changed["data"]["spend"], 5.0, "{id}");
        call().await.expect(422);
        assert_eq!(proxy.done(path, with(json!(0))).await["data"]["spend"], 0.0);
        call().await.expect(200);
        proxy.ask(KEY, "POST", path, with(json!(-1))).await.expect(400);
    }
    // A user that is named before it was made has an account as well.
    let body = json!({"user_id": "litellm-proxy-budget", "spend": 0});
    assert_eq!(proxy.done("/user/update", body).await["data"]["spend"], 0.0);
    // Who may change a team is no admin of money.
    let boss = proxy.user("boss", "internal_user").await;
    let member = json!({"team_id": "t", "member": {"role": "admin", "user_id": "boss"}});
    proxy.done("/team/member_add", member).await;
    let denied =
        proxy.ask(&boss, "POST", "/team/update", json!({"team_id": "t", "spend": 0})).await;
    assert!([401, 403].contains(&denied.status), "{}", denied.text());
}

#[tokio::test]
async fn another_duration_of_a_team_is_another_window() {
    let proxy = house().start().await;
    let body = json!({"team_id": "t", "max_budget": 5, "budget_duration": "30d"});
    proxy.done("/team/new", body).await;
    proxy.done("/team/update", json!({"team_id": "t", "spend": 2})).await;
    let end = |changed: &Value| changed["data"]["budget_reset_at"].as_str().map(str::to_owned);
    let hour = json!({"team_id": "t", "budget_duration": "1h"});
    let changed = proxy.done("/team/update", hour).await;
    let now = proxy.got("/team/info?team_id=t").await;
    assert_eq!(changed["data"]["spend"], 2.0);
    let soon = end(&changed).expect("an end");
    assert_eq!(now["team_info"]["budget_reset_at"], soon.as_str());
    let never = json!({"team_id": "t", "budget_duration": null});
    assert_eq!(end(&proxy.done("/team/update", never).await), None);
}

#[tokio::test]
async fn budgets_end_at_the_midnight_of_the_zone() {
    // Half an hour makes it plain: no other zone's midnight is then.
    let proxy = with(&config("  timezone: Asia/Kolkata\n")).start().await;
    let doc = json!({"max_budget": 5, "budget_duration": "1d"});
    let made = [
        proxy.done("/key/generate", doc.clone()).await,
        proxy.done("/user/new", doc.clone()).await,
        proxy.done("/team/new", doc).await,
    ];
    for thing in made {
        let end = thing["budget_reset_at"].as_str().expect("an end");
        assert!(end.ends_with("T18:30:00.000000Z"), "{end}");
    }
    proxy.replace_file("config.yaml", &config("  timezone: UTC\n"));
    proxy.hang_up();
    proxy.line(|line| line.contains("Config reloaded")).await;
    let later = proxy.done("/user/new", json!({"budget_duration": "1d"})).await;
    assert!(later["budget_reset_at"].as_str().unwrap().ends_with("T00:00:00.000000Z"));
}
