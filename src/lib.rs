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
pub mod providers;
pub mod router;
pub mod server;
pub mod stack;
pub mod tasks;
pub mod telemetry;

use crate::admin::{Handles, Ops};
use crate::config::{Compat, Config};
use crate::edge::{Budget, Guard, HOP, IngestLayer, IntakeLayer};
use crate::forward::Forwarder;
use crate::router::Router;
use crate::server::{Drain, Limits};
use crate::stack::{AlwaysReady, Plan};
use crate::tasks::Tasks;
use crate::telemetry::{LogWriter, Metrics, RequestId, Telemetry};
use anyhow::Context;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::Instant;

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
    let Config { server, access, routing, outbound, telemetry, compat, .. } = config;
    let tasks = Tasks::default();
    let forwarder = Forwarder::new(&outbound, tasks.clone())
        .context("the connections to upstreams cannot be set up")?;
    let metrics = Arc::new(Metrics::new(compat));
    let instance = RequestId::random().header().clone();
    let default_model = routing.default_model.clone();
    let largest_file = routing.through.max_file;
    let takes_elsewhere = routing.takes_elsewhere();
    let hop = (HOP, instance.clone());
    let router = Router::new(routing, forwarder.clone(), &metrics, hop, access.key_header.clone());
    let handles = Arc::new(Handles {
        router: router.clone(),
        metrics: metrics.clone(),
        draining: drain.handle(),
        compat,
        started: Instant::now(),
    });
    let limits = Limits::from(&server);
    // Probes are answered until the last call has ended.
    let ops_drain = Drain::new(Duration::ZERO);
    if let Some(listener) = listeners.ops {
        let ops = AlwaysReady(Ops::new(handles.clone()));
        let ops = server::serve(vec![listener], ops, limits, ops_drain.clone(), tasks.clone());
        tasks.spawn(async move {
            ops.await;
        });
    }
    let telemetry_needs_key = telemetry.metrics_need_key.unwrap_or(compat == Compat::Current);
    let budget = Budget::new(server.body_budget);
    let plan = Plan {
        keys: stack::keys(&access),
        guard: Guard::new(instance, &access),
        body_timeout: server.body_timeout,
        intake: IntakeLayer::new(server.max_body, budget.clone())
            .default_model(default_model.as_deref())
            .largest_file(largest_file),
        ingest: IngestLayer::new(server.max_body, budget)
            .default_model(default_model.as_deref())
            .elsewhere(takes_elsewhere),
        telemetry: Telemetry::new(&telemetry, metrics, writer),
        router,
        handles,
        key_header: access.key_header,
        metrics_need_key: telemetry_needs_key,
    };
    let calls = stack::stack(plan);
    let cut = server::serve(listeners.calls, calls, limits, drain, tasks.clone()).await;
    if cut > 0 {
        tracing::warn!(calls = cut, "Open calls were cut at the drain's deadline");
    }
    forwarder.close_idle();
    ops_drain.trigger();
    tasks.drained().await;
    Ok(())
}
