//! One upstream server: where it is, and the connections to it.
use super::call::Line;
use super::connect::Connector;
use super::error::{ConnectError, ForwardError};
use super::h1::Exchange;
use super::h2;
use super::pool::Pool;
use super::proxy::Proxy;
use super::reach::Reach;
use crate::tasks::Tasks;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Uri};
use rustls_pki_types::ServerName;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;

const UNKNOWN: u8 = 0;
const SPEAKS_H1: u8 = 1;
const SPEAKS_H2: u8 = 2;

/// Where an upstream is, prepared for every call.
#[derive(Debug)]
pub(super) struct Target {
    /// `host:port`, for messages and for tunnels.
    pub(super) name: Arc<str>,
    pub(super) host: Arc<str>,
    pub(super) port: u16,
    pub(super) tls: bool,
    pub(super) server_name: Option<ServerName<'static>>,
    pub(super) proxy: Option<Proxy>,
    pub(super) reach: Reach,
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    pub(super) host_header: HeaderValue,
}

impl Target {
    /// `None` without a host or with a scheme other than `http` and `https`.
    pub(super) fn new(base: &Uri, connector: &Connector) -> Option<Self> {
        let scheme = base.scheme()?.clone();
        let tls = scheme == Scheme::HTTPS;
        if !tls && scheme != Scheme::HTTP {
            return None;
        }
        let authority = without_user(base.authority()?)?;
        let host: Arc<str> = authority.host().trim_matches(['[', ']']).into();
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Some(Self {
            name: format!("{}:{port}", authority.host()).into(),
            server_name: ServerName::try_from(host.to_string()).ok(),
            proxy: connector.rules.on_the_way(tls, &host, port).cloned(),
            host_header: HeaderValue::from_str(authority.as_str()).ok()?,
            reach: Reach::Anywhere,
            host,
            port,
            tls,
            scheme,
            authority,
        })
    }

    /// The same server, if it is within `reach`. No proxy leads to what must be judged: it would
    /// look the name up itself.
    pub(super) fn within(self, reach: Reach) -> Self {
        let proxy = self.proxy.filter(|_| reach == Reach::Anywhere);
        Self { proxy, reach, ..self }
    }

    /// Whether requests name the whole URL, because a proxy reads them (RFC 9112, 3.2.2).
    pub(super) const fn is_absolute_form(&self) -> bool {
        !self.tls && self.proxy.is_some()
    }
}

/// A user part in a base URL is never sent: RFC 9110, 4.2.4.
fn without_user(authority: &Authority) -> Option<Authority> {
    match authority.as_str().rsplit_once('@') {
        Some((_, host)) => host.parse().ok(),
        None => Some(authority.clone()),
    }
}

/// Numbers about the connections to one origin.
#[derive(Debug, Default)]
pub(super) struct Counts {
    open: AtomicUsize,
    opened: AtomicU64,
}

/// Counts a connection as open for as long as it lives.
#[derive(Debug)]
pub(super) struct Open(Arc<Counts>);

impl Open {
    pub(super) fn new(counts: &Arc<Counts>) -> Self {
        counts.open.fetch_add(1, Ordering::Relaxed);
        counts.opened.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counts))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Connections to one origin at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginStats {
    /// `host:port`.
    pub origin: Arc<str>,
    /// Connections that are open now, in use or idle.
    pub open: usize,
    /// Of `open`: without a call.
    pub idle: usize,
    /// Connections made since the start.
    pub opened: u64,
}

/// An upstream server and the connections to it.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) target: Target,
    pub(super) pool: Pool,
    pub(super) counts: Arc<Counts>,
    pub(super) connector: Arc<Connector>,
    tasks: Tasks,
    /// Which HTTP it spoke last. Known after the first connection.
    speaks: AtomicU8,
    /// Held while connecting to a server that may speak HTTP/2, where one connection is enough.
    gate: Semaphore,
}

impl Origin {
    pub(super) fn new(
        target: Target,
        connector: Arc<Connector>,
        pool_idle: Duration,
        tasks: Tasks,
    ) -> Self {
        let speaks = if target.tls { UNKNOWN } else { SPEAKS_H1 };
        Self {
            target,
            pool: Pool::new(pool_idle),
            counts: Arc::default(),
            connector,
            tasks,
            speaks: AtomicU8::new(speaks),
            gate: Semaphore::new(1),
        }
    }

    /// A connection for one call, new unless another call just made one that can be shared. For a
    /// second try it must have been made after `since`.
    pub(super) async fn connect(
        self: Arc<Self>,
        since: Option<Instant>,
    ) -> Result<Line, ForwardError> {
        let after = self.connector.timeout;
        let connecting = tokio::time::timeout(after, self.connect_or_share(since));
        let late = |_| ForwardError::ConnectTimeout { host: Arc::clone(&self.target.name), after };
        connecting.await.map_err(late)?
    }

    async fn connect_or_share(
        self: &Arc<Self>,
        since: Option<Instant>,
    ) -> Result<Line, ForwardError> {
        let mut permit = None;
        if self.speaks.load(Ordering::Relaxed) != SPEAKS_H1 {
            permit = self.gate.acquire().await.ok();
            if let Some(stream) = self.pool.share(since) {
                return Ok(Line::H2(h2::Call::new(stream)));
            }
            if self.speaks.load(Ordering::Relaxed) == SPEAKS_H1 {
                permit = None;
            }
        }
        let line = self.open().await;
        drop(permit);
        line
    }

    async fn open(self: &Arc<Self>) -> Result<Line, ForwardError> {
        let (stream, is_h2) = self.connector.connect(&self.target).await?;
        let failed = |error| ForwardError::Connect {
            host: Arc::clone(&self.target.name),
            cause: ConnectError::Http(error),
        };
        let open = Open::new(&self.counts);
        self.speaks.store(if is_h2 { SPEAKS_H2 } else { SPEAKS_H1 }, Ordering::Relaxed);
        if !is_h2 {
            return Ok(Line::H1(Exchange::open(stream, open).await.map_err(failed)?));
        }
        let connection = h2::Shared::open(stream, open, &self.tasks).await.map_err(failed)?;
        let stream = self.pool.add_shared(connection);
        self.keep_swept();
        Ok(Line::H2(h2::Call::new(stream)))
    }

    /// Takes back an HTTP/1.1 connection whose exchange is over.
    pub(super) fn give_back(self: &Arc<Self>, exchange: Box<Exchange>) {
        if self.pool.put(exchange) {
            self.keep_swept();
        }
    }

    /// Starts the sweeper, unless it runs already.
    fn keep_swept(self: &Arc<Self>) {
        if self.pool.claim_sweeper() {
            let origin = Arc::clone(self);
            self.tasks.spawn(async move { origin.pool.sweep_until_empty().await });
        }
    }

    /// Whether nobody holds it but the map of origins and its own sweeper. Asked while that map is
    /// locked, so that nobody can begin to.
    pub(super) fn is_unused(this: &Arc<Self>) -> bool {
        Arc::strong_count(this) <= 1 + usize::from(this.pool.is_swept())
    }

    pub(super) fn stats(&self) -> OriginStats {
        OriginStats {
            origin: Arc::clone(&self.target.name),
            open: self.counts.open.load(Ordering::Relaxed),
            idle: self.pool.idle(),
            opened: self.counts.opened.load(Ordering::Relaxed),
        }
    }
}
