//! Keys that are made and managed by others than admins.
use crate::client::{chat, get};
use crate::keys::{asked, done, info, made, seed, setup, told};
use crate::proxy::{KEY, Proxy, with};
use crate::tenancy::config;
use bartizan::store::Kind;
use serde_json::{Value, json};

/// Users of all roles; ann leads team red, where bob is a member; carl is another tenant, and leads
/// team blue.
async fn tenants() -> Proxy {
    let user = |role: &str, teams: &[&str]| json!({"user_role": role, "teams": teams});
    let member = |user: &str, role: &str| json!({"user_id": user, "role": role});
    let setup = setup("");
    let things = [
        (Kind::User, "ann", user("internal_user", &["red"])),
        (Kind::User, "bob", user("internal_user", &["red"])),
        (Kind::User, "carl", user("internal_user", &["blue"])),
        (Kind::User, "vera", user("internal_user_viewer", &[])),
        (Kind::User, "viewer-of-much", user("internal_user_viewer", &[])),
        (Kind::User, "eve", user("proxy_admin_viewer", &[])),
        (Kind::User, "root", user("proxy_admin", &[])),
        (Kind::User, "plain", json!({"max_budget": 5.0, "models": ["echo"]})),
        (
            Kind::Team,
            "red",
            json!({"members_with_roles": [member("ann", "admin"), member("bob", "user")],
                "max_budget": 10.0, "models": ["echo"]}),
        ),
        (Kind::Team, "blue", json!({"members_with_roles": [member("carl", "admin")]})),
    ];
    seed(&setup, &things).await;
    setup.start().await
}

async fn key_of(proxy: &Proxy, user: &str) -> String {
    made(proxy, json!({"user_id": user})).await
}

/// Another tenant's key, and its digest.
async fn carls(proxy: &Proxy) -> (String, String) {
    let fields =
        json!({"user_id": "carl", "team_id": "blue", "key_alias": "carls", "rpm_limit": 9});
    let target = made(proxy, fields).await;
    let hash = asked(proxy, &target, "/key/info").await.json()["key"].as_str().unwrap().to_owned();
    (target, hash)
}

/// Keys without a user, of a viewer, of a user who leads another team, and of one who sees
/// everything.
async fn callers(proxy: &Proxy) -> [String; 4] {
    [
        made(proxy, json!({})).await,
        key_of(proxy, "vera").await,
        key_of(proxy, "ann").await,
        key_of(proxy, "eve").await,
    ]
}

#[tokio::test]
async fn nobody_reaches_another_tenants_key_by_any_route() {
    let proxy = tenants().await;
    let (target, hash) = carls(&proxy).await;
    let callers = callers(&proxy).await;
    let before = info(&proxy, &target).await;
    let key = json!({"key": target});
    // Route, body, and what is answered to: a key without a user, a viewer, a user who leads
    // another team, and one who sees everything.
    let posts = [
        ("/key/generate".to_owned(), json!({"user_id": "carl"}), [401, 401, 403, 401]),
        ("/key/generate".to_owned(), json!({"team_id": "blue"}), [401, 401, 403, 401]),
        ("/key/generate".to_owned(), json!({"team_id": "not there"}), [401, 401, 403, 401]),
        (
            "/key/service-account/generate".to_owned(),
            json!({"team_id": "blue"}),
            [401, 401, 403, 401],
        ),
        ("/key/update".to_owned(), json!({"key": target, "rpm_limit": 1}), [401, 401, 403, 401]),
        ("/key/update".to_owned(), json!({"key": hash, "user_id": "ann"}), [401, 401, 403, 401]),
        ("/key/bulk_update".to_owned(), json!({"keys": [key]}), [401; 4]),
        ("/key/delete".to_owned(), json!({"keys": [target]}), [401, 401, 403, 401]),
        ("/key/delete".to_owned(), json!({"keys": [hash]}), [401, 401, 403, 401]),
        ("/key/delete".to_owned(), json!({"key_aliases": ["carls"]}), [401, 401, 403, 401]),
        ("/key/block".to_owned(), key.clone(), [401; 4]),
        ("/key/unblock".to_owned(), key.clone(), [401; 4]),
        ("/key/regenerate".to_owned(), key.clone(), [401, 401, 403, 401]),
        (format!("/key/{target}/regenerate"), json!({}), [401, 401, 403, 401]),
        (format!("/key/{hash}/reset_spend"), json!({"reset_to": 0}), [401; 4]),
    ];
    for (path, body, wanted) in posts {
        for (key, wanted) in callers.iter().zip(wanted) {
            let answer = told(&proxy, key, &path, &body).await;
            assert_eq!(answer.status, wanted, "{path} {body}: {}", answer.text());
            assert!(answer.json()["error"]["message"].is_string());
        }
    }
    assert_eq!(info(&proxy, &target).await, before, "nothing has changed");
}

