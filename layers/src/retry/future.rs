//! The response future of [`Retry`](super::Retry).
use super::{Backoff, Failure, Policy, Retries, RetryBudget, RetryLayer, RetryOverride, Tried};
use crate::BoxError;
use crate::facts::{Attempt, Deadline};
use http::{Request, Response};
use pin_project::pin_project;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep_until};
use tower_service::Service;

/// One attempt after another, with pauses. Dropping it drops the attempt that is under way.
#[pin_project]
#[derive(Debug)]
pub struct RetryFuture<P, S: Service<Request<B>>, B, R> {
    #[pin]
    state: State<S::Future, R>,
    service: S,
    /// Unless no attempt can follow the first.
    run: Option<Run<P, B>>,
}

#[pin_project(project = StateProj)]
#[derive(Debug)]
enum State<F, R> {
    Calling(#[pin] F),
    /// No pause where another deployment is free. What came is kept for the case that nothing is
    /// healthy any more after it. Both are boxed: few calls get here.
    Pausing(Option<Pin<Box<Sleep>>>, Option<Box<(Outcome<R>, Failure)>>),
    /// The service has to be ready anew for each attempt.
    Readying,
}

type Outcome<R> = Result<Response<R>, BoxError>;

/// What is the same for all attempts of a call.
#[derive(Debug)]
struct Run<P, B> {
    policy: P,
    backoff: Backoff,
    done: u32,
    most: u32,
    /// The most of what the failures so far allow.
    allowed: u32,
    /// While another attempt may follow.
    kept: Option<Request<B>>,
}

impl<P, S, B, R> RetryFuture<P, S, B, R>
where
    P: Policy<B>,
    S: Service<Request<B>>,
{
    pub(super) fn new(mut service: S, options: &RetryLayer<P>, req: Request<B>) -> Self {
        let run = Run::new(options, &req);
        Self { state: State::Calling(service.call(req)), service, run }
    }
}

impl<P, S, B, R> Future for RetryFuture<P, S, B, R>
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
                    let Some((failure, next)) = run.next(&outcome) else {
                        return Poll::Ready(run.finish(outcome));
                    };
                    let pause = next.map(|next| Box::pin(sleep_until(next)));
                    this.state.set(State::Pausing(pause, Some(Box::new((outcome, failure)))));
                }
                StateProj::Pausing(pause, failed) => {
                    if let Some(pause) = pause {
                        ready!(pause.as_mut().poll(cx));
                    }
                    let (outcome, failure) = *failed.take().expect("a pause ends once");
                    let run = this.run.as_mut().expect("a pause is between attempts");
                    if !run.goes_on(&failure) {
                        return Poll::Ready(run.finish(outcome));
                    }
                    this.state.set(State::Readying);
                }
                StateProj::Readying => {
                    ready!(this.service.poll_ready(cx)).map_err(Into::into)?;
                    let run = this.run.as_mut().expect("a further attempt follows one");
                    let req = run.request();
                    this.state.set(State::Calling(this.service.call(req)));
                }
            }
        }
    }
}

impl<P: Policy<B>, B> Run<P, B> {
    /// `None` if nothing can follow on `req`.
    fn new(options: &RetryLayer<P>, req: &Request<B>) -> Option<Self> {
        let RetryLayer { policy, backoff } = options;
        let rules = policy.rules(req);
        if let Some(budget) = &rules.budget {
            budget.deposit();
        }
        let most = rules.most(asked(req));
        if most == 0 {
            return None;
        }
        let kept = policy.copy(req)?;
        let (policy, backoff) = (policy.clone(), *backoff);
        Some(Self { policy, backoff, done: 0, most, allowed: 0, kept: Some(kept) })
    }

    /// What failed, and when the next attempt may begin unless at once; `None` if `outcome` is the
    /// last word.
    fn next<R>(&mut self, outcome: &Outcome<R>) -> Option<(Failure, Option<Instant>)> {
        let failure = self.policy.failure(outcome.as_ref())?;
        let kept = self.kept.as_mut()?;
        if let Some(deployment) = &failure.deployment {
            kept.extensions_mut().get_or_insert_default::<Tried>().add(deployment);
        }
        let (rules, group) = (self.policy.rules(kept), self.policy.group(kept));
        let count = rules.count(asked(kept), &failure, &group);
        self.allowed = self.allowed.max(count);
        if self.done >= count {
            return None;
        }
        // Where nobody says which deployment failed, it may be the next one too.
        let elsewhere = failure.deployment.is_some() && group.has_another();
        let pause = || self.backoff.delay(self.done, failure.fault.retry_after);
        let pause = if elsewhere { Duration::ZERO } else { pause() };
        let next = Instant::now().checked_add(pause)?;
        let deadline = kept.extensions().get::<Deadline>();
        if deadline.is_some_and(|Deadline(deadline)| next >= *deadline) {
            return None;
        }
        let next = (!pause.is_zero()).then_some(next);
        let budget = rules.budget.as_ref();
        budget.is_none_or(RetryBudget::withdraw).then_some((failure, next))
    }

    /// Whether the next attempt still makes sense after its pause; if so, it is counted.
    fn goes_on(&mut self, failure: &Failure) -> bool {
        let Some(kept) = &mut self.kept else { return false };
        let (rules, group) = (self.policy.rules(kept), self.policy.group(kept));
        if self.done >= rules.count(asked(kept), failure, &group) {
            return false;
        }
        self.done += 1;
        let attempt = kept.extensions_mut().get_or_insert_default::<Attempt>();
        attempt.retries = self.done;
        self.policy.retrying(kept, failure);
        true
    }

    /// The request of the next attempt: a copy, or the kept one for the last.
    fn request(&mut self) -> Request<B> {
        let kept = self.kept.take().expect("another attempt may follow");
        if self.done < self.most {
            self.kept = self.policy.copy(&kept);
        }
        kept
    }

    /// Lets the request go, and notes on an answer how many attempts there were.
    fn finish<R>(&mut self, mut outcome: Outcome<R>) -> Outcome<R> {
        self.kept = None;
        if let Ok(rsp) = &mut outcome
            && self.done > 0
        {
            rsp.extensions_mut().insert(Retries { done: self.done, most: self.allowed });
        }
        outcome
    }
}

fn asked<B>(req: &Request<B>) -> Option<u32> {
    req.extensions().get().map(|RetryOverride(retries)| *retries)
}
