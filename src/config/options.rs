//! What the command line says, before the config and the environment are asked.
use super::Secret;
use super::env::Env;
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
    /// `--limit_concurrency`.
    pub limit_concurrency: Option<usize>,
    /// `--ssl_keyfile_path`.
    pub ssl_keyfile: Option<PathBuf>,
    /// `--ssl_certfile_path`.
    pub ssl_certfile: Option<PathBuf>,
    /// `--model`: the one model that is served.
    pub model: Option<String>,
    /// `--alias`: its name.
    pub alias: Option<String>,
    /// `--api_base`: where it is.
    pub api_base: Option<String>,
    /// `--headers`: a JSON object, for its calls. Headers carry keys.
    pub headers: Option<Secret<String>>,
    /// `--temperature`, for its calls.
    pub temperature: Option<f64>,
    /// `--max_tokens`, for its calls.
    pub max_tokens: Option<u64>,
    /// `--request_timeout`, in seconds.
    pub request_timeout: Option<f64>,
    /// `--debug`.
    pub debug: Option<bool>,
    /// `--detailed_debug`.
    pub detailed_debug: Option<bool>,
    /// `--compat`.
    pub compat: Option<String>,
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
    /// `--keepalive_timeout`, in seconds.
    pub keep_alive: Option<u64>,
    /// Bytes that all bodies may hold; set by the program from the cgroup's memory limit.
    pub body_budget: Option<usize>,
    /// Whether one command is served, whose environment and files are its own: HOST, PORT, DEBUG
    /// and the like are not for us then, a key is always needed, and nothing is written.
    pub for_command: bool,
    /// Models that were added at run time: entries of `model_list` as JSON, credentials included.
    pub models: Vec<Secret<String>>,
}

impl Options {
    /// Where calls are taken: both loopback addresses, or what the host says.
    pub(super) fn listen(&self, env: &Env) -> Result<Vec<SocketAddr>, String> {
        let port = match (self.port, self.shared(env, "PORT")) {
            (Some(port), _) => port,
            (None, None) => PORT,
            (None, Some(text)) => {
                text.parse().map_err(|_| "PORT must be a number up to 65535".to_owned())?
            }
        };
        let Some(host) = self.host.as_deref().or_else(|| self.shared(env, "HOST")) else {
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

    /// Where `/health/*` and `/metrics` are open without a key: an address of its own, or
    /// LiteLLM's port for metrics, which is one of all addresses.
    pub(super) fn ops_listen(&self, env: &Env) -> Result<Option<SocketAddr>, String> {
        let all = |port| SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
        if let (None, Some(port)) = (&self.ops_listen, self.metrics_port) {
            return Ok(Some(all(port)));
        }
        if let Some(told) = self.ops_listen.as_deref().or_else(|| self.shared(env, "OPS_LISTEN")) {
            let local = told.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
            let address = local.as_deref().unwrap_or(told).parse().map(Some);
            return address.map_err(|_| {
                format!("the address for probes `{told}` is not ADDRESS:PORT, as in 127.0.0.1:4001")
            });
        }
        let port = self.shared(env, "PROMETHEUS_METRICS_PORT").map(str::parse);
        port.transpose()
            .map(|port| port.map(all))
            .map_err(|_| "PROMETHEUS_METRICS_PORT must be a number up to 65535".to_owned())
    }

    /// The files of the listeners' certificate and of its key.
    pub(super) fn certificate(&self, env: &Env) -> (Option<PathBuf>, Option<PathBuf>) {
        let of = |told: &Option<PathBuf>, variable| {
            told.clone().or_else(|| self.shared(env, variable).map(PathBuf::from))
        };
        (of(&self.ssl_certfile, "SSL_CERTFILE_PATH"), of(&self.ssl_keyfile, "SSL_KEYFILE_PATH"))
    }

    pub(super) fn workers(&self, env: &Env) -> Option<usize> {
        let told = self.workers.or_else(|| env.get("NUM_WORKERS")?.parse().ok());
        told.filter(|workers| *workers > 0)
    }

    pub(super) fn keep_alive(&self, env: &Env) -> Option<Duration> {
        let told = self.keep_alive.or_else(|| env.get("KEEPALIVE_TIMEOUT")?.parse().ok());
        told.filter(|seconds| *seconds > 0).map(Duration::from_secs)
    }

    /// Calls that may be open at once; 0 is no limit.
    pub(super) fn limit_concurrency(&self, env: &Env) -> Option<usize> {
        let told = self.limit_concurrency.or_else(|| env.get("LIMIT_CONCURRENCY")?.parse().ok());
        told.filter(|limit| *limit > 0)
    }

    /// The flag that wins over the config.
    pub(super) fn request_timeout(&self) -> Option<Duration> {
        positive(self.request_timeout?)
    }

    /// The variable that holds where the config says nothing.
    pub(super) fn default_timeout(&self, env: &Env) -> Option<Duration> {
        positive(env.get("REQUEST_TIMEOUT")?.parse().ok()?)
    }

    /// `--detailed_debug` and `--debug` win over their variables, and those over `LITELLM_LOG`.
    /// Default `info`, and `warn` beside a command.
    pub(super) fn level(&self, env: &Env) -> tracing::Level {
        let on = |name| self.shared(env, name).and_then(super::env::truth).unwrap_or(false);
        let debug = match (self.debug, self.detailed_debug) {
            (None, None) => on("DEBUG") || on("DETAILED_DEBUG"),
            told => told.0 == Some(true) || told.1 == Some(true),
        };
        let default = if self.for_command { tracing::Level::WARN } else { tracing::Level::INFO };
        let told = env.get("LITELLM_LOG").map(str::to_ascii_lowercase);
        match told.as_deref() {
            _ if debug => tracing::Level::DEBUG,
            Some("critical") => tracing::Level::ERROR,
            Some("warning") => tracing::Level::WARN,
            Some(level) => level.parse().unwrap_or(default),
            None => default,
        }
    }

    /// A variable that is about our listeners or logs, under a name that other programs may use as
    /// well: beside a command it is the command's.
    pub(super) fn shared<'e>(&self, env: &'e Env, name: &str) -> Option<&'e str> {
        env.get(name).filter(|_| !self.for_command)
    }
}

fn positive(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero())
}
