//! End users and tags: their routes, and the budgets that they share.
use crate::client::{chat, post};
use crate::proxy::{KEY, with};
use crate::tenancy::{house, query};
use crate::upstream::{self, Upstream};
use serde_json::{Value, json};

#[tokio::test]
async fn an_end_user_has_a_budget_of_its_own_or_shares_one() {
    for root in ["/customer", "/end_user"] {
        let proxy = house().start().await;
        let path = |name: &str| format!("{root}/{name}");
        let body = json!({
            "user_id": "c1", "alias": "C", "max_budget": 2, "budget_duration": "1d",
            "allowed_model_region": "eu", "default_model": "gpt"
        });
        let made = proxy.done(&path("new"), body).await;
        assert_eq!(made["litellm_budget_table"]["max_budget"], 2.0);
        assert_eq!(made["allowed_model_region"], "eu");
        assert_eq!(made["default_model"], "gpt");
        assert_eq!(json!([made["blocked"], made["spend"]]), json!([false, 0.0]));
        proxy.done("/budget/new", json!({"budget_id": "free", "tpm_limit": 2})).await;
        let shares = json!({"user_id": "c2", "budget_id": "free"});
        let made = proxy.done(&path("new"), shares).await;
        assert_eq!(made["litellm_budget_table"]["tpm_limit"], 2);
        let body = json!({"user_id": "c1", "max_budget": 3, "alias": null});
        let changed = proxy.done(&path("update"), body).await;
        assert_eq!(changed["litellm_budget_table"]["max_budget"], 3.0);
        assert_eq!(changed["alias"], Value::Null);
        proxy.done("/budget/delete", json!({"id": "free"})).await;
        let body = json!({"user_id": "c2", "max_budget": 1});
        let mended = proxy.done(&path("update"), body).await;
        assert_eq!(mended["litellm_budget_table"]["max_budget"], 1.0);
        let seen = proxy.got(&format!("{root}/info?end_user_id=c1")).await;
        assert_eq!(seen["litellm_budget_table"]["budget_duration"], "1d");
        assert_eq!(proxy.got(&path("list")).await.as_array().unwrap().len(), 2);
        let body = json!({"user_ids": ["c1"]});
        assert_eq!(proxy.done(&path("delete"), body.clone()).await["deleted_customers"], 1);
        proxy.ask(KEY, "POST", &path("delete"), body).await.expect(404);
        let path = format!("{root}/info?end_user_id=c1");
        let unknown = proxy.ask(KEY, "GET", &path, Value::Null).await.expect(404).json();
        assert_eq!(unknown["error"]["message"], "End User Id=c1 does not exist in db");
    }
}

