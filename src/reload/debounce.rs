//! When a change that comes in several steps is over.
use std::time::Duration;
use tokio::time::Instant;

/// How long nothing must happen.
const QUIET: Duration = Duration::from_millis(200);
/// How long to wait at most, where something happens all the time.
const LONGEST: Duration = Duration::from_secs(2);

/// Gathers hints that belong together: an editor writes, renames and touches.
#[derive(Debug, Default)]
pub(super) struct Debounce {
    /// The first hint, and the latest.
    hints: Option<(Instant, Instant)>,
}

impl Debounce {
    /// Something has happened.
    pub(super) fn hint(&mut self, now: Instant) {
        let first = self.hints.map_or(now, |(first, _)| first);
        self.hints = Some((first, now));
    }

    /// When to look; nothing while nothing has happened.
    pub(super) fn due(&self) -> Option<Instant> {
        self.hints.map(|(first, latest)| (latest + QUIET).min(first + LONGEST))
    }

    /// Waits until it is time to look, and forgets the hints. Forever while there is none.
    pub(super) async fn over(&mut self) {
        match self.due() {
            Some(due) => tokio::time::sleep_until(due).await,
            None => std::future::pending().await,
        }
        self.hints = None;
    }
}

#[cfg(test)]
mod tests {
    use super::{Debounce, LONGEST, QUIET};
    use std::time::Duration;
    use tokio::time::{Instant, advance, timeout};

    #[tokio::test(start_paused = true)]
    async fn it_is_over_when_it_has_been_quiet_for_a_while() {
        let (mut debounce, began) = (Debounce::default(), Instant::now());
        for _ in 0..3 {
            debounce.hint(Instant::now());
            advance(QUIET / 2).await;
        }
        debounce.over().await;
        assert_eq!(began.elapsed(), QUIET * 2);
        assert_eq!(debounce.due(), None);
        assert!(timeout(Duration::from_secs(3600), debounce.over()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn noise_without_end_delays_it_no_further_than_that() {
        let (mut debounce, began) = (Debounce::default(), Instant::now());
        while debounce.due().is_none_or(|due| due > Instant::now()) {
            debounce.hint(Instant::now());
            advance(QUIET / 4).await;
        }
        debounce.over().await;
        assert!(began.elapsed() <= LONGEST + QUIET / 4, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_stops_waiting_loses_no_hint() {
        let mut debounce = Debounce::default();
        debounce.hint(Instant::now());
        assert!(timeout(QUIET / 2, debounce.over()).await.is_err());
        assert!(timeout(QUIET, debounce.over()).await.is_ok());
    }
}
