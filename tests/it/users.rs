//! Users: their routes, their keys, what is refused.
use crate::proxy::{KEY, with};
use crate::tenancy::{config, house, query};
use serde_json::{Value, json};

#[tokio::test]
async fn a_new_user_gets_a_key_of_its_own_unless_it_wants_none() {
    let proxy = house().start().await;
    let asked = json!({
        "user_id": "ann", "user_email": "ann@example.com", "user_alias": "Ann", "models": ["gpt"],
        "max_budget": 5.0, "budget_duration": "30d", "aliases": {"small": "gpt"},
        "metadata": {"desk": 4}, "send_invite_email": true
    });
    let user = proxy.done("/user/new", asked).await;
    assert_eq!(user["user_id"], "ann");
    assert_eq!(user["user_email"], "ann@example.com");
    assert_eq!(user["user_role"], "internal_user");
    assert_eq!(user["max_budget"], 5.0);
    assert_eq!(user["token"], Value::Null);
    assert_eq!(user["aliases"], json!({"small": "gpt"}));
    assert_eq!(user["spend"], 0.0);
    assert!(user["budget_reset_at"].as_str().unwrap().ends_with("-01T00:00:00.000000Z"));
    let key = user["key"].as_str().unwrap();
    let own = proxy.ask(key, "GET", "/user/info", Value::Null).await.expect(200).json();
    assert_eq!(own["user_info"]["user_id"], "ann");
    assert_eq!(own["user_info"]["metadata"], json!({"desk": 4}));
    assert_eq!(own["keys"].as_array().unwrap().len(), 1);
    assert_eq!(own["keys"][0]["team_alias"], "None");
    assert_eq!(own["keys"][0]["max_budget"], Value::Null);
    let bare = proxy.done("/user/new", json!({"auto_create_key": false})).await;
    assert_eq!(bare["key"], "");
    assert_eq!(bare["user_id"].as_str().unwrap().len(), 36);
    let id = bare["user_id"].as_str().unwrap();
    let info = proxy.got(&query("/user/info", &[("user_id", id)])).await;
    assert_eq!(info["keys"], json!([]));
}

#[tokio::test]
async fn ids_and_addresses_belong_to_one_user() {
    let proxy = house().start().await;
    proxy.done("/user/new", json!({"user_id": "ann", "user_email": "Ann@example.com"})).await;
    for (body, told) in [
        (json!({"user_id": "ann"}), "{'error': 'User with id ann already exists'}"),
        (
            json!({"user_email": "ann@EXAMPLE.com"}),
            "{'error': 'User with email ann@EXAMPLE.com already exists'}",
        ),
    ] {
        let refused = proxy.ask(KEY, "POST", "/user/new", body).await.expect(409);
        assert_eq!(refused.error_message(), told);
    }
    let bob = proxy.done("/user/new", json!({"user_id": "bob"})).await;
    assert!(bob["key"].is_string());
    let body = json!({"user_id": "bob", "user_email": "ann@example.com"});
    proxy.ask(KEY, "POST", "/user/update", body).await.expect(409);
    assert_eq!(proxy.got("/user/list").await["total"], 2);
}

#[tokio::test]
async fn what_no_user_can_be_is_refused() {
    let proxy = house().start().await;
    for (body, status) in [
        (json!({"user_role": "king"}), 422),
        (json!({"models": "gpt"}), 422),
        (json!({"max_budget": "much"}), 422),
        (json!({"max_budget": -1}), 400),
        (json!({"rpm_limit": -1}), 400),
        (json!({"budget_duration": "soon"}), 400),
        (json!({"user_id": "a\u{0}b"}), 400),
        (json!({"user_id": "a\r\nb"}), 400),
        (json!({"user_id": "a".repeat(600)}), 400),
        (json!({"team_id": "nowhere"}), 404),
        (json!({"organizations": ["nowhere"]}), 404),
        (json!({"duration": "long"}), 400),
    ] {
        proxy.ask(KEY, "POST", "/user/new", body.clone()).await.expect(status);
    }
    // Nothing stayed of any of them.
    assert_eq!(proxy.got("/user/list").await["total"], 0);
    assert_eq!(proxy.got("/user/info").await["keys"], json!([]));
}

