//! Organisations: their routes, their members, what their teams may have.
use crate::proxy::KEY;
use crate::tenancy::house;
use serde_json::{Value, json};

#[tokio::test]
async fn an_organisation_has_a_budget_of_its_own_or_shares_one() {
    let proxy = house().start().await;
    let body = json!({"organization_alias": "Acme", "max_budget": 9, "models": ["gpt"]});
    let made = proxy.done("/organization/new", body).await;
    assert_eq!(made["organization_alias"], "Acme");
    assert_eq!(made["litellm_budget_table"]["max_budget"], 9.0);
    assert_eq!(made["litellm_budget_table"]["budget_id"], made["budget_id"]);
    proxy.done("/budget/new", json!({"budget_id": "gold", "max_budget": 3})).await;
    let body = json!({"organization_id": "o", "organization_alias": "O", "budget_id": "gold"});
    let made = proxy.done("/organization/new", body).await;
    assert_eq!(made["litellm_budget_table"]["max_budget"], 3.0);
    assert_eq!(proxy.got("/organization/list").await.as_array().unwrap().len(), 2);
    assert_eq!(
        proxy.got("/organization/list?org_alias=ACM").await[0]["organization_alias"],
        "Acme"
    );
    assert_eq!(proxy.got("/organization/list?org_id=o").await[0]["organization_id"], "o");
    let info = proxy.done("/organization/info", json!({"organizations": ["o", "no"]})).await;
    assert_eq!(info.as_array().unwrap().len(), 1);
    for (body, status) in [
        (json!({}), 422),
        (json!({"organization_alias": "O", "organization_id": "o"}), 400),
        (json!({"organization_alias": "P", "max_budget": -1}), 400),
        (json!({"organization_alias": "P", "budget_id": "lead"}), 404),
        (json!({"organization_alias": "P", "models": 1}), 422),
    ] {
        proxy.ask(KEY, "POST", "/organization/new", body.clone()).await.expect(status);
    }
}

#[tokio::test]
async fn an_organisation_is_changed_and_deleted_with_all_that_is_in_it() {
    let proxy = house().start().await;
    let body = json!({"organization_id": "o", "organization_alias": "O", "max_budget": 9});
    proxy.done("/organization/new", body).await;
    let body = json!({"organization_id": "o", "max_budget": 5, "models": ["gpt"]});
    let changed = proxy.ask(KEY, "PATCH", "/organization/update", body).await.expect(200).json();
    assert_eq!(changed["litellm_budget_table"]["max_budget"], 5.0);
    assert_eq!(changed["models"], json!(["gpt"]));
    let body = json!({"organization_id": "o", "max_budget": null});
    let changed = proxy.ask(KEY, "PATCH", "/organization/update", body).await.expect(200).json();
    assert_eq!(changed["litellm_budget_table"]["max_budget"], Value::Null);
    let unknown = json!({"organization_id": "no"});
    proxy.ask(KEY, "PATCH", "/organization/update", unknown).await.expect(404);
    proxy.ask(KEY, "GET", "/organization/info?organization_id=no", Value::Null).await.expect(404);
    proxy.done("/team/new", json!({"team_id": "red", "organization_id": "o"})).await;
    let key = proxy.key(json!({"team_id": "red"})).await;
    let info = proxy.got("/organization/info?organization_id=o").await;
    assert_eq!(info["teams"][0]["team_id"], "red");
    let body = json!({"organization_ids": ["o", "no"]});
    proxy.ask(KEY, "DELETE", "/organization/delete", body).await.expect(404);
    let body = json!({"organization_ids": ["o"]});
    let gone = proxy.ask(KEY, "DELETE", "/organization/delete", body).await.expect(200).json();
    assert_eq!(gone[0]["organization_id"], "o");
    assert_eq!(proxy.got("/organization/list").await, json!([]));
    proxy.ask(KEY, "GET", "/team/info?team_id=red", Value::Null).await.expect(404);
    proxy.ask(&key, "GET", "/user/info", Value::Null).await.expect(401);
}

