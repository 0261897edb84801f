//! The response future of [`RateLimit`](super::RateLimit), and what it hands to the body.
use super::{Exceeded, Grant, Limiter, Options, RateLimitError};
use crate::BoxError;
use crate::end::{End, EndBody, OnEnd};
use crate::facts::{Bill, CacheStatus, Usage, UsageCell};
use http::{Extensions, Request, Response};
use http_body::Body;
use pin_project::pin_project;
use std::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower_service::Service;

/// Waits for the grant, then for the inner service. Dropping it ends the grant.
#[pin_project]
#[derive(Debug)]
pub struct RateLimitFuture<L: Limiter, S: Service<Request<B>>, B> {
    #[pin]
    state: State<L::Future, S::Future, L::Grant>,
    service: S,
    request: Option<Request<B>>,
    options: Options,
}

#[pin_project(project = StateProj)]
#[derive(Debug)]
enum State<F, C, G: Grant> {
    Admitting(#[pin] F),
    Calling(#[pin] C, Settle<G>, Option<Box<Exceeded>>),
}

impl<L: Limiter, S: Service<Request<B>>, B> RateLimitFuture<L, S, B> {
    pub(super) const fn new(
        admit: L::Future,
        service: S,
        request: Request<B>,
        options: Options,
    ) -> Self {
        Self { state: State::Admitting(admit), service, request: Some(request), options }
    }
}

impl<L, S, B, R> Future for RateLimitFuture<L, S, B>
where
    L: Limiter,
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: Body,
{
    type Output = Result<Response<EndBody<R, Settle<L::Grant>>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Admitting(admit) => {
                    let (settle, exceeded) = match ready!(admit.poll(cx)) {
                        Ok(grant) => (Settle::of(grant), None),
                        Err(error) => (Settle::default(), this.options.forgive(error)?),
                    };
                    let mut req = this.request.take().expect("a call is admitted once");
                    let settle = settle.calling(req.extensions_mut(), *this.options);
                    this.state.set(State::Calling(this.service.call(req), settle, exceeded));
                }
                StateProj::Calling(call, settle, exceeded) => {
                    let answered = ready!(call.poll(cx));
                    let settle = mem::take(settle);
                    let mut rsp = answered.map_err(Into::into)?;
                    let settle = settle.answered(&mut rsp, *this.options);
                    if let Some(exceeded) = exceeded.take() {
                        rsp.extensions_mut().insert(*exceeded);
                    }
                    return Poll::Ready(Ok(rsp.map(|body| EndBody::new(body, settle))));
                }
            }
        }
    }
}

impl Options {
    /// What becomes of a call that was not granted: it goes on without a grant, or fails.
    fn forgive(self, error: RateLimitError) -> Result<Option<Box<Exceeded>>, RateLimitError> {
        match error {
            RateLimitError::Exceeded(exceeded) if self.dry_run => Ok(Some(exceeded)),
            RateLimitError::Outage(_) if self.dry_run || self.admit_on_outage => Ok(None),
            error => Err(error),
        }
    }
}

/// Settles the grant by the usage when the body ends, however it ends. Dropped before there is an
/// answer, it counts only what is known to be used.
#[derive(Debug)]
pub struct Settle<G: Grant> {
    grant: Option<G>,
    wants_usage: bool,
    bill: Option<Bill>,
    cell: Option<UsageCell>,
    /// Whether the likely tokens stand where no usage was told.
    trusts_estimate: bool,
}

impl<G: Grant> Settle<G> {
    fn of(grant: G) -> Self {
        let mut settle = Self::default();
        settle.wants_usage = grant.wants_usage();
        settle.grant = Some(grant);
        settle
    }

    fn calling(mut self, facts: &mut Extensions, options: Options) -> Self {
        if let Some(grant) = &mut self.grant {
            grant.leave(facts);
        }
        if self.wants_usage && !options.one_attempt {
            self.bill = Some(Bill::of(facts));
        }
        self
    }

    fn answered<R>(mut self, rsp: &mut Response<R>, options: Options) -> Self {
        if let Some(grant) = self.grant.as_ref().filter(|_| options.headers) {
            grant.headers(rsp.headers_mut());
        }
        if rsp.extensions().get() == Some(&CacheStatus::Hit) {
            self.bill = None;
        } else if self.wants_usage {
            self.cell = rsp.extensions().get().cloned();
            self.trusts_estimate = rsp.status().is_success();
        }
        self
    }

    fn used(&self) -> Option<Usage> {
        let billed = self.bill.as_ref().and_then(Bill::total).map(|(usage, _)| usage);
        billed.or_else(|| self.cell.as_ref().and_then(UsageCell::usage))
    }
}

impl<G: Grant> Default for Settle<G> {
    fn default() -> Self {
        Self { grant: None, wants_usage: false, bill: None, cell: None, trusts_estimate: false }
    }
}

impl<G: Grant> OnEnd for Settle<G> {
    fn on_end(self, _end: End) {
        drop(self);
    }
}

impl<G: Grant> Drop for Settle<G> {
    fn drop(&mut self) {
        if let Some(grant) = self.grant.take() {
            let known = (!self.trusts_estimate).then(Usage::default);
            grant.settle(self.used().or(known).as_ref());
        }
    }
}
