mod shared;

use super::server::{Node, Server, eventually};
use super::{Redis, Settings};
use crate::BoxError;
use crate::cost::{Admission, Budget, CostError, CostLayer, Hold, Ledger, RedisHold, RedisLedger};
use crate::facts::{
    Amount, Bill, Estimate, Limit, Measure, NanoUsd, Price, Rates, Scope, Usage, UsageCell,
};
use crate::ratelimit::{Grant, Limiter, RateLimitError, RateLimitLayer, RedisGrant, RedisLimiter};
use bytes::Bytes;
use http::{Extensions, Request, Response};
use http_body_util::{BodyExt, Full};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tower::{ServiceBuilder, ServiceExt};

type Rules = Arc<[Limit]>;

#[tokio::test]
async fn two_nodes_that_share_a_limit_of_n_admit_exactly_n() {
    let Some(server) = Server::start() else { return };
    let nodes = [server.node().await, server.node().await];
    let limiters = nodes.each_ref().map(|node| limiter(node, &[(Measure::Requests, 20)]));
    let mut calls = JoinSet::new();
    for call in 0..60 {
        let limiter = limiters[call % 2].clone();
        calls.spawn(async move { limiter.admit(&Extensions::new()).await });
    }
    let results = calls.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 20);
    let refused = results.into_iter().find_map(Result::err).unwrap();
    let RateLimitError::Exceeded(exceeded) = refused else { panic!("{refused}") };
    assert!((59_000..=60_000).contains(&exceeded.reset.as_millis()), "{:?}", exceeded.reset);
}

#[tokio::test]
async fn calls_that_are_open_at_once_are_limited_and_leave_their_place() {
    let Some(server) = Server::start() else { return };
    let node = server.node().await;
    let limiter = limiter(&node, &[(Measure::Parallel, 2)]);
    let mut open = [admitted(&limiter).await, admitted(&limiter).await].map(Some);
    assert!(limiter.admit(&Extensions::new()).await.is_err());
    open[0].take().unwrap().settle(None);
    eventually(async || limiter.admit(&Extensions::new()).await.is_ok()).await;
}

#[tokio::test]
async fn what_a_later_limit_refuses_takes_nothing_of_those_before() {
    for server in [Server::start(), Server::start_cluster()] {
        let Some(server) = server else { return };
        let node = server.node().await;
        let limits: Rules = [
            limit(Scope::Key, Measure::Requests, 5),
            limit(Scope::Team, Measure::Requests, 1),
            limit(Scope::User, Measure::Parallel, 5),
        ]
        .into();
        let limiter = RedisLimiter::new(&node.redis, limits);
        let _first = admitted(&limiter).await;
        for _ in 0..10 {
            assert!(limiter.admit(&Extensions::new()).await.is_err());
        }
        let counted = || server.ask("HGET bartizan:{api_key:it}:requests n");
        eventually(async || counted() == "1").await;
        eventually(async || server.ask("ZCARD bartizan:{user:it}:parallel") == ":1").await;
    }
}

#[tokio::test]
async fn tokens_that_were_not_used_go_back() {
    let Some(server) = Server::start() else { return };
    let node = server.node().await;
    let limiter = limiter(&node, &[(Measure::Tokens, 100)]);
    let used = || server.ask("HGET bartizan:{api_key:it}:tokens n");
    let call = limiter.admit(&estimate(80)).await.unwrap();
    assert_eq!(used(), "80");
    call.settle(Some(&Usage::tokens(10, 5)));
    eventually(async || used() == "15").await;
    drop(limiter.admit(&estimate(80)).await.unwrap());
    eventually(async || used() == "15").await;
    limiter.admit(&estimate(80)).await.unwrap().settle(None);
    assert_eq!(used(), "95", "what nobody told stands");
}

