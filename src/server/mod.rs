//! The listeners: HTTP/1.1 and HTTP/2 with prior knowledge (h2c) on one port, their limits, and
//! their drain.
//!
//! What a client may send is settled in three places. hyper refuses what is not HTTP
//! (`tests_http1.rs` pins what that is), `admit` refuses what is HTTP but must not be forwarded, and
//! `conn` closes connections that are slow or idle.
use self::admit::Admit;
use self::conn::{Phases, State};
use self::socket::Socket;
use crate::config;
use crate::tasks::Tasks;
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout_at};

pub use self::bind::bind;
pub use self::drain::{Drain, Draining};

mod admit;
mod bind;
mod conn;
mod drain;
pub mod runtime;
mod socket;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_drain;
#[cfg(test)]
mod tests_http1;
#[cfg(test)]
mod tests_http2;
#[cfg(test)]
mod tests_runtime;

/// Header lines of one request; more are answered with 431. It is hyper's own default, which
/// needs no allocation per request, as any other number would.
pub const MAX_HEADERS: usize = 100;

/// Bytes of one request's line and headers (HTTP/2: its header list); more are answered with 431.
/// An HTTP/1 connection holds no more than this unread, nor unsent.
pub const MAX_HEADER_BYTES: usize = 64 * 1024;

/// Calls that one HTTP/2 connection may have open.
pub const MAX_STREAMS: u32 = 200;

/// Bytes that one HTTP/2 stream may hold unsent.
const MAX_STREAM_BUFFER: usize = 64 * 1024;

/// Streams that a client may reset before they were seen, and that we may reset for its errors,
/// before the connection is ended (CVE-2023-44487, CVE-2025-8671).
const MAX_RESETS: usize = 100;

/// How often an HTTP/2 client is asked whether it is still there, and how long it may think.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_ANSWER: Duration = Duration::from_secs(20);

/// How long to wait for connections to end once they were cut.
const CUT_GRACE: Duration = Duration::from_secs(1);

/// Why a body failed, as hyper takes it.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The address that a request came from: an extension of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// What a listener accepts; the limits that are no setting are the constants of this module.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Open connections. Beyond it nothing is accepted until one closes: the kernel's queue holds
    /// the rest, so that a burst is served late instead of refused.
    pub max_connections: usize,
    /// How long a connection without a call is kept after its last one.
    pub keep_alive: Duration,
    /// How long the headers of a request may take, from its first byte; and the first request,
    /// from the moment of connecting.
    pub header_timeout: Duration,
}

impl From<&config::Server> for Limits {
    fn from(server: &config::Server) -> Self {
        Self {
            max_connections: server.max_connections,
            keep_alive: server.keep_alive,
            header_timeout: server.header_timeout,
        }
    }
}

/// Answers calls on `listeners` with `service` until `drain` is over; returns how many calls had
/// to be cut at the deadline.
///
/// The service is hyper's, called without being asked whether it is ready: a Tower stack that is
/// always ready pays nothing for a check, one that is not comes in
/// [`hyper_util::service::TowerToHyperService`]. Every request carries its [`Peer`]. Connections
/// and HTTP/2 streams run as `tasks`; a panic in one ends that connection or stream, no other.
/// Dropping the future stops accepting and lets the connections drain.
pub async fn serve<S, B>(
    listeners: Vec<TcpListener>,
    service: S,
    limits: Limits,
    drain: Drain,
    tasks: Tasks,
) -> usize
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let room = limits.max_connections.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
    let room = u32::try_from(room).unwrap_or(u32::MAX);
    let open = Arc::new(Semaphore::new(room as usize));
    let phases = Arc::new(Phases::default());
    let _close_when_dropped = CloseWhenDropped(Arc::clone(&phases));
    let http = Arc::new(http(&tasks));
    for listener in listeners {
        let acceptor = Acceptor {
            service: service.clone(),
            limits,
            open: Arc::clone(&open),
            phases: Arc::clone(&phases),
            http: Arc::clone(&http),
            tasks: tasks.clone(),
        };
        tasks.spawn(acceptor.run(listener));
    }
    drop((service, http, tasks));

    drain.closing().await;
    phases.close();
    let all_closed = open.acquire_many(room);
    let ended = tokio::select! {
        _ = all_closed => true,
        () = drain.over() => false,
    };
    if !ended {
        phases.cut();
        let last = tokio::time::Instant::now() + CUT_GRACE;
        if timeout_at(last, open.acquire_many(room)).await.is_err() {
            tracing::warn!("some connections did not end when they were cut");
        }
    }
    open.close();
    phases.calls_cut()
}

/// Stops the acceptors when the future that started them is no more.
struct CloseWhenDropped(Arc<Phases>);

impl Drop for CloseWhenDropped {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// How hyper is to speak. Its own header timer is off: it would be armed and disarmed for each
/// request, and would be the idle limit as well. `conn` has one for both.
fn http(tasks: &Tasks) -> auto::Builder<Tasks> {
    let mut http = auto::Builder::new(tasks.clone());
    http.http1().header_read_timeout(None).half_close(false).max_buf_size(MAX_HEADER_BYTES);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_local_error_reset_streams(MAX_RESETS)
        .max_header_list_size(MAX_HEADER_BYTES as u32)
        .max_send_buf_size(MAX_STREAM_BUFFER)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_ANSWER);
    http
}

/// Accepts the connections of one listener.
struct Acceptor<S> {
    service: S,
    limits: Limits,
    open: Arc<Semaphore>,
    phases: Arc<Phases>,
    http: Arc<auto::Builder<Tasks>>,
    tasks: Tasks,
}

impl<S, B> Acceptor<S>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    async fn run(self, listener: TcpListener) {
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
        let state = Arc::new(State::default());
        let io = TokioIo::new(Socket::new(stream, Arc::clone(&state)));
        let service = Admit::new(self.service.clone(), peer, Arc::clone(&state));
        let limits = self.limits;
        let phases = Arc::clone(&self.phases);
        let http = Arc::clone(&self.http);
        self.tasks.spawn(async move {
            let _permit = permit;
            let connection = std::pin::pin!(http.serve_connection(io, service));
            if let Err(error) = conn::run(connection, limits, state, phases).await {
                tracing::debug!(%peer, %error, "connection ended");
            }
        });
    }
}

/// Sets what an accepted socket needs: small writes are events of a stream and must not wait for
/// one another. `None` when the client is gone already.
fn prepare(stream: TcpStream, peer: SocketAddr) -> Option<TcpStream> {
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
fn pause_after(error: &io::Error, last: Duration) -> Duration {
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
