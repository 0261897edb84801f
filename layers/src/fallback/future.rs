//! The response future of [`Fallback`](super::Fallback).
use super::walk::Walk;
use super::{FallbackOverride, FellBack, Policy};
use crate::BoxError;
use crate::facts::{Attempt, Deadline, Fault};
use http::{Request, Response};
use pin_project::pin_project;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::time::Instant;
use tower_service::Service;

/// One group after another. Dropping it drops the call that is under way.
#[pin_project]
#[derive(Debug)]
pub struct FallbackFuture<P, S: Service<Request<B>>, B, R> {
    #[pin]
    state: State<S::Future, B>,
    service: S,
    /// While another group may follow.
    run: Option<Run<P, B, R>>,
}

#[pin_project(project = StateProj)]
#[derive(Debug)]
enum State<F, B> {
    Calling(#[pin] F),
    /// The service has to be ready anew for each group.
    Readying(Option<Box<Request<B>>>),
}

type Outcome<R> = Result<Response<R>, BoxError>;

#[derive(Debug)]
struct Run<P, B, R> {
    policy: P,
    /// As the client sent it.
    kept: Request<B>,
    /// Once a group has failed. Boxed: few calls get there.
    failed: Option<Box<Failed<R>>>,
}

#[derive(Debug)]
struct Failed<R> {
    walk: Walk,
    /// How the first group failed: what the client gets if no other does better.
    original: Outcome<R>,
}

impl<P, S, B, R> FallbackFuture<P, S, B, R>
where
    P: Policy<B>,
    S: Service<Request<B>>,
{
    pub(super) fn new(mut service: S, policy: &P, req: Request<B>) -> Self {
        let run = Run::new(policy, &req);
        Self { state: State::Calling(service.call(req)), service, run }
    }
}

impl<P, S, B, R> Future for FallbackFuture<P, S, B, R>
where
    P: Policy<B>,
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
{
    type Output = Outcome<R>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Calling(call) => {
                    let outcome = ready!(call.poll(cx)).map_err(Into::into);
                    let Some(run) = this.run else { return Poll::Ready(outcome) };
                    let Some(fault) = run.policy.fault(outcome.as_ref()) else {
                        return Poll::Ready(run.note(outcome));
                    };
                    match run.after(&fault, outcome) {
                        Ok(req) => this.state.set(State::Readying(Some(Box::new(req)))),
                        Err(first) => return Poll::Ready(first),
                    }
                }
                StateProj::Readying(req) => {
                    ready!(this.service.poll_ready(cx)).map_err(Into::into)?;
                    let req = req.take().expect("a request is sent once");
                    this.state.set(State::Calling(this.service.call(*req)));
                }
            }
        }
    }
}

impl<P: Policy<B>, B, R> Run<P, B, R> {
    /// `None` if nothing can follow on `req`.
    fn new(policy: &P, req: &Request<B>) -> Option<Self> {
        let asked = req.extensions().get::<FallbackOverride>();
        let group = policy.group(req)?;
        if !policy.plan(req).applies(group, asked) {
            return None;
        }
        let kept = policy.copy(req)?;
        Some(Self { policy: policy.clone(), kept, failed: None })
    }

    /// The request for the next group, after one failed like this; else what the first one said.
    fn after(&mut self, fault: &Fault, outcome: Outcome<R>) -> Result<Request<B>, Outcome<R>> {
        let mut failed = match self.failed.take() {
            Some(failed) => failed,
            None => match self.walk() {
                Some(walk) => Box::new(Failed { walk, original: outcome }),
                None => return Err(outcome),
            },
        };
        let Some(next) = self.next(&mut failed.walk, fault) else { return Err(failed.original) };
        self.failed = Some(failed);
        Ok(next)
    }

    fn walk(&self) -> Option<Walk> {
        let first = self.policy.group(&self.kept)?.into();
        Some(Walk::new(self.policy.plan(&self.kept), first))
    }

    fn next(&self, walk: &mut Walk, fault: &Fault) -> Option<Request<B>> {
        let facts = self.kept.extensions();
        if facts.get::<Deadline>().is_some_and(|Deadline(deadline)| Instant::now() >= *deadline) {
            return None;
        }
        let mut target = walk.fail(fault.cause, facts.get());
        while let Some(there) = target {
            let copy = self.policy.copy(&self.kept)?;
            if let Some(mut req) = self.policy.redirect(copy, &there) {
                walk.go(&there);
                let attempt = Attempt { retries: 0, fallbacks: walk.fallbacks() };
                req.extensions_mut().insert(attempt);
                self.policy.falling_back(&req, &there, fault);
                return Some(req);
            }
            target = walk.skip();
        }
        None
    }

    /// Notes on an answer which group it came from.
    fn note(&self, mut outcome: Outcome<R>) -> Outcome<R> {
        if let (Ok(rsp), Some(Failed { walk, .. })) = (&mut outcome, self.failed.as_deref()) {
            let (fallbacks, group) = (walk.fallbacks(), walk.here().clone());
            rsp.extensions_mut().insert(FellBack { fallbacks, group });
        }
        outcome
    }
}
