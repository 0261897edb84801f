mod records;

use super::{Admission, Budget, Cost, CostError, CostLayer, Ledger, MemoryHold, MemoryLedger};
use crate::BoxError;
use crate::facts::{Amount, Bill, Estimate, NanoUsd, Price, Rates, Scope, Usage, UsageCell};
use bytes::Bytes;
use http::{Extensions, Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use std::future::{Ready, ready};
use std::io;
use std::sync::Arc;
use tower::{Layer, ServiceExt};
use tower_test::mock::{Handle, Mock, pair};

type Req = Request<()>;
type Rsp = Response<Full<Bytes>>;
type Rig = (Cost<MemoryLedger, Mock<Req, Rsp>>, Handle<Req, Rsp>, MemoryLedger);

#[tokio::test]
async fn a_drained_body_is_charged_for_what_it_used() {
    let (cost, mut upstream, ledger) = cost_with_budget(100);
    let (rsp, ()) = tokio::join!(cost.oneshot(likely(10)), answer(&mut upstream, Ok(3)));
    let mut body = rsp.unwrap().into_body();
    assert_eq!(ledger.left(), NanoUsd(90), "the estimate is held while the body is open");
    body.frame().await.unwrap().unwrap();
    assert_eq!(ledger.left(), NanoUsd(97));
    drop(body);
    assert_eq!(ledger.left(), NanoUsd(97), "it is charged once");
}

#[tokio::test]
async fn a_client_that_leaves_is_charged_for_what_was_written() {
    let (cost, mut upstream, ledger) = cost_with_budget(100);
    let (rsp, ()) = tokio::join!(cost.oneshot(likely(10)), answer(&mut upstream, Ok(3)));
    drop(rsp);
    assert_eq!(ledger.left(), NanoUsd(97));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_charged_for_what_it_used() {
    let reset = |_: Req| {
        let frame = Err::<Frame<Bytes>, _>(io::Error::other("reset"));
        let mut rsp = Response::new(StreamBody::new(tokio_stream::once(frame)));
        rsp.extensions_mut().insert(used(3));
        ready(Ok::<_, BoxError>(rsp))
    };
    let ledger = MemoryLedger::new(NanoUsd(100));
    let cost = CostLayer::new(ledger.clone()).layer(tower::service_fn(reset));
    assert!(cost.oneshot(likely(10)).await.unwrap().into_body().collect().await.is_err());
    assert_eq!(ledger.left(), NanoUsd(97));
}

#[tokio::test]
async fn usage_that_a_body_tells_when_it_is_dropped_is_charged() {
    let cell = used(0);
    let told = cell.clone();
    let estimate_late = move |_: Req| {
        let told = told.clone();
        let body = crate::end::EndBody::new(Full::<Bytes>::from("hi"), move |_| {
            told.set(Usage::tokens(0, 3));
        });
        let mut rsp = Response::new(body);
        rsp.extensions_mut().insert(cell.clone());
        ready(Ok::<_, BoxError>(rsp))
    };
    let ledger = MemoryLedger::new(NanoUsd(100));
    let cost = CostLayer::new(ledger.clone()).layer(tower::service_fn(estimate_late));
    drop(cost.oneshot(likely(10)).await.unwrap());
    assert_eq!(ledger.left(), NanoUsd(97));
}

#[tokio::test]
async fn an_upstream_failure_gives_the_hold_back() {
    let (cost, mut upstream, ledger) = cost_with_budget(100);
    let (rsp, ()) = tokio::join!(cost.oneshot(likely(10)), answer(&mut upstream, Err("reset")));
    assert_eq!(rsp.map(drop).unwrap_err().to_string(), "reset");
    assert_eq!(ledger.left(), NanoUsd(100));
}

#[tokio::test]
async fn all_attempts_are_charged() {
    let (cost, mut upstream, ledger) = cost_with_budget(100);
    let attempts = async {
        let (req, respond) = upstream.next_request().await.unwrap();
        let bill = req.extensions().get::<Bill>().unwrap();
        bill.add(used(5));
        bill.add(UsageCell::default());
        bill.add(used(3));
        let mut rsp = Rsp::default();
        // That of the last attempt is one of the bill's lines: it does not count twice.
        rsp.extensions_mut().insert(used(3));
        respond.send_response(rsp);
    };
    let (rsp, ()) = tokio::join!(cost.oneshot(likely(10)), attempts);
    drop(rsp.unwrap());
    assert_eq!(ledger.left(), NanoUsd(92));
}

#[tokio::test]
async fn of_one_attempt_others_are_not_charged() {
    let ledger = MemoryLedger::new(NanoUsd(100));
    let (upstream, mut handle) = pair();
    let cost = CostLayer::new(ledger.clone()).one_attempt().layer(upstream);
    let mut req = likely(10);
    Bill::of(req.extensions_mut()).add(used(50));
    let (rsp, ()) = tokio::join!(cost.oneshot(req), answer(&mut handle, Ok(3)));
    drop(rsp.unwrap());
    assert_eq!(ledger.left(), NanoUsd(97));
}

#[tokio::test]
async fn what_a_bill_told_before_the_hold_is_not_charged_again() {
    let (cost, mut upstream, ledger) = cost_with_budget(100);
    let mut req = likely(10);
    Bill::of(req.extensions_mut()).add(used(50));
    let attempt = async {
        let (req, respond) = upstream.next_request().await.unwrap();
        req.extensions().get::<Bill>().unwrap().add(used(3));
        respond.send_response(Rsp::default());
    };
    let (rsp, ()) = tokio::join!(cost.oneshot(req), attempt);
    drop(rsp.unwrap());
    assert_eq!(ledger.left(), NanoUsd(97));
}

#[tokio::test]
async fn attempts_before_an_upstream_failure_are_charged() {
    let (cost, mut upstream, ledger) = cost_with_budget(100);
    let attempts = async {
        let (req, respond) = upstream.next_request().await.unwrap();
        req.extensions().get::<Bill>().unwrap().add(used(5));
        respond.send_error(BoxError::from("all failed"));
    };
    let (rsp, ()) = tokio::join!(cost.oneshot(likely(10)), attempts);
    assert!(rsp.is_err());
    assert_eq!(ledger.left(), NanoUsd(95));
}

#[tokio::test]
async fn a_client_that_leaves_before_the_headers_is_charged_for_attempts_alone() {
    for (attempt, left) in [(None, 100), (Some(5), 95)] {
        let (cost, mut upstream, ledger) = cost_with_budget(100);
        let mut call = Box::pin(cost.oneshot(likely(10)));
        let (req, _respond) = tokio::select! {
            _ = &mut call => unreachable!("nobody answers"),
            request = upstream.next_request() => request.unwrap(),
        };
        assert_eq!(ledger.left(), NanoUsd(90));
        let bill = req.extensions().get::<Bill>().unwrap();
        attempt.into_iter().for_each(|tokens| bill.add(used(tokens)));
        drop(call);
        assert_eq!(ledger.left(), NanoUsd(left));
    }
}

#[tokio::test]
async fn a_call_without_budget_never_reaches_the_upstream() {
    let (cost, mut upstream, _ledger) = cost_with_budget(0);
    let error = cost.oneshot(likely(10)).await.map(drop).unwrap_err();
    let Some(CostError::BudgetExhausted(exhausted)) = error.downcast_ref() else {
        panic!("{error}");
    };
    assert_eq!(exhausted.budget, Budget::new(NanoUsd(0)));
    assert_eq!((exhausted.spent, exhausted.held), (NanoUsd(0), NanoUsd(0)));
    assert!(upstream.next_request().await.is_none());
}

#[tokio::test]
async fn the_last_call_may_overdraw() {
    let (cost, mut upstream, ledger) = cost_with_budget(1);
    let (rsp, ()) = tokio::join!(cost.oneshot(likely(10)), answer(&mut upstream, Ok(3)));
    drop(rsp.unwrap());
    assert_eq!(ledger.left(), NanoUsd(-2));
}

#[tokio::test]
async fn a_strict_call_needs_room_for_the_most_that_it_can_cost() {
    let ledger = MemoryLedger::new(NanoUsd(100));
    let cost = CostLayer::new(ledger.clone()).strict().layer(tower::service_fn(free));
    let rsp = cost.clone().oneshot(request(1, Some(60))).await.unwrap();
    assert_eq!(ledger.left(), NanoUsd(40));
    let error = cost.clone().oneshot(request(1, Some(41))).await.map(drop).unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(CostError::BudgetExhausted(_))), "{error}");
    assert!(cost.clone().oneshot(request(1, Some(40))).await.is_ok());
    drop(rsp);
    assert_eq!(ledger.left(), NanoUsd(100));
}

