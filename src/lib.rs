//! Bartizan: a sidecar proxy for LLM calls.
//!
//! [`run`] starts a proxy inside the process, for the program, tests and benches alike. The rooms
//! of the house, and who may know whom, are drawn in `docs/architecture.md`.
pub mod admin;
pub mod cli;
pub mod commands;
pub mod config;
pub mod data;
pub mod edge;
pub mod forward;
pub mod generation;
pub mod providers;
pub mod reload;
pub mod router;
pub mod server;
pub mod stack;
pub mod tasks;
pub mod telemetry;
pub mod tunnel;

use crate::config::Config;
use crate::generation::{Current, House};
use crate::reload::Source;
use crate::server::{Drain, Limits};
use crate::tasks::Tasks;
use crate::telemetry::LogWriter;
use anyhow::Context;
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
/// When the forwarder cannot be set up: an unreadable file of certificates, a proxy's bad URL.
pub async fn run(
    config: Config,
    listeners: Listeners,
    drain: Drain,
    writer: LogWriter,
) -> anyhow::Result<()> {
    run_reloading(config, listeners, drain, writer, None).await
}

/// As [`run`]; with a `source`, changes of the config are taken into use while it runs.
///
/// # Errors
///
/// As [`run`].
pub async fn run_reloading(
    config: Config,
    listeners: Listeners,
    drain: Drain,
    writer: LogWriter,
    source: Option<Source>,
) -> anyhow::Result<()> {
    const SETUP: &str = "the connections to upstreams cannot be set up";
    let tasks = Tasks::default();
    let limits = Limits::from(&config.server);
    let house = House::new(&config, drain.handle(), tasks.clone(), writer).context(SETUP)?;
    let first = house.generation(config).context(SETUP)?;
    let (calls, ops) = (Current::new(first.calls), Current::new(first.ops));
    // Probes are answered until the last call has ended.
    let ops_drain = Drain::new(Duration::ZERO);
    if let Some(listener) = listeners.ops {
        let drain = ops_drain.clone();
        let ops = server::serve(vec![listener], ops.clone(), limits, drain, tasks.clone());
        tasks.spawn(async move {
            ops.await;
        });
    }
    let serving = server::serve(listeners.calls, calls.clone(), limits, drain, tasks.clone());
    let cut = match source {
        None => serving.await,
        Some(source) => {
            let swap = |config| {
                let next = house.generation(config)?;
                calls.replace(next.calls);
                ops.replace(next.ops);
                Ok(())
            };
            tokio::select! {
                cut = serving => cut,
                never = source.follow(&house, swap) => match never {},
            }
        }
    };
    if cut > 0 {
        tracing::warn!(calls = cut, "Open calls were cut at the drain's deadline");
    }
    house.close_idle();
    ops_drain.trigger();
    tasks.drained().await;
    Ok(())
}
