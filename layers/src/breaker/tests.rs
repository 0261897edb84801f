//! The layer around a scripted upstream; `rules` tries the policies, `machine` the states.
mod machine;
mod rules;

use super::{Breaker, BreakerError, BreakerLayer, Gate, Policy, Rule, State};
use crate::BoxError;
use crate::facts::{Cause, Fault, UsageCell};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use std::pin::Pin;
use std::time::Duration;
use tokio::time::advance;
use tower::{Layer, ServiceExt};
use tower_test::mock::{Handle, Mock, pair};

type Body = UnsyncBoxBody<Bytes, BoxError>;
type Req = Request<()>;
type Rsp = Response<Body>;

const SECOND: Duration = Duration::from_secs(1);

/// A breaker that opens after the first failure, for five seconds.
fn breaker() -> (Breaker<Mock<Req, Rsp>>, Handle<Req, Rsp>, Gate) {
    let gate = Gate::new(Policy::new(Rule::Consecutive(1)));
    let (upstream, handle) = pair();
    (BreakerLayer::new(gate.clone()).layer(upstream), handle, gate)
}

fn answer(status: u16) -> Rsp {
    let body = Full::from("hi").map_err(|never| match never {}).boxed_unsync();
    Response::builder().status(status).body(body).unwrap()
}

/// Makes a call that ends like this, as far as its headers.
async fn call(
    breaker: &Breaker<Mock<Req, Rsp>>,
    upstream: &mut Handle<Req, Rsp>,
    end: Result<Rsp, BoxError>,
) -> Result<Response<impl http_body::Body<Data = Bytes> + use<>>, BoxError> {
    let respond = async {
        let (_, respond) = upstream.next_request().await.unwrap();
        match end {
            Ok(rsp) => respond.send_response(rsp),
            Err(error) => respond.send_error(error),
        }
    };
    tokio::join!(breaker.clone().oneshot(Request::new(())), respond).0
}

/// A call that was sent and has no answer yet.
async fn begun<F: Future>(call: F) -> Pin<Box<F>> {
    let mut call = Box::pin(call);
    tokio::select! { biased; _ = &mut call => unreachable!(), () = std::future::ready(()) => {} }
    call
}

async fn drain(rsp: Result<Response<impl http_body::Body<Data = Bytes>>, BoxError>) {
    drop(rsp.unwrap().into_body().collect().await);
}

