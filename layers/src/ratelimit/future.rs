//! The response future of [`RateLimit`](super::RateLimit), and what it hands to the body.
use super::headers::{LimitHeaders, Shown, show};
use super::{Exceeded, Grant, Headers, Limiter, Options, RateLimitError};
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
    state: State<L::Future, S, S::Future, L::Grant, B>,
    options: Options,
}

#[pin_project(project = StateProj)]
#[derive(Debug)]
enum State<F, S, C, G: Grant, B> {
    Admitting(#[pin] F, Option<(S, Request<B>)>),
    Calling(#[pin] C, Settle<G>, Option<Box<Exceeded>>),
    Refused(Option<RateLimitError>),
}

impl<L: Limiter, S: Service<Request<B>>, B> RateLimitFuture<L, S, B> {
    pub(super) const fn waiting(
        admit: L::Future,
        service: S,
        request: Request<B>,
        options: Options,
    ) -> Self {
        Self { state: State::Admitting(admit, Some((service, request))), options }
    }

    /// Goes on where nobody had to wait: the request is never held.
    pub(super) fn decided(
        decided: Result<L::Grant, RateLimitError>,
        service: &mut S,
        request: Request<B>,
        options: Options,
    ) -> Self
    where
        S: Clone,
    {
        let state = State::call(decided, service, request, options).unwrap_or_else(|error| {
            // Whatever the ready service has reserved goes back.
            *service = service.clone();
            State::Refused(Some(error))
        });
        Self { state, options }
    }
}

impl<F, S: Service<Request<B>>, G: Grant, B> State<F, S, S::Future, G, B> {
    fn call(
        decided: Result<G, RateLimitError>,
        service: &mut S,
        mut req: Request<B>,
        options: Options,
    ) -> Result<Self, RateLimitError> {
        let (mut settle, exceeded) = match decided {
            Ok(grant) => (Settle::of(grant), None),
            Err(error) => (Settle::default(), options.forgive(error)?),
        };
        settle.calling(req.extensions_mut(), options);
        Ok(Self::Calling(service.call(req), settle, exceeded))
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
                StateProj::Admitting(admit, waiting) => {
                    let decided = ready!(admit.poll(cx));
                    let (mut service, req) = waiting.take().expect("a call is admitted once");
                    let state = State::call(decided, &mut service, req, *this.options)?;
                    this.state.set(state);
                }
                StateProj::Calling(call, settle, exceeded) => {
                    let answered = ready!(call.poll(cx));
                    let mut settle = mem::take(settle);
                    let mut rsp = answered.map_err(Into::into)?;
                    settle.answered(&mut rsp, *this.options);
                    if let Some(exceeded) = exceeded.take() {
                        rsp.extensions_mut().insert(*exceeded);
                    }
                    return Poll::Ready(Ok(rsp.map(|body| EndBody::new(body, settle))));
                }
                StateProj::Refused(error) => {
                    return Poll::Ready(Err(error.take().expect("a call is refused once").into()));
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
    /// What the services inside may have set.
    shown: Option<Shown>,
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

    fn calling(&mut self, facts: &mut Extensions, options: Options) {
        if let Some(grant) = &mut self.grant {
            grant.leave(facts);
            if options.headers == Headers::Early {
                self.shown = Some(early(grant, facts));
            }
        }
        if self.wants_usage && !options.one_attempt {
            self.bill = Some(Bill::of(facts));
        }
    }

    fn answered<R>(&mut self, rsp: &mut Response<R>, options: Options) {
        if let Some(shown) = &self.shown {
            show(shown, rsp.headers_mut());
        }
        if let Some(grant) = self.grant.as_ref().filter(|_| options.headers == Headers::Late) {
            let headers = rsp.headers_mut();
            grant.headers(&mut |name, value| {
                headers.insert(name, value);
            });
        }
        if !self.wants_usage {
            return;
        }
        if rsp.extensions().get() == Some(&CacheStatus::Hit) {
            self.bill = None;
        } else {
            self.cell = rsp.extensions().get().cloned();
            self.trusts_estimate = rsp.status().is_success();
        }
    }

    fn used(&self) -> Option<Usage> {
        let billed = self.bill.as_ref().and_then(Bill::usage);
        billed.or_else(|| self.cell.as_ref().and_then(UsageCell::usage))
    }
}

/// Leaves the headers of `grant` for the services inside.
fn early(grant: &impl Grant, facts: &mut Extensions) -> Shown {
    let mut headers = Vec::with_capacity(6);
    grant.headers(&mut |name, value| headers.push((name.clone(), value)));
    let shown: Shown = headers.into();
    facts.get_or_insert_default::<LimitHeaders>().push(shown.clone());
    shown
}

impl<G: Grant> Default for Settle<G> {
    fn default() -> Self {
        let (bill, cell, shown) = (None, None, None);
        Self { grant: None, wants_usage: false, bill, cell, shown, trusts_estimate: false }
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
            let used = self.used().or((!self.trusts_estimate).then(Usage::default));
            grant.settle(used.as_ref());
        }
    }
}
