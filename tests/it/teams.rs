//! Teams: their routes, their members, what members may spend.
use crate::proxy::{KEY, Proxy, bare};
use crate::tenancy::{config, house};
use serde_json::{Value, json};

fn members(team: &Value) -> Vec<(&str, &str)> {
    let list = team["members_with_roles"].as_array().unwrap().iter();
    list.map(|it| (it["user_id"].as_str().unwrap(), it["role"].as_str().unwrap())).collect()
}

async fn info(proxy: &Proxy, id: &str) -> Value {
    proxy.got(&format!("/team/info?team_id={id}")).await
}

#[tokio::test]
async fn whoever_makes_a_team_is_an_admin_there_and_unknown_members_become_users() {
    let proxy = house().start().await;
    let asked = json!({
        "team_alias": "Red", "models": ["gpt"], "max_budget": 9, "budget_duration": "7d",
        "model_aliases": {"small": "gpt"}, "model_rpm_limit": {"gpt": 2}, "tags": ["a"],
        "members_with_roles": [{"role": "user", "user_id": "ann"},
            {"role": "admin", "user_email": "bob@example.com"},
            {"role": "user", "user_email": "BOB@example.com"}]
    });
    let team = proxy.done("/team/new", asked).await;
    assert_eq!(team["team_id"].as_str().unwrap().len(), 36);
    assert_eq!(team["blocked"], false);
    assert_eq!(team["metadata"], json!({"model_rpm_limit": {"gpt": 2}, "tags": ["a"]}));
    assert_eq!(team["litellm_model_table"]["model_aliases"], json!({"small": "gpt"}));
    assert!(team["budget_reset_at"].is_string());
    let all = members(&team);
    assert_eq!(all[0], ("ann", "user"));
    assert_eq!(all[1].1, "admin");
    assert_eq!(all[2], ("default_user_id", "admin"));
    assert_eq!(all.len(), 3);
    assert_eq!(team["members_with_roles"][1]["user_email"], "bob@example.com");
    let ann = proxy.got("/user/info?user_id=ann").await;
    assert_eq!(ann["teams"][0]["team_id"], team["team_id"]);
    assert_eq!(ann["user_info"]["teams"], json!([team["team_id"]]));
    let again = json!({"team_id": team["team_id"]});
    let refused = proxy.ask(KEY, "POST", "/team/new", again).await.expect(400);
    assert!(refused.error_message().contains("already exists"), "{}", refused.text());
}

#[tokio::test]
async fn members_come_and_go_with_their_keys() {
    let proxy = house().start().await;
    proxy.done("/team/new", json!({"team_id": "red"})).await;
    let one = json!({"team_id": "red", "member": {"role": "user", "user_id": "ann"}});
    let added = proxy.done("/team/member_add", one.clone()).await;
    assert_eq!(added["updated_users"][0]["user_id"], "ann");
    assert_eq!(added["updated_team_memberships"][0]["team_id"], "red");
    assert_eq!(added["updated_team_memberships"][0]["litellm_budget_table"], Value::Null);
    let twice = proxy.ask(KEY, "POST", "/team/member_add", one).await.expect(400).json();
    assert_eq!(twice["error"]["type"], "team_member_already_in_team");
    assert_eq!(twice["error"]["param"], "member");
    let more = json!([{"role": "user", "user_id": "ann"}, {"role": "user", "user_id": "bob"}]);
    let more = json!({"team_id": "red", "member": more, "max_budget_in_team": 2});
    let added = proxy.done("/team/member_add", more).await;
    assert_eq!(added["updated_users"].as_array().unwrap().len(), 1);
    assert_eq!(added["updated_team_memberships"][0]["litellm_budget_table"]["max_budget"], 2.0);
    let key = proxy.key(json!({"team_id": "red", "user_id": "bob"})).await;
    let own = proxy.key(json!({"user_id": "bob"})).await;
    let gone = json!({"team_id": "red", "user_id": "bob"});
    let left = proxy.done("/team/member_delete", gone.clone()).await;
    assert!(!members(&left).iter().any(|(user, _)| *user == "bob"));
    proxy.ask(&key, "GET", "/user/info", Value::Null).await.expect(401);
    proxy.ask(&own, "GET", "/user/info", Value::Null).await.expect(200);
    let refused = proxy.ask(KEY, "POST", "/team/member_delete", gone).await.expect(400).json();
    assert_eq!(refused, json!({"detail": {"error": "User not found in team"}}));
    assert_eq!(proxy.got("/budget/list").await, json!([]));
    for (path, body, status) in [
        ("/team/member_add", json!({"team_id": "red", "member": {"role": "user"}}), 422),
        ("/team/member_add", json!({"team_id": "red", "member": {"user_id": "x"}}), 422),
        ("/team/member_add", json!({"team_id": "red", "member": []}), 400),
        ("/team/member_add", json!({"member": {"role": "user", "user_id": "x"}}), 422),
        ("/team/member_delete", json!({"team_id": "red"}), 400),
        ("/team/member_update", json!({"team_id": "red", "user_id": "bob"}), 400),
        ("/team/member_delete", json!({"team_id": "no", "user_id": "x"}), 404),
    ] {
        proxy.ask(KEY, "POST", path, body.clone()).await.expect(status);
    }
}

