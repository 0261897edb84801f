//! A process that is killed in the middle of its calls, while others share its budget.
use crate::client::{Answer, Call, post};
use crate::proxy::{KEY, Proxy, ticks};
use crate::redis::Redis;
use crate::shared::proxy;
use crate::upstream::{Gate, Step, Upstream, piece, stream_head};
use crate::wire::{PATIENCE, Wire};
use futures_util::future::join_all;
use serde_json::json as value;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::time::timeout;

const CLIENTS: usize = 100;
/// What each answer costs, in billionths of a dollar: 1 token in, 50 out.
const COST: i64 = 51_000_000;
const BUDGET: i64 = 9_000_000_000;

/// The keys of the budget.
const BOOK: &str = "bartizan:{global:}:budget";

#[tokio::test]
async fn a_strict_budget_outlives_a_process_that_is_killed() {
    let Some(redis) = Redis::start().await else { return };
    let gate = Gate::new();
    let upstream = upstream(&gate).await;
    let general = ", max_budget: 9.0, budget_admission: strict";
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(proxy(&redis, &upstream, general, "").await);
    }
    let addrs: Vec<_> = nodes.iter().map(Proxy::addr).collect();
    let upstream = &upstream;
    let load = (0..CLIENTS).map(|at| {
        let calls = client(addrs[at % 3], at, 10);
        async move {
            // Else the others might take the whole budget before the first node has a stream open.
            if at % 3 > 0 {
                assert!(upstream.saw(PATIENCE, |seen| seen.begun >= 10).await);
            }
            calls.await
        }
    });
    let killing = async {
        // By then the first node has streams open that wait, and the others are in their calls.
        assert!(upstream.saw(PATIENCE, |seen| seen.begun >= 60).await, "{:?}", upstream.seen());
        nodes[0].kill();
        // Else the ends of its streams might be written before it is noticed that it is gone.
        assert!(upstream.saw(PATIENCE, |seen| seen.left > 0).await, "{:?}", upstream.seen());
        gate.open();
    };
    let (answered, ()) = tokio::join!(join_all(load), killing);
    let answered = answered.into_iter().enumerate();
    // What the dead one answered it may have settled, or still have held.
    let answered: usize = answered.filter(|(at, _)| at % 3 > 0).map(|(_, calls)| calls).sum();

    let lost = holds_of_the_dead(&redis).await;
    assert!(answered > 10, "{answered}, {:?}", upstream.seen());
    let held: i64 = lost.iter().map(|hold| amount(hold)).sum();
    assert_eq!(number(&redis, "held"), held, "nothing else is held");
    let spent = number(&redis, "spent");
    assert!(spent + held <= BUDGET, "{spent} and {held} of {BUDGET}");
    assert_counts_all(upstream, spent + held);
    assert_expire(&redis);

    // Their time is up.
    for hold in &lost {
        redis.tell(&["zadd", &format!("{BOOK}:holds"), "XX", "1", hold]);
    }
    let more = join_all(nodes[1..].iter().map(|node| client(node.addr(), 1, 0))).await;
    assert_eq!(redis.tell(&["zcard", &format!("{BOOK}:suspects")]).trim(), lost.len().to_string());
    settled(&redis).await;
    let spent = number(&redis, "spent");
    assert_eq!(number(&redis, "held"), 0);
    assert_counts_all(upstream, spent);
    assert!(spent >= held + COST * i64::try_from(answered + more.iter().sum::<usize>()).unwrap());
    // What is left is spent to the last call, and not beyond.
    while client(nodes[1].addr(), 1, 0).await + client(nodes[2].addr(), 1, 0).await > 0 {
        settled(&redis).await;
    }
    let spent = number(&redis, "spent");
    assert!(spent <= BUDGET && spent > BUDGET - 4 * COST, "{spent} of {BUDGET}");
    assert_counts_all(upstream, spent);
}

