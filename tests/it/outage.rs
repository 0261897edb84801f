//! A database that is away while calls are made: none fails, and each is booked once.
use crate::client::{chat, chat_stream, get, post};
use crate::ledger::{call_id, config, cost, upstream};
use crate::postgres::{Postgres, at};
use crate::proxy::{KEY, Proxy, ticks, with};
use crate::upstream::Upstream;
use crate::wire::PATIENCE;
use bartizan::store::Store;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// Clients that call at once.
const CLIENTS: usize = 6;

/// How long the database is away, in seconds; `.ci/deep` says more.
fn outage() -> Duration {
    let told = std::env::var_os("BARTIZAN_OUTAGE");
    let told = told.and_then(|it| it.to_str()?.parse().ok());
    Duration::from_secs(told.unwrap_or(3))
}

fn proxy(postgres: &Postgres, upstream: &Upstream) -> crate::proxy::Setup {
    with(&config(&upstream.base(), "")).env("DATABASE_URL", &postgres.url())
}

/// What finished calls were called, and what they cost where their heads say so.
type Finished = Vec<(String, Option<i64>)>;

/// Makes calls one after another until it is told to stop. None of them fails.
async fn load(client: usize, addr: SocketAddr, key: String, stop: Arc<AtomicBool>) -> Finished {
    let mut finished = Vec::new();
    while !stop.load(Relaxed) {
        let streams = client.is_multiple_of(3);
        let call = if streams { chat_stream("gpt") } else { chat("gpt") };
        let answer = call.key(&key).send(addr).await.expect(200);
        assert!(answer.is_whole());
        // The head of a stream goes out before its cost is known.
        finished.push((call_id(&answer), (!streams).then(|| cost(&answer))));
        sleep(Duration::from_millis(5)).await;
    }
    finished
}

/// Calls before, during and after what `away` does.
async fn called_through(
    proxy: &Proxy,
    postgres: &mut Postgres,
    away: impl AsyncFnOnce(&mut Postgres, Duration),
) -> Finished {
    proxy.done("/team/new", json!({"team_id": "red"})).await;
    let mut keys = Vec::new();
    for user in ["ann", "bob"] {
        keys.push(proxy.key(json!({"user_id": user, "team_id": "red"})).await);
    }
    let (stop, mut clients) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
    for client in 0..CLIENTS {
        let key = keys[client % keys.len()].clone();
        clients.spawn(load(client, proxy.addr(), key, stop.clone()));
    }
    sleep(Duration::from_millis(500)).await;
    away(postgres, outage()).await;
    sleep(Duration::from_millis(500)).await;
    stop.store(true, Relaxed);
    clients.join_all().await.concat()
}

/// Whether each of them is in the ledger once, and all sums are theirs.
async fn are_booked(proxy: &Proxy, postgres: &Postgres, finished: &Finished) {
    let store = Store::open(at(&postgres.url())).await.unwrap();
    let (began, mut ticks) = (Instant::now(), ticks());
    let rows = loop {
        // It waits until all is taken over, where the proxy has found its database again.
        get("/spend/logs/v2").key(KEY).send(proxy.addr()).await;
        let sql = "SELECT call_id, spend, team_id FROM calls";
        let rows = store.fetch(sql, &[]).await.unwrap();
        if rows.len() >= finished.len() || began.elapsed() > 2 * PATIENCE {
            break rows;
        }
        ticks.tick().await;
    };
    let booked: BTreeMap<_, _> = rows.iter().map(|row| (row.text(0), row.int(1))).collect();
    assert_eq!((rows.len(), booked.len()), (finished.len(), finished.len()));
    for (id, cost) in finished {
        let spend = booked.get(&**id).copied();
        assert!(spend.is_some() && cost.is_none_or(|cost| Some(cost) == spend), "{id}: {spend:?}");
    }
    let total: i64 = booked.values().sum();
    let team = rows.iter().filter(|row| row.text(2) == "red").map(|row| row.int(1)).sum();
    for (scope, expected) in [("global", total), ("api_key", total), ("team", team)] {
        let accounts = store.accounts().await.unwrap();
        let accounts = accounts.iter().filter(|account| account.scope == scope);
        let sum: i64 = accounts.map(|account| account.spend).sum();
        assert_eq!(sum, expected, "{scope}");
    }
    let days = "SELECT CAST(SUM(spend) AS BIGINT) FROM daily WHERE kind = 'user'";
    assert_eq!(store.fetch(days, &[]).await.unwrap()[0].int(0), total);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_down_stops_no_call_and_loses_none() {
    let Some(mut postgres) = Postgres::start().await else { return };
    let upstream = upstream().await;
    let proxy = proxy(&postgres, &upstream).start().await;
    let finished = called_through(&proxy, &mut postgres, async |postgres, time| {
        postgres.stop();
        sleep(time).await;
        postgres.restart().await;
    })
    .await;
    assert!(finished.len() > 100, "{} calls", finished.len());
    are_booked(&proxy, &postgres, &finished).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_stands_still_stops_no_call_and_loses_none() {
    let Some(mut postgres) = Postgres::start().await else { return };
    let upstream = upstream().await;
    let proxy = proxy(&postgres, &upstream).start().await;
    let finished = called_through(&proxy, &mut postgres, async |postgres, time| {
        postgres.freeze();
        sleep(time).await;
        postgres.thaw();
    })
    .await;
    assert!(finished.len() > 100, "{} calls", finished.len());
    are_booked(&proxy, &postgres, &finished).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_ends_while_the_database_is_away_leaves_its_calls_to_the_next_one() {
    let Some(mut postgres) = Postgres::start().await else { return };
    let upstream = upstream().await;
    let state = tempfile::tempdir().unwrap();
    let run = || proxy(&postgres, &upstream).arg("--state-dir").arg(state.path().to_str().unwrap());
    let (one, two) = (run(), run());
    let mut one = one.start().await;
    let finished = called_through(&one, &mut postgres, async |_, _| {}).await;
    postgres.freeze();
    let last = chat("gpt").key(KEY).send(one.addr()).await.expect(200);
    one.terminate();
    assert!(one.exited().await.success());
    postgres.thaw();
    postgres.stop();
    // It begins without a database, and takes calls with the master key.
    let two = two.start().await;
    let first = chat("gpt").key(KEY).send(two.addr()).await.expect(200);
    let refused = post("/key/generate", "{}").key(KEY).send(two.addr()).await.expect(503);
    assert_eq!(refused.json()["error"]["type"], "no_db_connection");
    postgres.restart().await;
    let mut finished = finished;
    finished.extend([&last, &first].map(|answer| (call_id(answer), Some(cost(answer)))));
    let mut ticks = ticks();
    let began = Instant::now();
    while post("/team/new", r#"{"team_id":"blue"}"#).key(KEY).send(two.addr()).await.status != 200 {
        assert!(began.elapsed() < PATIENCE, "the database is not found again");
        ticks.tick().await;
    }
    let store = Store::open(at(&postgres.url())).await.unwrap();
    while store.fetch("SELECT id FROM calls", &[]).await.unwrap().len() < finished.len() {
        assert!(began.elapsed() < 3 * PATIENCE, "calls are missing");
        ticks.tick().await;
    }
    are_booked(&two, &postgres, &finished).await;
}
