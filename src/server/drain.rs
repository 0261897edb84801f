//! Ending without losing calls.
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// The end of the server, in steps: readiness fails; connections are still accepted for `delay`,
/// so that whoever balances load can look elsewhere first; then accepting stops, idle connections
/// close, and open calls have until the deadline. What is open then is cut.
///
/// Clones are one drain. Each is given to the [`serve`](super::serve) calls that it is to end.
#[derive(Clone, Debug)]
pub struct Drain(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    delay: Duration,
    limit: Duration,
    started: CancellationToken,
    at: OnceLock<Instant>,
    ended: CancellationToken,
}

/// Tells whether a drain has begun; cheap to ask and to clone.
#[derive(Clone, Debug)]
pub struct Draining(Arc<Inner>);

impl Draining {
    /// Whether the server is ending: it is not ready for new work then.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.at.get().is_some()
    }
}

impl Drain {
    /// A drain that lets open calls run for `limit` after it began.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self::with_delay(limit, Duration::ZERO)
    }

    /// A drain that first accepts connections for `delay` more. `limit` counts from the beginning
    /// all the same.
    #[must_use]
    pub fn with_delay(limit: Duration, delay: Duration) -> Self {
        Self(Arc::new(Inner {
            delay,
            limit,
            started: CancellationToken::new(),
            at: OnceLock::new(),
            ended: CancellationToken::new(),
        }))
    }

    /// For those who only ask.
    #[must_use]
    pub fn handle(&self) -> Draining {
        Draining(Arc::clone(&self.0))
    }

    /// Begins. Does nothing when it has begun.
    pub fn trigger(&self) {
        self.0.at.get_or_init(Instant::now);
        self.0.started.cancel();
    }

    /// Begins if need be, and cuts what is open.
    pub fn end_now(&self) {
        self.trigger();
        self.0.ended.cancel();
    }

    /// Follows the process's signals: the first SIGTERM or SIGINT begins, the second ends at once.
    /// Returns after the second.
    ///
    /// # Errors
    /// When the signals cannot be watched.
    pub async fn on_signals(&self) -> io::Result<()> {
        let mut term = signal(SignalKind::terminate())?;
        let mut int = signal(SignalKind::interrupt())?;
        for act in [Self::trigger, Self::end_now] {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
            act(self);
        }
        Ok(())
    }

    /// Waits until accepting is to stop.
    pub(super) async fn closing(&self) {
        self.0.started.cancelled().await;
        tokio::select! {
            () = sleep(self.0.delay) => {}
            () = self.0.ended.cancelled() => {}
        }
    }

    /// Waits until what is open is to be cut.
    pub(super) async fn over(&self) {
        self.0.started.cancelled().await;
        let began = *self.0.at.get_or_init(Instant::now);
        tokio::select! {
            () = sleep_until(began + self.0.limit) => {}
            () = self.0.ended.cancelled() => {}
        }
    }
}