#[tokio::test]
async fn a_strict_call_without_a_bound_never_reaches_the_upstream() {
    for req in [likely(10), Request::new(())] {
        let (upstream, mut handle) = pair::<Req, Rsp>();
        let ledger = MemoryLedger::new(NanoUsd(100));
        let cost = CostLayer::new(ledger.clone()).admission(Admission::Most).layer(upstream);
        let error = cost.oneshot(req).await.map(drop).unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(CostError::Unbounded)), "{error}");
        assert!(handle.next_request().await.is_none());
        assert_eq!(ledger.left(), NanoUsd(100));
    }
}

#[tokio::test]
async fn a_call_that_costs_nothing_needs_no_budget() {
    for admission in [Admission::Likely, Admission::Most] {
        let layer = CostLayer::new(MemoryLedger::new(NanoUsd(-5))).admission(admission);
        let cost = layer.layer(tower::service_fn(free));
        assert!(cost.clone().oneshot(request(0, Some(0))).await.is_ok());
        assert!(cost.oneshot(request(0, Some(1))).await.is_err());
    }
}

#[tokio::test]
async fn a_call_under_no_budget_is_admitted() {
    let nobody = |_: &Extensions, _: &mut dyn FnMut(&Budget)| {};
    let cost = CostLayer::new(MemoryLedger::with(nobody)).strict().layer(tower::service_fn(free));
    assert!(cost.oneshot(likely(10)).await.is_ok());
}