#[tokio::test]
async fn a_team_has_no_more_than_its_organisation() {
    let proxy = house().start().await;
    let body = json!({
        "organization_id": "o", "organization_alias": "O", "max_budget": 9, "rpm_limit": 5,
        "models": ["gpt"]
    });
    proxy.done("/organization/new", body).await;
    for (wrong, told) in [
        (
            json!({"max_budget": 10}),
            "Team max_budget (10.0) exceeds organization's max_budget (9.0)",
        ),
        (json!({"rpm_limit": 6}), "Team rpm_limit"),
        (json!({"models": ["gpt", "claude/x"]}), "Model 'claude/x' not in organization's"),
        (json!({"organization_id": "no"}), "Organization not found"),
    ] {
        let mut body = json!({"organization_id": "o"});
        body.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        let refused = proxy.ask(KEY, "POST", "/team/new", body).await.expect(400);
        assert!(refused.error_message().contains(told), "{}", refused.text());
    }
    let body =
        json!({"team_id": "red", "organization_id": "o", "models": ["gpt"], "max_budget": 9});
    proxy.done("/team/new", body).await;
    let body = json!({"team_id": "red", "max_budget": 10});
    proxy.ask(KEY, "POST", "/team/update", body).await.expect(400);
}

#[tokio::test]
async fn members_of_an_organisation_come_change_and_go() {
    let proxy = house().start().await;
    proxy
        .done("/organization/new", json!({"organization_id": "o", "organization_alias": "O"}))
        .await;
    let ann = proxy.user("ann", "internal_user").await;
    let body =
        json!({"organization_id": "o", "member": {"user_id": "ann", "role": "internal_user"}});
    let added = proxy.done("/organization/member_add", body.clone()).await;
    assert_eq!(added["organization_id"], "o");
    assert_eq!(added["updated_organization_memberships"][0]["user_role"], "internal_user");
    proxy.ask(KEY, "POST", "/organization/member_add", body).await.expect(400);
    let list = proxy.got("/organization/list").await;
    assert_eq!(list[0]["members"][0]["user_id"], "ann");
    let own = proxy.ask(&ann, "GET", "/organization/list", Value::Null).await.expect(200).json();
    assert_eq!(own[0]["organization_id"], "o");
    // As an admin of it she lets others in, as a plain member she does not.
    let bob =
        json!({"organization_id": "o", "member": [{"user_id": "bob", "role": "internal_user"}]});
    proxy.ask(&ann, "POST", "/organization/member_add", bob.clone()).await.expect(401);
    let rise = json!({
        "organization_id": "o", "user_id": "ann", "role": "org_admin",
        "max_budget_in_organization": 3
    });
    let place =
        proxy.ask(KEY, "PATCH", "/organization/member_update", rise).await.expect(200).json();
    assert_eq!(place["user_role"], "org_admin");
    assert_eq!(place["litellm_budget_table"]["max_budget"], 3.0);
    let added = proxy.ask(&ann, "POST", "/organization/member_add", bob).await.expect(200).json();
    assert_eq!(added["updated_users"][0]["user_id"], "bob");
    let body = json!({"organization_id": "o", "team_id": "red"});
    proxy.ask(&ann, "POST", "/team/new", body).await.expect(200);
    proxy.ask(&ann, "POST", "/team/new", json!({"team_id": "blue"})).await.expect(401);
    for (body, status) in [
        (json!({"team_id": "red", "max_budget": 1}), 200),
        (json!({"team_id": "red", "organization_id": null}), 401),
        (json!({"team_id": "red", "organization_id": "other"}), 401),
    ] {
        proxy.ask(&ann, "POST", "/team/update", body).await.expect(status);
    }
    let gone = json!({"organization_id": "o", "user_id": "bob"});
    proxy.ask(&ann, "DELETE", "/organization/member_delete", gone.clone()).await.expect(200);
    proxy.ask(&ann, "DELETE", "/organization/member_delete", gone).await.expect(404);
    for (method, path, body, status) in [
        ("POST", "/organization/member_add", json!({"organization_id": "no", "member": []}), 404),
        (
            "POST",
            "/organization/member_add",
            json!({"organization_id": "o", "member": {"user_id": "x", "role": "king"}}),
            422,
        ),
        ("PATCH", "/organization/member_update", json!({"organization_id": "o"}), 422),
        (
            "PATCH",
            "/organization/member_update",
            json!({"organization_id": "o", "user_id": "ann", "role": "king"}),
            422,
        ),
    ] {
        proxy.ask(KEY, method, path, body.clone()).await.expect(status);
    }
}
