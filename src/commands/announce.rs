//! What a start says: what was found, where to call, what to mind.
use crate::Listeners;
use crate::config::{Config, Problems};
use crate::reload;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::net::SocketAddr;

/// Logs the start and every problem; shows a person the first steps.
pub(super) fn announce(
    config: &Config,
    listeners: &Listeners,
    problems: &Problems,
    ignored: &[&str],
) {
    reload::log(problems);
    for notice in problems.notices() {
        tracing::warn!("{notice}");
    }
    if !ignored.is_empty() {
        tracing::info!("Without effect here: {}", ignored.join(", "));
    }
    let Some(url) = url(listeners) else { return };
    let deployments = config.routing.deployments.len();
    tracing::info!(deployments, version = env!("CARGO_PKG_VERSION"), "Listening on {url}");
    let by_hand = problems.is_without_file() || std::io::stdout().is_terminal();
    if by_hand {
        drop(std::io::stderr().write_all(screen(config, &url).as_bytes()));
    }
}

fn url(listeners: &Listeners) -> Option<String> {
    let address = listeners.calls.first()?.local_addr().ok()?;
    let host = match address {
        SocketAddr::V4(v4) if v4.ip().is_unspecified() => "127.0.0.1".to_owned(),
        SocketAddr::V6(v6) if v6.ip().is_unspecified() => "[::1]".to_owned(),
        SocketAddr::V4(v4) => v4.ip().to_string(),
        SocketAddr::V6(v6) => format!("[{}]", v6.ip()),
    };
    Some(format!("http://{host}:{}", address.port()))
}

/// One screen: what answers, how to call it, how an application is led here.
fn screen(config: &Config, url: &str) -> String {
    let key = match (&config.access.master_key, &config.access.generated_at) {
        (None, _) => "any".to_owned(),
        (Some(_), Some(path)) => format!("$(cat {})", path.display()),
        (Some(_), None) => "$LITELLM_MASTER_KEY".to_owned(),
    };
    let model = example(config);
    let mut text = String::new();
    let written = write!(
        text,
        "\nbartizan {} on {url}\n  models  {}\n",
        env!("CARGO_PKG_VERSION"),
        found(config)
    )
    .and_then(|()| match &config.access.generated_at {
        Some(path) => writeln!(text, "  key     {} (bartizan keys master)", path.display()),
        None => Ok(()),
    })
    .and_then(|()| {
        write!(
            text,
            "\nTry it:\n  curl {url}/v1/chat/completions \\\n    -H \"Authorization: Bearer {key}\" \
             \\\n    -d '{{\"model\": \"{model}\", \"messages\": [{{\"role\": \"user\", \
             \"content\": \"hello\"}}]}}'\n\nLead an application here:\n  \
             export OPENAI_BASE_URL={url}/v1 OPENAI_API_KEY=\"{key}\"\n\n"
        )
    });
    written.expect("a string takes any text");
    text
}

/// The providers or groups that answer.
fn found(config: &Config) -> String {
    let deployments = &config.routing.deployments;
    let names: BTreeSet<&str> = deployments.iter().map(|one| one.group.as_str()).collect();
    let all = names.len();
    let shown: Vec<_> = names.into_iter().take(8).collect();
    let more =
        if all > shown.len() { format!(" and {} more", all - shown.len()) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// A model for the first call.
fn example(config: &Config) -> &str {
    let mut plain = config.routing.deployments.iter().map(|one| one.group.as_str());
    plain.find(|name| !name.contains('*')).unwrap_or("gpt-4o-mini")
}
