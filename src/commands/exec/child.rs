//! The command: started with its variables, its end as an exit code.
use super::variables::Variables;
use std::ffi::{OsStr, OsString};
use std::io::{self, ErrorKind};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use tokio::process::{Child, Command};

/// Why a command did not run.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unrun {
    /// No such program.
    #[error("{0}: command not found")]
    NotFound(String),
    /// It is there, but is no program, or not for us.
    #[error("{0}: cannot be run")]
    NotRunnable(String, #[source] io::Error),
}

impl Unrun {
    /// What a shell answers then.
    pub(super) const fn code(&self) -> u8 {
        match self {
            Self::NotFound(_) => 127,
            Self::NotRunnable(..) => 126,
        }
    }
}

/// Starts it in our process group, with our standard input, output and error.
pub(super) fn spawn(command: &[OsString], variables: &Variables) -> Result<Child, Unrun> {
    let (program, arguments) = match command {
        [program, arguments @ ..] => (program.as_os_str(), arguments),
        [] => (OsStr::new(""), &[][..]),
    };
    let mut child = Command::new(program);
    child.args(arguments).envs(variables.set.iter().map(|(name, value)| (name, value)));
    for name in variables.removed {
        child.env_remove(name);
    }
    child.spawn().map_err(|error| {
        let name = program.to_string_lossy().into_owned();
        match error.kind() {
            ErrorKind::NotFound => Unrun::NotFound(name),
            _ => Unrun::NotRunnable(name, error),
        }
    })
}

/// The exit code of a shell whose last command ended so.
pub(super) fn code(status: ExitStatus) -> u8 {
    let signal = || status.signal().map(|signal| 128 + signal);
    let code = status.code().or_else(signal).and_then(|code| u8::try_from(code).ok());
    code.unwrap_or(u8::MAX)
}