#[tokio::test]
async fn after_its_window_only_what_went_beyond_the_estimate_counts() {
    let Some(server) = Server::start() else { return };
    let node = server.node().await;
    let limits: Rules = [limit(Scope::Key, Measure::Tokens, 100)].into();
    let limiter = RedisLimiter::with_window(&node.redis, limits, Duration::from_millis(50));
    let used = || server.ask("HGET bartizan:{api_key:it}:tokens n");
    let calls = [50, 50].map(estimate);
    let below = limiter.admit(&calls[0]).await.unwrap();
    let above = limiter.admit(&calls[1]).await.unwrap();
    eventually(async || server.ask("EXISTS bartizan:{api_key:it}:tokens") == ":0").await;
    let wide: Rules = [limit(Scope::Key, Measure::Tokens, 100)].into();
    let long = RedisLimiter::new(&node.redis, wide);
    long.admit(&estimate(1)).await.unwrap().settle(None);
    below.settle(Some(&Usage::tokens(20, 0)));
    above.settle(Some(&Usage::tokens(60, 0)));
    eventually(async || used() == "11").await;
}

#[tokio::test]
async fn a_strict_budget_is_never_overspent_by_a_hundred_clients_on_three_nodes() {
    let Some(server) = Server::start() else { return };
    let nodes = [server.node().await, server.node().await, server.node().await];
    let budget = NanoUsd(1_000);
    let mut clients = JoinSet::new();
    for client in 0..100 {
        let ledger = RedisLedger::new(&nodes[client % 3].redis, budget);
        clients.spawn(async move {
            let mut spent = 0;
            for call in 0..3 {
                match ledger.hold(&cost(10), Admission::Most).await {
                    Ok(hold) => {
                        let real = (client + call) as i64 % 11;
                        tokio::task::yield_now().await;
                        spent += real;
                        hold.settle(NanoUsd(real));
                    }
                    Err(CostError::BudgetExhausted(_)) => tokio::task::yield_now().await,
                    Err(error) => panic!("{error}"),
                }
            }
            spent
        });
    }
    let spent = NanoUsd(clients.join_all().await.into_iter().sum());
    assert!(spent <= budget && spent > NanoUsd(0), "{spent}");
    let ledger = RedisLedger::new(&nodes[0].redis, budget);
    eventually(async || held(&ledger).await == NanoUsd(0)).await;
    assert_eq!(self::spent(&ledger).await, spent);
}

#[tokio::test]
async fn a_node_that_vanishes_leaves_suspects_that_count_as_spent() {
    let Some(server) = Server::start() else { return };
    let settings = server.settings().hold_ttl(Duration::from_millis(60));
    let (dead, alive) =
        (server.node_with(settings.clone()).await, server.node_with(settings).await);
    let ledger = RedisLedger::new(&alive.redis, NanoUsd(100));
    let lost = RedisLedger::new(&dead.redis, NanoUsd(100));
    let lost = lost.hold(&cost(70), Admission::Most).await.unwrap();
    drop(dead);
    lost.settle(NanoUsd(30));
    let budget = Budget::new(NanoUsd(100));
    eventually(async || {
        let probe = ledger.hold(&cost(30), Admission::Most).await.unwrap();
        drop(probe);
        !ledger.suspects(&budget).await.unwrap().is_empty()
    })
    .await;
    assert!(ledger.hold(&cost(31), Admission::Most).await.is_err(), "more than is left");
    let suspects = ledger.suspects(&budget).await.unwrap();
    assert_eq!((suspects.len(), suspects[0].amount), (1, NanoUsd(70)));
    // Told twice, it counts once.
    ledger.resolve(&budget, &suspects[0], NanoUsd(30));
    ledger.resolve(&budget, &suspects[0], NanoUsd(30));
    eventually(async || spent(&ledger).await == NanoUsd(30)).await;
    assert!(ledger.suspects(&budget).await.unwrap().is_empty());
    eventually(async || held(&ledger).await == NanoUsd(0)).await;
    assert_eq!(spent(&ledger).await, NanoUsd(30));
}

#[tokio::test]
async fn what_a_vanished_node_held_by_default_goes_back() {
    let Some(server) = Server::start() else { return };
    let settings = server.settings().hold_ttl(Duration::from_millis(60));
    let (dead, alive) =
        (server.node_with(settings.clone()).await, server.node_with(settings).await);
    let permits = limiter(&alive, &[(Measure::Parallel, 1)]);
    let ledger = RedisLedger::new(&alive.redis, NanoUsd(100));
    let _held = RedisLedger::new(&dead.redis, NanoUsd(100))
        .hold(&cost(200), Admission::Likely)
        .await
        .unwrap();
    let _open = admitted(&limiter(&dead, &[(Measure::Parallel, 1)])).await;
    assert!(ledger.hold(&cost(1), Admission::Likely).await.is_err());
    drop(dead);
    eventually(async || permits.admit(&Extensions::new()).await.is_ok()).await;
    eventually(async || ledger.hold(&cost(1), Admission::Likely).await.is_ok()).await;
    assert_eq!(spent(&ledger).await, NanoUsd(0));
}