#[tokio::test]
async fn a_user_sees_itself_and_an_admin_sees_all() {
    let proxy = house().start().await;
    let (ann, bob) = (proxy.user("ann", "internal_user").await, "bob");
    proxy.user(bob, "internal_user").await;
    let ask = |key: String, path: String| {
        let proxy = &proxy;
        async move { proxy.ask(&key, "GET", &path, Value::Null).await }
    };
    for path in ["/user/info?user_id=bob", "/v2/user/info?user_id=bob", "/user/info?user_id=no"] {
        let refused = ask(ann.clone(), path.to_owned()).await.expect(403);
        let told = "key not allowed to access this user's info. user_id=";
        assert!(refused.error_message().starts_with(told), "{}", refused.text());
    }
    let own = ask(ann.clone(), "/v2/user/info".to_owned()).await.expect(200).json();
    assert_eq!(own["user_id"], "ann");
    ask(KEY.to_owned(), "/user/info?user_id=nobody".to_owned()).await.expect(404);
    let all = proxy.got("/user/info").await;
    assert_eq!(all["user_id"], Value::Null);
    assert_eq!(all["keys"].as_array().unwrap().len(), 2);
    let viewer = proxy.user("eve", "proxy_admin_viewer").await;
    let seen = ask(viewer.clone(), "/user/info?user_id=bob".to_owned()).await.expect(200).json();
    assert_eq!(seen["user_info"]["user_id"], "bob");
    ask(viewer, "/user/list".to_owned()).await.expect(200);
    ask(ann, "/user/list".to_owned()).await.expect(401);
    proxy.user("ann+b@example.com", "internal_user").await;
    for path in ["/user/info?user_id=ann+b@example.com", "/user/info?user_id=ann%2Bb@example.com"] {
        assert_eq!(proxy.got(path).await["user_id"], "ann+b@example.com");
    }
    let roles = proxy.got("/user/available_roles").await;
    assert_eq!(roles.as_object().unwrap().len(), 4);
}

