//! The connections to one origin that can take a call: the most recently used one first.
use super::h1::Exchange;
use super::h2;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// Idle HTTP/1.1 connections and shared HTTP/2 connections.
#[derive(Debug)]
pub(super) struct Pool {
    state: Mutex<State>,
    keep: Duration,
    closed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Oldest first.
    idle: VecDeque<(Instant, Box<Exchange>)>,
    shared: Vec<h2::Shared>,
    sweeping: bool,
    closed: bool,
}

impl Pool {
    pub(super) fn new(keep: Duration) -> Self {
        Self { state: Mutex::default(), keep, closed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The HTTP/1.1 connection that was used last and is still good.
    pub(super) fn take(&self, now: Instant) -> Option<Box<Exchange>> {
        loop {
            // The lock is let go before the connection is looked at.
            let (since, mut exchange) = self.state().idle.pop_back()?;
            if now.saturating_duration_since(since) < self.keep && exchange.is_usable() {
                return Some(exchange);
            }
        }
    }

    /// A stream on an HTTP/2 connection that has room, and was made after `since`.
    pub(super) fn share(&self, since: Option<Instant>) -> Option<h2::Stream> {
        let mut state = self.state();
        if state.shared.is_empty() {
            return None;
        }
        state.shared.retain(|connection| !connection.is_closed());
        let is_new = |connection: &&h2::Shared| since.is_none_or(|t| connection.is_newer_than(t));
        state.shared.iter().filter(is_new).find_map(h2::Shared::stream)
    }

    /// Keeps `exchange` for the next call. False if it went straight to the bin.
    pub(super) fn put(&self, mut exchange: Box<Exchange>) -> bool {
        if self.keep.is_zero() || !exchange.rest() {
            return false;
        }
        let now = Instant::now();
        let mut state = self.state();
        if state.closed {
            return false;
        }
        state.idle.push_back((now, exchange));
        true
    }

    /// Keeps a new HTTP/2 connection and opens its first stream.
    pub(super) fn add_shared(&self, connection: h2::Shared) -> h2::Stream {
        let stream = connection.first_stream();
        let mut state = self.state();
        if !state.closed {
            state.shared.push(connection);
        }
        stream
    }

    /// Whether the caller must start [`Pool::sweep_until_empty`].
    pub(super) fn claim_sweeper(&self) -> bool {
        let mut state = self.state();
        !std::mem::replace(&mut state.sweeping, true)
    }

    /// Whether a sweeper runs.
    pub(super) fn is_swept(&self) -> bool {
        self.state().sweeping
    }

    /// Closes idle connections in time. Ends as soon as there is nothing to watch.
    pub(super) async fn sweep_until_empty(&self) {
        loop {
            tokio::select! {
                () = sleep(self.keep.max(Duration::from_millis(1))) => {}
                () = self.closed.notified() => {}
            }
            if !self.sweep(Instant::now()) {
                return;
            }
        }
    }

    /// Whether something is left.
    fn sweep(&self, now: Instant) -> bool {
        let mut dropped = Vec::new();
        let mut state = self.state();
        let keep = self.keep;
        while let Some((since, _)) = state.idle.front() {
            if now.saturating_duration_since(*since) < keep {
                break;
            }
            dropped.extend(state.idle.pop_front());
        }
        state.shared.retain(|connection| !connection.is_done(now, keep));
        state.sweeping = !(state.idle.is_empty() && state.shared.is_empty());
        // Sockets are closed after the lock is let go.
        let left = state.sweeping;
        drop(state);
        drop(dropped);
        left
    }

    /// Drops what is idle, and keeps nothing from now on.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let idle = std::mem::take(&mut state.idle);
        let shared = std::mem::take(&mut state.shared);
        drop(state);
        drop((idle, shared));
        self.closed.notify_one();
    }

    /// Connections without a call.
    pub(super) fn idle(&self) -> usize {
        let state = self.state();
        state.idle.len() + state.shared.iter().filter(|connection| connection.is_idle()).count()
    }
}
