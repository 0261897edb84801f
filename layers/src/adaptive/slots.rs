//! How many calls are in flight and how many may be, in one atomic word.
use crate::sync::atomic::AtomicU64;
use crate::sync::atomic::Ordering::{AcqRel, Acquire};

/// The limit in the upper half, what is taken in the lower.
#[derive(Debug)]
pub(super) struct Slots(AtomicU64);

impl Slots {
    pub(super) fn new(limit: u32) -> Self {
        Self(AtomicU64::new(u64::from(limit) << 32))
    }

    /// Takes a slot, if one is free, and tells how many are taken now.
    pub(super) fn take(&self) -> Option<u32> {
        let mut word = self.0.load(Acquire);
        loop {
            let (limit, taken) = halves(word);
            if taken >= limit {
                return None;
            }
            match self.0.compare_exchange_weak(word, word + 1, AcqRel, Acquire) {
                Ok(_) => return Some(taken + 1),
                Err(changed) => word = changed,
            }
        }
    }

    pub(super) fn free(&self) {
        self.0.fetch_sub(1, AcqRel);
    }

    pub(super) fn set_limit(&self, limit: u32) {
        let mut word = self.0.load(Acquire);
        loop {
            let new = u64::from(limit) << 32 | u64::from(halves(word).1);
            match self.0.compare_exchange_weak(word, new, AcqRel, Acquire) {
                Ok(_) => return,
                Err(changed) => word = changed,
            }
        }
    }

    pub(super) fn limit(&self) -> u32 {
        halves(self.0.load(Acquire)).0
    }

    pub(super) fn taken(&self) -> u32 {
        halves(self.0.load(Acquire)).1
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
const fn halves(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}
