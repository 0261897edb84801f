//! Limits in this process's memory.
#[cfg(test)]
mod tests;

use super::counters::{Counter, Counters};
use super::headers::{Told, tell};
use super::window::Share;
use super::{Exceeded, Grant, Limiter, RateLimitError, Rules};
use crate::facts::{Estimate, Limit, Measure, Usage};
use crate::sync::Arc;
use http::{Extensions, HeaderName, HeaderValue};
use std::future::{Ready, ready};
use std::time::Duration;
use tokio::time::Instant;

/// LiteLLM's (contract 7.4).
const WINDOW: Duration = Duration::from_secs(60);
/// When to ask again where too many calls are open: nobody knows when one will end.
const SOON: Duration = Duration::from_secs(1);

/// Counts in this process's memory. Clones share one count, whatever their rules.
///
/// Calls and tokens are counted in windows of fixed length that start at their first hit, 60
/// seconds long as LiteLLM's are. Counters of limits that nobody meets any more are forgotten.
#[derive(Clone, Debug)]
pub struct MemoryLimiter<R> {
    rules: R,
    counters: Arc<Counters>,
    clock: Clock,
}

impl<R> MemoryLimiter<R> {
    /// Counts what the `rules` tell, in windows of 60 seconds.
    pub fn new(rules: R) -> Self {
        Self::with_window(rules, WINDOW)
    }

    /// Counts what the `rules` tell, in windows of another length: whole milliseconds, at least
    /// one.
    pub fn with_window(rules: R, window: Duration) -> Self {
        let length = millis(window).max(1);
        Self { rules, counters: Arc::new(Counters::new(length)), clock: Clock(Instant::now()) }
    }

    /// A limiter that goes by other `rules` and shares this one's counts.
    pub fn sharing<Q>(&self, rules: Q) -> MemoryLimiter<Q> {
        MemoryLimiter { rules, counters: self.counters.clone(), clock: self.clock }
    }

    /// What is left of `limit` now. Nothing is counted.
    #[must_use]
    pub fn remaining(&self, limit: &Limit) -> u64 {
        limit.most.saturating_sub(self.counters.used(limit, self.clock.now()))
    }

    /// How long nothing will be left of `limit`; `None` while something is. For calls that are open
    /// at once, when to ask again. Nothing is counted.
    #[must_use]
    pub fn reached(&self, limit: &Limit) -> Option<Duration> {
        let reset = self.counters.reached(limit, self.clock.now())?;
        Some(lasting(limit, reset))
    }
}

impl<R: Rules> MemoryLimiter<R> {
    fn decide(&self, facts: &Extensions) -> Result<MemoryGrant, RateLimitError> {
        let mut grant = MemoryGrant { taken: Vec::new(), clock: self.clock, ended: false };
        let (mut now, mut refused) = (None, None);
        self.rules.each(facts, &mut |limit| {
            if refused.is_none() {
                let now = *now.get_or_insert_with(|| self.clock.now());
                refused = grant.take(&self.counters, limit, facts, now).err();
            }
        });
        match refused {
            None => Ok(grant),
            Some(exceeded) => {
                grant.end(|_| Some(0));
                Err(RateLimitError::Exceeded(exceeded))
            }
        }
    }
}

impl<R: Rules> Limiter for MemoryLimiter<R> {
    type Grant = MemoryGrant;
    type Future = Ready<Result<MemoryGrant, RateLimitError>>;

    fn admit(&self, facts: &Extensions) -> Self::Future {
        ready(self.decide(facts))
    }

    fn admit_now(&self, facts: &Extensions) -> Option<Result<MemoryGrant, RateLimitError>> {
        Some(self.decide(facts))
    }
}

fn exceeded(limit: &Limit, reset: u64) -> Box<Exceeded> {
    let reset = lasting(limit, reset);
    Box::new(Exceeded { limit: limit.clone(), remaining: 0, reset })
}

/// How long a limit that was reached will last, whose window is over in `reset` milliseconds.
const fn lasting(limit: &Limit, reset: u64) -> Duration {
    match limit.measure {
        Measure::Parallel => SOON,
        Measure::Requests | Measure::Tokens => Duration::from_millis(reset),
    }
}

/// The tokens that are set aside.
fn likely(facts: &Extensions) -> u64 {
    facts.get().map_or(0, |estimate: &Estimate| count(estimate.likely.tokens))
}

fn count(tokens: i64) -> u64 {
    u64::try_from(tokens).unwrap_or(0)
}

/// Shares of the limits in a [`MemoryLimiter`].
#[derive(Debug)]
pub struct MemoryGrant {
    // Not in place: what holds a grant is moved from layer to layer.
    taken: Vec<Taken>,
    clock: Clock,
    ended: bool,
}

/// One share, and what is told about its limit.
#[derive(Debug)]
struct Taken {
    /// `None` where it is that of the share before: limits of one subject come together.
    counter: Option<Arc<Counter>>,
    share: Share,
    told: Told,
}

impl MemoryGrant {
    fn take(
        &mut self,
        counters: &Counters,
        limit: &Limit,
        facts: &Extensions,
        now: u64,
    ) -> Result<(), Box<Exceeded>> {
        let Limit { scope, measure, most, .. } = *limit;
        let amount = match measure {
            Measure::Tokens => likely(facts),
            Measure::Requests | Measure::Parallel => 1,
        };
        let known = self.taken.iter().rev().find_map(|taken| taken.counter.as_ref());
        let known = known.filter(|counter| counter.is_of(limit));
        let found = known.is_none().then(|| counters.of(limit, now));
        let counter = found.as_ref().or(known).expect("one that is not known was found");
        let (share, remaining) =
            counter.take(limit, amount, now).map_err(|reached| exceeded(limit, reached.reset))?;
        let told = Told { scope, measure, most, remaining };
        self.taken.push(Taken { counter: found, share, told });
        Ok(())
    }

    /// Replaces each share by what `used` says; `None` leaves it as it is.
    fn end(&mut self, used: impl Fn(Measure) -> Option<u64>) {
        self.ended = true;
        let mut counter = None;
        for taken in &self.taken {
            counter = taken.counter.as_ref().or(counter);
            let measure = taken.told.measure;
            if let (Some(counter), Some(used)) = (counter, used(measure)) {
                counter.settle(measure, taken.share, used, || self.clock.now());
            }
        }
    }
}

impl Grant for MemoryGrant {
    fn wants_usage(&self) -> bool {
        self.taken.iter().any(|taken| taken.told.measure == Measure::Tokens)
    }

    fn headers(&self, set: &mut dyn FnMut(&HeaderName, HeaderValue)) {
        tell(self.taken.iter().map(|taken| taken.told), set);
    }

    fn settle(mut self, used: Option<&Usage>) {
        let tokens = used.map(|used| count(used.total()));
        self.end(|measure| match measure {
            Measure::Requests => None,
            Measure::Tokens => tokens,
            Measure::Parallel => Some(0),
        });
    }
}

impl Drop for MemoryGrant {
    fn drop(&mut self) {
        if !self.ended {
            self.end(|measure| (measure != Measure::Requests).then_some(0));
        }
    }
}

/// Milliseconds since a limiter was made.
#[derive(Clone, Copy, Debug)]
struct Clock(Instant);

impl Clock {
    fn now(self) -> u64 {
        millis(self.0.elapsed())
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
