//! Who calls.
use super::Limit;
use std::net::SocketAddr;
use std::sync::Arc;

/// The other end of the client's connection. A request fact, written by the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Who is calling, proved by a virtual key. A request fact, written by `auth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// What metrics and records call the key: a digest or an alias, never the key itself.
    pub key: Arc<str>,
    /// The user that the key belongs to.
    pub user: Arc<str>,
    /// The team that the key belongs to.
    pub team: Option<Arc<str>>,
    /// Whether it may use management routes.
    pub admin: bool,
    /// The limits that it falls under.
    pub limits: Arc<[Limit]>,
}

impl Principal {
    /// A key and its user, without team, rights or limits.
    #[must_use]
    pub fn new(key: impl Into<Arc<str>>, user: impl Into<Arc<str>>) -> Self {
        let limits = Arc::from([]);
        Self { key: key.into(), user: user.into(), team: None, admin: false, limits }
    }
}
