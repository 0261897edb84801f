//! The arithmetic of one counter: a window of fixed length that starts at its first hit.
//!
//! Times are milliseconds since any fixed point.
#[cfg(test)]
mod tests;

/// The length of a window that never ends: what calls that are open at once are counted in.
pub(super) const ENDLESS: u64 = u64::MAX;

/// What was counted since the first hit. While nothing is counted there is no window: the next
/// hit starts one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    start: u64,
    used: u64,
}

/// What was taken from a window: enough to correct it there, and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// When its window started.
    pub(super) start: u64,
    /// How much was taken.
    pub(super) amount: u64,
}

impl Window {
    /// Takes `amount` while anything is left of `most`: the last one may overdraw, as nobody knows
    /// what a call will use, and one that is larger than the limit has to get through some time.
    /// Gives back what was taken and what is left.
    pub(super) fn take(
        &mut self,
        amount: u64,
        most: u64,
        now: u64,
        length: u64,
    ) -> Option<(Share, u64)> {
        let used = self.used(now, length);
        if used >= most {
            return None;
        }
        if used == 0 {
            self.start = now;
        }
        self.used = used.saturating_add(amount);
        Some((Share { start: self.start, amount }, most.saturating_sub(self.used)))
    }

    /// Replaces what was taken by what was `used`. Once its window is over, only what was used
    /// beyond it counts, in the present one: else nobody needs to know the time.
    pub(super) fn settle(
        &mut self,
        share: Share,
        used: u64,
        now: impl FnOnce() -> u64,
        length: u64,
    ) {
        if used <= share.amount {
            // A window that is over counts nothing, whatever is corrected in it.
            if self.start == share.start {
                self.used = self.used.saturating_sub(share.amount).saturating_add(used);
            }
            return;
        }
        let now = now();
        let counted = self.used(now, length);
        if counted > 0 && self.start == share.start {
            self.used = counted.saturating_sub(share.amount).saturating_add(used);
            return;
        }
        if counted == 0 {
            self.start = now;
        }
        self.used = counted.saturating_add(used - share.amount);
    }

    /// What counts at `now`.
    pub(super) const fn used(&self, now: u64, length: u64) -> u64 {
        if now >= self.start.saturating_add(length) { 0 } else { self.used }
    }

    /// The time until nothing counts any more.
    pub(super) const fn reset(&self, now: u64, length: u64) -> u64 {
        self.start.saturating_add(length).saturating_sub(now)
    }
}