#[tokio::test]
async fn nobody_sees_another_tenants_key_by_any_route() {
    let proxy = tenants().await;
    let (target, hash) = carls(&proxy).await;
    let callers = callers(&proxy).await;
    let pages = [
        (format!("/key/info?key={target}"), [403, 403, 403, 200]),
        (format!("/key/info?key={hash}"), [403, 403, 403, 200]),
        ("/key/list?user_id=carl".to_owned(), [403, 403, 403, 200]),
        ("/audit".to_owned(), [401, 401, 401, 200]),
        ("/audit/x".to_owned(), [401, 401, 401, 404]),
    ];
    for (path, wanted) in pages {
        for (key, wanted) in callers.iter().zip(wanted) {
            assert_eq!(asked(&proxy, key, &path).await.status, wanted, "{path}");
        }
    }
    // Lists have one's own.
    for path in [
        "/key/list?team_id=blue",
        &format!("/key/list?key_hash={hash}"),
        "/key/aliases?search=carl",
    ] {
        asked(&proxy, &callers[0], path).await.expect(403);
        for (key, seen) in callers.iter().zip([0, 0, 0, 1]).skip(1) {
            let answer = asked(&proxy, key, path).await.expect(200).json();
            assert_eq!(answer["total_count"], seen, "{path}");
        }
    }
    for (key, seen) in callers.iter().zip([0, 0, 0, 1]) {
        let answer = told(&proxy, key, "/v2/key/info", &json!({"keys": [target]})).await;
        assert_eq!(answer.expect(200).json()["info"].as_array().unwrap().len(), seen);
    }
}

#[tokio::test]
async fn a_key_without_a_user_is_told_who_it_is() {
    let proxy = tenants().await;
    let nobody = made(&proxy, json!({})).await;
    let answer = told(&proxy, &nobody, "/key/generate", &json!({})).await.expect(401);
    assert_eq!(answer.json()["error"]["type"], "auth_error");
    let message = answer.error_message();
    let wanted = "Authentication Error, Only proxy admin can be used to generate, delete, update \
                  info for new keys/users/teams. Route=/key/generate. Your role=unknown. Your \
                  user_id=unknown";
    assert_eq!(message, wanted);
    let vera = key_of(&proxy, "vera").await;
    let message = told(&proxy, &vera, "/key/update", &json!({})).await.expect(401).error_message();
    assert!(message.contains("Your role=internal_user_viewer. Your user_id=vera"), "{message}");
    let long = key_of(&proxy, "viewer-of-much").await;
    let message = told(&proxy, &long, "/key/update", &json!({})).await.expect(401).error_message();
    assert!(message.ends_with("Your user_id=view******much"), "{message}");
    // Of itself it knows everything.
    assert_eq!(asked(&proxy, &nobody, "/key/info").await.expect(200).json()["info"]["spend"], 0.0);
}

#[tokio::test]
async fn a_user_makes_and_manages_its_own_keys_and_no_others() {
    let proxy = tenants().await;
    let ann = key_of(&proxy, "ann").await;
    let own = told(&proxy, &ann, "/key/generate", &json!({"key_alias": "own"})).await.expect(200);
    let own = own.json();
    assert_eq!(own["user_id"], "ann");
    let key = own["key"].as_str().unwrap();
    assert_eq!(chat("echo").key(key).send(proxy.addr()).await.status, 200);
    let update = |fields: Value| {
        let mut body = json!({"key": key});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        body
    };
    for (fields, param) in [
        (json!({"user_id": "carl"}), "user_id"),
        (json!({"team_id": "blue"}), "team_id"),
        (json!({"spend": 0}), "spend"),
    ] {
        let answer = told(&proxy, &ann, "/key/update", &update(fields)).await.expect(403);
        assert_eq!(answer.json()["error"]["param"], param);
    }
    told(&proxy, &ann, "/key/update", &update(json!({"rpm_limit": 3}))).await.expect(200);
    done(&proxy, "/key/update", update(json!({"blocked": true}))).await;
    for blocked in [json!(false), Value::Null] {
        told(&proxy, &ann, "/key/update", &update(json!({"blocked": blocked}))).await.expect(403);
    }
    let list = asked(&proxy, &ann, "/key/list").await.expect(200).json();
    assert_eq!(list["total_count"], 2);
    let aliases = asked(&proxy, &ann, "/key/aliases").await.expect(200).json();
    assert_eq!(aliases["aliases"], json!(["own"]));
    let carl = key_of(&proxy, "carl").await;
    told(&proxy, &carl, "/key/delete", &json!({"keys": [key]})).await.expect(403);
    // All or none.
    let both = json!({"keys": [key, carl]});
    told(&proxy, &ann, "/key/delete", &both).await.expect(403);
    assert_eq!(info(&proxy, key).await["key_alias"], "own");
    told(&proxy, &ann, "/key/delete", &json!({"keys": [key]})).await.expect(200);
    let root = key_of(&proxy, "root").await;
    told(&proxy, &root, "/key/delete", &json!({"keys": [carl]})).await.expect(200);
}

