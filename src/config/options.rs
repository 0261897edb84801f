//! What the command line says, before the config and the environment are asked.
use super::env::Env;
use super::problem::Problems;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// LiteLLM's port.
const PORT: u16 = 4000;

/// Options of the command line; what is `None` was not given.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--host`.
    pub host: Option<String>,
    /// `--port`.
    pub port: Option<u16>,
    /// `--ops-listen`.
    pub ops_listen: Option<String>,
    /// `--prometheus_metrics_port`.
    pub metrics_port: Option<u16>,
    /// `--num_workers`.
    pub workers: Option<usize>,
    /// `--model`.
    pub model: Option<String>,
    /// `--debug`.
    pub debug: bool,
    /// `--detailed_debug`.
    pub detailed_debug: bool,
    /// `--compat`.
    pub compat: Option<String>,
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
    /// `--keepalive_timeout`, in seconds.
    pub keep_alive: Option<u64>,
    /// `--ssl_certfile_path`.
    pub ssl_certificate: Option<PathBuf>,
    /// `--ssl_keyfile_path`.
    pub ssl_key: Option<PathBuf>,
    /// Bytes that all bodies may hold; set by the program from the cgroup's memory limit.
    pub body_budget: Option<usize>,
}

impl Options {
    /// Where calls are taken: both loopback addresses, or what the host says.
    pub(super) fn listen(&self, env: &Env) -> Result<Vec<SocketAddr>, String> {
        let port = match (self.port, env.get("PORT")) {
            (Some(port), _) => port,
            (None, None) => PORT,
            (None, Some(text)) => {
                text.parse().map_err(|_| "PORT must be a number up to 65535".to_owned())?
            }
        };
        let Some(host) = self.host.as_deref().or_else(|| env.get("HOST")) else {
            let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            return Ok(loopback.map(|ip| SocketAddr::new(ip, port)).to_vec());
        };
        let ip = match host.trim_matches(['[', ']']) {
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            host => host.parse().map_err(|_| {
                format!("the host `{host}` is not an address: use 127.0.0.1, 0.0.0.0, ::1 or ::")
            })?,
        };
        Ok(vec![SocketAddr::new(ip, port)])
    }

    /// Where `/health/*` and `/metrics` are open: `HOST:PORT`, or a port on all addresses.
    pub(super) fn ops_listen(&self, env: &Env, problems: &mut Problems) -> Option<SocketAddr> {
        let port = self.metrics_port.map(|port| port.to_string());
        let told = self.ops_listen.clone().or(port);
        let told = told.or_else(|| env.get("OPS_LISTEN").map(str::to_owned));
        let told = told.or_else(|| env.get("PROMETHEUS_METRICS_PORT").map(str::to_owned))?;
        let all = |port| SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
        let address = told.parse().ok().or_else(|| told.parse().ok().map(all));
        if address.is_none() {
            problems.notice(format!("--ops-listen `{told}` is not ADDRESS:PORT and is not used"));
        }
        address
    }

    /// The files of the listeners' certificate and of its key.
    pub(super) fn certificate(&self, env: &Env) -> (Option<PathBuf>, Option<PathBuf>) {
        let of = |told: &Option<PathBuf>, variable| {
            told.clone().or_else(|| env.get(variable).map(PathBuf::from))
        };
        (of(&self.ssl_certificate, "SSL_CERTFILE_PATH"), of(&self.ssl_key, "SSL_KEYFILE_PATH"))
    }

    pub(super) fn workers(&self, env: &Env) -> Option<usize> {
        let told = self.workers.or_else(|| env.get("NUM_WORKERS")?.parse().ok());
        told.filter(|workers| *workers > 0)
    }

    pub(super) fn keep_alive(&self, env: &Env) -> Option<Duration> {
        let told = self.keep_alive.or_else(|| env.get("KEEPALIVE_TIMEOUT")?.parse().ok());
        told.filter(|seconds| *seconds > 0).map(Duration::from_secs)
    }

    /// `--detailed_debug` and `--debug` win over `LITELLM_LOG`. Default `info`.
    pub(super) fn level(&self, env: &Env) -> tracing::Level {
        let debug = self.debug || self.detailed_debug;
        if debug || env.is_on("DEBUG") || env.is_on("DETAILED_DEBUG") {
            return tracing::Level::DEBUG;
        }
        let told = env.get("LITELLM_LOG").map(str::to_ascii_lowercase);
        match told.as_deref() {
            Some("critical") => tracing::Level::ERROR,
            Some("warning") => tracing::Level::WARN,
            Some(level) => level.parse().unwrap_or(tracing::Level::INFO),
            None => tracing::Level::INFO,
        }
    }
}