#[tokio::test]
async fn a_call_that_one_budget_refuses_holds_nothing_in_the_others() {
    let [wide, narrow] = [(Scope::Global, 100), (Scope::Key, 0)]
        .map(|(scope, max)| Budget::of(scope, "", NanoUsd(max)));
    let ledger = MemoryLedger::with(Arc::from([wide.clone(), narrow.clone()]));
    let cost = CostLayer::new(ledger.clone()).layer(tower::service_fn(free));
    let error = cost.oneshot(likely(10)).await.map(drop).unwrap_err();
    let Some(CostError::BudgetExhausted(exhausted)) = error.downcast_ref() else {
        panic!("{error}");
    };
    assert_eq!(exhausted.budget, narrow);
    assert_eq!(ledger.account(&wide).left(), NanoUsd(100));
}

#[tokio::test]
async fn an_outage_refuses_unless_told_to_admit() {
    let layer = CostLayer::new(Unreachable);
    let refused = layer.layer(tower::service_fn(free)).oneshot(likely(1)).await;
    assert!(matches!(refused.unwrap_err().downcast_ref(), Some(CostError::Outage(_))));
    let admitted = layer.admit_on_outage().layer(tower::service_fn(free));
    assert!(admitted.oneshot(likely(1)).await.is_ok());
}

#[derive(Clone)]
struct Unreachable;

impl Ledger for Unreachable {
    type Hold = MemoryHold;
    type Future = Ready<Result<MemoryHold, CostError>>;

    fn hold(&self, _facts: &Extensions, _admission: Admission) -> Self::Future {
        ready(Err(CostError::Outage("connection refused".into())))
    }
}

fn cost_with_budget(budget: i64) -> Rig {
    let ledger = MemoryLedger::new(NanoUsd(budget));
    let (upstream, handle) = pair();
    (CostLayer::new(ledger.clone()).layer(upstream), handle, ledger)
}

fn likely(cost: i64) -> Req {
    request(cost, None)
}

fn request(likely: i64, most: Option<i64>) -> Req {
    let amount = |cost| Amount { tokens: 0, cost: NanoUsd(cost) };
    let mut req = Request::new(());
    let estimate = Estimate { likely: amount(likely), most: most.map(amount) };
    req.extensions_mut().insert(estimate);
    req
}

/// So many tokens at a billionth of a dollar.
fn used(tokens: i64) -> UsageCell {
    let cell = UsageCell::new(Price::flat(Rates::tokens(0, 1000)));
    cell.set(Usage::tokens(0, tokens));
    cell
}

async fn free(_: Req) -> Result<Rsp, BoxError> {
    Ok(Response::new(Full::from("hi")))
}

async fn answer(upstream: &mut Handle<Req, Rsp>, outcome: Result<i64, &'static str>) {
    let (_, respond) = upstream.next_request().await.unwrap();
    match outcome {
        Ok(tokens) => {
            let mut rsp = Response::new(Full::from("hi"));
            rsp.extensions_mut().insert(used(tokens));
            respond.send_response(rsp);
        }
        Err(error) => respond.send_error(BoxError::from(error)),
    }
}
