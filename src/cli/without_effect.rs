//! LiteLLM's flags that have no effect here: taken, so that command lines work unchanged, and
//! named once at the start.
use super::spelling::truth;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, Error, FromArgMatches};

/// Flags that stand alone, or have a truth value.
const SWITCHES: &[&str] = &[
    "add_function_to_prompt",
    "azure_postgresql_auth",
    "check_migrations_against_existing_data",
    "drop_params",
    "enforce_prisma_migration_check",
    "iam_token_db_auth",
    "local",
    "reload",
    "run_granian",
    "run_gunicorn",
    "run_hypercorn",
    "save",
    "setup",
    "telemetry",
    "test_async",
    "use_legacy_migration_resolver",
    "use_prisma_db_push",
    "use_queue",
    "use_v2_migration_resolver",
];

/// Flags that have a value.
const VALUES: &[&str] = &[
    "add_key",
    "api_version",
    "ciphers",
    "granian_threads",
    "log_config",
    "max_budget",
    "max_requests_before_restart",
    "max_requests_before_restart_jitter",
    "num_requests",
];

/// The names of such flags that were given, without dashes.
#[derive(Clone, Debug, Default)]
pub(super) struct WithoutEffect(pub(super) Vec<&'static str>);

impl clap::Args for WithoutEffect {
    fn augment_args(command: Command) -> Command {
        let hidden = |name: &&'static str| Arg::new(*name).long(*name).hide(true);
        let switches = SWITCHES
            .iter()
            .map(|name| hidden(name).num_args(0..=1).require_equals(true).value_parser(truth));
        command.args(switches).args(VALUES.iter().map(hidden))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for WithoutEffect {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = |name: &&&str| matches.value_source(name) == Some(ValueSource::CommandLine);
        Ok(Self(SWITCHES.iter().chain(VALUES).filter(given).copied().collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