#[tokio::test]
async fn a_member_has_its_own_budget_or_the_one_that_all_share() {
    let proxy = house().start().await;
    let shared = json!({
        "team_id": "red", "team_member_budget": 4, "team_member_budget_duration": "1d",
        "members_with_roles": [{"role": "user", "user_id": "ann"}]
    });
    proxy.done("/team/new", shared).await;
    let own = json!({"team_id": "red", "user_id": "ann", "max_budget_in_team": 1, "rpm_limit": 2});
    let told = proxy.done("/team/member_update", own).await;
    assert_eq!(
        told,
        json!({
            "team_id": "red", "user_id": "ann", "user_email": null, "max_budget_in_team": 1.0,
            "tpm_limit": null, "rpm_limit": 2
        })
    );
    let budget = |team: &Value, user: &str, field: &str| {
        let places = team["team_memberships"].as_array().unwrap();
        let place = places.iter().find(|place| place["user_id"] == user).unwrap();
        place["litellm_budget_table"][field].clone()
    };
    let team = info(&proxy, "red").await;
    assert_eq!(budget(&team, "ann", "max_budget"), 1.0);
    assert_eq!(budget(&team, "ann", "budget_duration"), "1d");
    assert_eq!(budget(&team, "default_user_id", "max_budget"), 4.0);
    assert_eq!(team["team_info"]["team_member_budget_table"]["max_budget"], 4.0);
    let user = proxy.got("/user/info?user_id=ann").await;
    let place = &user["teams"][0]["team_memberships"][0];
    assert_eq!(place["litellm_budget_table"]["max_budget"], 1.0);
    // Other metadata do not take it away, and a change of it reaches those who share it.
    let body = json!({"team_id": "red", "metadata": {"x": 1}, "team_member_budget": 3});
    proxy.done("/team/update", body).await;
    let team = info(&proxy, "red").await;
    assert_eq!(budget(&team, "ann", "max_budget"), 1.0);
    assert_eq!(budget(&team, "default_user_id", "max_budget"), 3.0);
    let body =
        json!({"team_id": "red", "user_id": "ann", "max_budget_in_team": null, "role": "admin"});
    proxy.done("/team/member_update", body).await;
    let team = info(&proxy, "red").await;
    assert_eq!(budget(&team, "ann", "max_budget"), Value::Null);
    assert!(members(&team["team_info"]).contains(&("ann", "admin")));
}

#[tokio::test]
async fn an_update_tells_the_whole_team() {
    let proxy = house().start().await;
    let made = proxy.done("/team/new", json!({"team_id": "red", "max_budget": 5})).await;
    let body = json!({"team_id": "red", "team_alias": "Red", "max_budget": null, "blocked": true});
    let changed = proxy.done("/team/update", body).await;
    assert_eq!(changed["team_id"], "red");
    assert_eq!(changed["data"]["team_alias"], "Red");
    assert_eq!(changed["data"]["max_budget"], Value::Null);
    assert_eq!(changed["data"]["blocked"], true);
    assert_eq!(changed["data"]["members_with_roles"], made["members_with_roles"]);
    let key = proxy.key(json!({"team_id": "red"})).await;
    proxy.ask(&key, "GET", "/user/info", Value::Null).await.expect(401);
    assert_eq!(proxy.done("/team/unblock", json!({"team_id": "red"})).await["blocked"], false);
    proxy.ask(&key, "GET", "/team/info?team_id=red", Value::Null).await.expect(200);
    assert_eq!(proxy.done("/team/block", json!({"team_id": "red"})).await["blocked"], true);
    proxy.ask(&key, "GET", "/team/info?team_id=red", Value::Null).await.expect(401);
    for (path, status) in [("/team/update", 404), ("/team/block", 404), ("/team/unblock", 404)] {
        proxy.ask(KEY, "POST", path, json!({"team_id": "no"})).await.expect(status);
    }
    for wrong in [
        json!({"team_id": "red", "max_budget": -1}),
        json!({"team_id": "red", "budget_duration": "x"}),
        json!({"team_id": "red", "team_member_budget": -1}),
        json!({"team_id": "red", "organization_id": "nowhere"}),
    ] {
        proxy.ask(KEY, "POST", "/team/update", wrong).await.expect(400);
    }
}

