//! Equal calls on their way at the same time.
use super::*;
use std::pin::Pin;
use std::task::Poll;
use tokio::task::JoinSet;

#[tokio::test]
async fn a_thousand_equal_calls_are_one_upstream_call() {
    let layer = CacheLayer::new(MemoryStore::new());
    let (mock, mut upstream) = pair();
    let mut calls = started(&layer.layer(mock), 1000);
    let (_, respond) = upstream.next_request().await.unwrap();
    tokio::task::yield_now().await;
    respond.send_response(events([Ok("one "), Ok("answer")]));
    while let Some(answer) = calls.join_next().await {
        assert_eq!(answer.unwrap(), "one answer");
    }
    let stats = layer.stats();
    assert_eq!((stats.misses, stats.hits, stats.joined), (1, 999, 999));
}

#[tokio::test]
async fn a_leader_that_leaves_before_its_answer_strands_nobody() {
    let (cache, mut upstream) = memory();
    let mut leader = Box::pin(cache.clone().oneshot(request(1)));
    assert!(polled(&mut leader).await.is_none());
    let mut calls = started(&cache, 10);
    let first = upstream.next_request().await.unwrap();
    tokio::task::yield_now().await;
    drop(leader);
    let (_, respond) = upstream.next_request().await.unwrap();
    respond.send_response(whole("second try"));
    while let Some(answer) = calls.join_next().await {
        assert_eq!(answer.unwrap(), "second try");
    }
    drop(first);
}

#[tokio::test]
async fn a_leader_that_leaves_in_mid_stream_strands_nobody() {
    let (cache, mut upstream) = memory();
    let stream = || events([Ok("data: 1\n\n"), Ok("data: 2\n\n")]);
    let mut leader = asked(&cache, request(1), &mut upstream, stream()).await;
    let mut calls = started(&cache, 10);
    tokio::task::yield_now().await;
    leader.body_mut().frame().await.unwrap().unwrap();
    drop(leader);
    upstream.next_request().await.unwrap().1.send_response(stream());
    while let Some(answer) = calls.join_next().await {
        assert_eq!(answer.unwrap(), "data: 1\n\ndata: 2\n\n");
    }
}

#[tokio::test]
async fn the_next_leader_may_leave_too() {
    let (cache, mut upstream) = memory();
    let mut calls: Vec<_> = (0..5).map(|_| Box::pin(cache.clone().oneshot(request(1)))).collect();
    for call in &mut calls {
        assert!(polled(call).await.is_none());
    }
    while calls.len() > 1 {
        let (_, respond) = upstream.next_request().await.unwrap();
        calls.remove(0);
        drop(respond);
        assert!(polled(&mut calls[0]).await.is_none());
    }
    upstream.next_request().await.unwrap().1.send_response(whole("hi"));
    assert_eq!(drained(calls.remove(0).await).await, "hi");
}

#[tokio::test]
async fn each_goes_its_own_way_when_the_answer_is_for_nobody_else() {
    let (cache, mut upstream) = memory();
    let calls = started(&cache, 10);
    let mut refused = whole("no");
    *refused.status_mut() = StatusCode::BAD_REQUEST;
    upstream.next_request().await.unwrap().1.send_response(refused);
    for n in 1..10 {
        let (_, respond) = upstream.next_request().await.unwrap();
        let mut rsp = whole(&n.to_string());
        *rsp.status_mut() = StatusCode::BAD_REQUEST;
        respond.send_response(rsp);
    }
    let mut answers = calls.join_all().await;
    answers.sort();
    assert_eq!(answers, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "no"]);
}

#[tokio::test]
async fn nobody_waits_for_an_answer_that_is_too_large() {
    let (cache, mut upstream) = layered(&CacheLayer::new(MemoryStore::new()).max_entry(5));
    let stream = || events([Ok("data"), Ok("data"), Ok("data")]);
    let mut leader = asked(&cache, request(1), &mut upstream, stream()).await;
    let mut follower = Box::pin(cache.clone().oneshot(request(1)));
    for _ in 0..2 {
        assert!(polled(&mut follower).await.is_none());
        leader.body_mut().frame().await.unwrap().unwrap();
    }
    assert!(polled(&mut follower).await.is_none());
    upstream.next_request().await.unwrap().1.send_response(stream());
    assert_eq!(drained(follower.await).await, "datadatadata");
    assert_eq!(drained(Ok(leader)).await, "data", "its client gets the rest all the same");
}

#[tokio::test]
async fn nobody_waits_for_an_empty_answer() {
    let (cache, mut upstream) = memory();
    let unread = asked(&cache, request(1), &mut upstream, whole("")).await;
    let rsp = asked(&cache, request(1), &mut upstream, whole("hi")).await;
    assert_eq!(drained(Ok(rsp)).await, "hi");
    drop(unread);
}

#[tokio::test(start_paused = true)]
async fn patience_ends() {
    let layer = CacheLayer::new(MemoryStore::new()).patience(Duration::from_secs(5));
    let (cache, mut upstream) = layered(&layer);
    let slow = asked(&cache, request(1), &mut upstream, whole("slow")).await;
    let (rsp, ()) = tokio::join!(cache.clone().oneshot(request(1)), async {
        upstream.next_request().await.unwrap().1.send_response(whole("own"));
    });
    assert_eq!(drained(rsp).await, "own");
    assert_eq!(drained(Ok(slow)).await, "slow");
}

#[tokio::test]
async fn calls_of_two_tenants_are_two_calls() {
    let (cache, mut upstream) = memory();
    let of = |name: &str| {
        let mut req = request(1);
        req.extensions_mut().insert(Principal::new(name, name));
        req
    };
    let answer = async {
        let first = upstream.next_request().await.unwrap().1;
        let second = upstream.next_request().await.unwrap().1;
        first.send_response(whole("1"));
        second.send_response(whole("2"));
    };
    let (one, two) = (cache.clone().oneshot(of("alice")), cache.clone().oneshot(of("bob")));
    let (one, two, ()) = tokio::join!(one, two, answer);
    assert_eq!((&*drained(one).await, &*drained(two).await), (&b"1"[..], &b"2"[..]));
}

fn started(cache: &Service, count: usize) -> JoinSet<Bytes> {
    let call = |cache: Service| async move { drained(cache.oneshot(request(1)).await).await };
    (0..count).map(|_| call(cache.clone())).collect()
}

async fn polled<F: Future>(future: &mut Pin<Box<F>>) -> Option<F::Output> {
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