#[tokio::test]
async fn what_no_end_user_can_be_is_refused() {
    let proxy = house().start().await;
    proxy.done("/customer/new", json!({"user_id": "c"})).await;
    for (body, status) in [
        (json!({}), 422),
        (json!({"user_id": "c"}), 400),
        (json!({"user_id": "d", "max_budget": 1, "budget_id": "x"}), 422),
        (json!({"user_id": "d", "budget_id": "x"}), 404),
        (json!({"user_id": "d", "max_budget": -1}), 400),
        (json!({"user_id": "d", "default_model": "nothing"}), 422),
        (json!({"user_id": "d", "allowed_model_region": "moon"}), 422),
        (json!({"user_id": "d\r\ne"}), 400),
        (json!({"user_id": 7}), 422),
    ] {
        proxy.ask(KEY, "POST", "/customer/new", body.clone()).await.expect(status);
    }
    proxy.ask(KEY, "POST", "/customer/update", json!({"user_id": "no"})).await.expect(404);
    assert_eq!(proxy.got("/customer/list").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn end_users_are_blocked_before_anything_is_known_of_them() {
    let proxy = house().start().await;
    let body = json!({"user_ids": ["x", "y"]});
    let blocked = proxy.done("/customer/block", body).await;
    assert_eq!(blocked["blocked_users"].as_array().unwrap().len(), 2);
    assert_eq!(blocked["blocked_users"][0]["blocked"], true);
    proxy.done("/customer/unblock", json!({"user_ids": ["x", "nobody"]})).await;
    let list = proxy.got("/customer/list").await;
    let left: Vec<_> = list.as_array().unwrap().iter().map(|it| it["blocked"].clone()).collect();
    assert_eq!(left, [false, true]);
}

#[tokio::test]
async fn a_tag_says_what_may_be_spent_under_it() {
    let proxy = house().start().await;
    let body = json!({"name": "team a", "description": "A", "max_budget": 4});
    let made = proxy.done("/tag/new", body.clone()).await;
    assert_eq!(made["message"], "Tag team a created successfully");
    assert_eq!(made["tag"]["litellm_budget_table"]["max_budget"], 4.0);
    proxy.ask(KEY, "POST", "/tag/new", body).await.expect(400);
    let body = json!({"name": "team a", "max_budget": 5, "description": null});
    let changed = proxy.done("/tag/update", body).await;
    assert_eq!(changed["tag"]["litellm_budget_table"]["max_budget"], 5.0);
    assert_eq!(changed["tag"]["description"], Value::Null);
    let seen = proxy.done("/tag/info", json!({"names": ["team a"]})).await;
    assert_eq!(seen["team a"]["name"], "team a");
    proxy.ask(KEY, "POST", "/tag/info", json!({"names": ["team a", "b"]})).await.expect(404);
    assert_eq!(proxy.got("/tag/list").await.as_array().unwrap().len(), 1);
    let gone = proxy.done("/tag/delete", json!({"name": "team a"})).await;
    assert_eq!(gone["message"], "Tag team a deleted successfully");
    for path in ["/tag/delete", "/tag/update"] {
        proxy.ask(KEY, "POST", path, json!({"name": "team a"})).await.expect(404);
    }
    proxy.ask(KEY, "POST", "/tag/new", json!({})).await.expect(400);
}

#[tokio::test]
async fn hostile_names_are_names_and_nothing_else() {
    let proxy = house().start().await;
    let names = [
        "'; DROP TABLE things; --",
        "\" OR 1=1",
        "%",
        "_",
        "\\",
        "$1",
        "../../etc/passwd",
        "<script>alert(1)</script>",
        "Ünï 🦀 \u{202e}",
        "a+b@example.com",
    ];
    for name in names {
        proxy.done("/customer/new", json!({"user_id": name, "alias": name})).await;
        proxy.done("/user/new", json!({"user_id": name, "user_email": name})).await;
        let body = json!({
            "team_id": name, "team_alias": name,
            "members_with_roles": [{"role": "user", "user_id": name}]
        });
        proxy.done("/team/new", body).await;
    }
    for name in names {
        let seen = proxy.got(&query("/customer/info", &[("end_user_id", name)])).await;
        assert_eq!(seen["alias"], name);
        let seen = proxy.got(&query("/user/info", &[("user_id", name)])).await;
        assert_eq!(seen["user_info"]["user_email"], name);
        assert_eq!(seen["teams"].as_array().unwrap().len(), 1, "{name}");
        let found = proxy.got(&query("/v2/team/list", &[("team_alias", name)])).await;
        let teams = found["teams"].as_array().unwrap();
        assert!(teams.iter().any(|team| team["team_id"] == name), "{name}: {found}");
        assert!(name.len() > 1 || teams.len() <= 2, "{name}: {found}");
    }
    assert_eq!(proxy.got("/customer/list").await.as_array().unwrap().len(), names.len());
    let many: Vec<_> = (0..20_000).map(|at| format!("model-{at}")).collect();
    let body = json!({"team_id": "%", "models": many});
    assert_eq!(proxy.done("/team/update", body).await["data"]["models"][19_999], "model-19999");
    let huge = json!({"user_id": "h", "metadata": {"x": "y".repeat(5 << 20)}});
    proxy.ask(KEY, "POST", "/customer/new", huge).await.expect(413);
}

#[tokio::test]
async fn an_end_user_is_served_in_its_region() {
    let upstream = Upstream::playing(upstream::json(200, upstream::COMPLETION)).await;
    let row = |name: &str, model: &str, more: &str| {
        format!(
            "  - model_name: {name}
    litellm_params: {{model: openai/{model}, api_base: {}, api_key: k{more}}}
",
            upstream.base()
        )
    };
    let config = format!(
        "model_list:\n{}{}{}{}general_settings: {{master_key: {KEY}}}\n",
        row("gpt", "near", ", region_name: eu-west-1"),
        row("gpt", "far", ", region_name: us"),
        row("gpt", "unknown", ""),
        row("far", "x", "")
    );
    let proxy = with(&config).start().await;
    proxy.done("/customer/new", json!({"user_id": "ann", "allowed_model_region": "eu"})).await;
    let body = json!({"model": "gpt", "messages": [], "user": "ann"}).to_string();
    for _ in 0..8 {
        let answer = proxy.call(post("/v1/chat/completions", &body)).await.expect(200);
        assert_eq!(answer.header("x-litellm-model-region"), Some("eu-west-1"));
    }
    let sent = upstream.requests();
    assert!(sent.iter().all(|one| memchr::memmem::find(&one.body, b"near").is_some()));
    let told = chat("far").header("x-litellm-end-user-id", "ann");
    let refused = proxy.call(told).await.expect(400);
    assert!(refused.error_message().contains("region `eu`"), "{}", refused.error_message());
    proxy.call(chat("far")).await.expect(200);
}
