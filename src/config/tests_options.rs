//! Flags and variables: which one wins, and what is a command's own.
use super::{Config, Options, load};
use std::time::Duration;

fn config(text: &str, options: Options, env: &[(&str, &str)]) -> Config {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.yaml");
    std::fs::write(&path, text).unwrap();
    let options = Options { config: Some(path), ..options };
    let production = ("LITELLM_MODE", "PRODUCTION");
    let loaded = load(&options, env.iter().copied().chain([production]).collect());
    loaded.unwrap_or_else(|refused| panic!("{}", refused.0.render(false))).0
}

fn for_command() -> Options {
    Options { for_command: true, ..Options::default() }
}

#[test]
fn a_timeout_is_the_flags_then_the_configs_then_the_variables() {
    let flag = || Options { request_timeout: Some(2.5), ..Options::default() };
    let (told, bare) = ("litellm_settings: {request_timeout: 7}", "x-nothing: 1");
    let env = [("REQUEST_TIMEOUT", "9")];
    for (text, options, env, seconds) in [
        (told, flag(), &env[..], 2.5),
        (told, Options::default(), &env, 7.0),
        (bare, Options::default(), &env, 9.0),
        (bare, Options::default(), &[], 6000.0),
    ] {
        let total = config(text, options, env).routing.timeouts.total;
        assert_eq!(total, Duration::from_secs_f64(seconds));
    }
}

#[test]
fn the_limit_of_open_calls_is_a_flag_or_a_variable_and_off_at_first() {
    let limit = |options, env: &[_]| config("x-nothing: 1", options, env).server.max_calls;
    let flag = || Options { limit_concurrency: Some(3), ..Options::default() };
    assert_eq!(limit(Options::default(), &[]), None);
    assert_eq!(limit(Options::default(), &[("LIMIT_CONCURRENCY", "5")]), Some(5));
    assert_eq!(limit(flag(), &[("LIMIT_CONCURRENCY", "5")]), Some(3));
    assert_eq!(limit(Options { limit_concurrency: Some(0), ..flag() }, &[]), None);
}

#[test]
fn a_switch_that_is_off_wins_over_its_variable() {
    let env = [("DEBUG", "True")];
    let level = |debug| {
        config("x-nothing: 1", Options { debug, ..Options::default() }, &env).telemetry.level
    };
    assert_eq!(level(None), tracing::Level::DEBUG);
    assert_eq!(level(Some(false)), tracing::Level::INFO);
}

#[test]
fn beside_a_command_a_key_is_made_and_its_variables_are_left_alone() {
    let env = [("PORT", "1"), ("HOST", "0.0.0.0"), ("DEBUG", "1"), ("OPS_LISTEN", "127.0.0.1:2")];
    let config = config("x-nothing: 1", for_command(), &env);
    assert!(config.access.master_key.is_some() && config.access.generated_at.is_none());
    assert!(config.server.is_loopback() && config.server.ops_listen.is_none());
    assert_eq!(config.telemetry.level, tracing::Level::WARN);
    let told = "general_settings: {master_key: sk-1, litellm_key_header_name: x-key}";
    let config = self::config(told, for_command(), &[]);
    assert_eq!(config.access.master_key.unwrap().expose(), "sk-1");
    assert_eq!(config.access.key_header, None, "its clients know no such header");
}
