//! Groups and waiting, and limits by single samples; `load` tries them under load.
mod load;
#[cfg(bartizan_loom)]
mod loom;

use super::{
    Acquire, AdaptiveLayer, AdaptiveLimit, Bounds, Crowded, Group, Outcome, Permit, Waiting,
};
use crate::BoxError;
use crate::end::EndBody;
use crate::facts::{Cause, Fault};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tower::{Layer, ServiceExt};

const MILLI: Duration = Duration::from_millis(1);

fn group() -> Group {
    Group::new(Waiting::new(2, Duration::from_secs(1)))
}

/// A limit that stays where it is.
fn fixed(group: &Group, limit: u32) -> AdaptiveLimit {
    group.limit(Bounds::between(limit, limit))
}

/// What a call that waits has by now.
fn given(call: Pin<&mut Acquire>) -> Option<(usize, Permit)> {
    match call.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(given) => Some(given.unwrap()),
        Poll::Pending => None,
    }
}

#[tokio::test]
async fn the_first_with_room_is_taken() {
    let group = group();
    let limits = [fixed(&group, 1), fixed(&group, 1)];
    let (first, _held) = group.acquire(&limits).await.unwrap();
    let (second, _held) = group.acquire(&limits).await.unwrap();
    assert_eq!((first, second), (0, 1));
    assert!(limits.iter().all(|limit| limit.try_acquire().is_none() && limit.inflight() == 1));
}

#[tokio::test]
async fn a_permit_is_held_until_the_body_ends() {
    let limit = fixed(&group(), 1);
    let permit = limit.try_acquire().unwrap();
    let rsp = Response::new(EndBody::new(Full::new(Bytes::from("hi")), permit));
    assert_eq!(limit.inflight(), 1);
    rsp.into_body().collect().await.unwrap();
    assert_eq!(limit.inflight(), 0);
}

#[tokio::test]
async fn no_call_waits_while_a_neighbour_is_idle() {
    let group = group();
    let limits = [fixed(&group, 1), fixed(&group, 1)];
    let held = limits.each_ref().map(|limit| limit.try_acquire().unwrap());
    let mut waiting = pin!(group.acquire(&limits));
    assert!(given(waiting.as_mut()).is_none());
    let [_first, second] = held;
    drop(second);
    assert_eq!(given(waiting.as_mut()).unwrap().0, 1);
}

#[tokio::test]
async fn who_came_first_is_served_first_with_what_it_wants() {
    let group = group();
    let [one, other] = [fixed(&group, 1), fixed(&group, 1)];
    let (held, free) = (one.try_acquire().unwrap(), other.try_acquire().unwrap());
    let mut first = pin!(group.acquire([&one]));
    let mut second = pin!(group.acquire([&one, &other]));
    assert!(given(first.as_mut()).is_none());
    drop(free);
    let (place, _other) = given(second.as_mut()).unwrap();
    assert_eq!(place, 1, "the first does not want that one");
    drop(held);
    assert!(given(first.as_mut()).is_some());
    assert_eq!(group.waiting(), 0);
}

