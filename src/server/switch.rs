//! Connections that go on as a tunnel once a 101 was written (RFC 9110, 7.8).
//!
//! The task of the connection stays with it to its end, and so do its place among the open
//! connections and the drain. Of the limits on time none holds any more: a tunnel may be silent.
use super::conn::Phases;
use super::socket::Socket;
use crate::tunnel::{Client, Tunnel};
use bytes::Bytes;
use futures_util::FutureExt;
use http::Extensions;
use hyper::upgrade::OnUpgrade;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::io::AsyncWriteExt;

/// A connection that hyper has promised, and what it is for.
pub(super) type Switched = (OnUpgrade, Tunnel);

/// What a connection becomes after its call; mostly nothing.
#[derive(Debug, Default)]
pub(super) struct Switch(Mutex<Option<Switched>>);

impl Switch {
    fn slot(&self) -> MutexGuard<'_, Option<Switched>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the tunnel among the `facts` of an answer, if there is one.
    #[cold]
    pub(super) fn note(&self, upgrade: OnUpgrade, facts: &mut Extensions) {
        if let Some(tunnel) = facts.remove::<Tunnel>() {
            *self.slot() = Some((upgrade, tunnel));
        }
    }

    /// What was noted. To be asked when hyper has let go of the connection.
    pub(super) fn take(&self) -> Option<Switched> {
        self.slot().take()
    }
}

/// Runs a tunnel to its end, and closes the client's connection so that it can read the last of it.
/// `early` is what hyper has read of the client beyond its request.
pub(super) async fn run(
    (upgrade, tunnel): Switched,
    mut socket: Socket,
    early: Bytes,
    phases: &Phases,
) {
    // hyper leaves the connection to us once the 101 is written. If it broke before, or was closed,
    // this never happens.
    let left_to_us = upgrade.now_or_never().and_then(Result::err).is_some_and(|it| it.is_user());
    if !left_to_us {
        return;
    }
    if let Err(error) = socket.keep_alive() {
        tracing::debug!(%error, "a tunnel's client is not watched");
    }
    tunnel.run(Client { io: &mut socket, early, cut: &phases.cut }).await;
    if phases.cut.is_cancelled() {
        phases.calls_cut.fetch_add(1, Relaxed);
        return;
    }
    tokio::select! {
        closed = socket.shutdown() => {
            if let Err(error) = closed {
                tracing::debug!(%error, "a tunnel's client was gone");
            }
        }
        () = phases.cut.cancelled() => {}
    }
}
