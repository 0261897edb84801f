//! The listeners: HTTP/1.1 and HTTP/2 with prior knowledge (h2c) on one port, or both over TLS,
//! their limits, and their drain.
//!
//! What a client may send is settled in three places. hyper refuses what is not HTTP
//! (`tests_http1.rs` pins what that is), `admit` refuses what is HTTP but must not be forwarded, and
//! `conn` closes connections that are slow or idle.
use self::accept::{Acceptor, Http};
use self::conn::Phases;
use crate::config;
use crate::tasks::Tasks;
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper_util::rt::TokioTimer;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::sleep;

pub use self::admit::Peers;
pub use self::bind::bind;
pub use self::drain::{Drain, Draining};
pub use self::tls::Tls;

mod accept;
mod admit;
mod bind;
mod clients;
mod conn;
mod drain;
pub mod runtime;
mod socket;
mod switch;
mod tls;
mod version;

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
#[cfg(test)]
mod tests_switch;
#[cfg(test)]
mod tests_tls;

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

/// Answers calls on `listeners`, over `tls` if there is one, with `service` until `drain` is over;
/// returns how many calls had to be cut at the deadline.
///
/// The service is hyper's, called without being asked whether it is ready: a Tower stack that is
/// always ready pays nothing for a check, one that is not comes in
/// [`hyper_util::service::TowerToHyperService`]. Connections
/// and HTTP/2 streams run as `tasks`; a panic in one ends that connection or stream, no other.
/// Dropping the future stops accepting and lets the connections drain.
pub async fn serve<S, B>(
    listeners: Vec<TcpListener>,
    tls: Option<Tls>,
    service: S,
    limits: Limits,
    drain: Drain,
    tasks: Tasks,
    peers: Peers,
) -> usize
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    S: Send + Sync + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let room = limits.max_connections.clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
    let room = u32::try_from(room).unwrap_or(u32::MAX);
    let open = Arc::new(Semaphore::new(room as usize));
    let phases = Arc::new(Phases::default());
    let _close_when_dropped = CloseWhenDropped(Arc::clone(&phases));
    let (service, http) = (Arc::new(service), Arc::new(http(&tasks)));
    for listener in listeners {
        let acceptor = Acceptor {
            service: Arc::clone(&service),
            limits,
            open: Arc::clone(&open),
            phases: Arc::clone(&phases),
            http: Arc::clone(&http),
            tls: tls.clone(),
            peers: peers.clone(),
            tasks: tasks.clone(),
        };
        tasks.spawn(acceptor.run(listener));
    }
    drop((service, http, tls, tasks));

    end(&open, room, &phases, &drain).await
}

/// Follows the drain to its end; returns how many calls were cut.
async fn end(open: &Semaphore, room: u32, phases: &Phases, drain: &Drain) -> usize {
    drain.closing().await;
    phases.close();
    if !all_closed(open, room, drain.over()).await {
        phases.cut();
        if !all_closed(open, room, sleep(CUT_GRACE)).await {
            tracing::warn!("some connections did not end when they were cut");
        }
    }
    open.close();
    phases.calls_cut()
}

/// Whether the permits of all connections came back before `over`.
async fn all_closed(open: &Semaphore, room: u32, over: impl Future<Output = ()>) -> bool {
    tokio::select! {
        _ = open.acquire_many(room) => true,
        () = over => false,
    }
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
fn http(tasks: &Tasks) -> Http {
    let (mut h1, mut h2) = (http1::Builder::new(), http2::Builder::new(tasks.clone()));
    h1.header_read_timeout(None)
        .half_close(false)
        .max_header_size(MAX_HEADER_BYTES)
        .max_buf_size(MAX_HEADER_BYTES);
    h2.timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_pending_accept_reset_streams(MAX_RESETS)
        .max_local_error_reset_streams(MAX_RESETS)
        .max_header_list_size(MAX_HEADER_BYTES as u32)
        .max_send_buf_size(MAX_STREAM_BUFFER)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_ANSWER);
    Http { h1, h2 }
}