#[tokio::test]
async fn a_client_that_leaves_passes_its_permit_on() {
    let group = group();
    let limit = fixed(&group, 1);
    let held = limit.try_acquire().unwrap();
    let left = group.acquire([&limit]);
    let handed = group.acquire([&limit]);
    drop(left);
    assert_eq!(group.waiting(), 1);
    let mut last = pin!(group.acquire([&limit]));
    drop(held);
    // It has its permit and leaves before it looks.
    drop(handed);
    assert!(given(last.as_mut()).is_some());
    assert_eq!((group.waiting(), limit.inflight()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn waiting_is_bounded_in_number_and_time() {
    let group = group();
    let limit = fixed(&group, 1);
    let _held = limit.try_acquire().unwrap();
    let begin = Instant::now();
    let (first, second) = (group.acquire([&limit]), group.acquire([&limit]));
    assert_eq!(group.acquire([&limit]).await.unwrap_err(), Crowded::Full);
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.unwrap_err(), second.unwrap_err()), (Crowded::Late, Crowded::Late));
    assert_eq!(begin.elapsed().as_secs(), 1);
    assert_eq!(group.waiting(), 0);
}

type Rsp = Response<Full<Bytes>>;

#[tokio::test]
async fn a_call_waits_for_the_end_of_the_body_before_it() {
    let group = group();
    let limit = fixed(&group, 1);
    let (upstream, mut handle) = tower_test::mock::pair::<Request<()>, Rsp>();
    let service = AdaptiveLayer::new(group, limit.clone()).layer(upstream);
    let mut answer = async |end: Result<Rsp, &'static str>| {
        let respond = handle.next_request().await.unwrap().1;
        match end {
            Ok(rsp) => respond.send_response(rsp),
            Err(error) => respond.send_error(error),
        }
    };
    let call = || service.clone().oneshot(Request::new(()));
    let (first, ()) = tokio::join!(call(), answer(Ok(Response::new(Full::from("hi")))));
    let mut second = pin!(call());
    assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(first);
    let (second, ()) = tokio::join!(second, answer(Err("reset")));
    assert_eq!(second.map(drop).unwrap_err().to_string(), "reset");
    assert_eq!(limit.inflight(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_finds_no_room_in_time_is_refused() {
    let group = group();
    let limit = fixed(&group, 1);
    let _held = limit.try_acquire().unwrap();
    let (upstream, mut handle) = tower_test::mock::pair::<Request<()>, Rsp>();
    let service = AdaptiveLayer::new(group, limit).layer(upstream);
    let error = service.oneshot(Request::new(())).await.map(drop).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Crowded::Late));
    assert!(handle.next_request().await.is_none());
}

/// Calls that begin together, as many as there is room for.
async fn round(limit: &AdaptiveLimit, ttfb: Duration, outcome: Outcome) {
    let permits: Vec<_> = std::iter::from_fn(|| limit.try_acquire()).collect();
    sleep(ttfb).await;
    for mut permit in permits {
        permit.record(outcome);
    }
}

async fn rounds(limit: &AdaptiveLimit, count: usize, ttfb: Duration) {
    for _ in 0..count {
        round(limit, ttfb, Outcome::Answered).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_round_of_overload_cuts_the_limit_once() {
    let limit = group().limit(Bounds::default().starting_at(100));
    rounds(&limit, 1, 10 * MILLI).await;
    assert_eq!(limit.limit(), 150, "it was used to the full, and all was well");
    round(&limit, 10 * MILLI, Outcome::Overloaded).await;
    assert_eq!(limit.limit(), 100, "back to what was well");
    round(&limit, 10 * MILLI, Outcome::Overloaded).await;
    assert_eq!(limit.limit(), 80, "the second cut in a row is deeper");
}

#[tokio::test(start_paused = true)]
async fn what_a_layer_further_in_refuses_teaches_nothing() {
    let limit = group().limit(Bounds::default().starting_at(100));
    rounds(&limit, 1, 10 * MILLI).await;
    let mut permits: Vec<_> = std::iter::from_fn(|| limit.try_acquire()).collect();
    sleep(10 * MILLI).await;
    permits.iter_mut().for_each(|permit| permit.judge::<()>(Err(&Fault::REFUSED.into())));
    assert_eq!(limit.limit(), 150);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_not_used_does_not_grow() {
    let limit = group().limit(Bounds::default().starting_at(20));
    for _ in 0..1000 {
        let mut permit = limit.try_acquire().unwrap();
        sleep(MILLI).await;
        permit.record(Outcome::Answered);
    }
    assert_eq!(limit.limit(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_limit_keeps_its_bounds() {
    let limit = group().limit(Bounds::between(5, 30).starting_at(20));
    rounds(&limit, 20, 10 * MILLI).await;
    assert_eq!(limit.limit(), 30);
    for _ in 0..20 {
        round(&limit, 10 * MILLI, Outcome::Overloaded).await;
    }
    assert_eq!(limit.limit(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_upstream_that_is_slower_for_good_gets_its_limit_back() {
    let limit = group().limit(Bounds::between(1, 40).starting_at(40));
    rounds(&limit, 5, 10 * MILLI).await;
    rounds(&limit, 2, 50 * MILLI).await;
    assert!(limit.limit() < 40, "at first it is taken for congestion");
    rounds(&limit, 10, 50 * MILLI).await;
    assert_eq!(limit.limit(), 40);
}

#[tokio::test(start_paused = true)]
async fn what_the_client_did_wrong_says_nothing() {
    let limit = group().limit(Bounds::default());
    for (cause, cut) in [(Cause::Invalid, false), (Cause::RateLimit, true)] {
        let mut permit = [(); 6].map(|()| limit.try_acquire().unwrap());
        let error = BoxError::from(Fault::new(cause, StatusCode::BAD_REQUEST));
        permit[0].judge::<()>(Err(&error));
        assert_eq!(limit.limit() < 10, cut, "{cause:?}");
    }
}
