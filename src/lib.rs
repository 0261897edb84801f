//! Bartizan: a sidecar proxy for LLM calls.
//!
//! [`run`] starts a proxy inside the process, for the program, tests and benches alike. The rooms
//! of the house, and who may know whom, are drawn in `docs/architecture.md`.
pub mod admin;
pub mod alerts;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod conversations;
pub mod credentials;
pub mod data;
pub mod edge;
pub mod forward;
pub mod generation;
pub mod identity;
pub mod ledger;
pub mod manage;
pub mod persistence;
pub mod providers;
pub mod reload;
pub mod revocations;
pub mod router;
pub mod server;
pub mod stack;
pub mod state;
pub mod store;
pub mod tasks;
pub mod telemetry;
pub mod tls;
pub mod tunnel;

use crate::config::Config;
use crate::generation::{Current, House};
use crate::persistence::Persistence;
use crate::reload::{Rotating, Source};
use crate::server::{Drain, Limits, Peers, Tls};
use crate::tasks::Tasks;
use crate::telemetry::{LogWriter, Metrics};
use anyhow::Context;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// The sockets of a proxy, bound before it starts.
#[derive(Debug)]
pub struct Listeners {
    /// For calls.
    pub calls: Vec<TcpListener>,
    /// For `/health/*` and `/metrics` without a key.
    pub ops: Option<TcpListener>,
}

/// Carries calls until `drain` is over and the last call has ended.
///
/// # Errors
///
/// When the forwarder or TLS cannot be set up: a proxy's bad URL, a file of a certificate that is
/// gone again.
pub async fn run(
    config: Config,
    listeners: Listeners,
    drain: Drain,
    writer: LogWriter,
) -> anyhow::Result<()> {
    run_with(config, listeners, drain, writer, Beside::default()).await
}

/// What the caller of [`run_with`] has besides.
#[derive(Debug, Default)]
pub struct Beside {
    /// Where the config came from: changes there are taken into use. Default: none are.
    pub source: Option<Source>,
    /// Where calls are counted, for whoever reads it afterwards. Default: one that nobody reads.
    pub metrics: Option<Arc<Metrics>>,
}

/// As [`run`], for a caller with more than a config. It is set up when it is polled for the first
/// time, and takes calls from then on.
///
/// # Errors
///
/// As [`run`].
pub async fn run_with(
    config: Config,
    listeners: Listeners,
    drain: Drain,
    writer: LogWriter,
    beside: Beside,
) -> anyhow::Result<()> {
    const SETUP: &str = "the connections to upstreams cannot be set up";
    let tasks = Tasks::default();
    let limits = Limits::from(&config.server);
    let (calls_tls, ops_tls) = tls_of(&config.server).context("TLS cannot be set up")?;
    let source = [&calls_tls, &ops_tls]
        .into_iter()
        .flatten()
        .fold(beside.source, |source, tls| source.map(|source| source.with(Box::new(tls.clone()))));
    let metrics = beside.metrics.unwrap_or_else(|| Arc::new(Metrics::new(config.compat)));
    let kept = Persistence::open(config.store.as_ref(), &metrics, &tasks).await;
    let (source, config) = match source {
        Some(mut source) => {
            let config = source.with_models(config, &kept).await;
            (Some(source), config)
        }
        None => (None, config),
    };
    let house = House::new(&config, drain.handle(), tasks.clone(), writer, metrics, kept.clone());
    let house = house.context(SETUP)?;
    let first = house.generation(config).context(SETUP)?;
    let (calls, ops) = (Current::new(first.calls), Current::new(first.ops));
    // Probes are answered until the last call has ended.
    let ops_drain = Drain::new(Duration::ZERO);
    if let Some(listener) = listeners.ops {
        let drain = ops_drain.clone();
        let (ops, peers) = (ops.clone(), Peers::default());
        let ops = server::serve(vec![listener], ops_tls, ops, limits, drain, tasks.clone(), peers);
        tasks.spawn(async move {
            ops.await;
        });
    }
    let (service, peers) = (calls.clone(), house.peers().clone());
    let serving =
        server::serve(listeners.calls, calls_tls, service, limits, drain, tasks.clone(), peers);
    let swap = |config| {
        let next = house.generation(config)?;
        calls.replace(next.calls);
        ops.replace(next.ops);
        Ok(())
    };
    let cut = match source {
        None => serving.await,
        Some(source) => tokio::select! {
            cut = serving => cut,
            never = source.follow(&house, swap) => match never {},
        },
    };
    if cut > 0 {
        tracing::warn!(calls = cut, "Open calls were cut at the drain's deadline");
    }
    house.close_idle();
    house.settle();
    kept.close().await;
    ops_drain.trigger();
    tasks.drained().await;
    Ok(())
}

impl Rotating for Tls {
    fn files(&self) -> Vec<PathBuf> {
        self.files()
    }

    fn reload(&self) -> Result<(), String> {
        self.reload().map_err(|error| error.to_string())
    }
}

/// How both listeners speak TLS; settings that are the same are one.
fn tls_of(server: &config::Server) -> Result<(Option<Tls>, Option<Tls>), tls::FileError> {
    let calls = server.tls.as_ref().map(Tls::new).transpose()?;
    let ops = match &server.ops_tls {
        same if *same == server.tls => calls.clone(),
        other => other.as_ref().map(Tls::new).transpose()?,
    };
    Ok((calls, ops))
}
