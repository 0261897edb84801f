//! Limits in this process's memory.
#[cfg(test)]
mod tests;

use super::counters::{Counter, Counters};
use super::headers::{Told, tell};
use super::window::Share;
use super::{Exceeded, Grant, Limiter, RateLimitError, Rules};
use crate::facts::{Estimate, Limit, Measure, Usage};
use crate::sync::Arc;
use http::{Extensions, HeaderMap};
use std::future::{Ready, ready};
use std::mem;
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

    fn take(&self, limit: &Limit, facts: &Extensions, now: u64) -> Result<Taken, Box<Exceeded>> {
        let amount = match limit.measure {
            Measure::Tokens => likely(facts),
            Measure::Requests | Measure::Parallel => 1,
        };
        let counter = self.counters.of(limit, now);
        let Limit { scope, measure, most, .. } = *limit;
        match counter.take(amount, most, now) {
            Ok((share, remaining)) => {
                let told = Told { scope, measure, most, remaining };
                Ok(Taken { counter, share, told })
            }
            Err(reached) => {
                let reset = match measure {
                    Measure::Parallel => SOON,
                    Measure::Requests | Measure::Tokens => Duration::from_millis(reached.reset),
                };
                Err(Box::new(Exceeded { limit: limit.clone(), remaining: 0, reset }))
            }
        }
    }
}

impl<R: Rules> Limiter for MemoryLimiter<R> {
    type Grant = MemoryGrant;
    type Future = Ready<Result<MemoryGrant, RateLimitError>>;

    fn admit(&self, facts: &Extensions) -> Self::Future {
        let mut grant = MemoryGrant { taken: All::default(), clock: self.clock };
        let (mut now, mut refused) = (None, None);
        self.rules.each(facts, &mut |limit| {
            if refused.is_none() {
                let now = *now.get_or_insert_with(|| self.clock.now());
                match self.take(limit, facts, now) {
                    Ok(taken) => grant.taken.push(taken),
                    Err(exceeded) => refused = Some(exceeded),
                }
            }
        });
        ready(match refused {
            None => Ok(grant),
            Some(exceeded) => {
                grant.end(|_| Some(0));
                Err(RateLimitError::Exceeded(exceeded))
            }
        })
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
    taken: All,
    clock: Clock,
}

/// One share, and what is told about its limit.
#[derive(Debug)]
struct Taken {
    counter: Arc<Counter>,
    share: Share,
    told: Told,
}

impl MemoryGrant {
    /// Replaces each share by what `used` says; `None` leaves it as it is.
    fn end(&mut self, used: impl Fn(Measure) -> Option<u64>) {
        let mut now = None;
        for Taken { counter, share, told } in mem::take(&mut self.taken).iter() {
            if let Some(used) = used(told.measure) {
                let now = *now.get_or_insert_with(|| self.clock.now());
                counter.settle(*share, used, now);
            }
        }
    }
}

impl Grant for MemoryGrant {
    fn wants_usage(&self) -> bool {
        self.taken.iter().any(|taken| taken.told.measure == Measure::Tokens)
    }

    fn headers(&self, headers: &mut HeaderMap) {
        tell(headers, self.taken.iter().map(|taken| taken.told));
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
        self.end(|measure| (measure != Measure::Requests).then_some(0));
    }
}

/// Shares, of which the first few need no allocation.
#[derive(Debug, Default)]
struct All {
    first: [Option<Taken>; 4],
    more: Vec<Taken>,
}

impl All {
    fn push(&mut self, taken: Taken) {
        match self.first.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(taken),
            None => self.more.push(taken),
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Taken> + Clone {
        self.first.iter().flatten().chain(&self.more)
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
