//! One policy for two places: this process's memory, or a Redis that several share.
use bartizan_layers::BoxError;
use bartizan_layers::cache::{Entry, Key, Store};
use bartizan_layers::cost::{Admission, CostError, Hold, Ledger};
use bartizan_layers::facts::{NanoUsd, Usage};
use bartizan_layers::ratelimit::{Grant, Limiter, RateLimitError};
use futures_util::future::Either;
use http::{Extensions, HeaderName, HeaderValue};
use pin_project::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// Where something is kept.
#[derive(Clone, Debug)]
pub enum Place<L, S> {
    /// In this process.
    Local(L),
    /// In Redis.
    Shared(S),
}

/// Waits for what one of both places gives.
#[pin_project(project = Proj)]
#[derive(Debug)]
pub enum Waiting<L, S> {
    /// For this process.
    Local(#[pin] L),
    /// For Redis.
    Shared(#[pin] S),
}

impl<L, S, A, B, E> Future for Waiting<L, S>
where
    L: Future<Output = Result<A, E>>,
    S: Future<Output = Result<B, E>>,
{
    type Output = Result<Place<A, B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match self.project() {
            Proj::Local(local) => ready!(local.poll(cx)).map(Place::Local),
            Proj::Shared(shared) => ready!(shared.poll(cx)).map(Place::Shared),
        })
    }
}

impl<L: Limiter, S: Limiter> Limiter for Place<L, S>
where
    L::Future: Future<Output = Result<L::Grant, RateLimitError>>,
    S::Future: Future<Output = Result<S::Grant, RateLimitError>>,
{
    type Grant = Place<L::Grant, S::Grant>;
    type Future = Waiting<L::Future, S::Future>;

    fn admit(&self, facts: &Extensions) -> Self::Future {
        match self {
            Self::Local(local) => Waiting::Local(local.admit(facts)),
            Self::Shared(shared) => Waiting::Shared(shared.admit(facts)),
        }
    }

    fn admit_now(&self, facts: &Extensions) -> Option<Result<Self::Grant, RateLimitError>> {
        Some(match self {
            Self::Local(local) => local.admit_now(facts)?.map(Place::Local),
            Self::Shared(shared) => shared.admit_now(facts)?.map(Place::Shared),
        })
    }
}

impl<L: Grant, S: Grant> Grant for Place<L, S> {
    fn leave(&mut self, facts: &mut Extensions) {
        match self {
            Self::Local(local) => local.leave(facts),
            Self::Shared(shared) => shared.leave(facts),
        }
    }

    fn wants_usage(&self) -> bool {
        match self {
            Self::Local(local) => local.wants_usage(),
            Self::Shared(shared) => shared.wants_usage(),
        }
    }

    fn headers(&self, set: &mut dyn FnMut(&HeaderName, HeaderValue)) {
        match self {
            Self::Local(local) => local.headers(set),
            Self::Shared(shared) => shared.headers(set),
        }
    }

    fn settle(self, used: Option<&Usage>) {
        match self {
            Self::Local(local) => local.settle(used),
            Self::Shared(shared) => shared.settle(used),
        }
    }
}

impl<L: Ledger, S: Ledger> Ledger for Place<L, S>
where
    L::Future: Future<Output = Result<L::Hold, CostError>>,
    S::Future: Future<Output = Result<S::Hold, CostError>>,
{
    type Hold = Place<L::Hold, S::Hold>;
    type Future = Waiting<L::Future, S::Future>;

    fn hold(&self, facts: &Extensions, admission: Admission) -> Self::Future {
        match self {
            Self::Local(local) => Waiting::Local(local.hold(facts, admission)),
            Self::Shared(shared) => Waiting::Shared(shared.hold(facts, admission)),
        }
    }

    fn hold_now(
        &self,
        facts: &Extensions,
        admission: Admission,
    ) -> Option<Result<Self::Hold, CostError>> {
        Some(match self {
            Self::Local(local) => local.hold_now(facts, admission)?.map(Place::Local),
            Self::Shared(shared) => shared.hold_now(facts, admission)?.map(Place::Shared),
        })
    }
}

impl<L: Hold, S: Hold> Hold for Place<L, S> {
    fn settle(self, cost: NanoUsd) {
        match self {
            Self::Local(local) => local.settle(cost),
            Self::Shared(shared) => shared.settle(cost),
        }
    }
}

impl<L: Store, S: Store> Store for Place<L, S>
where
    L::Get: Future<Output = Result<Option<Entry>, BoxError>>,
    S::Get: Future<Output = Result<Option<Entry>, BoxError>>,
    L::Done: Future<Output = Result<(), BoxError>>,
    S::Done: Future<Output = Result<(), BoxError>>,
{
    type Get = Either<L::Get, S::Get>;
    type Done = Either<L::Done, S::Done>;

    fn get(&self, key: &Key) -> Self::Get {
        match self {
            Self::Local(local) => Either::Left(local.get(key)),
            Self::Shared(shared) => Either::Right(shared.get(key)),
        }
    }

    fn put(&self, key: Key, entry: Entry, ttl: Option<Duration>) {
        match self {
            Self::Local(local) => local.put(key, entry, ttl),
            Self::Shared(shared) => shared.put(key, entry, ttl),
        }
    }

    fn remove(&self, key: &Key) -> Self::Done {
        match self {
            Self::Local(local) => Either::Left(local.remove(key)),
            Self::Shared(shared) => Either::Right(shared.remove(key)),
        }
    }

    fn clear(&self) -> Self::Done {
        match self {
            Self::Local(local) => Either::Left(local.clear()),
            Self::Shared(shared) => Either::Right(shared.clear()),
        }
    }
}
