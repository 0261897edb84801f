//! The response future of [`Cost`](super::Cost), and what it hands to the body.
use super::record::Draft;
use super::{CostError, Hold, Ledger, Sink};
use crate::BoxError;
use crate::end::{End, EndBody, OnEnd};
use crate::facts::{Bill, NanoUsd, UsageCell};
use http::{Extensions, Request, Response};
use http_body::Body;
use pin_project::pin_project;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower_service::Service;

/// Waits for the hold, then for the inner service. Dropping it settles what attempts have used by
/// then.
#[pin_project]
#[derive(Debug)]
pub struct CostFuture<L: Ledger, S: Service<Request<B>>, B, K: Sink = ()> {
    // First of all, so that an inner call which is dropped tells its usage before it is settled.
    #[pin]
    state: State<L::Future, S, S::Future, B>,
    settle: Option<Settle<L::Hold, K>>,
    admit_on_outage: bool,
}

#[pin_project(project = StateProj)]
#[derive(Debug)]
enum State<F, S, C, B> {
    Holding(#[pin] F, Option<(S, Request<B>)>),
    Calling(#[pin] C),
    Refused(Option<CostError>),
}

impl<L: Ledger, S: Service<Request<B>>, B, K: Sink> CostFuture<L, S, B, K> {
    pub(super) const fn waiting(
        hold: L::Future,
        service: S,
        request: Request<B>,
        settle: Settle<L::Hold, K>,
        admit_on_outage: bool,
    ) -> Self {
        let state = State::Holding(hold, Some((service, request)));
        Self { state, settle: Some(settle), admit_on_outage }
    }

    /// Goes on where nobody had to wait: the request is never held.
    pub(super) fn held(
        held: Result<L::Hold, CostError>,
        service: &mut S,
        request: Request<B>,
        mut settle: Settle<L::Hold, K>,
        admit_on_outage: bool,
    ) -> Self
    where
        S: Clone,
    {
        let state = match settle.hold(held, admit_on_outage) {
            Ok(()) => State::Calling(service.call(request)),
            Err(error) => {
                // Whatever the ready service has reserved goes back.
                *service = service.clone();
                State::Refused(Some(error))
            }
        };
        Self { state, settle: Some(settle), admit_on_outage }
    }
}

impl<L, S, B, K, R> Future for CostFuture<L, S, B, K>
where
    L: Ledger,
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    K: Sink,
    R: Body,
{
    type Output = Result<Response<EndBody<R, Settle<L::Hold, K>>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let error = loop {
            match this.state.as_mut().project() {
                StateProj::Holding(hold, waiting) => {
                    let held = ready!(hold.poll(cx));
                    let settle = this.settle.as_mut().expect("a hold is granted once");
                    if let Err(error) = settle.hold(held, *this.admit_on_outage) {
                        break error.into();
                    }
                    let (mut service, req) = waiting.take().expect("a hold is granted once");
                    this.state.set(State::Calling(service.call(req)));
                }
                StateProj::Calling(call) => match ready!(call.poll(cx)) {
                    Ok(rsp) => {
                        let mut settle = this.settle.take().expect("an answer comes once");
                        settle.answered(&rsp);
                        return Poll::Ready(Ok(rsp.map(|body| EndBody::new(body, settle))));
                    }
                    Err(error) => break error.into(),
                },
                StateProj::Refused(error) => {
                    break error.take().expect("a call is refused once").into();
                }
            }
        };
        if let Some(settle) = this.settle.take() {
            settle.on_end(End::Failed);
        }
        Poll::Ready(Err(error))
    }
}

/// Settles the hold by the bill, once: when the body ends, however it ends, or when it is dropped.
#[derive(Debug)]
pub struct Settle<H: Hold, K: Sink = ()> {
    hold: Option<H>,
    bill: Bill,
    /// The bill may be older than the hold, where an outer layer sends a call again.
    before: NanoUsd,
    draft: Draft<K>,
}

impl<H: Hold, K: Sink> Settle<H, K> {
    pub(super) fn new(bill: Bill, facts: &Extensions, sink: &K) -> Self {
        let before = bill.cost();
        Self { hold: None, bill, before, draft: Draft::new(facts, sink) }
    }

    fn hold(&mut self, held: Result<H, CostError>, admit_on_outage: bool) -> Result<(), CostError> {
        match held {
            Ok(hold) => self.hold = Some(hold),
            Err(CostError::Outage(_)) if admit_on_outage => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// A service that knows nothing of bills leaves the usage in its answer.
    fn answered<B>(&mut self, rsp: &Response<B>) {
        if self.bill.attempts() == 0
            && let Some(line) = rsp.extensions().get::<UsageCell>()
        {
            self.bill.add(line.clone());
        }
        self.draft.answered(rsp);
    }

    fn finish(&mut self, end: End) {
        // Without any usage, dropping the hold gives it back.
        if let Some(hold) = self.hold.take()
            && let Some(cost) = self.bill.spent()
        {
            hold.settle(cost - self.before);
        }
        self.draft.finish(end, &self.bill);
    }
}

impl<H: Hold, K: Sink> OnEnd for Settle<H, K> {
    fn on_end(mut self, end: End) {
        self.finish(end);
    }
}

impl<H: Hold, K: Sink> Drop for Settle<H, K> {
    /// The client left before there was a body.
    fn drop(&mut self) {
        self.finish(End::Cancelled);
    }
}
