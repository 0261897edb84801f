//! Which Redis, and how to speak to it.
use ::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Which Redis, and how to speak to it.
///
/// ```
/// use bartizan_layers::redis::Settings;
/// use std::time::Duration;
///
/// # fn main() -> Result<(), bartizan_layers::redis::UrlError> {
/// let one = Settings::from_url("redis://alice:secret@localhost:6379/2")?;
/// let cluster = Settings::cluster([("redis-0", 6379), ("redis-1", 6379)]).tls(true);
/// let sentinel = Settings::sentinel("mymaster", [("sentinel-0", 26379)])
///     .password("secret")
///     .response_timeout(Duration::from_millis(100));
/// assert!(!format!("{one:?}{sentinel:?}").contains("secret"));
/// # let _ = cluster;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Settings {
    pub(super) servers: Vec<(String, u16)>,
    pub(super) kind: Kind,
    /// `None` speaks plainly.
    pub(super) tls: Option<Tls>,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) sentinel_password: Option<String>,
    pub(super) db: i64,
    pub(super) prefix: Arc<str>,
    pub(super) response_timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) hold_ttl: Duration,
    pub(super) remember: Duration,
    pub(super) queue: usize,
}

/// How the servers belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Single,
    Sentinel(String),
    Cluster,
}

/// What is asked of the certificates of servers, and what is shown to them.
#[derive(Clone, Default)]
pub(super) struct Tls {
    pub(super) unchecked: bool,
    /// PEM; `None` are the roots of Mozilla.
    pub(super) roots: Option<Vec<u8>>,
    /// PEM: a certificate with its chain, and its key.
    pub(super) shown: Option<(Vec<u8>, Vec<u8>)>,
}

/// A URL that names no Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a redis:// or rediss:// URL")]
#[non_exhaustive]
pub struct UrlError;

impl Settings {
    /// One server, or the primary behind a proxy of its own.
    #[must_use]
    pub fn single(host: impl Into<String>, port: u16) -> Self {
        Self::of(Kind::Single, vec![(host.into(), port)])
    }

    /// The primary that Sentinels know under `service`. They are asked again whenever the
    /// connection is made again, so a failover is followed.
    pub fn sentinel<H: Into<String>>(
        service: impl Into<String>,
        sentinels: impl IntoIterator<Item = (H, u16)>,
    ) -> Self {
        Self::of(Kind::Sentinel(service.into()), servers(sentinels))
    }

    /// A Cluster that has these nodes among others.
    pub fn cluster<H: Into<String>>(nodes: impl IntoIterator<Item = (H, u16)>) -> Self {
        Self::of(Kind::Cluster, servers(nodes))
    }

    /// One server as a URL names it: `redis[s]://[user][:password@]host[:port][/db]`.
    ///
    /// # Errors
    ///
    /// [`UrlError`] if it is no such URL.
    pub fn from_url(url: &str) -> Result<Self, UrlError> {
        let info: ConnectionInfo = url.into_connection_info().map_err(|_| UrlError)?;
        let (host, port, tls) = match info.addr() {
            ConnectionAddr::Tcp(host, port) => (host, *port, false),
            ConnectionAddr::TcpTls { host, port, .. } => (host, *port, true),
            _ => return Err(UrlError),
        };
        let told = info.redis_settings();
        Ok(Self {
            username: told.username().map(Into::into),
            password: told.password().map(Into::into),
            db: told.db(),
            ..Self::single(host, port).tls(tls)
        })
    }

    fn of(kind: Kind, servers: Vec<(String, u16)>) -> Self {
        Self {
            servers,
            kind,
            tls: None,
            username: None,
            password: None,
            sentinel_password: None,
            db: 0,
            prefix: Arc::from("bartizan:"),
            response_timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(1),
            hold_ttl: Duration::from_secs(60),
            remember: Duration::from_secs(600),
            queue: 8192,
        }
    }

    /// Whether to speak TLS to every server, Sentinels too, trusting the roots of Mozilla. Where
    /// the program has not exactly one crypto provider of rustls compiled in, it has to install
    /// one for the process. Default: no.
    #[must_use]
    pub fn tls(self, tls: bool) -> Self {
        let told = tls.then(|| self.tls.clone().unwrap_or_default());
        Self { tls: told, ..self }
    }

