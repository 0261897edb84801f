//! How long parts of a call may take, and the one timer that watches over them.
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;
use tokio::task::coop::has_budget_remaining;
use tokio::time::{Instant, Sleep, sleep_until};

/// How long parts of a call may take. A request fact; absent means [`Deadlines::default`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// From the request handed to a connection to the response headers. Default 600 s.
    pub first_byte: Duration,
    /// Between two frames of the response body, while somebody waits for them. Default 600 s.
    pub idle: Duration,
    /// The call as a whole, connecting and body included. Default none.
    pub total: Option<Duration>,
}

impl Default for Deadlines {
    fn default() -> Self {
        let ten_minutes = Duration::from_secs(600);
        Self { first_byte: ten_minutes, idle: ten_minutes, total: None }
    }
}

/// A point in time at which a call fails, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    pub(super) at: Instant,
    pub(super) total: bool,
}

impl Due {
    /// The earlier one: `part` after `now`, or the end of the whole call.
    pub(super) fn next(now: Instant, part: Duration, end: Option<Instant>) -> Self {
        let at = now + part;
        match end {
            Some(end) if end < at => Self { at: end, total: true },
            _ => Self { at, total: false },
        }
    }
}

/// One sleep that is armed as rarely as possible: while it is due before the deadline it stays as
/// it is, over many frames and many calls, and only looks again when it fires.
#[derive(Debug, Default)]
pub(super) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    registered: bool,
}

impl Timer {
    /// Whether `due` has passed. If not, the waker of `cx` is woken by then.
    pub(super) fn passed(&mut self, due: Instant, cx: &mut Context<'_>) -> bool {
        self.registered = false;
        self.passed_with_same_waker(due, cx)
    }

    /// As [`Timer::passed`], for a caller whose `cx` has the same waker each time.
    pub(super) fn passed_with_same_waker(&mut self, due: Instant, cx: &mut Context<'_>) -> bool {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if sleep.deadline() > due {
            sleep.as_mut().reset(due);
            self.registered = false;
        }
        if self.registered && !sleep.is_elapsed() {
            return false;
        }
        if sleep.as_mut().poll(cx).is_ready() {
            if Instant::now() >= due {
                return true;
            }
            sleep.as_mut().reset(due);
            if sleep.as_mut().poll(cx).is_ready() {
                return true;
            }
        }
        // Without budget the sleep does not look at the clock and only wakes `cx` at once.
        self.registered = has_budget_remaining();
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{Due, Timer};
    use std::future::poll_fn;
    use std::task::Poll;
    use std::time::Duration;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_was_armed_for_an_earlier_call_waits_for_the_later_deadline() {
        let start = Instant::now();
        let mut timer = Timer::default();
        for seconds in [2, 7, 5, 9] {
            let due = Instant::now() + Duration::from_secs(seconds);
            poll_fn(|cx| if timer.passed(due, cx) { Poll::Ready(()) } else { Poll::Pending }).await;
            assert!(Instant::now() >= due);
            assert!(Instant::now() < due + Duration::from_millis(5));
        }
        assert_eq!(start.elapsed().as_secs(), 23);
    }

    #[tokio::test]
    async fn the_end_of_the_call_comes_before_a_later_part() {
        let now = Instant::now();
        let due = Due::next(now, Duration::from_secs(9), Some(now + Duration::from_secs(3)));
        assert!(due.total);
        assert!(!Due::next(now, Duration::from_secs(2), Some(now + Duration::from_secs(3))).total);
    }
}
