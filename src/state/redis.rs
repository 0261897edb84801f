//! The Redis that a config names.
use crate::config::{RedisAt, RedisSettings, RedisTls, Secret};
use bartizan_layers::redis::{Outage, Settings};
use std::error::Error;

/// Logs that it is away, and why as far as it says, or that it is back.
pub(super) fn note(outage: Option<&Outage>) {
    let Some(outage) = outage else {
        tracing::info!("Redis is back: limits and budgets are shared again");
        return;
    };
    let why = outage.source().map(ToString::to_string);
    tracing::warn!(
        error = why.unwrap_or_else(|| outage.to_string()),
        "Redis is away: limits are counted in this process, and no kept answers are found there"
    );
}

/// How it is reached.
pub(super) fn settings(told: &RedisSettings) -> Settings {
    let settings = match &told.at {
        RedisAt::Single((host, port)) => Settings::single(host.as_str(), *port),
        RedisAt::Cluster(nodes) => Settings::cluster(nodes.iter().cloned()),
        RedisAt::Sentinel { nodes, service, password } => {
            let settings = Settings::sentinel(service.as_str(), nodes.iter().cloned());
            with(settings, password.as_ref(), Settings::sentinel_password)
        }
    };
    let settings = told.tls.iter().fold(settings, secured).db(told.db.into());
    let settings = told.username.iter().fold(settings, Settings::username);
    let settings = with(settings, told.password.as_ref(), Settings::password);
    // What LiteLLM keeps there has other forms: the keys of both never meet.
    let prefix = told.namespace.as_deref().map(|own| format!("{own}:bartizan:"));
    prefix.iter().fold(settings, |settings, prefix| settings.prefix(prefix))
}

fn secured(settings: Settings, tls: &RedisTls) -> Settings {
    let mut settings = settings.tls(true);
    if let Some(roots) = &tls.roots {
        settings = settings.roots(roots.bytes());
    }
    if let Some((certificate, key)) = &tls.identity {
        settings = settings.client_certificate(certificate.bytes(), key.expose().bytes());
    }
    if tls.verify { settings } else { settings.without_verification() }
}

fn with(
    settings: Settings,
    secret: Option<&Secret<String>>,
    set: fn(Settings, String) -> Settings,
) -> Settings {
    secret.iter().fold(settings, |settings, secret| set(settings, secret.expose().clone()))
}