#[tokio::test]
async fn models_are_added_and_taken_and_none_left_is_none() {
    let proxy = house().start().await;
    proxy.done("/team/new", json!({"team_id": "red"})).await;
    let models = |path: &'static str, models: Value| {
        let proxy = &proxy;
        async move {
            proxy.done(path, json!({"team_id": "red", "models": models})).await["models"].clone()
        }
    };
    let all = models("/team/model/add", json!(["gpt"])).await;
    assert_eq!(all, json!(["all-proxy-models", "gpt"]));
    let one = models("/team/model/delete", json!(["all-proxy-models"])).await;
    assert_eq!(one, json!(["gpt"]));
    let none = models("/team/model/delete", json!(["gpt"])).await;
    assert_eq!(none, json!(["no-default-models"]));
}

#[tokio::test]
async fn a_deleted_team_is_gone_with_its_keys_and_from_its_users() {
    let proxy = house().start().await;
    let body =
        json!({"team_id": "red", "members_with_roles": [{"role": "user", "user_id": "ann"}]});
    proxy.done("/team/new", body).await;
    let key = proxy.key(json!({"team_id": "red"})).await;
    let body = json!({"team_ids": ["red", "nowhere"]});
    proxy.ask(KEY, "POST", "/team/delete", body).await.expect(404);
    let done = proxy.done("/team/delete", json!({"team_ids": ["red"]})).await;
    assert_eq!(done, json!({"deleted_teams": ["red"]}));
    let refused = proxy.ask(KEY, "GET", "/team/info?team_id=red", Value::Null).await.expect(404);
    assert_eq!(refused.error_message(), "{'message': 'Team not found, passed team id: red.'}");
    proxy.ask(&key, "GET", "/team/info?team_id=red", Value::Null).await.expect(401);
    assert_eq!(proxy.got("/user/info?user_id=ann").await["teams"], json!([]));
    proxy.ask(KEY, "GET", "/team/info", Value::Null).await.expect(422);
}

#[tokio::test]
async fn lists_of_teams_are_filtered_and_paged() {
    let proxy = house().start().await;
    for (id, user) in [("a", "ann"), ("b", "bob"), ("c", "ann")] {
        let body = json!({
            "team_id": id, "team_alias": format!("Team {id}"),
            "members_with_roles": [{"role": "user", "user_id": user}]
        });
        proxy.done("/team/new", body).await;
    }
    proxy.key(json!({"team_id": "a"})).await;
    let ids = |list: &Value| -> Vec<String> {
        let teams = list.as_array().unwrap().iter();
        teams.map(|team| team["team_id"].as_str().unwrap().to_owned()).collect()
    };
    let all = proxy.got("/team/list").await;
    assert_eq!(ids(&all), ["a", "b", "c"]);
    assert_eq!(all[0]["keys"].as_array().unwrap().len(), 1);
    let own = proxy.got("/team/list?user_id=ann").await;
    assert_eq!(ids(&own), ["a", "c"]);
    assert_eq!(own[0]["team_memberships"][0]["user_id"], "ann");
    let page = proxy.got("/v2/team/list?page_size=2&sort_by=team_id&sort_order=desc").await;
    assert_eq!(ids(&page["teams"]), ["c", "b"]);
    assert_eq!(json!([page["total"], page["total_pages"]]), json!([3, 2]));
    for (path, expected) in [
        ("/v2/team/list?team_alias=EAM%20B", &["b"][..]),
        ("/v2/team/list?team_alias=%25", &[]),
        ("/v2/team/list?team_id=c", &["c"]),
        ("/v2/team/list?organization_id=x", &[]),
    ] {
        assert_eq!(ids(&proxy.got(path).await["teams"]), expected, "{path}");
    }
    let key = proxy.key(json!({"user_id": "bob"})).await;
    proxy.ask(&key, "GET", "/team/list?user_id=ann", Value::Null).await.expect(401);
    proxy.ask(&key, "GET", "/v2/team/list?user_id=ann", Value::Null).await.expect(401);
    let own = proxy.ask(&key, "GET", "/team/list?user_id=bob", Value::Null).await.expect(200);
    assert_eq!(ids(&own.json()), ["b"]);
    proxy.ask(KEY, "GET", "/v2/team/list?user_id=nobody", Value::Null).await.expect(404);
}

