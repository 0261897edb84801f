//! All counters of one process, by what they count.
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

/// Kinds of limits. `Deployment` and `Parallel` are the last of their kind.
const KINDS: usize = (Scope::Deployment as usize + 1) * MEASURES;
const MEASURES: usize = Measure::Parallel as usize + 1;
/// Maps for each kind, so that the calls of different subjects seldom meet at one lock.
const SHARDS: usize = if cfg!(bartizan_loom) { 1 } else { 8 };
/// So many counters are kept before the first search for idle ones.
const SWEEP: usize = if cfg!(bartizan_loom) { 1 } else { 32 };

/// Counters for every limit that a call has met of late.
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

/// One counter. Whoever holds a share of it keeps it alive.
#[derive(Debug)]
pub(super) struct Counter {
    window: Mutex<Window>,
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
        let shards = (0..KINDS * SHARDS).map(|_| Mutex::new(shard())).collect();
        Self { shards, hasher, length }
    }

    /// The counter of what `limit` limits.
    pub(super) fn of(&self, limit: &Limit, now: u64) -> Arc<Counter> {
        let mut shard = lock(self.shard(limit));
        if let Some(counter) = shard.counters.get(&*limit.subject) {
            return counter.clone();
        }
        if shard.counters.len() >= shard.sweep {
            shard.drop_idle(now);
        }
        let counter = Arc::new(Counter::new(match limit.measure {
            Measure::Parallel => ENDLESS,
            Measure::Requests | Measure::Tokens => self.length,
        }));
        shard.counters.insert(limit.subject.clone(), counter.clone());
        counter
    }

    /// What is counted for `limit`.
    pub(super) fn used(&self, limit: &Limit, now: u64) -> u64 {
        let shard = lock(self.shard(limit));
        shard.counters.get(&*limit.subject).map_or(0, |counter| counter.used(now))
    }

    fn shard(&self, limit: &Limit) -> &Mutex<Shard> {
        let kind = limit.scope as usize * MEASURES + limit.measure as usize;
        // Not the low bits: the maps go by these, and would be filled unevenly.
        let spread = (self.hasher.hash_one(&*limit.subject) >> 32) as usize % SHARDS;
        &self.shards[kind * SHARDS + spread]
    }

    /// How many counters are kept.
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
            Arc::get_mut(counter).is_none_or(|counter| counter.used(now) > 0)
        });
        self.sweep = (self.counters.len() * 2).max(SWEEP);
    }
}

impl Counter {
    fn new(length: u64) -> Self {
        Self { window: Mutex::new(Window::default()), length }
    }

    /// Takes `amount` while anything is left of `most`, and tells what is left then.
    pub(super) fn take(&self, amount: u64, most: u64, now: u64) -> Result<(Share, u64), Reached> {
        let mut window = lock(&self.window);
        let taken = window.take(amount, most, now, self.length);
        taken.ok_or_else(|| Reached { reset: window.reset(now, self.length) })
    }

    /// Replaces what was taken by what was `used`.
    pub(super) fn settle(&self, share: Share, used: u64, now: u64) {
        lock(&self.window).settle(share, used, now, self.length);
    }

    fn used(&self, now: u64) -> u64 {
        lock(&self.window).used(now, self.length)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