#[tokio::test]
async fn an_answer_passes_through_a_closed_breaker() {
    let (breaker, mut upstream, gate) = breaker();
    let rsp = call(&breaker, &mut upstream, Ok(answer(200))).await.unwrap();
    assert_eq!(rsp.into_body().collect().await.ok().unwrap().to_bytes(), "hi");
    assert_eq!(gate.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_failure_opens_it_and_calls_no_longer_reach_the_upstream() {
    let (breaker, mut upstream, gate) = breaker();
    let rsp = call(&breaker, &mut upstream, Ok(answer(500))).await.unwrap();
    assert_eq!(rsp.status(), 500, "the answer passes untouched");
    assert!(!gate.admits());
    assert_eq!(gate.rests_for(), Some(5 * SECOND));
    let error = breaker.oneshot(Request::new(())).await.map(drop).unwrap_err();
    let until = gate.tripped().unwrap().until;
    assert_eq!(error.downcast_ref(), Some(&BreakerError::Resting { until }));
    assert!(upstream.next_request().await.is_none());
}

#[tokio::test]
async fn an_error_opens_it_and_passes_untouched() {
    let (breaker, mut upstream, gate) = breaker();
    let error = call(&breaker, &mut upstream, Err("reset".into())).await.map(drop).unwrap_err();
    assert_eq!(error.to_string(), "reset");
    assert_eq!(gate.state(), State::Open);
}

#[tokio::test]
async fn a_stream_that_breaks_off_later_counts() {
    let (breaker, mut upstream, gate) = breaker();
    let reset = Err::<Frame<Bytes>, _>(BoxError::from("reset"));
    let rsp = Response::new(StreamBody::new(tokio_stream::once(reset)).boxed_unsync());
    let rsp = call(&breaker, &mut upstream, Ok(rsp)).await;
    assert!(gate.admits(), "it began well");
    drain(rsp).await;
    assert_eq!(gate.state(), State::Open);
}

#[tokio::test]
async fn a_stream_that_ends_with_an_error_event_counts() {
    let (breaker, mut upstream, gate) = breaker();
    let (cell, mut rsp) = (UsageCell::default(), answer(200));
    rsp.extensions_mut().insert(cell.clone());
    let rsp = call(&breaker, &mut upstream, Ok(rsp)).await;
    cell.fail(Fault::new(Cause::Overload, StatusCode::SERVICE_UNAVAILABLE));
    drain(rsp).await;
    assert_eq!(gate.tripped().unwrap().status, 503);
}

#[tokio::test]
async fn a_client_that_leaves_counts_as_neither() {
    let gate = Gate::new(Policy::new(Rule::Consecutive(2)));
    let (upstream, mut handle) = pair();
    let breaker = BreakerLayer::new(gate.clone()).layer(upstream);
    drain(call(&breaker, &mut handle, Ok(answer(500))).await).await;
    drop(call(&breaker, &mut handle, Ok(answer(200))).await);
    assert!(gate.admits(), "it is no failure");
    drain(call(&breaker, &mut handle, Ok(answer(500))).await).await;
    assert!(!gate.admits(), "nor a success between the two");
}

#[tokio::test(start_paused = true)]
async fn after_the_cooldown_one_probe_passes_and_closes_it() {
    let (breaker, mut upstream, gate) = breaker();
    drop(call(&breaker, &mut upstream, Ok(answer(500))).await);
    advance(5 * SECOND).await;
    assert_eq!((gate.state(), gate.admits()), (State::HalfOpen, true));
    let probe = breaker.clone().oneshot(Request::new(()));
    let other = breaker.clone().oneshot(Request::new(()));
    let respond = async {
        let error = other.await.map(drop).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&BreakerError::Probing));
        upstream.next_request().await.unwrap().1.send_response(answer(200));
    };
    assert!(tokio::join!(probe, respond).0.is_ok());
    assert_eq!((gate.state(), gate.tripped()), (State::Closed, None));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_opens_it_for_the_same_time() {
    let (breaker, mut upstream, gate) = breaker();
    drop(call(&breaker, &mut upstream, Ok(answer(500))).await);
    advance(7 * SECOND).await;
    drop(call(&breaker, &mut upstream, Ok(answer(502))).await);
    assert_eq!(gate.rests_for(), Some(5 * SECOND));
    assert_eq!(gate.tripped().unwrap().status, 502);
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_stream_fails_later_opens_it_again() {
    let gate = Gate::new(Policy::new(Rule::Consecutive(3)));
    let (upstream, mut handle) = pair();
    let breaker = BreakerLayer::new(gate.clone()).layer(upstream);
    gate.trip(SECOND, StatusCode::BAD_GATEWAY);
    advance(SECOND).await;
    let reset = Err::<Frame<Bytes>, _>(BoxError::from("reset"));
    let rsp = Response::new(StreamBody::new(tokio_stream::once(reset)).boxed_unsync());
    drain(call(&breaker, &mut handle, Ok(rsp)).await).await;
    assert_eq!(gate.state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_takes_long_keeps_others_out_for_one_cooldown_only() {
    for slow_one_first in [true, false] {
        let (breaker, mut upstream, gate) = breaker();
        gate.trip(SECOND, StatusCode::TOO_MANY_REQUESTS);
        advance(SECOND).await;
        let slow = begun(breaker.clone().oneshot(Request::new(()))).await;
        let (_, slow_answer) = upstream.next_request().await.unwrap();
        advance(5 * SECOND - Duration::from_millis(1)).await;
        assert_eq!((gate.admits(), gate.rests_for()), (false, None));
        advance(Duration::from_millis(1)).await;
        assert_eq!((gate.state(), gate.admits()), (State::HalfOpen, true));
        let next = begun(breaker.clone().oneshot(Request::new(()))).await;
        let (_, next_answer) = upstream.next_request().await.unwrap();
        assert!(!gate.admits(), "one at a time");
        let [first, second] = match slow_one_first {
            true => [(slow, slow_answer), (next, next_answer)],
            false => [(next, next_answer), (slow, slow_answer)],
        };
        first.1.send_response(answer(200));
        drain(first.0.await).await;
        assert_eq!(gate.state(), State::Closed);
        second.1.send_response(answer(400));
        drain(second.0.await).await;
        assert_eq!(gate.state(), State::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_cancelled_leaves_its_place_to_the_next() {
    let (breaker, mut upstream, gate) = breaker();
    gate.trip(SECOND, StatusCode::TOO_MANY_REQUESTS);
    advance(SECOND).await;
    let probe = begun(breaker.clone().oneshot(Request::new(()))).await;
    assert!(!gate.admits());
    drop(probe);
    assert!(gate.admits());
    // What was sent of it is of no interest any more.
    upstream.next_request().await.unwrap();
    drain(call(&breaker, &mut upstream, Ok(answer(200))).await).await;
    assert_eq!(gate.state(), State::Closed);
}