#[tokio::test]
async fn a_key_never_gives_more_than_it_has() {
    let proxy = tenants().await;
    let fields = json!({
        "user_id": "ann", "models": ["echo"], "max_budget": 2, "budget_duration": "30d",
        "rpm_limit": 5, "duration": "1h", "tags": ["t"], "model_rpm_limit": {"echo": 2},
    });
    let weak = made(&proxy, fields).await;
    let issuer = info(&proxy, &weak).await;
    let child = told(&proxy, &weak, "/key/generate", &json!({})).await.expect(200).json();
    for name in ["models", "max_budget", "budget_duration", "rpm_limit", "expires", "metadata"] {
        assert_eq!(child[name], issuer[name], "{name}");
    }
    for (fields, param) in [
        (json!({"models": ["other"]}), "models"),
        (json!({"models": ["*"]}), "models"),
        (json!({"aliases": {"echo": "other"}}), "aliases"),
        (json!({"max_budget": 3}), "max_budget"),
        (json!({"max_budget": 2, "budget_duration": "1h"}), "max_budget"),
        (json!({"rpm_limit": 6}), "rpm_limit"),
        (json!({"duration": "2h"}), "duration"),
        (json!({"model_rpm_limit": {"echo": 3}}), "model_rpm_limit"),
    ] {
        let answer = told(&proxy, &weak, "/key/generate", &fields).await.expect(403);
        assert_eq!(answer.json()["error"]["param"], param, "{fields}");
    }
    // A stronger key of the same user is out of its reach, in whatever way.
    let strong = key_of(&proxy, "ann").await;
    told(&proxy, &weak, "/key/regenerate", &json!({"key": strong})).await.expect(403);
    told(&proxy, &weak, "/key/update", &json!({"key": strong, "rpm_limit": 1})).await.expect(403);
    let raised = json!({"key": weak, "max_budget": null});
    told(&proxy, &weak, "/key/update", &raised).await.expect(403);
    assert_eq!(chat("echo").key(&strong).send(proxy.addr()).await.status, 200);
    // One that is its equal it may make anew.
    let key = child["key"].as_str().unwrap();
    told(&proxy, &weak, "/key/regenerate", &json!({"key": key})).await.expect(200);
    // What its user has bounds it too.
    let plain = key_of(&proxy, "plain").await;
    for (fields, param) in
        [(json!({"max_budget": 6}), "max_budget"), (json!({"models": ["other"]}), "models")]
    {
        let answer = told(&proxy, &plain, "/key/generate", &fields).await.expect(403);
        assert_eq!(answer.json()["error"]["param"], param);
    }
    told(&proxy, &plain, "/key/generate", &json!({"max_budget": 5})).await.expect(200);
}

