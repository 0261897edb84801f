//! How much of a group's traffic may be retries.
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How long a call counts, in seconds.
const WINDOW: usize = 10;

/// Bounds the retries of a group to a share of its calls of the last ten seconds and some per
/// second that are always free. A bound per call alone would multiply the load on a provider by
/// it, just when that is failing. Clones share one count; nothing locks.
#[derive(Clone)]
pub struct RetryBudget(Arc<Counts>);

struct Counts {
    start: Instant,
    percent: u64,
    floor: u64,
    calls: Window,
    retries: Window,
}

impl RetryBudget {
    /// `percent` retries for a hundred calls, and `per_second` for nothing.
    #[must_use]
    pub fn new(percent: u32, per_second: u32) -> Self {
        Self(Arc::new(Counts {
            start: Instant::now(),
            percent: percent.into(),
            floor: u64::from(per_second) * WINDOW as u64,
            calls: Window::default(),
            retries: Window::default(),
        }))
    }

    /// Counts a call: its first attempt.
    pub fn deposit(&self) {
        self.0.calls.add(self.0.second());
    }

    /// Takes a retry; whether there was one left.
    #[must_use]
    pub fn withdraw(&self) -> bool {
        let (counts, second) = (&*self.0, self.0.second());
        // Taken before it is looked at: two calls at once cannot both have the last one.
        counts.retries.add(second);
        let earned = counts.calls.sum(second) * counts.percent / 100;
        let left = counts.retries.sum(second) <= earned + counts.floor;
        if !left {
            counts.retries.take_back(second);
        }
        left
    }
}

impl Default for RetryBudget {
    /// A fifth of the calls, and ten retries a second.
    fn default() -> Self {
        Self::new(20, 10)
    }
}

impl Counts {
    fn second(&self) -> u32 {
        // The first is 1: a slot that was never used counts for none.
        let elapsed = Instant::now().saturating_duration_since(self.start);
        u32::try_from(elapsed.as_secs()).unwrap_or(u32::MAX - 1) + 1
    }
}

/// What was counted in each of the last seconds: a second and its count share a word.
#[derive(Default)]
struct Window([AtomicU64; WINDOW]);

impl Window {
    fn slot(&self, second: u32) -> &AtomicU64 {
        &self.0[second as usize % WINDOW]
    }

    fn add(&self, second: u32) {
        self.change(second, |count| count.saturating_add(1));
    }

    fn take_back(&self, second: u32) {
        self.change(second, |count| count.saturating_sub(1));
    }

    fn change(&self, second: u32, change: impl Fn(u32) -> u32) {
        let slot = self.slot(second);
        let mut word = slot.load(Ordering::Relaxed);
        loop {
            let changed = match unpacked(word) {
                // Another call is ten seconds ahead: this one no longer counts.
                (then, _) if then > second => return,
                (then, count) if then == second => change(count),
                _ => change(0),
            };
            let new = packed(second, changed);
            match slot.compare_exchange_weak(word, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(newer) => word = newer,
            }
        }
    }

    fn sum(&self, second: u32) -> u64 {
        let oldest = second.saturating_sub(WINDOW as u32 - 1).max(1);
        let words = self.0.iter().map(|slot| unpacked(slot.load(Ordering::Relaxed)));
        words.filter(|(then, _)| *then >= oldest).map(|(_, count)| u64::from(count)).sum()
    }
}

const fn packed(second: u32, count: u32) -> u64 {
    (second as u64) << 32 | count as u64
}

#[expect(clippy::cast_possible_truncation, reason = "the halves of a word")]
const fn unpacked(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

impl fmt::Debug for RetryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (counts, second) = (&*self.0, self.0.second());
        f.debug_struct("RetryBudget")
            .field("percent", &counts.percent)
            .field("calls", &counts.calls.sum(second))
            .field("retries", &counts.retries.sum(second))
            .field("window", &Duration::from_secs(WINDOW as u64))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::RetryBudget;
    use std::thread;
    use std::time::Duration;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn some_retries_are_free() {
        assert_eq!(left(&RetryBudget::new(20, 1)), 10);
        assert_eq!(left(&RetryBudget::new(0, 0)), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_of_the_calls_may_be_retried() {
        let budget = RetryBudget::new(20, 0);
        for _ in 0..100 {
            budget.deposit();
        }
        assert_eq!(left(&budget), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_counts_for_ten_seconds() {
        let budget = RetryBudget::new(100, 0);
        budget.deposit();
        advance(Duration::from_secs(9)).await;
        budget.deposit();
        assert!(budget.withdraw());
        advance(Duration::from_secs(1)).await;
        assert!(!budget.withdraw(), "the first call and not its retry is forgotten");
        advance(Duration::from_secs(9)).await;
        assert!(!budget.withdraw(), "nothing is left of either");
        budget.deposit();
        assert!(budget.withdraw());
    }

    #[test]
    fn no_two_calls_have_the_same_retry() {
        let budget = RetryBudget::new(0, 10);
        let taken = thread::scope(|scope| {
            let all = [(); 4].map(|()| scope.spawn(|| left(&budget)));
            all.map(|one| one.join().unwrap()).iter().sum::<usize>()
        });
        assert!((97..=100).contains(&taken), "{taken} of 100");
    }

    fn left(budget: &RetryBudget) -> usize {
        (0..200).take_while(|_| budget.withdraw()).count()
    }
}
