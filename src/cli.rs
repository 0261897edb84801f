//! The command line: one item per flag, with its variable, default and meaning.
use crate::config::Options;
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// A sidecar proxy for LLM calls: a drop-in for the LiteLLM proxy in one static binary.
#[derive(Debug, Parser)]
#[command(name = "bartizan", version, disable_version_flag = true)]
pub struct Cli {
    /// What to do; without it, the proxy is started.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Flags of the proxy.
    #[command(flatten)]
    pub serve: Serve,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the proxy (the default)
    Serve(Box<Serve>),
    /// Read a config and print every mistake with its place and its mend
    Check {
        /// The config file
        file: PathBuf,
    },
    /// Print the JSON schema of the config, for editors
    Schema {
        /// Print a table of all keys instead, as Markdown
        #[arg(long)]
        markdown: bool,
    },
    /// Show keys
    Keys {
        /// Which ones
        #[command(subcommand)]
        which: Keys,
    },
}

/// What `bartizan keys` can show.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Print the key that was generated because none was set
    Master {
        /// Where it is kept [env: BARTIZAN_STATE_DIR]
        #[arg(long, alias = "state_dir", value_name = "DIR")]
        state_dir: Option<PathBuf>,
    },
}

/// Flags of the proxy. LiteLLM's are taken with its spelling.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Serve {
    /// The config file; without one, models come from the keys in the environment
    /// [env: CONFIG_FILE_PATH]
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The address to listen on [env: HOST] [default: 127.0.0.1 and ::1]
    #[arg(long)]
    host: Option<String>,
    /// The port to listen on [env: PORT] [default: 4000]
    #[arg(long)]
    port: Option<u16>,
    /// Where /health and /metrics are open without a key [env: OPS_LISTEN] [default: nowhere]
    #[arg(long, alias = "ops_listen", value_name = "ADDRESS:PORT")]
    ops_listen: Option<String>,
    /// The same, on all addresses [env: PROMETHEUS_METRICS_PORT]
    #[arg(
        long = "prometheus_metrics_port",
        alias = "prometheus-metrics-port",
        value_name = "PORT"
    )]
    metrics_port: Option<u16>,
    /// Worker threads [env: NUM_WORKERS] [default: as many as there are processors]
    #[arg(long = "num_workers", alias = "num-workers", value_name = "N")]
    workers: Option<usize>,
    /// Serve this one model, without a config
    #[arg(short, long)]
    model: Option<String>,
    /// Log more [env: DEBUG, or LITELLM_LOG=DEBUG]
    #[arg(long)]
    debug: bool,
    /// The same [env: DETAILED_DEBUG]
    #[arg(long = "detailed_debug", alias = "detailed-debug")]
    detailed_debug: bool,
    /// Which LiteLLM to be like: current or classic [env: BARTIZAN_COMPAT] [default: current]
    #[arg(long)]
    compat: Option<String>,
    /// Where the generated key is kept [env: BARTIZAN_STATE_DIR]
    #[arg(long, alias = "state_dir", value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Seconds that an idle client connection is kept [env: KEEPALIVE_TIMEOUT] [default: 75]
    #[arg(long = "keepalive_timeout", alias = "keepalive-timeout", value_name = "SECONDS")]
    keep_alive: Option<u64>,
    /// Print the version
    #[arg(short, long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    /// Flags of LiteLLM that have no meaning here
    #[command(flatten)]
    ignored: Ignored,
}

/// Flags that LiteLLM's images and guides pass and that choose Python servers or databases.
#[derive(Clone, Debug, Default, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of another program")]
struct Ignored {
    #[arg(long, hide = true, num_args = 0..=1, value_name = "BOOL")]
    telemetry: Option<Option<String>>,
    #[arg(long = "run_gunicorn", hide = true)]
    run_gunicorn: bool,
    #[arg(long = "run_hypercorn", hide = true)]
    run_hypercorn: bool,
    #[arg(long = "run_granian", hide = true)]
    run_granian: bool,
    #[arg(long = "use_prisma_db_push", hide = true)]
    use_prisma_db_push: bool,
    #[arg(long = "use_queue", hide = true)]
    use_queue: bool,
    #[arg(long = "max_requests_before_restart", hide = true)]
    max_requests_before_restart: Option<u64>,
}

impl Ignored {
    fn names(&self) -> Vec<&'static str> {
        let given = [
            ("--telemetry", self.telemetry.is_some()),
            ("--run_gunicorn", self.run_gunicorn),
            ("--run_hypercorn", self.run_hypercorn),
            ("--run_granian", self.run_granian),
            ("--use_prisma_db_push", self.use_prisma_db_push),
            ("--use_queue", self.use_queue),
            ("--max_requests_before_restart", self.max_requests_before_restart.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }
}

impl Serve {
    /// The options, and LiteLLM's flags that were given without effect.
    #[must_use]
    pub fn options(self) -> (Options, Vec<&'static str>) {
        let ignored = self.ignored.names();
        let options = Options {
            config: self.config,
            host: self.host,
            port: self.port,
            ops_listen: self.ops_listen,
            metrics_port: self.metrics_port,
            workers: self.workers,
            model: self.model,
            debug: self.debug,
            detailed_debug: self.detailed_debug,
            compat: self.compat,
            state_dir: self.state_dir,
            keep_alive: self.keep_alive,
            body_budget: None,
        };
        (options, ignored)
    }
}