#[tokio::test]
async fn many_members_join_at_once_and_their_permissions_are_said() {
    let proxy = house().start().await;
    proxy.user("ann", "internal_user").await;
    proxy.done("/team/new", json!({"team_id": "red"})).await;
    let some = json!([{"role": "user", "user_id": "ann"}, {"role": "user", "user_id": "ann"}]);
    let body = json!({"team_id": "red", "members": some});
    let done = proxy.done("/team/bulk_member_add", body).await;
    assert_eq!(json!([done["successful_additions"], done["failed_additions"]]), json!([1, 1]));
    proxy.user("bob", "internal_user").await;
    let done = proxy.done("/team/bulk_member_add", json!({"team_id": "red", "all_users": true}));
    assert_eq!(done.await["successful_additions"], 1);
    let many: Vec<_> =
        (0..501).map(|at| json!({"role": "user", "user_id": at.to_string()})).collect();
    for wrong in [json!({"team_id": "red"}), json!({"team_id": "red", "members": many})] {
        proxy.ask(KEY, "POST", "/team/bulk_member_add", wrong).await.expect(400);
    }
    let told = proxy.got("/team/permissions_list?team_id=red").await;
    assert_eq!(told["team_member_permissions"], json!(["/key/info", "/key/health"]));
    let body = json!({"team_id": "red", "team_member_permissions": ["/key/generate"]});
    let team = proxy.done("/team/permissions_update", body).await;
    assert_eq!(team["team_member_permissions"], json!(["/key/generate"]));
    let body = json!({"team_id": "red", "team_member_permissions": ["/everything"]});
    proxy.ask(KEY, "POST", "/team/permissions_update", body).await.expect(422);
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let state = home.path().to_str().unwrap();
    let start = || {
        let path = home.path().join("config.yaml");
        std::fs::write(&path, config("")).unwrap();
        bare().arg("--config").arg(path.to_str().unwrap()).arg("--state-dir").arg(state).start()
    };
    let paths = [
        "/user/info?user_id=ann",
        "/team/info?team_id=red",
        "/organization/list",
        "/customer/list",
        "/budget/list",
        "/tag/list",
        "/access_group/list",
    ];
    let mut before = Vec::new();
    let mut proxy = start().await;
    let key = proxy.user("ann", "internal_user").await;
    let body = json!({"organization_id": "o", "organization_alias": "O", "max_budget": 8});
    proxy.done("/organization/new", body).await;
    let member = json!([{"role": "admin", "user_id": "ann"}]);
    let body = json!({"team_id": "red", "organization_id": "o", "members_with_roles": member});
    proxy.done("/team/new", body).await;
    let body = json!({"team_id": "red", "user_id": "ann", "max_budget_in_team": 1});
    proxy.done("/team/member_update", body).await;
    proxy.done("/customer/new", json!({"user_id": "Ünï 🦀", "max_budget": 2})).await;
    proxy.done("/tag/new", json!({"name": "'; DROP TABLE things; --"})).await;
    let body = json!({"access_group": "g", "model_names": ["gpt"]});
    proxy.done("/access_group/new", body).await;
    for path in paths {
        before.push(proxy.got(path).await);
    }
    proxy.terminate();
    proxy.exited().await;
    let proxy = start().await;
    for (path, before) in paths.into_iter().zip(before) {
        assert_eq!(proxy.got(path).await, before, "{path}");
    }
    proxy.ask(&key, "GET", "/user/info", Value::Null).await.expect(200);
}
