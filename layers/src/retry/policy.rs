//! Where retries ask what holds for a call and how its group stands.
use super::{Failure, Rules};
use crate::BoxError;
use crate::body::{Body, repeat};
use http::{Request, Response};
use std::borrow::Cow;
use std::sync::Arc;

/// What holds for calls, and how their groups stand. Clones share their state.
pub trait Policy<B>: Clone {
    /// What holds for `req`. Asked before its first attempt, and again after each failure.
    fn rules<'a>(&'a self, req: &'a Request<B>) -> Cow<'a, Rules>;

    /// How the group of `req` stands now. Asked after each failure, and again after the pause; the
    /// fact [`Tried`] names the deployments that have failed so far.
    fn group(&self, req: &Request<B>) -> Group;

    /// A copy of `req` for another attempt; `None` if it cannot be sent again. Asked only where
    /// another attempt may follow.
    fn copy(&self, req: &Request<B>) -> Option<Request<B>>;

    /// How an attempt failed; `None` if it did not, and its answer is committed. By default
    /// [`Failure::of`]: an error without a [`Fault`](crate::facts::Fault) in its chain is one of
    /// the network, so one that is not has to say so or to be known here.
    fn failure<R>(&self, outcome: Result<&Response<R>, &BoxError>) -> Option<Failure> {
        Failure::of(outcome)
    }

    /// Told before each further attempt, after its pause: for logs and metrics. The fact
    /// [`Attempt`](crate::facts::Attempt) of `next` counts it.
    fn retrying(&self, next: &Request<B>, failed: &Failure) {
        let _ = (next, failed);
    }
}

/// The same rules for all calls, to a single deployment that is always healthy and has no
/// fallbacks.
impl<B: Clone> Policy<B> for Rules {
    fn rules<'a>(&'a self, _req: &'a Request<B>) -> Cow<'a, Rules> {
        Cow::Borrowed(self)
    }

    fn group(&self, _req: &Request<B>) -> Group {
        Group::single()
    }

    fn copy(&self, req: &Request<B>) -> Option<Request<B>> {
        Some(req.clone())
    }
}

/// The same for bodies that were read, as ingest leaves them. One that streams is sent once.
impl Policy<Body> for Rules {
    fn rules<'a>(&'a self, _req: &'a Request<Body>) -> Cow<'a, Rules> {
        Cow::Borrowed(self)
    }

    fn group(&self, _req: &Request<Body>) -> Group {
        Group::single()
    }

    fn copy(&self, req: &Request<Body>) -> Option<Request<Body>> {
        repeat(req)
    }
}

/// How a group stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// How many deployments it has.
    pub deployments: usize,
    /// How many of them take calls now, tried or not.
    pub healthy: usize,
    /// How many of the healthy ones this call has not tried yet.
    pub untried: usize,
    /// What may answer where the group cannot.
    pub fallbacks: Fallbacks,
}

/// Which fallbacks a group has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fallbacks {
    /// For prompts that are too long.
    pub context: bool,
    /// For what a provider's policy refuses.
    pub content: bool,
}

impl Group {
    /// One deployment that is healthy, without fallbacks.
    #[must_use]
    pub const fn single() -> Self {
        let fallbacks = Fallbacks { context: false, content: false };
        Self { deployments: 1, healthy: 1, untried: 0, fallbacks }
    }

    /// Whether the next attempt finds a healthy deployment that it need not wait for.
    pub(super) const fn has_another(&self) -> bool {
        self.deployments > 1 && self.untried > 0
    }
}

/// How many retries the request asks for: LiteLLM's `num_retries` and `x-litellm-num-retries`. A
/// request fact, written by ingest; absent means as many as the [`Rules`] say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryOverride(pub u32);

/// The deployments of the group that this call has tried in vain, in order. A request fact,
/// written by `retry`; absent means none. Whoever picks prefers others while there are any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tried(Vec<Arc<str>>);

impl Tried {
    /// Whether `deployment` was tried.
    #[must_use]
    pub fn contains(&self, deployment: &str) -> bool {
        self.0.iter().any(|tried| **tried == *deployment)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|tried| &**tried)
    }

    /// Notes that `deployment` was tried: it is to come last.
    pub fn add(&mut self, deployment: &Arc<str>) {
        if !self.contains(deployment) {
            self.0.push(deployment.clone());
        }
    }
}

/// How many retries there were. A response fact, written by `retry`; absent means none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// Attempts after the first.
    pub done: u32,
    /// How many the failures allowed.
    pub most: u32,
}