/// Streams an answer of 50 tokens; where the prompt says "wait", its second half when `gate` opens.
async fn upstream(gate: &Gate) -> Upstream {
    let gate = gate.clone();
    Upstream::start(move |request| {
        let said = r#"{"id":"c","choices":[{"index":0,"delta":{"content":"ok"}}]}"#;
        let stop = r#"{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
        let usage = r#"{"id":"c","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":50,"total_tokens":51}}"#;
        let event = |data: &str| piece(format!("data: {data}\n\n"));
        let waits = memchr::memmem::find(&request.body, b"wait").is_some();
        let wait = waits.then(|| Step::Wait(gate.clone()));
        let ending = [event(stop), event(usage), event("[DONE]"), Step::End];
        [stream_head(), event(said)].into_iter().chain(wait).chain(ending).collect()
    })
    .await
}

/// Makes three calls, one after the other, as long as its proxy lives and has not refused more of
/// them than `patience` is; how many were answered in full.
async fn client(proxy: SocketAddr, at: usize, mut patience: usize) -> usize {
    // All of the first node do, so that it is killed with streams open.
    let waits = at.is_multiple_of(2) || at.is_multiple_of(3);
    let says = if waits { "wait" } else { "hi" };
    let body = value!({"model": "gpt", "max_tokens": 50, "stream": true,
        "messages": [{"role": "user", "content": says}]});
    let call = post("/v1/chat/completions", body.to_string()).key(KEY);
    let mut answered = 0;
    let mut ticks = ticks();
    while answered < 3 {
        let answer = timeout(PATIENCE, attempt(proxy, &call)).await.expect("no call hangs");
        match answer {
            Some(answer) if answer.status == 422 && patience > 0 => patience -= 1,
            Some(answer) if answer.text().contains("[DONE]") => answered += 1,
            _ => break,
        }
        ticks.tick().await;
    }
    answered
}

/// The answer, unless the proxy dies or is dead.
async fn attempt(proxy: SocketAddr, call: &Call) -> Option<Answer> {
    let mut wire = Wire::new(TcpStream::connect(proxy).await.ok()?);
    wire.send(call.bytes(proxy)).await.ok()?;
    let message = wire.response().await.ok()??;
    Some(Answer { status: message.head.word().parse().ok()?, message })
}

/// What the process that was killed held, once all others have settled.
async fn holds_of_the_dead(redis: &Redis) -> Vec<String> {
    let left = async {
        let mut ticks = ticks();
        loop {
            ticks.tick().await;
            let all = redis.tell(&["--raw", "zrange", &format!("{BOOK}:holds"), "0", "-1"]);
            let all: Vec<_> = all.lines().map(str::to_owned).collect();
            // The name of a hold begins with that of its node.
            if let Some(first) = all.first()
                && all.iter().all(|hold| hold.get(..16) == first.get(..16))
            {
                return all;
            }
        }
    };
    timeout(PATIENCE, left).await.expect("the others settle")
}

/// Waits until nothing is held.
async fn settled(redis: &Redis) {
    let settled = async {
        let mut ticks = ticks();
        while redis.tell(&["exists", &format!("{BOOK}:holds")]).trim() != "0" {
            ticks.tick().await;
        }
    };
    timeout(PATIENCE, settled).await.expect("all is settled");
}

/// Whatever the upstream was asked for counts, as if it had been answered in full.
#[track_caller]
fn assert_counts_all(upstream: &Upstream, counted: i64) {
    let served = COST * i64::try_from(upstream.seen().begun).unwrap();
    assert!(counted >= served, "{counted} counted of {served}");
}

/// Each hold ends by itself within a minute.
#[track_caller]
fn assert_expire(redis: &Redis) {
    let now = redis.tell(&["--raw", "time"]);
    let now: f64 = now.lines().next().unwrap().parse().unwrap();
    let ends = redis.tell(&["--raw", "zrange", &format!("{BOOK}:holds"), "-1", "-1", "WITHSCORES"]);
    let last: f64 = ends.lines().nth(1).unwrap().parse().unwrap();
    assert!(last / 1000.0 < now + 61.0, "{last} at {now}");
}

/// How much a hold, `id:amount:mode`, holds.
fn amount(hold: &str) -> i64 {
    assert!(hold.ends_with(":s"), "{hold} is strict");
    hold.split(':').nth(1).unwrap().parse().unwrap()
}

fn number(redis: &Redis, part: &str) -> i64 {
    redis.tell(&["--raw", "get", &format!("{BOOK}:{part}")]).trim().parse().unwrap_or(0)
}
