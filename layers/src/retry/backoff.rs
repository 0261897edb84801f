//! How long to wait before the next attempt.
use std::time::Duration;

/// The pauses between attempts at the same deployments (contract 5.2): what the provider asks
/// for, else one that doubles, and a random part so that calls that failed together do not come
/// back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first pause; each further one is twice as long. 0.5 s by default.
    pub base_delay: Duration,
    /// The longest pause, unless the provider asks for more. 8 s by default.
    pub max_delay: Duration,
    /// The shortest pause (LiteLLM's `retry_after`). None by default; at most
    /// [`max_delay`](Self::max_delay) counts.
    pub min_delay: Duration,
    /// The longest `Retry-After` that is waited for; a longer one is ignored. 60 s by default.
    pub max_retry_after: Duration,
    /// The most that is added at random. 0.75 s by default.
    pub jitter: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            base_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(8),
            min_delay: Duration::ZERO,
            max_retry_after: Duration::from_secs(60),
            jitter: Duration::from_millis(750),
        }
    }
}

impl Backoff {
    /// The pause before the next attempt, where `done` retries came before it and the provider
    /// asked for `retry_after`; its random part is drawn anew each time.
    #[must_use]
    pub fn delay(&self, done: u32, retry_after: Option<Duration>) -> Duration {
        let asked = |wait: &Duration| !wait.is_zero() && *wait <= self.max_retry_after;
        let doubled = || self.base_delay.saturating_mul(2_u32.saturating_pow(done));
        let wait = retry_after
            .filter(asked)
            .unwrap_or_else(|| doubled().max(self.min_delay).min(self.max_delay));
        wait.saturating_add(self.jitter.mul_f64(fastrand::f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;
    use std::time::Duration;

    const STEADY: Backoff = Backoff {
        base_delay: Duration::from_millis(500),
        max_delay: Duration::from_secs(8),
        min_delay: Duration::ZERO,
        max_retry_after: Duration::from_secs(60),
        jitter: Duration::ZERO,
    };

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses = (0..7).map(|done| STEADY.delay(done, None).as_millis());
        assert_eq!(pauses.collect::<Vec<_>>(), [500, 1000, 2000, 4000, 8000, 8000, 8000]);
        assert_eq!(STEADY.delay(u32::MAX, None), Duration::from_secs(8));
    }

    #[test]
    fn no_pause_is_shorter_than_the_shortest() {
        let patient = |secs| Backoff { min_delay: Duration::from_secs(secs), ..STEADY };
        assert_eq!(patient(3).delay(0, None), Duration::from_secs(3));
        assert_eq!(patient(3).delay(3, None), Duration::from_secs(4));
        assert_eq!(patient(30).delay(0, None), Duration::from_secs(8));
    }

    #[test]
    fn a_provider_is_asked_again_when_it_wants() {
        for (asked, waited) in [(1, 1000), (7, 7000), (60, 60_000), (61, 500), (0, 500)] {
            let waits = STEADY.delay(0, Some(Duration::from_secs(asked)));
            assert_eq!(waits.as_millis(), waited, "asked for {asked} s");
        }
    }

    #[test]
    fn calls_that_failed_together_come_back_one_by_one() {
        let backoff = Backoff::default();
        for wanted in [None, Some(Duration::from_millis(500))] {
            let pauses: Vec<_> = (0..100).map(|_| backoff.delay(0, wanted).as_millis()).collect();
            assert!(pauses.iter().all(|pause| (500..=1250).contains(pause)));
            assert!(pauses.iter().any(|pause| *pause != pauses[0]));
        }
    }
}