#[tokio::test]
async fn holds_and_permits_are_renewed_while_their_call_is_open() {
    let Some(server) = Server::start() else { return };
    let node = server.node_with(server.settings().hold_ttl(Duration::from_millis(600))).await;
    let ledger = RedisLedger::new(&node.redis, NanoUsd(100));
    let limiter = limiter(&node, &[(Measure::Parallel, 1)]);
    let _open = admitted(&limiter).await;
    let hold = ledger.hold(&cost(100), Admission::Most).await.unwrap();
    // Leases run by the server's own clock, which no test can pause: twice the time of one.
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    assert!(limiter.admit(&Extensions::new()).await.is_err());
    assert!(ledger.hold(&cost(1), Admission::Most).await.is_err());
    assert!(ledger.suspects(&Budget::new(NanoUsd(100))).await.unwrap().is_empty());
    hold.settle(NanoUsd(40));
    eventually(async || spent(&ledger).await == NanoUsd(40)).await;
}

#[tokio::test]
async fn a_server_that_dies_and_comes_back_is_used_again() {
    let Some(mut server) = Server::start() else { return };
    let (node, other) = (server.node().await, server.node().await);
    eventually(async || node.redis.nodes() == 2).await;
    let limiter = limiter(&node, &[(Measure::Requests, 10)]);
    let strict = RedisLedger::new(&node.redis, NanoUsd(100));
    let admitting = strict.clone().admit_on_outage();
    let settled = strict.hold(&cost(50), Admission::Most).await.unwrap();
    settled.settle(NanoUsd(50));
    eventually(async || spent(&strict).await == NanoUsd(50)).await;
    // The next admission tells what was spent, should Redis forget it.
    let open = strict.hold(&cost(20), Admission::Most).await.unwrap();
    server.kill();
    // The first to find out waits for it, all others fail fast.
    assert!(strict.hold(&cost(1), Admission::Most).await.is_err());
    let granted = async || limiter.admit(&Extensions::new()).await.is_ok();
    let mut local = 0;
    for _ in 0..20 {
        local += i32::from(granted().await);
    }
    assert_eq!(local, 5, "half of the limit, as there were two nodes");
    let refused = admitting.hold(&cost(1), Admission::Most).await;
    assert!(matches!(refused, Err(CostError::Outage(_))), "strict is strict");
    admitting.hold(&cost(1), Admission::Likely).await.unwrap().settle(NanoUsd(7));
    server.restart();
    eventually(async || node.redis.is_connected()).await;
    eventually(async || spent(&strict).await == NanoUsd(57)).await;
    eventually(async || held(&strict).await == NanoUsd(20)).await;
    open.settle(NanoUsd(10));
    eventually(async || spent(&strict).await == NanoUsd(67)).await;
    assert!(granted().await);
    drop(other);
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_told_again() {
    for server in [Server::start(), Server::start_cluster()] {
        let Some(server) = server else { return };
        let node = server.node().await;
        let ledger = RedisLedger::new(&node.redis, NanoUsd(100));
        for call in 1..4 {
            server.ask("SCRIPT FLUSH");
            let hold = ledger.hold(&cost(5), Admission::Most).await.unwrap();
            server.ask("SCRIPT FLUSH");
            hold.settle(NanoUsd(5));
            eventually(async || spent(&ledger).await == NanoUsd(5 * call)).await;
        }
    }
}

#[tokio::test]
async fn a_window_that_someone_else_broke_stops_no_money() {
    let Some(server) = Server::start() else { return };
    let node = server.node().await;
    let ledger = RedisLedger::new(&node.redis, NanoUsd(100));
    let limiter = limiter(&node, &[(Measure::Tokens, 100)]);
    let call = limiter.admit(&estimate(5)).await.unwrap();
    let paid = hold(&ledger, 5).await;
    server.ask("DEL bartizan:{api_key:it}:tokens");
    server.ask("SET bartizan:{api_key:it}:tokens broken");
    call.settle(Some(&Usage::tokens(1, 1)));
    paid.settle(NanoUsd(3));
    eventually(async || spent(&ledger).await == NanoUsd(3)).await;
    assert!(node.redis.is_connected(), "a refusal is no outage");
}

#[tokio::test]
async fn a_full_queue_loses_no_money() {
    let Some(server) = Server::start() else { return };
    let (redis, settler) = Redis::connect(server.settings().queue(2));
    let ledger = RedisLedger::new(&redis, NanoUsd(1_000)).admit_on_outage();
    for _ in 0..10 {
        hold(&ledger, 5).await.settle(NanoUsd(3));
    }
    let mut tasks = JoinSet::new();
    tasks.spawn(settler.run());
    eventually(async || redis.is_connected() && spent(&ledger).await == NanoUsd(30)).await;
}

#[tokio::test]
async fn a_counter_that_redis_lost_begins_with_what_the_store_says() {
    let Some(server) = Server::start() else { return };
    let node = server.node().await;
    let ledger = RedisLedger::new(&node.redis, NanoUsd(100)).seed(|_: &Budget| NanoUsd(95));
    assert!(ledger.hold(&cost(6), Admission::Most).await.is_err());
    ledger.hold(&cost(5), Admission::Most).await.unwrap().settle(NanoUsd(4));
    eventually(async || spent(&ledger).await == NanoUsd(99)).await;
    assert!(ledger.hold(&cost(2), Admission::Most).await.is_err());
    server.ask("FLUSHALL");
    let Err(CostError::BudgetExhausted(exhausted)) = ledger.hold(&cost(2), Admission::Most).await
    else {
        panic!("the store is behind, this process knows more");
    };
    assert_eq!((exhausted.spent, exhausted.held), (NanoUsd(99), NanoUsd(0)));
}

#[tokio::test]
async fn a_stopped_settler_has_settled_all() {
    let Some(server) = Server::start() else { return };
    let node = server.node().await;
    let (redis, settler) = Redis::connect(server.settings());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let ledger = RedisLedger::new(&redis, NanoUsd(100));
    let calls = async {
        eventually(async || redis.is_connected()).await;
        hold(&ledger, 5).await.settle(NanoUsd(3));
        drop(stop);
    };
    tokio::join!(calls, settler.run_until(async { drop(stopped.await) }));
    assert_eq!(spent(&RedisLedger::new(&node.redis, NanoUsd(100))).await, NanoUsd(3));
}

#[tokio::test]
async fn a_call_takes_one_round_trip_before_and_one_after() {
    let Some(server) = Server::start() else { return };
    let node = server.node().await;
    let limits: Rules = [
        limit(Scope::Key, Measure::Requests, 100),
        limit(Scope::Team, Measure::Tokens, 10_000),
        limit(Scope::User, Measure::Parallel, 10),
    ]
    .into();
    let ledger = RedisLedger::new(&node.redis, NanoUsd(1_000));
    drop(hold(&ledger, 1).await);
    eventually(async || held(&ledger).await == NanoUsd(0)).await;
    let limiter =
        RedisLimiter::new(&node.redis, limits).with_ledger(ledger.joining(Admission::Most));
    let service = ServiceBuilder::new()
        .layer(RateLimitLayer::new(limiter))
        .layer(CostLayer::new(ledger.clone()).strict())
        .service_fn(async |mut req: Request<()>| {
            let line = UsageCell::new(Price::flat(Rates::tokens(1_000, 1_000)));
            Bill::of(req.extensions_mut()).add(line.clone());
            line.set(Usage::tokens(2, 1));
            Ok::<_, BoxError>(Response::new(Full::<Bytes>::from("hi")))
        });
    let before = server.calls("evalsha");
    for call in 1..=10 {
        let mut req = Request::new(());
        *req.extensions_mut() = cost(10);
        let rsp = service.clone().oneshot(req).await.unwrap();
        assert_eq!(rsp.headers()["x-ratelimit-user-remaining-max_parallel_requests"], "9");
        assert_eq!(held(&ledger).await, NanoUsd(10));
        rsp.into_body().collect().await.unwrap();
        eventually(async || spent(&ledger).await == NanoUsd(3 * call)).await;
    }
    assert_eq!(server.calls("evalsha") - before, 20);
    assert_eq!(server.ask("HGET bartizan:{team:it}:tokens n"), "30");
}

#[tokio::test]
async fn a_budget_that_is_used_up_refuses_in_the_round_trip_of_the_limiter() {
    let Some(server) = Server::start() else { return };
    let node = server.node().await;
    let ledger = RedisLedger::new(&node.redis, NanoUsd(5));
    let limiter =
        limiter(&node, &[(Measure::Requests, 1)]).with_ledger(ledger.joining(Admission::Most));
    let mut facts = cost(10);
    let mut grant = limiter.admit(&facts).await.unwrap();
    grant.leave(&mut facts);
    let refused = ledger.hold(&facts, Admission::Most).await;
    assert!(matches!(refused, Err(CostError::BudgetExhausted(_))));
    drop(grant);
    assert!(limiter.admit(&cost(1)).await.is_ok(), "it took nothing of the limit");
}

#[tokio::test]
async fn an_admission_that_nobody_waits_for_gives_back_what_it_took() {
    let Some(server) = Server::start() else { return };
    let node = server.node().await;
    let ledger = RedisLedger::new(&node.redis, NanoUsd(100));
    drop(hold(&ledger, 1).await);
    for _ in 0..20 {
        let facts = cost(50);
        let mut hold = std::pin::pin!(ledger.hold(&facts, Admission::Most));
        tokio::select! {
            biased;
            _ = &mut hold => {}
            () = tokio::task::yield_now() => {}
        }
    }
    eventually(async || held(&ledger).await == NanoUsd(0)).await;
    assert_eq!(spent(&ledger).await, NanoUsd(0));
}

#[tokio::test]
async fn the_primary_is_asked_of_sentinels() {
    let Some(server) = Server::start() else { return };
    let sentinel = server.sentinel();
    let sentinels = [("127.0.0.1", 1), ("127.0.0.1", sentinel.port())];
    let settings = Settings::sentinel("primary", sentinels);
    let node = server.node_with(settings.response_timeout(Duration::from_secs(2))).await;
    drop(admitted(&limiter(&node, &[(Measure::Requests, 1)])).await);
    assert_eq!(server.ask("HGET bartizan:{api_key:it}:requests n"), "1");
}

#[tokio::test]
async fn a_server_that_hangs_is_away_after_one_response_timeout() {
    let hanging = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = hanging.local_addr().unwrap().port();
    let (redis, settler) = Redis::connect(Settings::single("127.0.0.1", port));
    let ledger = RedisLedger::new(&redis, NanoUsd(100));
    let mut tasks = JoinSet::new();
    tasks.spawn(settler.run());
    for _ in 0..100 {
        let refused = ledger.hold(&cost(1), Admission::Likely).await;
        assert!(matches!(refused, Err(CostError::Outage(_))));
    }
    assert!(!redis.is_connected());
}

fn limiter(node: &Node, limits: &[(Measure, u64)]) -> RedisLimiter<Rules> {
    let limits = limits.iter().map(|&(measure, most)| limit(Scope::Key, measure, most));
    RedisLimiter::new(&node.redis, limits.collect())
}

fn limit(scope: Scope, measure: Measure, most: u64) -> Limit {
    Limit { scope, subject: "it".into(), measure, most }
}

async fn admitted(limiter: &RedisLimiter<Rules>) -> RedisGrant {
    limiter.admit(&Extensions::new()).await.unwrap()
}

async fn hold(ledger: &RedisLedger, most: i64) -> RedisHold {
    ledger.hold(&cost(most), Admission::Likely).await.unwrap()
}

async fn spent(ledger: &RedisLedger) -> NanoUsd {
    account(ledger).await.spent
}

async fn held(ledger: &RedisLedger) -> NanoUsd {
    account(ledger).await.held
}

async fn account(ledger: &RedisLedger) -> crate::cost::Account {
    ledger.account(&Budget::new(NanoUsd(0))).await.unwrap()
}

/// A call that uses so many tokens.
fn estimate(tokens: i64) -> Extensions {
    facts(Amount { tokens, cost: NanoUsd(0) })
}

/// A call that costs so much.
fn cost(cost: i64) -> Extensions {
    facts(Amount { tokens: cost, cost: NanoUsd(cost) })
}

fn facts(amount: Amount) -> Extensions {
    let mut facts = Extensions::new();
    facts.insert(Estimate { likely: amount, most: Some(amount) });
    facts
}
