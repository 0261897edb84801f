//! `bartizan exec -- COMMAND`: a proxy for one command, from its start to its end.
//!
//! Nothing is waited for before the command starts: the socket listens already, so that a call
//! which comes early is served as soon as the proxy runs. Nothing is written to disk.
mod bill;
mod child;
mod signals;
mod summary;
mod variables;

use self::child::Unrun;
use self::signals::Signals;
use crate::config::{Budget, Config, Env, Options, Problems, Refused, load};
use crate::reload;
use crate::server::{Drain, bind, runtime};
use crate::telemetry::{LogWriter, Metrics, Totals, start_logging_beside};
use crate::{Beside, Listeners, run_with};
use anyhow::{Context, anyhow};
use bartizan_layers::facts::NanoUsd;
use std::ffi::OsString;
use std::future::poll_fn;
use std::io::{IsTerminal, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::time::Instant;

/// The exit code when the proxy cannot be started, as of `env` and `timeout`.
const UNSTARTED: u8 = 125;

/// How long calls may go on that the command has left behind.
const DRAIN: Duration = Duration::from_secs(1);

/// How the command ended, and what it did meanwhile.
#[derive(Default)]
struct Ended {
    code: u8,
    totals: Totals,
    /// What it might spend.
    budget: Option<NanoUsd>,
    /// Nobody could answer but the built-in model.
    only_echo: bool,
    took: Duration,
}

/// Runs `command` beside a proxy of its own. Returns the command's exit code, or 128 and the
/// number of the signal that ended it; 127 if it is not found, 126 if it cannot be run, and 125
/// if the proxy cannot. A `budget` is that of the run, whatever the config says of budgets: once
/// it is spent, calls are refused.
#[must_use]
pub fn exec(
    options: Options,
    command: &[OsString],
    budget: Option<NanoUsd>,
    quiet: bool,
) -> ExitCode {
    let code = match start(options, command, budget) {
        Ok(ended) => {
            if !quiet {
                say(&format!("{}\n{}", summary::line(&ended), bill::table(&ended)));
            }
            ended.code
        }
        Err(error) => {
            say(&format!("{error:#}"));
            error.downcast_ref().map_or(UNSTARTED, |unrun: &Unrun| unrun.code())
        }
    };
    ExitCode::from(code)
}

fn start(options: Options, command: &[OsString], budget: Option<NanoUsd>) -> anyhow::Result<Ended> {
    let (listener, port) = listener(options.port)?;
    let (mut config, problems) = loaded(options, port)?;
    let writer = start_logging_beside(&config.telemetry).context("logging cannot be started")?;
    announce(&problems);
    if let Some(max) = budget {
        config.budgets.proxy = Some(Budget { max, duration: None });
        // Of this run: what others have spent of a shared one does not count.
        config.budgets.alone = true;
    }
    // The limit is not raised as for a server: the command would inherit it.
    let room = runtime::connections_for(runtime::open_files()?);
    config.server.max_connections = config.server.max_connections.min(room);
    // Before the command starts: from then on its end decides when we end.
    let signals = Signals::watch().context("signals cannot be watched")?;
    // One thread carries thousands of calls a second, and leaves the others to the command.
    let workers = config.server.workers.or(Some(1));
    let runtime = runtime::build(workers).context("the runtime cannot be started")?;
    let ended = runtime.block_on(async {
        let calls = vec![tokio::net::TcpListener::from_std(listener)?];
        let ops = config.server.ops_listen.map(bind).transpose()?;
        beside(config, Listeners { calls, ops }, port, &writer, command, signals).await
    });
    writer.flush();
    // Name lookups that nobody waits for any more do not hold up the end.
    runtime.shutdown_background();
    ended
}

/// A socket that this machine alone can reach. It takes connections from now on.
fn listener(port: Option<u16>) -> anyhow::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.unwrap_or(0)));
    let listener = listener.context("no port of 127.0.0.1 can be listened on")?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

fn loaded(options: Options, port: u16) -> anyhow::Result<(Config, Problems)> {
    let body_budget = runtime::memory_limit().and_then(|bytes| usize::try_from(bytes / 4).ok());
    let host = Some(Ipv4Addr::LOCALHOST.to_string());
    // Plain on loopback: the command's clients would not trust a certificate for 127.0.0.1.
    let options = Options { ssl_keyfile: None, ssl_certfile: None, ..options };
    let options = Options { host, port: Some(port), body_budget, for_command: true, ..options };
    load(&options, Env::of_process()).map_err(|Refused(problems)| {
        let colour = std::io::stderr().is_terminal();
        anyhow!("the config cannot be used\n{}", problems.render(colour))
    })
}

/// What is wrong is said; what a server's operator should know once would be noise at each run.
fn announce(problems: &Problems) {
    reload::log(problems);
    for notice in problems.notices() {
        tracing::info!("{notice}");
    }
}

/// Serves until the command has ended, and its calls with it.
async fn beside(
    config: Config,
    listeners: Listeners,
    port: u16,
    writer: &LogWriter,
    command: &[OsString],
    mut signals: Signals,
) -> anyhow::Result<Ended> {
    let key = config.access.master_key.clone().context("there is no key for the command")?;
    let metrics = Arc::new(Metrics::new(config.compat).by_model());
    let only_echo = config.routing.deployments.iter().all(|one| one.provider.name == "echo");
    // What is left of a shared one, others know as well as we do.
    let is_ours = config.redis.is_none() || config.budgets.alone;
    let budget = config.budgets.proxy.filter(|_| is_ours).map(|budget| budget.max);
    let drain = Drain::new(DRAIN);
    let beside = Beside { metrics: Some(Arc::clone(&metrics)), ..Beside::default() };
    let serving = run_with(config, listeners, drain.clone(), writer.clone(), beside);
    let mut serving = pin!(serving);
    // Sets the proxy up: what it lacks is told before the command has done anything.
    if let Poll::Ready(ended) = poll_fn(|cx| Poll::Ready(serving.as_mut().poll(cx))).await {
        ended?;
    }
    let began = Instant::now();
    let mut child = child::spawn(command, &variables::of(port, &key))?;
    signals.pass_on_to(&child)?;
    let waiting = async {
        let status = child.wait().await;
        signals.stop();
        drain.trigger();
        (status, began.elapsed())
    };
    let ((status, took), served) = tokio::join!(waiting, serving);
    served?;
    let code = child::code(status.context("the command cannot be waited for")?);
    Ok(Ended { code, totals: metrics.totals(), budget, only_echo, took })
}

fn say(line: &str) {
    drop(writeln!(std::io::stderr(), "bartizan: {}", line.trim_end()));
}