#[tokio::test]
async fn the_keys_of_a_team_are_managed_by_its_admins_and_as_it_permits() {
    let proxy = tenants().await;
    let (ann, bob) = (key_of(&proxy, "ann").await, key_of(&proxy, "bob").await);
    let team = json!({"team_id": "red"});
    let denied = told(&proxy, &bob, "/key/generate", &team).await.expect(401).json();
    assert_eq!(denied["error"]["type"], "team_member_permission_error");
    let key =
        told(&proxy, &ann, "/key/generate", &json!({"team_id": "red", "user_id": "bob"})).await;
    let key = key.expect(200).json();
    assert_eq!((&key["user_id"], &key["team_id"]), (&json!("bob"), &json!("red")));
    for (fields, param) in [
        (json!({"team_id": "red", "user_id": "carl"}), "user_id"),
        (json!({"team_id": "red", "max_budget": 11}), "max_budget"),
        (json!({"team_id": "red", "models": ["other"]}), "models"),
        (json!({"team_id": "blue"}), "team_id"),
    ] {
        let answer = told(&proxy, &ann, "/key/generate", &fields).await.expect(403);
        assert_eq!(answer.json()["error"]["param"], param);
    }
    let service =
        told(&proxy, &ann, "/key/service-account/generate", &team).await.expect(200).json();
    assert_eq!((&service["user_id"], &service["team_id"]), (&Value::Null, &json!("red")));
    told(&proxy, &ann, "/key/service-account/generate", &json!({})).await.expect(400);
    let service = service["key"].as_str().unwrap();
    // A member sees it, and no more.
    let path = format!("/key/info?key={service}");
    asked(&proxy, &bob, &path).await.expect(200);
    for path in ["/key/update", "/key/regenerate"] {
        let answer = told(&proxy, &bob, path, &json!({"key": service})).await.expect(401).json();
        assert_eq!(answer["error"]["type"], "team_member_permission_error", "{path}");
    }
    told(&proxy, &bob, "/key/delete", &json!({"keys": [service]})).await.expect(403);
    told(&proxy, &bob, "/key/block", &json!({"key": service})).await.expect(401);
    // Its admin does all of it.
    let list = asked(&proxy, &ann, "/key/list?include_team_keys=true").await.expect(200).json();
    assert_eq!(list["total_count"], 3);
    assert_eq!(asked(&proxy, &ann, "/key/list?team_id=red").await.json()["total_count"], 2);
    told(&proxy, &ann, "/key/block", &json!({"key": service})).await.expect(200);
    told(&proxy, &ann, "/key/unblock", &json!({"key": service})).await.expect(200);
    let moved = json!({"key": service, "team_id": "blue"});
    told(&proxy, &ann, "/key/update", &moved).await.expect(403);
    told(&proxy, &ann, "/key/update", &json!({"key": service, "rpm_limit": 1})).await.expect(200);
    // A key of a team makes keys of that team only.
    let of_team = json!({"user_id": "ann", "team_id": "red"});
    let of_team = made(&proxy, of_team).await;
    let child = told(&proxy, &of_team, "/key/generate", &json!({})).await.expect(200).json();
    assert_eq!(child["team_id"], "red");
    told(&proxy, &ann, "/key/delete", &json!({"keys": [service]})).await.expect(200);
    assert_eq!(get("/v1/models").key(service).send(proxy.addr()).await.status, 401);
}

#[tokio::test]
async fn a_key_that_is_bound_to_routes_calls_no_others() {
    let proxy = tenants().await;
    let key = async |kind: &str| made(&proxy, json!({"user_id": "root", "key_type": kind})).await;
    for (kind, generates, knows, calls) in [
        ("llm_api", 403, 403, 200),
        ("management", 200, 200, 403),
        ("read_only", 403, 200, 403),
        ("default", 200, 200, 200),
    ] {
        let key = key(kind).await;
        let answers = [
            told(&proxy, &key, "/key/generate", &json!({})).await.status,
            asked(&proxy, &key, "/key/info").await.status,
            chat("echo").key(&key).send(proxy.addr()).await.status,
        ];
        assert_eq!(answers, [generates, knows, calls], "{kind}");
    }
    let answer = told(&proxy, &key("llm_api").await, "/key/generate", &json!({})).await;
    assert!(answer.error_message().contains("not allowed to call this route"));
    asked(&proxy, KEY, "/key/info").await.expect(404);
}

#[tokio::test]
async fn the_config_says_who_may_make_keys_and_what_they_must_say() {
    let rules = "  key_generation_settings:
    team_key_generation: {allowed_team_member_roles: [admin], required_params: [tags]}
    personal_key_generation: {allowed_user_roles: [proxy_admin], required_params: [key_alias]}
  default_team_settings: [{team_id: x, max_budget: 7}]
";
    let proxy = with(&config(rules)).start().await;
    let team = json!({
        "team_id": "t", "team_member_permissions": ["/key/generate"],
        "members_with_roles": [{"role": "admin", "user_id": "boss"}, {"role": "user", "user_id": "ann"}]
    });
    assert_eq!(proxy.done("/team/new", team).await["max_budget"], 7.0);
    let mut texts = Vec::new();
    for user in ["boss", "ann"] {
        let doc = json!({"user_id": user, "key_alias": user});
        texts.push(proxy.key(doc).await);
    }
    let (boss, ann) = (&texts[0], &texts[1]);
    for (key, doc, wanted) in [
        (KEY, json!({}), Some("Required param key_alias not in data")),
        (KEY, json!({"key_alias": "a"}), None),
        (KEY, json!({"team_id": "t"}), None),
        (ann, json!({"key_alias": "b"}), Some("Personal key creation has been restricted")),
        (ann, json!({"team_id": "t", "tags": ["x"]}), Some("Team member role user not in")),
        (boss, json!({"team_id": "t"}), Some("Required param tags not in data")),
        (boss, json!({"team_id": "t", "tags": ["x"]}), None),
    ] {
        let answer = proxy.ask(key, "POST", "/key/generate", doc.clone()).await;
        match wanted {
            None => drop(answer.expect(200)),
            Some(words) => {
                let message = answer.expect(400).error_message();
                assert!(message.contains(words), "{doc}: {message}");
            }
        }
    }
}
