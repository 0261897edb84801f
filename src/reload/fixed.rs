//! What a running process cannot change.
use crate::config::{Compat, Config, RedisSettings, ServerTls};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The settings that only a start reads, as the start found them.
#[derive(Clone, Debug)]
pub(super) struct Fixed {
    listen: Vec<SocketAddr>,
    own: Arc<[SocketAddr]>,
    ops_listen: Option<SocketAddr>,
    workers: Option<usize>,
    connections: (usize, Duration, Duration),
    level: tracing::Level,
    json: Option<bool>,
    compat: Compat,
    redis: Option<RedisSettings>,
    tls: [Option<ServerTls>; 2],
    /// Whether callers have needed a key since the start: one that is lost in an edit opens nothing.
    pub(super) has_key: bool,
}

impl Fixed {
    /// The settings of the config that was started with.
    pub(super) fn of(config: &Config) -> Self {
        let server = &config.server;
        Self {
            listen: server.listen.clone(),
            own: config.outbound.own.clone(),
            ops_listen: server.ops_listen,
            workers: server.workers,
            connections: (server.max_connections, server.keep_alive, server.header_timeout),
            level: config.telemetry.level,
            json: config.telemetry.json,
            compat: config.compat,
            redis: config.redis.clone(),
            tls: [server.tls.clone(), server.ops_tls.clone()],
            has_key: config.access.master_key.is_some(),
        }
    }

    /// Names what `config` would change, and leaves it as it is.
    pub(super) fn keep(&self, config: &mut Config) -> Vec<&'static str> {
        let new = Self::of(config);
        config.outbound.own = self.own.clone();
        config.telemetry.level = self.level;
        config.telemetry.json = self.json;
        config.compat = self.compat;
        let changed = [
            ("the listen address", self.listen != new.listen),
            ("the address for probes", self.ops_listen != new.ops_listen),
            ("the number of workers", self.workers != new.workers),
            ("the limits of client connections", self.connections != new.connections),
            ("the log level", self.level != new.level),
            ("the log format", self.json != new.json),
            ("compat", self.compat != new.compat),
            ("the Redis", self.redis != new.redis),
            ("which certificates the listeners have", self.tls != new.tls),
        ];
        changed.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect()
    }

    /// Whether `config` lets anyone in where a key was needed, or where the listeners that are open
    /// reach beyond this machine: it was judged by the address that it names, which is not in force.
    pub(super) fn would_be_open(&self, config: &Config) -> bool {
        let moved = config.server.listen != self.listen;
        let beyond = moved && self.listen.iter().any(|address| !address.ip().is_loopback());
        config.access.master_key.is_none() && (self.has_key || beyond)
    }
}

#[cfg(test)]
mod tests {
    use super::Fixed;
    use crate::config::{Config, parse_str};

    fn config(text: &str) -> Config {
        parse_str(text).unwrap().0
    }

    #[test]
    fn what_only_a_start_reads_is_named_and_stays() {
        let fixed = Fixed::of(&config("general_settings: {master_key: sk-1}"));
        let text = "general_settings: {master_key: sk-2, keepalive_timeout: 5, compat: classic}
litellm_settings: {json_logs: true, set_verbose: true}
environment_variables: {PORT: '4567', NUM_WORKERS: '3'}";
        let mut changed = config(text);
        assert_eq!(
            fixed.keep(&mut changed),
            [
                "the listen address",
                "the number of workers",
                "the limits of client connections",
                "the log level",
                "the log format",
                "compat"
            ]
        );
        assert_eq!(changed.telemetry.json, None);
        assert_eq!(changed.outbound.own, fixed.own);
        let mut same = config("general_settings: {master_key: sk-2}");
        assert!(fixed.keep(&mut same).is_empty());
    }

    #[test]
    fn a_key_cannot_vanish() {
        let fixed = Fixed::of(&config("general_settings: {master_key: sk-1}"));
        assert!(fixed.would_be_open(&config("general_settings: {}")));
        assert!(!fixed.would_be_open(&config("general_settings: {master_key: sk-2}")));
        let loopback = Fixed::of(&config("general_settings: {}"));
        assert!(!loopback.would_be_open(&config("general_settings: {}")));
    }
}
