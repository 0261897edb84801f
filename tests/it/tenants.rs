//! Who reaches what: every route, as everyone, on the things of somebody else.
use crate::proxy::{KEY, Proxy};
use crate::tenancy::house;
use serde_json::{Value, json};

/// Those who ask, in the order of [`ROUTES`]. All but the first three are strangers to the team
/// `blue` and its user `bea`; the team's own come last.
const CALLERS: [&str; 8] =
    ["master", "viewer", "blue-admin", "user", "user-viewer", "keyless", "red-admin", "red-key"];

/// What is asked for, with the status for each of [`CALLERS`].
type Case = (&'static str, &'static str, &'static str, [u16; 8]);

/// A route that is for the proxy's admins.
const fn admins(method: &'static str, path: &'static str, body: &'static str) -> Case {
    (method, path, body, [200, 401, 401, 401, 401, 401, 401, 401])
}

/// A route for those who see everything.
const fn seers(method: &'static str, path: &'static str, body: &'static str) -> Case {
    (method, path, body, [200, 200, 401, 401, 401, 401, 401, 401])
}

/// A route for those who manage the team.
const fn managers(method: &'static str, path: &'static str, body: &'static str) -> Case {
    (method, path, body, [200, 403, 200, 403, 403, 403, 403, 403])
}

const ROUTES: &[Case] = &[
    admins("POST", "/user/new", "{}"),
    admins("POST", "/user/update", r#"{"user_id":"bea","max_budget":1}"#),
    admins("POST", "/user/bulk_update", r#"{"users":[{"user_id":"bea","max_budget":1}]}"#),
    admins("POST", "/user/delete", r#"{"user_ids":[]}"#),
    seers("GET", "/user/list", ""),
    seers("GET", "/user/available_roles", ""),
    ("GET", "/user/info?user_id=bea", "", [200, 200, 403, 403, 403, 403, 403, 403]),
    ("GET", "/v2/user/info?user_id=bea", "", [200, 200, 403, 403, 403, 403, 403, 403]),
    ("GET", "/user/info", "", [200, 200, 200, 200, 200, 404, 200, 404]),
    admins("POST", "/team/new", "{}"),
    admins("POST", "/team/update", r#"{"team_id":"blue","max_budget":1}"#),
    admins("POST", "/team/delete", r#"{"team_ids":[]}"#),
    admins("POST", "/team/block", r#"{"team_id":"blue"}"#),
    admins("POST", "/team/unblock", r#"{"team_id":"blue"}"#),
    admins("POST", "/team/model/add", r#"{"team_id":"blue","models":["gpt"]}"#),
    admins("POST", "/team/model/delete", r#"{"team_id":"blue","models":["x"]}"#),
    ("GET", "/team/info?team_id=blue", "", [200, 200, 200, 403, 403, 403, 403, 403]),
    ("GET", "/team/list", "", [200, 200, 401, 401, 401, 401, 401, 401]),
    ("GET", "/team/list?user_id=bea", "", [200, 200, 401, 401, 401, 401, 401, 401]),
    ("GET", "/v2/team/list?user_id=bea", "", [200, 200, 401, 401, 401, 401, 401, 401]),
    managers("GET", "/team/permissions_list?team_id=blue", ""),
    managers(
        "POST",
        "/team/permissions_update",
        r#"{"team_id":"blue","team_member_permissions":["/key/info"]}"#,
    ),
    managers(
        "POST",
        "/team/member_update",
        r#"{"team_id":"blue","user_id":"bea","max_budget_in_team":1}"#,
    ),
    (
        "POST",
        "/team/member_delete",
        r#"{"team_id":"blue","user_id":"nobody"}"#,
        [400, 403, 400, 403, 403, 403, 403, 403],
    ),
    (
        "POST",
        "/team/member_add",
        r#"{"team_id":"blue","member":{"role":"user","user_id":"bea"}}"#,
        [400, 403, 400, 403, 403, 403, 403, 403],
    ),
    managers(
        "POST",
        "/team/bulk_member_add",
        r#"{"team_id":"blue","members":[{"role":"user","user_id":"bea"}]}"#,
    ),
    // Whether a team of others is there, nobody learns.
    (
        "POST",
        "/team/member_add",
        r#"{"team_id":"none","member":{"role":"user","user_id":"bea"}}"#,
        [404, 404, 403, 403, 403, 403, 403, 403],
    ),
    admins("POST", "/organization/new", r#"{"organization_alias":"x"}"#),
    admins("PATCH", "/organization/update", r#"{"organization_id":"o","max_budget":1}"#),
    admins("DELETE", "/organization/delete", r#"{"organization_ids":[]}"#),
    ("GET", "/organization/list", "", [200; 8]),
    seers("GET", "/organization/info?organization_id=o", ""),
    seers("POST", "/organization/info", r#"{"organizations":["o"]}"#),
    (
        "POST",
        "/organization/member_add",
        r#"{"organization_id":"o","member":{"user_id":"bea","role":"king"}}"#,
        [422, 401, 401, 401, 401, 401, 401, 401],
    ),
    (
        "PATCH",
        "/organization/member_update",
        r#"{"organization_id":"o","user_id":"bea"}"#,
        [404, 401, 401, 401, 401, 401, 401, 401],
    ),
    (
        "DELETE",
        "/organization/member_delete",
        r#"{"organization_id":"o","user_id":"bea"}"#,
        [404, 401, 401, 401, 401, 401, 401, 401],
    ),
    admins("POST", "/customer/update", r#"{"user_id":"c","alias":"x"}"#),
    admins("POST", "/customer/delete", r#"{"user_ids":[]}"#),
    admins("POST", "/customer/block", r#"{"user_ids":[]}"#),
    admins("POST", "/customer/unblock", r#"{"user_ids":[]}"#),
    ("POST", "/customer/new", r#"{"user_id":"c"}"#, [400, 401, 401, 401, 401, 401, 401, 401]),
    seers("GET", "/customer/info?end_user_id=c", ""),
    seers("GET", "/customer/list", ""),
    seers("GET", "/end_user/list", ""),
    admins("POST", "/end_user/update", r#"{"user_id":"c","alias":"x"}"#),
    admins("POST", "/budget/new", "{}"),
    admins("POST", "/budget/update", r#"{"budget_id":"b","max_budget":1}"#),
    seers("POST", "/budget/info", r#"{"budgets":["b"]}"#),
    seers("GET", "/budget/list", ""),
    seers("GET", "/budget/settings?budget_id=b", ""),
    ("POST", "/budget/delete", r#"{"id":"x"}"#, [404, 401, 401, 401, 401, 401, 401, 401]),
    ("POST", "/tag/new", r#"{"name":"t"}"#, [400, 401, 401, 401, 401, 401, 401, 401]),
    admins("POST", "/tag/update", r#"{"name":"t","description":"x"}"#),
    seers("POST", "/tag/info", r#"{"names":["t"]}"#),
    seers("GET", "/tag/list", ""),
    ("POST", "/tag/delete", r#"{"name":"x"}"#, [404, 401, 401, 401, 401, 401, 401, 401]),
    (
        "POST",
        "/access_group/new",
        r#"{"access_group":"g","model_names":["gpt"]}"#,
        [409, 401, 401, 401, 401, 401, 401, 401],
    ),
    seers("GET", "/access_group/list", ""),
    seers("GET", "/access_group/g/info", ""),
    admins("PUT", "/access_group/g/update", r#"{"model_names":["gpt"]}"#),
    admins("POST", "/access_group/update", r#"{"access_group":"g","model_names":["gpt"]}"#),
    ("DELETE", "/access_group/x/delete", "", [404, 401, 401, 401, 401, 401, 401, 401]),
];

/// Two teams and everyone around them; the keys of [`CALLERS`].
async fn inhabited(proxy: &Proxy) -> Vec<String> {
    let mut keys = vec![KEY.to_owned()];
    for (id, role) in [
        ("viewer", "proxy_admin_viewer"),
        ("ben", "internal_user"),
        ("uma", "internal_user"),
        ("vic", "internal_user_viewer"),
    ] {
        keys.push(proxy.user(id, role).await);
    }
    proxy.user("bea", "internal_user").await;
    keys.push(proxy.key(json!({})).await);
    keys.push(proxy.user("ron", "internal_user").await);
    for (team, admin, member) in [("blue", "ben", "bea"), ("red", "ron", "uma")] {
        let members =
            json!([{"role": "admin", "user_id": admin}, {"role": "user", "user_id": member}]);
        let body = json!({"team_id": team, "members_with_roles": members});
        proxy.done("/team/new", body).await;
    }
    keys.push(proxy.key(json!({"team_id": "red"})).await);
    proxy
        .done("/organization/new", json!({"organization_id": "o", "organization_alias": "O"}))
        .await;
    proxy.done("/customer/new", json!({"user_id": "c"})).await;
    proxy.done("/budget/new", json!({"budget_id": "b"})).await;
    proxy.done("/tag/new", json!({"name": "t"})).await;
    proxy.done("/access_group/new", json!({"access_group": "g", "model_names": ["gpt"]})).await;
    keys
}

#[tokio::test]
async fn nobody_reaches_what_belongs_to_others() {
    let proxy = house().start().await;
    let keys = inhabited(&proxy).await;
    let mut wrong = Vec::new();
    for (method, path, body, expected) in ROUTES {
        for ((caller, key), expected) in CALLERS.iter().zip(&keys).zip(expected) {
            let body: Value = serde_json::from_str(body).unwrap_or_default();
            let answer = proxy.ask(key, method, path, body).await;
            if answer.status != *expected {
                let told = answer.text();
                wrong.push(format!("{caller}: {method} {path}: {} {told}", answer.status));
            }
        }
        // Without a key, and with one that nobody issued, nothing is there for anyone.
        for key in ["sk-nobody-issued-this", ""] {
            let answer = proxy.ask(key, method, path, json!({})).await;
            if answer.status != 401 {
                wrong.push(format!("{key:?}: {method} {path}: {}", answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn lists_show_what_is_the_callers_own() {
    let proxy = house().start().await;
    let keys = inhabited(&proxy).await;
    let key = |name: &str| keys[CALLERS.iter().position(|it| *it == name).unwrap()].as_str();
    let list = |key: String, path: &'static str| {
        let proxy = &proxy;
        async move { proxy.ask(&key, "GET", path, Value::Null).await.expect(200).json() }
    };
    let own = list(key("user").to_owned(), "/user/info").await;
    assert_eq!(own["teams"].as_array().unwrap().len(), 1);
    assert_eq!(own["teams"][0]["team_id"], "red");
    assert_eq!(own["teams"][0]["team_memberships"].as_array().unwrap().len(), 1);
    for caller in ["user", "keyless", "red-admin", "red-key", "blue-admin"] {
        assert_eq!(list(key(caller).to_owned(), "/organization/list").await, json!([]));
    }
}

#[tokio::test]
async fn an_admin_of_a_team_learns_nothing_of_whom_it_lets_in() {
    let proxy = house().start().await;
    let keys = inhabited(&proxy).await;
    let body = json!({"user_id": "bea", "user_email": "bea@example.com", "max_budget": 7654.321});
    proxy.done("/user/update", body).await;
    let ron = &keys[CALLERS.iter().position(|it| *it == "red-admin").unwrap()];
    let body = json!({"team_id": "red", "member": {"role": "user", "user_id": "bea"}});
    let added = proxy.ask(ron, "POST", "/team/member_add", body).await.expect(200);
    for secret in ["bea@example.com", "7654.321", "blue"] {
        assert!(!added.text().contains(secret), "{secret}: {}", added.text());
    }
    let seen = proxy.ask(ron, "GET", "/team/info?team_id=red", Value::Null).await.expect(200);
    assert!(!seen.text().contains("bea@example.com"), "{}", seen.text());
}

#[tokio::test]
async fn a_member_who_is_no_admin_changes_nothing_in_its_team() {
    let proxy = house().start().await;
    let keys = inhabited(&proxy).await;
    let uma = &keys[CALLERS.iter().position(|it| *it == "user").unwrap()];
    proxy.ask(uma, "GET", "/team/info?team_id=red", Value::Null).await.expect(200);
    for (path, body) in [
        ("/team/member_update", json!({"team_id": "red", "user_id": "uma", "role": "admin"})),
        ("/team/member_delete", json!({"team_id": "red", "user_id": "ron"})),
        (
            "/team/member_add",
            json!({"team_id": "red", "member": {"role": "user", "user_id": "bea"}}),
        ),
    ] {
        let refused = proxy.ask(uma, "POST", path, body).await.expect(403);
        let told = "Call not allowed. User not proxy admin OR team admin.";
        let error = refused.json()["detail"]["error"].as_str().unwrap().to_owned();
        assert!(error.starts_with(told), "{error}");
    }
}
