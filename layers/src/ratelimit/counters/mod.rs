//! All counters of one process, by whom they count.
#[cfg(all(test, bartizan_loom))]
mod loom;
#[cfg(all(test, not(bartizan_loom)))]
mod tests;

use super::window::{ENDLESS, Share, Window};
use crate::facts::{Limit, Measure, Scope};
use crate::sync::{Arc, Mutex, MutexGuard};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::{Arc as StdArc, PoisonError};

/// How many scopes and measures there are. `Deployment` and `Parallel` are the last of their kind.
const SCOPES: usize = Scope::Deployment as usize + 1;
const MEASURES: usize = Measure::Parallel as usize + 1;
/// Maps for each scope, so that the calls of different subjects seldom meet at one lock.
const SHARDS: usize = if cfg!(bartizan_loom) { 1 } else { 8 };
/// So many counters are kept before the first search for idle ones.
const SWEEP: usize = if cfg!(bartizan_loom) { 1 } else { 32 };

/// Counters for every subject of a limit that a call has met of late.
#[derive(Debug)]
pub(super) struct Counters {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    length: u64,
}

#[derive(Debug)]
struct Shard {
    counters: HashMap<StdArc<str>, Arc<Counter>, RandomState>,
    /// How many there are when idle ones are searched for.
    sweep: usize,
}

/// What is counted of one subject, whatever of it is limited: so all its limits are found at once.
/// Whoever holds a share of it keeps it alive.
#[derive(Debug)]
pub(super) struct Counter {
    scope: Scope,
    subject: StdArc<str>,
    /// By [`Measure`], in its order.
    windows: Mutex<[Window; MEASURES]>,
    length: u64,
}

/// A limit that was reached, and how many milliseconds it will last.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) reset: u64,
}

impl Counters {
    /// Windows of so many milliseconds.
    pub(super) fn new(length: u64) -> Self {
        let hasher = RandomState::default();
        let shard = || Shard { counters: HashMap::with_hasher(hasher.clone()), sweep: SWEEP };
        let shards = (0..SCOPES * SHARDS).map(|_| Mutex::new(shard())).collect();
        Self { shards, hasher, length }
    }

    /// The counter of whom `limit` limits.
    pub(super) fn of(&self, limit: &Limit, now: u64) -> Arc<Counter> {
        let mut shard = lock(self.shard(limit));
        if let Some(counter) = shard.counters.get(&*limit.subject) {
            return counter.clone();
        }
        if shard.counters.len() >= shard.sweep {
            shard.drop_idle(now);
        }
        let counter = Arc::new(Counter::new(limit, self.length));
        shard.counters.insert(limit.subject.clone(), counter.clone());
        counter
    }

    /// What is counted for `limit`.
    pub(super) fn used(&self, limit: &Limit, now: u64) -> u64 {
        let shard = lock(self.shard(limit));
        let counter = shard.counters.get(&*limit.subject);
        counter.map_or(0, |counter| counter.used(limit.measure, now))
    }

    /// How many milliseconds nothing will be left of `limit`; `None` while something is.
    pub(super) fn reached(&self, limit: &Limit, now: u64) -> Option<u64> {
        let shard = lock(self.shard(limit));
        let Some(counter) = shard.counters.get(&*limit.subject) else {
            return (limit.most == 0).then_some(self.length);
        };
        counter.reached(limit, now)
    }

    fn shard(&self, limit: &Limit) -> &Mutex<Shard> {
        // Not the low bits: the maps go by these, and would be filled unevenly.
        let spread = (self.hasher.hash_one(&*limit.subject) >> 32) as usize % SHARDS;
        &self.shards[limit.scope as usize * SHARDS + spread]
    }

    /// How many subjects are counted.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).counters.len()).sum()
    }
}

impl Shard {
    /// Searches at twice the counters that are left, so that each one is looked at only a few times.
    fn drop_idle(&mut self, now: u64) {
        self.counters.retain(|_, counter| {
            // A counter that someone else holds has a share to be settled.
            Arc::get_mut(counter).is_none_or(|counter| !counter.is_idle(now))
        });
        self.sweep = (self.counters.len() * 2).max(SWEEP);
    }
}

impl Counter {
    fn new(limit: &Limit, length: u64) -> Self {
        let (scope, subject) = (limit.scope, limit.subject.clone());
        Self { scope, subject, windows: Mutex::new([Window::default(); MEASURES]), length }
    }

    /// Whether it counts what `limit` limits.
    pub(super) fn is_of(&self, limit: &Limit) -> bool {
        self.scope == limit.scope && self.subject == limit.subject
    }

    /// Takes `amount` while anything is left of `limit`, and tells what is left then.
    pub(super) fn take(
        &self,
        limit: &Limit,
        amount: u64,
        now: u64,
    ) -> Result<(Share, u64), Reached> {
        let length = self.length(limit.measure);
        let window = &mut lock(&self.windows)[limit.measure as usize];
        let taken = window.take(amount, limit.most, now, length);
        taken.ok_or_else(|| Reached { reset: window.reset(now, length) })
    }

    /// Replaces what was taken by what was `used`. Asks `now` only where it matters.
    pub(super) fn settle(
        &self,
        measure: Measure,
        share: Share,
        used: u64,
        now: impl FnOnce() -> u64,
    ) {
        let length = self.length(measure);
        lock(&self.windows)[measure as usize].settle(share, used, now, length);
    }

    fn used(&self, measure: Measure, now: u64) -> u64 {
        lock(&self.windows)[measure as usize].used(now, self.length(measure))
    }

    fn reached(&self, limit: &Limit, now: u64) -> Option<u64> {
        let length = self.length(limit.measure);
        let window = lock(&self.windows)[limit.measure as usize];
        (window.used(now, length) >= limit.most).then(|| window.reset(now, length))
    }

    fn is_idle(&self, now: u64) -> bool {
        let all = [Measure::Requests, Measure::Tokens, Measure::Parallel];
        all.into_iter().all(|measure| self.used(measure, now) == 0)
    }

    const fn length(&self, measure: Measure) -> u64 {
        match measure {
            Measure::Parallel => ENDLESS,
            Measure::Requests | Measure::Tokens => self.length,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