    /// Speaks TLS, and trusts these roots (PEM) alone.
    #[must_use]
    pub fn roots(self, pem: impl Into<Vec<u8>>) -> Self {
        self.with_tls(|tls| Tls { roots: Some(pem.into()), ..tls })
    }

    /// Speaks TLS, and shows this certificate with its chain to servers that ask for one; both
    /// are PEM.
    #[must_use]
    pub fn client_certificate(self, chain: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.with_tls(|tls| Tls { shown: Some((chain.into(), key.into())), ..tls })
    }

    /// Speaks TLS with whoever answers: certificates are not checked, so anyone on the way may
    /// pose as Redis.
    #[must_use]
    pub fn without_verification(self) -> Self {
        self.with_tls(|tls| Tls { unchecked: true, ..tls })
    }

    fn with_tls(self, with: impl FnOnce(Tls) -> Tls) -> Self {
        let tls = with(self.tls.unwrap_or_default());
        Self { tls: Some(tls), ..self }
    }

    /// Whom to log in as. Default: Redis' own `default` user.
    #[must_use]
    pub fn username(self, username: impl Into<String>) -> Self {
        Self { username: Some(username.into()), ..self }
    }

    /// The password of that user. Default: none.
    #[must_use]
    pub fn password(self, password: impl Into<String>) -> Self {
        Self { password: Some(password.into()), ..self }
    }

    /// The password of the Sentinels themselves. Default: none.
    #[must_use]
    pub fn sentinel_password(self, password: impl Into<String>) -> Self {
        Self { sentinel_password: Some(password.into()), ..self }
    }

    /// The number of the database; a Cluster has 0 alone. Default: 0.
    #[must_use]
    pub fn db(self, db: i64) -> Self {
        Self { db, ..self }
    }

    /// What every key begins with; braces are left out, as they would change its slot. Default:
    /// `bartizan:`.
    #[must_use]
    pub fn prefix(self, prefix: &str) -> Self {
        Self { prefix: prefix.replace(['{', '}'], "").into(), ..self }
    }

    /// How long a command may take until Redis counts as away. It bounds what an outage adds to
    /// a call that finds it. Default: 1 s.
    #[must_use]
    pub fn response_timeout(self, response_timeout: Duration) -> Self {
        Self { response_timeout, ..self }
    }

    /// How long it may take to connect; calls do not wait for it. Default: 1 s.
    #[must_use]
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }

    /// How long a hold or a permit lives unless it is renewed, which is done three times as often:
    /// after so long those of a process that died are let go. At least 30 ms. Default: 60 s.
    #[must_use]
    pub fn hold_ttl(self, hold_ttl: Duration) -> Self {
        Self { hold_ttl: hold_ttl.max(Duration::from_millis(30)), ..self }
    }

    /// How long it is remembered that a hold was settled: settled again within that time, it
    /// counts once. Default: 10 min.
    #[must_use]
    pub fn remember(self, remember: Duration) -> Self {
        Self { remember, ..self }
    }

    /// How many ended calls wait for Redis before they are merged into sums. Default: 8192.
    #[must_use]
    pub fn queue(self, queue: usize) -> Self {
        Self { queue, ..self }
    }
}

fn servers<H: Into<String>>(all: impl IntoIterator<Item = (H, u16)>) -> Vec<(String, u16)> {
    all.into_iter().map(|(host, port)| (host.into(), port)).collect()
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { servers, kind, tls, db, prefix, .. } = self;
        f.debug_struct("Settings")
            .field("servers", servers)
            .field("kind", kind)
            .field("tls", &tls.is_some())
            .field("db", db)
            .field("prefix", prefix)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Settings, UrlError};

    #[test]
    fn a_url_tells_all_about_one_server() {
        let told = Settings::from_url("rediss://alice:s%23@host:7000/3").unwrap();
        assert_eq!(told.servers, [("host".into(), 7000)]);
        assert_eq!(
            (told.username.as_deref(), told.password.as_deref()),
            (Some("alice"), Some("s#"))
        );
        assert_eq!((told.tls.is_some(), told.db), (true, 3));
        for wrong in ["http://host", "unix:///redis.sock", "host:6379", ""] {
            assert_eq!(Settings::from_url(wrong).map(drop), Err(UrlError), "{wrong}");
        }
    }
}
