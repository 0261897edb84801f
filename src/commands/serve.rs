//! `bartizan serve`: config → sockets → [`crate::run`].
use super::announce::announce;
use crate::config::{Config, Env, Options, Refused, load};
use crate::reload::Source;
use crate::server::{Drain, bind, runtime};
use crate::telemetry::start_logging;
use crate::{Beside, Listeners, run_with};
use anyhow::Context;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

/// Runs the proxy until a signal ends it.
///
/// # Errors
///
/// When a socket cannot be bound, or the runtime cannot be started.
pub fn serve(mut options: Options, ignored: &[&str]) -> anyhow::Result<ExitCode> {
    options.body_budget = runtime::memory_limit().and_then(|bytes| usize::try_from(bytes / 4).ok());
    let (mut config, problems) = match load(&options, Env::of_process()) {
        Ok(loaded) => loaded,
        Err(Refused(problems)) => {
            drop(write!(std::io::stderr(), "{}", problems.render(std::io::stderr().is_terminal())));
            return Ok(ExitCode::FAILURE);
        }
    };
    let source = Source::new(options, &config);
    let writer = start_logging(&config.telemetry).context("logging cannot be started")?;
    config.server.max_connections = room_for(config.server.max_connections);
    let runtime = runtime::build(config.server.workers).context("the runtime cannot be started")?;
    let outcome = runtime.block_on(async {
        // Before anyone is told that we are there: whoever reads that may send it.
        let source = source.heeding_hangups();
        let listeners = listeners(&config)?;
        announce(&config, &listeners, &problems, ignored);
        let drain = Drain::new(config.server.drain);
        let beside = Beside { source: Some(source), ..Beside::default() };
        // Large, and moved more than once until it runs: the stack would keep all of its places.
        let serving = run_with(config, listeners, drain.clone(), writer.clone(), beside);
        let mut serving = Box::pin(serving);
        let signals = drain.on_signals();
        tokio::select! {
            ended = &mut serving => ended,
            watched = signals => {
                watched.context("signals cannot be watched")?;
                serving.await
            }
        }
    });
    writer.flush();
    outcome.map(|()| ExitCode::SUCCESS)
}

/// So many client connections as there may be files for. More would be accepted, but not served:
/// in the kernel's queue they wait until there is room.
fn room_for(connections: usize) -> usize {
    let files = match runtime::raise_open_files() {
        Ok(files) => files,
        Err(error) => {
            tracing::warn!(%error, "The limit of open files cannot be read");
            return connections;
        }
    };
    let room = runtime::connections_for(files);
    if room < connections {
        tracing::warn!(
            "Only {files} files and sockets may be open at once, so only {room} connections are \
             served at once. Raise the hard limit (`ulimit -Hn`) to {} for {connections}",
            runtime::files_for(connections)
        );
    }
    room.min(connections)
}

/// Binds all listeners. A machine without IPv6 does without `::1`, if `127.0.0.1` is there.
fn listeners(config: &Config) -> anyhow::Result<Listeners> {
    let mut calls = Vec::new();
    for address in &config.server.listen {
        // With port 0 the second listener takes the port that the first one got.
        let port =
            calls.first().and_then(|first: &tokio::net::TcpListener| first.local_addr().ok());
        let port = port.map_or(address.port(), |first| first.port());
        match bind(SocketAddr::new(address.ip(), port)) {
            Ok(listener) => calls.push(listener),
            Err(error) if address.is_ipv6() && !calls.is_empty() && no_ipv6(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let ops = config.server.ops_listen.map(bind).transpose()?;
    Ok(Listeners { calls, ops })
}

fn no_ipv6(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::AddrNotAvailable | std::io::ErrorKind::Unsupported)
        || error.raw_os_error().is_none()
}