#[tokio::test]
async fn an_update_changes_what_it_names_and_null_takes_bounds_away() {
    let proxy = house().start().await;
    let asked = json!({"user_id": "ann", "user_email": "a@b.c", "max_budget": 5, "rpm_limit": 3});
    proxy.done("/user/new", asked).await;
    let body =
        json!({"user_email": "A@b.c", "max_budget": null, "tpm_limit": 9, "user_role": null});
    let changed = proxy.done("/user/update", body).await;
    assert_eq!(changed["user_id"], "ann");
    assert_eq!(changed["data"]["max_budget"], Value::Null);
    assert_eq!(changed["data"]["rpm_limit"], 3);
    assert_eq!(changed["data"]["tpm_limit"], 9);
    assert_eq!(changed["data"]["user_role"], "internal_user");
    for (body, status) in [
        (json!({"user_id": "nobody", "rpm_limit": 1}), 404),
        (json!({"user_email": "no@b.c", "rpm_limit": 1}), 404),
        (json!({"rpm_limit": 1}), 422),
        (json!({"user_id": "ann", "rpm_limit": -1}), 400),
        (json!({"user_id": "ann", "user_role": "king"}), 422),
    ] {
        proxy.ask(KEY, "POST", "/user/update", body).await.expect(status);
    }
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_cut_into_pages() {
    let proxy = house().start().await;
    for at in 0..7 {
        let role = if at % 2 == 0 { "internal_user" } else { "internal_user_viewer" };
        let body = json!({
            "user_id": format!("u{at}"), "user_email": format!("u{at}@example.com"),
            "user_role": role, "auto_create_key": at == 0
        });
        proxy.done("/user/new", body).await;
    }
    proxy.done("/user/new", json!({"user_id": "100%", "user_email": "100%_x@example.com"})).await;
    let ids = |list: &Value| -> Vec<String> {
        let users = list["users"].as_array().unwrap().iter();
        users.map(|user| user["user_id"].as_str().unwrap().to_owned()).collect()
    };
    let page = proxy.got("/user/list?page=2&page_size=3").await;
    assert_eq!(ids(&page), ["u3", "u4", "u5"]);
    assert_eq!(
        json!([page["total"], page["page"], page["page_size"], page["total_pages"]]),
        json!([8, 2, 3, 3])
    );
    for (path, expected) in [
        ("/user/list?role=internal_user_viewer", &["u1", "u3", "u5"][..]),
        ("/user/list?user_ids=u6,u2,nobody", &["u2", "u6"]),
        ("/user/list?user_email=U5%40EX", &["u5"]),
        ("/user/list?user_email=%25", &["100%"]),
        ("/user/list?user_email=%25_x", &["100%"]),
        ("/user/list?user_email='%20OR%201%3D1", &[]),
        ("/user/list?sort_by=user_id&sort_order=desc&page_size=2", &["u6", "u5"]),
        ("/user/list?page=99", &[]),
    ] {
        assert_eq!(ids(&proxy.got(path).await), expected, "{path}");
    }
    let counted = proxy.got("/user/list?user_ids=u0").await;
    assert_eq!(counted["users"][0]["key_count"], 1);
    for (path, status) in [
        ("/user/list?page=0", 422),
        ("/user/list?page_size=1000", 422),
        ("/user/list?page=x", 422),
        ("/user/list?page=9223372036854775807", 200),
        ("/user/list?sort_by=password", 400),
        ("/user/list?sort_order=up", 400),
    ] {
        proxy.ask(KEY, "GET", path, Value::Null).await.expect(status);
    }
}

#[tokio::test]
async fn what_is_deleted_takes_its_keys_and_places_along() {
    let proxy = house().start().await;
    let key = proxy.user("ann", "internal_user").await;
    proxy.user("bob", "internal_user").await;
    let members = json!([{"role": "user", "user_id": "ann"}, {"role": "admin", "user_id": "bob"}]);
    proxy.done("/team/new", json!({"team_id": "red", "members_with_roles": members})).await;
    let body = json!({"user_ids": ["ann", "nobody"]});
    proxy.ask(KEY, "POST", "/user/delete", body).await.expect(404);
    proxy.ask(&key, "GET", "/user/info", Value::Null).await.expect(200);
    assert_eq!(proxy.done("/user/delete", json!({"user_ids": ["ann"]})).await, 1);
    proxy.ask(&key, "GET", "/user/info", Value::Null).await.expect(401);
    let team = proxy.got("/team/info?team_id=red").await;
    let left: Vec<_> = team["team_info"]["members_with_roles"].as_array().unwrap().iter().collect();
    assert!(left.iter().all(|member| member["user_id"] != "ann"), "{left:?}");
    proxy.ask(KEY, "GET", "/user/info?user_id=ann", Value::Null).await.expect(404);
}

#[tokio::test]
async fn many_users_are_changed_each_for_itself() {
    let proxy = house().start().await;
    for id in ["ann", "bob"] {
        proxy.user(id, "internal_user").await;
    }
    let users = json!([
        {"user_id": "ann", "max_budget": 3},
        {"user_id": "nobody", "max_budget": 3},
        {"user_id": "bob", "max_budget": -3},
        {"user_id": "bob", "max_budget": "x"}
    ]);
    let done = proxy.done("/user/bulk_update", json!({"users": users})).await;
    assert_eq!(done["successful_updates"], 1);
    assert_eq!(done["failed_updates"], 3);
    assert_eq!(done["results"][0]["updated_user"]["max_budget"], 3.0);
    assert!(done["results"][1]["error"].as_str().unwrap().contains("not found"));
    let all = json!({"all_users": true, "user_updates": {"rpm_limit": 4}});
    assert_eq!(proxy.done("/user/bulk_update", all).await["successful_updates"], 2);
    assert_eq!(proxy.got("/user/info?user_id=bob").await["user_info"]["rpm_limit"], 4);
    proxy.ask(KEY, "POST", "/user/bulk_update", json!({})).await.expect(400);
    let many: Vec<_> = (0..501).map(|at| json!({"user_id": at.to_string()})).collect();
    proxy.ask(KEY, "POST", "/user/bulk_update", json!({"users": many})).await.expect(400);
}

#[tokio::test]
async fn the_config_says_what_new_users_get() {
    let settings = "  max_internal_user_budget: 7
  internal_user_budget_duration: 1d
  default_internal_user_params: {models: [gpt], user_role: internal_user, available_teams: [red]}
  default_team_params: {rpm_limit: 8}
";
    let proxy = with(&config(settings)).start().await;
    let user = proxy.done("/user/new", json!({"user_id": "ann"})).await;
    assert_eq!(user["max_budget"], 7.0);
    assert_eq!(user["budget_duration"], "1d");
    assert_eq!(user["models"], json!(["gpt"]));
    let own = json!({"user_id": "bob", "max_budget": 1, "models": ["claude/*"]});
    let user = proxy.done("/user/new", own).await;
    assert_eq!(user["max_budget"], 1.0);
    assert_eq!(user["models"], json!(["claude/*"]));
    let admin = json!({"user_id": "eve", "user_role": "proxy_admin"});
    assert_eq!(proxy.done("/user/new", admin).await["max_budget"], Value::Null);
    let team = proxy.done("/team/new", json!({"team_id": "red"})).await;
    assert_eq!(team["rpm_limit"], 8);
    let key = proxy.key(json!({"user_id": "ann"})).await;
    let offered = proxy.ask(&key, "GET", "/team/available", Value::Null).await.expect(200).json();
    assert_eq!(offered[0]["team_id"], "red");
    proxy.ask(KEY, "GET", "/team/available", Value::Null).await.expect(200);
}
