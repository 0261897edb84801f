//! Several nodes on one PostgreSQL.
use crate::client::{Answer, chat, get};
use crate::postgres::{Postgres, at};
use crate::proxy::{KEY, Proxy, Setup, in_front_of, ticks, with};
use crate::redis::Redis;
use crate::shared::connected;
use crate::upstream::{COMPLETION, Upstream, json as playing};
use crate::wire::PATIENCE;
use bartizan::store::Store;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// A node that keeps everything there.
fn node(postgres: &Postgres, upstream: &Upstream) -> Setup {
    in_front_of(&upstream.base()).env("DATABASE_URL", &postgres.url())
}

/// The same, with that Redis.
fn node_of(postgres: &Postgres, redis: &Redis, upstream: &Upstream) -> Setup {
    let shared =
        format!("router_settings: {{redis_host: 127.0.0.1, redis_port: {}}}", redis.port());
    let config = crate::proxy::config(&upstream.base());
    with(&format!("{config}{shared}\n")).env("DATABASE_URL", &postgres.url())
}

/// Waits until a call with this key is answered with that status; how long that took.
async fn turns(proxy: &Proxy, key: &str, wanted: u16) -> Duration {
    let (began, mut ticks) = (Instant::now(), ticks());
    while status(proxy, key).await != wanted {
        if began.elapsed() > PATIENCE {
            let answer = chat("gpt").key(key).send(proxy.addr()).await;
            panic!("it is not {wanted}: {}", answer.text());
        }
        ticks.tick().await;
    }
    began.elapsed()
}

const SECOND: Duration = Duration::from_secs(1);

fn is_pending(answer: &Answer) -> bool {
    answer.header("x-bartizan-pending") == Some("store")
}

/// Waits until the store has heard that a thing is blocked, or gone; how often the audit log has it.
async fn heard(proxy: &Proxy, id: &str, action: &str) -> usize {
    let (began, mut ticks) = (Instant::now(), ticks());
    loop {
        let path = format!("/audit?object_id={id}&action={action}");
        let answer = get(path).key(KEY).send(proxy.addr()).await;
        if answer.status == 200 {
            let found = answer.json()["total"].as_u64().unwrap_or(0);
            if found > 0 {
                return found as usize;
            }
        }
        assert!(began.elapsed() < PATIENCE, "the store has not heard of it: {}", answer.text());
        ticks.tick().await;
    }
}

