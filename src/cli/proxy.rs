//! The flags of the proxy itself, in LiteLLM's spelling; dashes are taken as well.
use super::spelling::truth;
use super::without_effect::WithoutEffect;
use crate::config::{Options, Secret};
use std::path::PathBuf;

/// Flags of the proxy. Each one wins over its variable, and over the same one before it.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(args_override_self = true)]
pub struct Proxy {
    /// The config file [env: CONFIG_FILE_PATH] [default: the providers whose keys are set]
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the generated key is kept [env: BARTIZAN_STATE_DIR]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Which LiteLLM to be like: current or classic [env: BARTIZAN_COMPAT] [default: current]
    #[arg(long, value_name = "GENERATION")]
    compat: Option<String>,
    #[command(flatten)]
    listening: Listening,
    #[command(flatten)]
    model: OneModel,
    #[command(flatten)]
    logs: Logs,
    #[command(flatten)]
    without_effect: WithoutEffect,
}

/// Where and how calls are taken.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Listening")]
struct Listening {
    /// The address to listen on [env: HOST] [default: 127.0.0.1 and ::1]
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// The port to listen on [env: PORT] [default: 4000; with exec a free one]
    #[arg(long)]
    port: Option<u16>,
    /// Where /health and /metrics are open without a key [env: OPS_LISTEN] [default: nowhere]
    #[arg(long, value_name = "ADDRESS:PORT")]
    ops_listen: Option<String>,
    /// The same, on all addresses [env: PROMETHEUS_METRICS_PORT]
    #[arg(long = "prometheus_metrics_port", value_name = "PORT")]
    metrics_port: Option<u16>,
    /// Worker threads [env: NUM_WORKERS] [default: one per processor; with exec 1]
    #[arg(long = "num_workers", value_name = "N")]
    workers: Option<usize>,
    /// Open calls beyond which more get a 503 [env: LIMIT_CONCURRENCY] [default: no limit]
    #[arg(long = "limit_concurrency", value_name = "N")]
    limit_concurrency: Option<usize>,
    /// Seconds that an idle client connection is kept [env: KEEPALIVE_TIMEOUT] [default: 75]
    #[arg(long = "keepalive_timeout", value_name = "SECONDS")]
    keep_alive: Option<u64>,
    /// The private key for TLS, in PEM; needs a certificate [env: SSL_KEYFILE_PATH]
    #[arg(long = "ssl_keyfile_path", value_name = "FILE")]
    ssl_keyfile: Option<PathBuf>,
    /// The certificate for TLS and its chain, in PEM [env: SSL_CERTFILE_PATH]
    #[arg(long = "ssl_certfile_path", value_name = "FILE")]
    ssl_certfile: Option<PathBuf>,
}

/// One model without a config.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "One model, without a config")]
struct OneModel {
    /// Serve this one model, whatever clients ask for
    #[arg(short, long, value_name = "PROVIDER/MODEL")]
    model: Option<String>,
    /// The name that it is listed under [default: the model]
    #[arg(long, value_name = "NAME")]
    alias: Option<String>,
    /// Where it is served [default: the provider's variables, then its address]
    #[arg(long = "api_base", value_name = "URL")]
    api_base: Option<String>,
    /// Headers of each call to it, as a JSON object
    #[arg(long, value_name = "JSON")]
    headers: Option<String>,
    /// For requests that bring no temperature
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    temperature: Option<f64>,
    /// For requests that bring no max_tokens
    #[arg(long = "max_tokens", value_name = "N")]
    max_tokens: Option<u64>,
    /// Seconds for a whole call, with a config too [env: REQUEST_TIMEOUT] [default: 6000]
    #[arg(long = "request_timeout", value_name = "SECONDS")]
    request_timeout: Option<f64>,
}

/// How much is logged.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Logs")]
struct Logs {
    /// Log more [env: DEBUG, or LITELLM_LOG=DEBUG]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = truth, value_name = "BOOL", hide_possible_values = true)]
    debug: Option<bool>,
    /// The same [env: DETAILED_DEBUG]
    #[arg(long = "detailed_debug", value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(value_parser = truth)]
    detailed_debug: Option<bool>,
}

/// Flags that do something else than serve.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Instead of serving")]
pub struct Asked {
    /// Print what the proxy at --host and --port answers to /health
    ///
    /// The key is LITELLM_MASTER_KEY, or the generated one. The exit code is 1 unless the answer
    /// is a 200.
    #[arg(long)]
    pub health: bool,
    /// Send one chat call to that proxy, or to the one at URL, and print the answer
    ///
    /// The model is that of --model, or the first that is listed.
    #[arg(long, num_args = 0..=1, require_equals = true, value_name = "URL")]
    pub test: Option<Option<String>>,
    /// Check the config and exit, with 1 if there are errors
    #[arg(long = "validate_config")]
    pub validate_config: bool,
    /// The same
    #[arg(long = "skip_server_startup")]
    pub skip_server_startup: bool,
}

impl Proxy {
    /// The options, and LiteLLM's flags that were given without effect.
    #[must_use]
    pub fn options(self) -> (Options, Vec<&'static str>) {
        let Self { listening, model, logs, .. } = self;
        let options = Options {
            config: self.config,
            state_dir: self.state_dir,
            compat: self.compat,
            host: listening.host,
            port: listening.port,
            ops_listen: listening.ops_listen,
            metrics_port: listening.metrics_port,
            workers: listening.workers,
            limit_concurrency: listening.limit_concurrency,
            keep_alive: listening.keep_alive,
            ssl_keyfile: listening.ssl_keyfile,
            ssl_certfile: listening.ssl_certfile,
            model: model.model,
            alias: model.alias,
            api_base: model.api_base,
            headers: model.headers.map(Secret::new),
            temperature: model.temperature,
            max_tokens: model.max_tokens,
            request_timeout: model.request_timeout,
            debug: logs.debug,
            detailed_debug: logs.detailed_debug,
            ..Options::default()
        };
        (options, self.without_effect.0)
    }
}
