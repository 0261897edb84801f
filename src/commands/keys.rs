//! `bartizan keys`.
use crate::config::{Env, state_dir, stored};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Prints the generated key.
#[must_use]
pub fn master(told: Option<&Path>) -> ExitCode {
    let dir = state_dir(told, &Env::of_process());
    match dir.as_deref().and_then(stored) {
        Some(key) => {
            drop(writeln!(std::io::stdout(), "{}", key.expose()));
            ExitCode::SUCCESS
        }
        None => {
            let place =
                dir.map_or("no state directory".to_owned(), |dir| dir.display().to_string());
            drop(writeln!(
                std::io::stderr(),
                "no key was generated yet ({place}): start the proxy once without a config file"
            ));
            ExitCode::FAILURE
        }
    }
}