fn token(key: &str) -> String {
    let digest = bartizan_layers::auth::digest(key.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn status(proxy: &Proxy, key: &str) -> u16 {
    chat("gpt").key(key).send(proxy.addr()).await.status
}

#[tokio::test]
async fn what_bounds_a_new_key_bounds_it_on_every_node_at_once() {
    let Some(postgres) = Postgres::start().await else { return };
    let upstream = Upstream::playing(playing(200, COMPLETION)).await;
    let one = node(&postgres, &upstream).start().await;
    let two = node(&postgres, &upstream).start().await;
    for at in 0..3 {
        one.done("/budget/new", json!({"budget_id": format!("b{at}"), "max_budget": 0})).await;
        let body = json!({
            "organization_id": format!("o{at}"), "organization_alias": "O",
            "budget_id": format!("b{at}"),
        });
        one.done("/organization/new", body).await;
        let body = json!({"team_id": format!("within{at}"), "organization_id": format!("o{at}")});
        one.done("/team/new", body).await;
        one.done("/team/new", json!({"team_id": format!("poor{at}"), "max_budget": 0})).await;
        one.done("/user/new", json!({"user_id": format!("poor{at}"), "max_budget": 0})).await;
        for above in [
            json!({"team_id": format!("within{at}")}),
            json!({"team_id": format!("poor{at}")}),
            json!({"user_id": format!("poor{at}")}),
        ] {
            // The other node has heard of nothing yet.
            let key = one.key(above.clone()).await;
            assert_eq!(status(&two, &key).await, 422, "{above}");
        }
        one.done("/team/new", json!({"team_id": format!("red{at}")})).await;
        one.done("/team/block", json!({"team_id": format!("red{at}")})).await;
        let key = one.key(json!({"team_id": format!("red{at}")})).await;
        assert_eq!(status(&two, &key).await, 401);
    }
    assert_eq!(upstream.seen().begun, 0);
}

#[tokio::test]
async fn a_revoked_key_is_refused_on_every_node_within_a_second() {
    let Some(postgres) = Postgres::start().await else { return };
    let upstream = Upstream::playing(playing(200, COMPLETION)).await;
    let one = node(&postgres, &upstream).start().await;
    let two = node(&postgres, &upstream).start().await;
    one.done("/team/new", json!({"team_id": "red"})).await;
    for (path, body) in [
        ("/key/block", json!({"key": "sk-a"})),
        ("/key/delete", json!({"keys": ["sk-a"]})),
        ("/key/update", json!({"key": "sk-a", "blocked": true})),
        ("/key/sk-a/regenerate", json!({})),
        ("/team/block", json!({"team_id": "red"})),
    ] {
        let mut tries = 0;
        loop {
            one.done("/team/unblock", json!({"team_id": "red"})).await;
            one.done("/key/generate", json!({"key": "sk-a", "team_id": "red"})).await;
            turns(&two, "sk-a", 200).await;
            let answer = one.ask(KEY, "POST", path, body.clone()).await.expect(200);
            assert_eq!(status(&one, "sk-a").await, 401, "{path}");
            let took = turns(&two, "sk-a", 401).await;
            one.ask(KEY, "POST", "/key/delete", json!({"keys": ["sk-a"]})).await;
            turns(&two, "sk-a", 401).await;
            tries += 1;
            // A machine with much else to do may be late once.
            if took < SECOND && !is_pending(&answer) {
                break;
            }
            assert!(tries < 3, "{path}: {took:?}");
        }
    }
}

#[tokio::test]
async fn without_a_database_what_is_revoked_is_so_on_every_node_and_after_a_restart() {
    let Some(mut postgres) = Postgres::start().await else { return };
    let Some(redis) = Redis::start().await else { return };
    let upstream = Upstream::playing(playing(200, COMPLETION)).await;
    let state = tempfile::tempdir().unwrap();
    let first = || {
        let node = node_of(&postgres, &redis, &upstream);
        node.arg("--state-dir").arg(state.path().to_str().unwrap())
    };
    let (mut one, again) = (first().start().await, first());
    let two = node_of(&postgres, &redis, &upstream).start().await;
    let third = node_of(&postgres, &redis, &upstream);
    one.done("/team/new", json!({"team_id": "red"})).await;
    let keys = known(&one, &two).await;
    connected(&one).await;
    connected(&two).await;
    let [blocked, deleted, updated, member, free] = &keys[..] else { unreachable!() };
    let ids = [blocked, deleted, updated].map(|key: &String| token(key));
    revoke_without(&mut postgres, (&one, &two), &keys).await;

    one.kill();
    let text = std::fs::read_to_string(state.path().join("revoked.json")).unwrap();
    assert!(!keys.iter().any(|key| text.contains(key)), "{text}");
    // A node that knows no key yet is told by none but the file.
    let one = again.start().await;
    for key in [blocked, updated] {
        assert_eq!(status(&one, key).await, 401);
    }
    postgres.restart().await;
    for (id, action) in ids.iter().zip(["updated", "deleted", "updated"]) {
        assert_eq!(heard(&two, id, action).await, 1, "{action}");
    }
    assert_eq!(heard(&two, "red", "updated").await, 1);
    assert_eq!(kept(&postgres).await, (4, 2));
    let third = third.start().await;
    for proxy in [&one, &two, &third] {
        for key in [blocked, deleted, updated, member] {
            assert_eq!(status(proxy, key).await, 401);
        }
        turns(proxy, free, 200).await;
    }
    // From here on it is a change like any other.
    until("it is still told of", || redis.tell(&["keys", "*board*"]).trim().is_empty()).await;
    one.done("/key/unblock", json!({"key": blocked})).await;
    turns(&two, blocked, 200).await;
    until("the file is still there", || !state.path().join("revoked.json").exists()).await;
}

/// Keys that both nodes have let pass.
async fn known(one: &Proxy, two: &Proxy) -> Vec<String> {
    let mut keys = Vec::new();
    for fields in
        [json!({}), json!({"key_alias": "b"}), json!({}), json!({"team_id": "red"}), json!({})]
    {
        let key = one.key(fields).await;
        turns(one, &key, 200).await;
        turns(two, &key, 200).await;
        keys.push(key);
    }
    keys
}

/// Revokes what can be, while the database is away in two ways.
async fn revoke_without(postgres: &mut Postgres, (one, two): (&Proxy, &Proxy), keys: &[String]) {
    let [blocked, deleted, updated, member, free] = keys else { unreachable!() };
    let deeds = [
        ("/key/block", json!({"key": blocked}), blocked),
        ("/key/delete", json!({"key_aliases": ["b"]}), deleted),
        ("/key/update", json!({"key": updated, "blocked": true}), updated),
        ("/team/block", json!({"team_id": "red"}), member),
    ];
    for (at, (path, body, key)) in deeds.into_iter().enumerate() {
        match at {
            // In this order it is never back between the two: it would hear of the first ones.
            0 => postgres.freeze(),
            2 => postgres.kill_frozen().await,
            _ => {}
        }
        let began = Instant::now();
        let answer = one.ask(KEY, "POST", path, body).await.expect(200);
        assert!(is_pending(&answer), "{path}: {}", answer.text());
        assert_eq!(status(one, key).await, 401, "{path}");
        turns(two, key, 401).await;
        // The answer waits for the store longer than the key does.
        assert!(began.elapsed() < 5 * SECOND, "{path}: {:?}", began.elapsed());
        assert_eq!(status(two, free).await, 200);
    }
    // Nobody has heard of such a key, and what else is asked for cannot wait.
    let refused = one.ask(KEY, "POST", "/key/unblock", json!({"key": blocked})).await;
    assert_eq!(refused.expect(503).json()["error"]["type"], "no_db_connection");
}

/// How many keys the store has, and how many of them are blocked.
async fn kept(postgres: &Postgres) -> (usize, usize) {
    let store = Store::open(at(&postgres.url())).await.unwrap();
    let rows = store.fetch("SELECT doc FROM things WHERE kind = 'key'", &[]).await.unwrap();
    let docs = rows.iter().map(|row| serde_json::from_str::<Value>(row.text(0)).unwrap());
    let blocked = docs.filter(|doc| doc["blocked"] == true).count();
    (rows.len(), blocked)
}

async fn until(not_yet: &str, met: impl Fn() -> bool) {
    let (began, mut ticks) = (Instant::now(), crate::proxy::ticks());
    while !met() {
        assert!(began.elapsed() < PATIENCE, "{not_yet}");
        ticks.tick().await;
    }
}

/// What a key has spent, as that node tells it.
async fn spent(proxy: &Proxy, path: &str) -> f64 {
    proxy.got(path).await["info"]["spend"].as_f64().expect("an amount")
}

/// A node whose calls cost two dollars each.
fn paid(postgres: &Postgres, upstream: &Upstream, redis: Option<&Redis>) -> Setup {
    let shared = redis.map_or_else(String::new, |redis| {
        format!("router_settings: {{redis_host: 127.0.0.1, redis_port: {}}}\n", redis.port())
    });
    let config = format!(
        "model_list:
  - model_name: gpt
    litellm_params: {{model: openai/gpt-4o-mini, api_base: {}, api_key: k, num_retries: 0,
      input_cost_per_token: 1, output_cost_per_token: 1}}
general_settings: {{master_key: {KEY}}}
{shared}",
        upstream.base()
    );
    with(&config).env("DATABASE_URL", &postgres.url())
}

/// What somebody sets at one node counts at the other one, for keys, for single models of keys and
/// for users.
async fn is_set_everywhere(one: &Proxy, two: &Proxy) {
    one.done("/user/new", json!({"user_id": "ann", "max_budget": 2})).await;
    let models = json!({"gpt": {"budget_limit": 2, "time_period": "30d"}});
    for (at, (fields, path, body, wanted)) in [
        (json!({"max_budget": 2}), "/key/sk-0/reset_spend", json!({"reset_to": 0}), 200),
        (json!({"max_budget": 9}), "/key/update", json!({"key": "sk-1", "spend": 9}), 422),
        (json!({"max_budget": 2}), "/key/update", json!({"key": "sk-2", "spend": 0}), 200),
        (json!({"max_budget": 2}), "/global/spend/reset", json!({}), 200),
        (json!({"model_max_budget": models}), "/key/sk-4/reset_spend", json!({"reset_to": 0}), 200),
        (json!({"user_id": "ann"}), "/user/update", json!({"user_id": "ann", "spend": 0}), 200),
    ]
    .into_iter()
    .enumerate()
    {
        let (key, mut doc) = (format!("sk-{at}"), fields.clone());
        doc["key"] = json!(key);
        one.done("/key/generate", doc).await;
        // Both nodes know what it has spent.
        turns(two, &key, 200).await;
        if wanted == 200 {
            turns(two, &key, 422).await;
        }
        two.got("/spend/logs").await;
        assert_eq!(spent(one, &format!("/key/info?key={key}")).await, 2.0, "{path}");
        one.done(path, body).await;
        turns(two, &key, wanted).await;
    }
}

#[tokio::test]
async fn what_somebody_sets_as_spent_counts_on_every_node() {
    let Some(postgres) = Postgres::start().await else { return };
    let upstream = Upstream::playing(playing(200, COMPLETION)).await;
    let one = paid(&postgres, &upstream, None).start().await;
    let two = paid(&postgres, &upstream, None).start().await;
    is_set_everywhere(&one, &two).await;
    // Nobody who gets that text later begins with a debt, once all is booked.
    for _ in 0..2 {
        one.done("/key/generate", json!({"key": "sk-z", "max_budget": 2})).await;
        turns(&two, "sk-z", 200).await;
        turns(&two, "sk-z", 422).await;
        two.got("/spend/logs").await;
        one.done("/key/delete", json!({"keys": ["sk-z"]})).await;
        turns(&two, "sk-z", 401).await;
    }
}

#[tokio::test]
async fn what_somebody_sets_as_spent_counts_in_redis() {
    let Some(postgres) = Postgres::start().await else { return };
    let Some(redis) = Redis::start().await else { return };
    let upstream = Upstream::playing(playing(200, COMPLETION)).await;
    let one = paid(&postgres, &upstream, Some(&redis)).start().await;
    let two = paid(&postgres, &upstream, Some(&redis)).start().await;
    connected(&one).await;
    connected(&two).await;
    is_set_everywhere(&one, &two).await;
}

#[tokio::test]
async fn what_a_key_has_spent_on_a_model_is_known_after_a_restart() {
    let upstream = Upstream::playing(playing(200, COMPLETION)).await;
    let Some(postgres) = Postgres::start().await else { return };
    let state = tempfile::tempdir().unwrap();
    for on_postgres in [true, false] {
        let setup = || {
            let config = paid(&postgres, &upstream, None);
            let config = if on_postgres { config } else { config.env("DATABASE_URL", "") };
            config.arg("--state-dir").arg(state.path().to_str().unwrap())
        };
        let mut proxy = setup().start().await;
        let models = json!({"gpt": {"budget_limit": 2, "time_period": "30d"}});
        let key = proxy.key(json!({"model_max_budget": models})).await;
        assert_eq!([status(&proxy, &key).await, status(&proxy, &key).await], [200, 422]);
        proxy.terminate();
        assert!(proxy.exited().await.success());
        let proxy = setup().start().await;
        assert_eq!(status(&proxy, &key).await, 422);
    }
}
