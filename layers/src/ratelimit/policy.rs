//! Who may call: the [`Limiter`] and [`Grant`] traits, and why a call was refused.
use super::headers::{Told, tell};
use crate::BoxError;
use crate::facts::{Limit, Usage};
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, header};
use std::fmt;
use std::time::Duration;

/// Why a call was refused before it reached the inner service.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RateLimitError {
    /// A limit is reached.
    #[error("{0}")]
    Exceeded(Box<Exceeded>),
    /// The limiter's store did not answer.
    #[error("limits are unreachable")]
    Outage(#[source] BoxError),
}

/// The limit that was reached. Its text is LiteLLM's (contract 4.4), up to the time of the reset.
///
/// Also a response fact: a dry run let a call pass that this limit would have refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// The limit.
    pub limit: Limit,
    /// How much of it is left.
    pub remaining: u64,
    /// The time until its window is over; for calls that are open at once, when to ask again.
    pub reset: Duration,
}

impl Exceeded {
    /// [`Exceeded::reset`] in whole seconds, rounded up: the value of `retry-after`.
    #[must_use]
    pub fn retry_after(&self) -> u64 {
        self.reset.as_secs() + u64::from(self.reset.subsec_nanos() > 0)
    }

    /// Sets the limit's `x-ratelimit-*` headers, `retry-after` and LiteLLM's `rate_limit_type`.
    pub fn headers(&self, headers: &mut HeaderMap) {
        let Limit { scope, measure, most, .. } = self.limit;
        let told = [Told { scope, measure, most, remaining: self.remaining }];
        tell(told.into_iter(), &mut |name, value| {
            headers.insert(name, value);
        });
        headers.insert(header::RETRY_AFTER, self.retry_after().into());
        headers.insert(RATE_LIMIT_TYPE, HeaderValue::from_static(measure.name()));
    }
}

const RATE_LIMIT_TYPE: HeaderName = HeaderName::from_static("rate_limit_type");

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit: Limit { scope, subject, measure, most }, remaining, .. } = self;
        let (scope, measure) = (scope.name(), measure.name());
        write!(f, "Rate limit exceeded for {scope}")?;
        if !subject.is_empty() {
            write!(f, ": {subject}")?;
        }
        write!(f, ". Limit type: {measure}. Current limit: {most}, Remaining: {remaining}")
    }
}

/// Decides who may call, and counts. Clones share one count.
pub trait Limiter: Clone {
    /// What one call was granted.
    type Grant: Grant;
    /// The future of [`Limiter::admit`].
    type Future: Future<Output = Result<Self::Grant, RateLimitError>>;

    /// Takes a share of each limit that a call with these `facts` falls under, or of none: what a
    /// later limit refuses is given back to those before it.
    ///
    /// A share is one call, or the likely tokens of the [`Estimate`](crate::facts::Estimate), and
    /// none where there is no estimate. It is granted while anything is left: the last call may
    /// overdraw a limit of tokens, since nobody knows yet what it will use.
    fn admit(&self, facts: &Extensions) -> Self::Future;

    /// The same at once; `None`, and nothing is taken, where the answer has to be waited for. Then
    /// [`Limiter::admit`] is asked.
    fn admit_now(&self, facts: &Extensions) -> Option<Result<Self::Grant, RateLimitError>> {
        let _ = facts;
        None
    }
}

/// What one call was granted. Dropped unsettled, all of it goes back but the counted request.
pub trait Grant: Send + 'static {
    /// Leaves facts for the layers below, such as a hold that was made in the same round trip.
    fn leave(&mut self, facts: &mut Extensions) {
        let _ = facts;
    }

    /// Whether [`Grant::settle`] goes by the usage: it is looked for only then.
    fn wants_usage(&self) -> bool {
        true
    }

    /// Hands each header that tells how much is left to `set`.
    fn headers(&self, set: &mut dyn FnMut(&HeaderName, HeaderValue));

    /// Ends the call, and replaces its likely tokens by those that it `used`; where nobody told
    /// (`None`), the likely ones stand. Called from `Drop`: it must not block or panic.
    fn settle(self, used: Option<&Usage>);
}
