//! The accept loop: room for a connection, and what to do when accepting fails.
use super::admit::{Admit, Peers};
use super::conn::{self, Phases, State};
use super::socket::Socket;
use super::switch;
use super::tls::Tls;
use super::version::is_h2;
use super::{BoxError, Limits};
use crate::tasks::Tasks;
use bartizan_layers::facts::Peer;
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

/// How hyper is to speak each protocol.
pub(super) struct Http {
    pub(super) h1: http1::Builder,
    pub(super) h2: http2::Builder<Tasks>,
}

/// Accepts the connections of one listener.
pub(super) struct Acceptor<S> {
    pub(super) service: Arc<S>,
    pub(super) limits: Limits,
    pub(super) open: Arc<Semaphore>,
    pub(super) phases: Arc<Phases>,
    pub(super) http: Arc<Http>,
    pub(super) tls: Option<Tls>,
    pub(super) peers: Peers,
    pub(super) tasks: Tasks,
}

impl<S, B> Acceptor<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Send + Sync + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    /// Accepts until the server closes.
    pub(super) async fn run(self, listener: TcpListener) {
        let phases = Arc::clone(&self.phases);
        let accepting = async move {
            let (mut pause, mut full) = (Duration::ZERO, false);
            loop {
                match listener.accept().await {
                    Ok((stream, peer)) => {
                        pause = Duration::ZERO;
                        let open = Arc::clone(&self.open);
                        let Some(permit) = permit(open, &mut full).await else { return };
                        self.start(stream, peer, permit);
                    }
                    Err(error) => {
                        pause = pause_after(&error, pause);
                        sleep(pause).await;
                    }
                }
            }
        };
        tokio::select! {
            biased;
            () = phases.closed() => {}
            () = accepting => {}
        }
    }

    fn start(&self, stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) {
        let Some(stream) = prepare(stream, peer) else { return };
        let service = Arc::clone(&self.service);
        let limits = self.limits;
        let phases = Arc::clone(&self.phases);
        let http = Arc::clone(&self.http);
        let (tls, peers) = (self.tls.clone(), self.peers.clone());
        self.tasks.spawn(async move {
            let _permit = permit;
            let mut timer = std::pin::pin!(sleep(limits.header_timeout));
            let state = Arc::new(State::default());
            let opened = tokio::select! {
                biased;
                opened = open(stream, tls, &state) => opened,
                () = timer.as_mut() => return,
                () = phases.closed() => return,
            };
            let (socket, is_h2) = match opened {
                Ok(opened) => opened,
                Err(error) => {
                    tracing::debug!(%peer, %error, "a TLS handshake failed");
                    return;
                }
            };
            let io = TokioIo::new(socket);
            let service = Admit::new(service, Arc::clone(&state), Peer(peer), peers);
            let (known, steps) = (Arc::clone(&state), Arc::clone(&phases));
            let end = if is_h2 {
                let mut connection = Box::pin(http.h2.serve_connection(io, service));
                conn::run(connection.as_mut(), timer, limits, known, steps).await
            } else {
                let mut connection = http.h1.serve_connection(io, service);
                let end = conn::run(Pin::new(&mut connection), timer, limits, known, steps).await;
                if let Some(tunnel) = state.switch.take() {
                    let parts = connection.into_parts();
                    let socket = parts.io.into_inner();
                    Box::pin(switch::run(tunnel, socket, parts.read_buf, &phases)).await;
                }
                end
            };
            if let Err(error) = end {
                tracing::debug!(%peer, %error, "connection ended");
            }
        });
    }
}

/// The socket as hyper is to see it, and whether the client speaks HTTP/2.
///
/// # Errors
/// A failed handshake's.
async fn open(
    stream: TcpStream,
    tls: Option<Tls>,
    state: &Arc<State>,
) -> io::Result<(Socket, bool)> {
    let Some(tls) = tls else {
        let is_h2 = is_h2(&stream).await;
        return Ok((Socket::plain(stream, Arc::clone(state)), is_h2));
    };
    // Boxed, so that a plain connection's task has no room for it.
    let (stream, is_h2) = Box::pin(tls.accept(stream)).await?;
    Ok((Socket::tls(stream, Arc::clone(state)), is_h2))
}

/// Sets what an accepted socket needs: small writes are events of a stream and must not wait for
/// one another. `None` when the client is gone already.
pub(super) fn prepare(stream: TcpStream, peer: SocketAddr) -> Option<TcpStream> {
    match stream.set_nodelay(true) {
        Ok(()) => Some(stream),
        Err(error) => {
            tracing::debug!(%peer, %error, "connection ended before it was served");
            None
        }
    }
}

/// Room for one connection; `None` once the server is closed.
/// `full` says whether there was none the last time: that is told once.
async fn permit(open: Arc<Semaphore>, full: &mut bool) -> Option<OwnedSemaphorePermit> {
    if let Ok(permit) = Arc::clone(&open).try_acquire_owned() {
        *full = false;
        return Some(permit);
    }
    if !std::mem::replace(full, true) {
        tracing::warn!("as many connections are open as the limit allows; new ones wait");
    }
    open.acquire_owned().await.ok()
}

/// How long to wait before the next try after `accept` failed; `last` is the pause before.
///
/// One connection's own failure costs nothing. What is short (files, memory) stays short for a
/// while, and `accept` fails at once as long as it is, so the loop would take a whole processor.
pub(super) fn pause_after(error: &io::Error, last: Duration) -> Duration {
    const FIRST: Duration = Duration::from_millis(10);
    const LONGEST: Duration = Duration::from_secs(1);
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
    {
        return Duration::ZERO;
    }
    if last.is_zero() {
        tracing::warn!(%error, "cannot accept connections; if files are short, raise `ulimit -n`");
    }
    (last * 2).clamp(FIRST, LONGEST)
}
