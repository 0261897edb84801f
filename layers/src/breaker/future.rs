//! The response future of [`Breaker`](super::Breaker), and what watches the body.
use super::gate::Pass;
use super::{BreakerError, Gate};
use crate::BoxError;
use crate::end::{End, EndBody, OnEnd};
use crate::facts::{Cause, Fault, UsageCell};
use http::{Response, StatusCode};
use http_body::Body;
use pin_project::pin_project;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Waits for the answer and judges it. Dropping it leaves the place of the probe to another call.
#[pin_project]
#[derive(Debug)]
pub struct BreakerFuture<F> {
    #[pin]
    state: State<F>,
}

#[pin_project(project = StateProj)]
#[derive(Debug)]
enum State<F> {
    Refused(BreakerError),
    Calling(#[pin] F, Option<Pass>),
}

impl<F> BreakerFuture<F> {
    pub(super) const fn refused(error: BreakerError) -> Self {
        Self { state: State::Refused(error) }
    }

    pub(super) const fn calling(call: F, pass: Pass) -> Self {
        Self { state: State::Calling(call, Some(pass)) }
    }
}

impl<F, R, E> Future for BreakerFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    E: Into<BoxError>,
    R: Body,
{
    type Output = Result<Response<EndBody<R, Watch>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (call, pass) = match self.project().state.project() {
            StateProj::Refused(error) => return Poll::Ready(Err((*error).into())),
            StateProj::Calling(call, pass) => (call, pass),
        };
        let result = ready!(call.poll(cx)).map_err(Into::into);
        let fault = Fault::of(result.as_ref());
        let (gate, probe) = pass.take().expect("an answer comes once").judge(fault.as_ref());
        Poll::Ready(result.map(|rsp| {
            let gate = fault.is_none().then_some(gate);
            let watch = Watch { gate, probe, cell: rsp.extensions().get().cloned() };
            rsp.map(|body| EndBody::new(body, watch))
        }))
    }
}

/// Judges an answer that began well by how its body ends.
#[derive(Debug)]
pub struct Watch {
    /// None for an answer that was judged when it came.
    gate: Option<Gate>,
    probe: bool,
    cell: Option<UsageCell>,
}

impl OnEnd for Watch {
    fn on_end(self, end: End) {
        let Some(gate) = self.gate else { return };
        let fault = self.cell.and_then(|cell| cell.fault());
        match (fault, end) {
            (Some(fault), _) => gate.failed(&fault, self.probe),
            (None, End::Complete) => gate.succeeded(),
            // Whatever the network broke off had an answer before: the upstream is to blame.
            (None, End::Failed) => {
                let fault = Fault::new(Cause::Outage, StatusCode::BAD_GATEWAY);
                gate.failed(&fault, self.probe);
            }
            (None, End::Cancelled) => {}
        }
    }
}
