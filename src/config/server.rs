//! Where the proxy listens.
use super::ServerTls;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Listeners and limits.
#[derive(Clone, Debug)]
pub struct Server {
    /// Addresses for calls. Default `127.0.0.1:4000` and `[::1]:4000`.
    pub listen: Vec<SocketAddr>,
    /// Address for `/health/*` and `/metrics` without a key. Default none.
    pub ops_listen: Option<SocketAddr>,
    /// How calls are taken over TLS; `None` is plain HTTP.
    pub tls: Option<ServerTls>,
    /// The same for `ops_listen`.
    pub ops_tls: Option<ServerTls>,
    /// The largest request body, in bytes. Default 32 MiB.
    pub max_body: usize,
    /// Bytes that all buffered bodies may hold together. Default a quarter of the cgroup's
    /// memory limit, else 256 MiB.
    pub body_budget: usize,
    /// Open connections. Default 10,000.
    pub max_connections: usize,
    /// Calls that may be open at once; more are answered 503. Default no limit.
    pub max_calls: Option<usize>,
    /// How long an idle client connection is kept. Default 75 s.
    pub keep_alive: Duration,
    /// How long a client may take to send its headers. Default 30 s.
    pub header_timeout: Duration,
    /// How long a client may pause while it sends a body. Default 60 s.
    pub body_timeout: Duration,
    /// How long open calls may take after SIGTERM. Default 25 s.
    pub drain: Duration,
    /// A path that clients may put before all others, without a slash at its end; empty for none
    /// (`SERVER_ROOT_PATH`).
    pub root_path: String,
    /// Worker threads; `None` follows the processors of the cgroup.
    pub workers: Option<usize>,
}

impl Server {
    /// Whether every calls listener is reached from this machine only.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.listen.iter().map(SocketAddr::ip).all(|ip: IpAddr| ip.is_loopback())
    }
}
