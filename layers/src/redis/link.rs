//! The connection.
use super::Outage;
use super::script;
use super::settings::{Kind, Settings, Tls};
use ::redis::aio::MultiplexedConnection;
use ::redis::cluster::{ClusterClient, ClusterClientBuilder};
use ::redis::cluster_async::ClusterConnection;
use ::redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use ::redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, Cmd, ConnectionAddr, ErrorKind,
    IntoConnectionInfo, Pipeline, RedisConnectionInfo, RedisError, RedisResult, ServerErrorKind,
    TlsCertificates, TlsMode, Value,
};
use std::fmt;
use std::time::Duration;
use tokio::time::timeout;

/// A connection that many calls share. Clones are cheap.
#[derive(Clone)]
pub(super) enum Link {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Link {
    /// Runs one command.
    pub(super) async fn run(&mut self, cmd: &Cmd, wait: Duration) -> Result<Value, Outage> {
        let answer = match self {
            Self::One(link) => timeout(wait, cmd.query_async(link)).await,
            Self::Cluster(link) => timeout(wait, cmd.query_async(link)).await,
        };
        answer.map_err(|_| Outage::Late)?.map_err(Outage::from)
    }

    /// Runs commands in one go. In a Cluster all their keys lie in one slot.
    pub(super) async fn pipe(
        &mut self,
        pipe: &Pipeline,
        wait: Duration,
    ) -> Result<Vec<Value>, Outage> {
        let answer = match self {
            Self::One(link) => timeout(wait, pipe.query_async(link)).await,
            Self::Cluster(link) => timeout(wait, pipe.query_async(link)).await,
        };
        answer.map_err(|_| Outage::Late)?.map_err(Outage::from)
    }

    /// Whether keys of different slots need commands of their own.
    pub(super) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster(_))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_cluster() { "Cluster" } else { "One" })
    }
}

impl From<RedisError> for Outage {
    fn from(error: RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::NoScript) => Self::NoScript,
            // One of these is not, or no longer, the server that was looked for.
            ErrorKind::Server(
                ServerErrorKind::ReadOnly
                | ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ClusterDown,
            )
            | ErrorKind::AuthenticationFailed
            | ErrorKind::ClusterConnectionNotFound
            | ErrorKind::Parse
            | ErrorKind::Io => Self::Away,
            _ => Self::Failed(error.to_string().into()),
        }
    }
}

/// Makes connections.
pub(super) enum Dialer {
    One(Box<Client>),
    Sentinel(Box<SentinelClient>),
    Cluster(Box<ClusterClient>),
}

impl Dialer {
    pub(super) fn new(settings: &Settings) -> RedisResult<Self> {
        match &settings.kind {
            Kind::Single => one(settings).map(Box::new).map(Self::One),
            Kind::Sentinel(service) => {
                sentinel(settings, service).map(Box::new).map(Self::Sentinel)
            }
            Kind::Cluster => cluster(settings).map(Box::new).map(Self::Cluster),
        }
    }

    /// Connects, and hands over the scripts.
    pub(super) async fn dial(&mut self, settings: &Settings) -> Result<Link, Outage> {
        let wait = settings.connect_timeout;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(wait))
            .set_response_timeout(None);
        let link = match self {
            Self::One(client) => {
                let link = client.get_multiplexed_async_connection_with_config(&config);
                timeout(wait, link).await.map(|link| link.map(Link::One))
            }
            Self::Sentinel(client) => {
                let link = client.get_async_connection_with_config(&config);
                timeout(wait, link).await.map(|link| link.map(Link::One))
            }
            Self::Cluster(client) => {
                let link = client.get_async_connection();
                timeout(wait, link).await.map(|link| link.map(Link::Cluster))
            }
        };
        let mut link = link.map_err(|_| Outage::Late)?.map_err(|error| match error.kind() {
            // Waiting will not mend it: whoever reads of it has to know.
            ErrorKind::AuthenticationFailed => Outage::Failed(error.to_string().into()),
            _ => error.into(),
        })?;
        // In a Cluster each node learns a script when it first needs it.
        if !link.is_cluster() {
            link.pipe(&script::load_all(), wait).await?;
        }
        Ok(link)
    }
}

fn one(settings: &Settings) -> RedisResult<Client> {
    let (host, port) = settings.servers.first().cloned().unwrap_or_default();
    let info = addr(host, port, settings).into_connection_info()?;
    let mut redis = RedisConnectionInfo::default().set_db(settings.db);
    if let Some(username) = &settings.username {
        redis = redis.set_username(username);
    }
    if let Some(password) = &settings.password {
        redis = redis.set_password(password);
    }
    let info = info.set_redis_settings(redis);
    match certificates(settings) {
        Some(certificates) => Client::build_with_tls(info, certificates),
        None => Client::open(info),
    }
}

fn sentinel(settings: &Settings, service: &str) -> RedisResult<SentinelClient> {
    let sentinels = settings.servers.iter().cloned();
    let sentinels = sentinels.map(|(host, port)| addr(host, port, settings));
    let mut builder = SentinelClientBuilder::new(sentinels, service, SentinelServerType::Master)?
        .set_client_to_redis_db(settings.db);
    if let Some(tls) = &settings.tls {
        builder = builder.set_client_to_redis_tls_mode(mode(tls));
    }
    if let Some(username) = &settings.username {
        builder = builder.set_client_to_redis_username(username);
    }
    if let Some(password) = &settings.password {
        builder = builder.set_client_to_redis_password(password);
    }
    if let Some(password) = &settings.sentinel_password {
        builder = builder.set_client_to_sentinel_password(password);
    }
    if let Some(certificates) = certificates(settings) {
        builder = builder
            .set_client_to_redis_certificates(certificates.clone())
            .set_client_to_sentinel_certificates(certificates);
    }
    builder.build()
}

fn cluster(settings: &Settings) -> RedisResult<ClusterClient> {
    let nodes = settings.servers.iter().cloned();
    let nodes = nodes.map(|(host, port)| addr(host, port, settings));
    let mut builder = ClusterClientBuilder::new(nodes)
        .connection_timeout(settings.connect_timeout)
        .response_timeout(settings.response_timeout)
        .overall_response_timeout(None)
        .retries(1);
    if let Some(tls) = &settings.tls {
        builder = builder.tls(mode(tls));
    }
    if let Some(username) = &settings.username {
        builder = builder.username(username);
    }
    if let Some(password) = &settings.password {
        builder = builder.password(password);
    }
    if let Some(certificates) = certificates(settings) {
        builder = builder.certs(certificates);
    }
    builder.build()
}

fn addr(host: String, port: u16, settings: &Settings) -> ConnectionAddr {
    match &settings.tls {
        Some(tls) => {
            ConnectionAddr::TcpTls { host, port, insecure: tls.unchecked, tls_params: None }
        }
        None => ConnectionAddr::Tcp(host, port),
    }
}

const fn mode(tls: &Tls) -> TlsMode {
    if tls.unchecked { TlsMode::Insecure } else { TlsMode::Secure }
}

/// What differs from the default.
fn certificates(settings: &Settings) -> Option<TlsCertificates> {
    let tls = settings.tls.as_ref()?;
    let shown = tls.shown.clone();
    let client_tls =
        shown.map(|(client_cert, client_key)| ClientTlsConfig { client_cert, client_key });
    let differs = client_tls.is_some() || tls.roots.is_some();
    differs.then(|| TlsCertificates { client_tls, root_cert: tls.roots.clone() })
}
