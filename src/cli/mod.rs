//! The command line: one item per flag, with its variable, default and meaning.
mod examples;
mod exec;
mod keys;
mod later;
mod money;
mod proxy;
mod spelling;
mod spend;
#[cfg(test)]
mod tests;
mod without_effect;

pub use self::exec::Exec;
pub use self::keys::{At as KeysAt, Create, Keys, Named as NamedKey};
pub use self::later::Later;
pub use self::proxy::{Asked, Proxy};
pub use self::spend::{Receipts, Spend};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use std::ffi::OsString;
use std::path::PathBuf;

/// A sidecar proxy for LLM calls: a drop-in for the LiteLLM proxy in one static binary.
#[derive(Debug, Parser)]
#[command(name = "bartizan", version, propagate_version = true, disable_version_flag = true)]
#[command(args_conflicts_with_subcommands = true, long_about = examples::ABOUT)]
#[command(after_help = examples::SHORT, after_long_help = examples::LONG)]
pub struct Cli {
    /// What to do; without it, the proxy is started.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Print the version
    #[arg(short, long, global = true, action = clap::ArgAction::Version)]
    version: Option<bool>,
    /// How the proxy is started, when there is no sub-command.
    #[command(flatten)]
    pub serve: Serve,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start the proxy (the default)
    #[command(after_help = examples::SERVE)]
    Serve(Later<Serve>),
    /// Run a command whose LLM calls go through a proxy of its own
    ///
    /// The proxy listens on a free port of 127.0.0.1 until the command has ended. The variables
    /// that lead clients to it (OPENAI_BASE_URL, ANTHROPIC_BASE_URL, GOOGLE_GEMINI_BASE_URL,
    /// OLLAMA_HOST and their keys) are set for the command only. Signals are passed on, and its
    /// exit code is ours.
    #[command(after_help = examples::EXEC)]
    Exec(Later<Exec>),
    /// Read a config and print every mistake with its place and its mend
    Check {
        /// The config file
        file: PathBuf,
    },
    /// Print the JSON schema of the config, for editors
    Schema {
        /// Print a table of all keys instead, as Markdown
        #[arg(long)]
        markdown: bool,
    },
    /// Make, show and revoke keys
    ///
    /// They are those of a proxy that runs: the one at --url, or on this machine. Where none runs,
    /// its state directory is worked on.
    #[command(after_help = examples::KEYS)]
    Keys {
        /// What to do
        #[command(subcommand)]
        what: Keys,
    },
    /// Show what calls have cost
    ///
    /// It is asked of a proxy that runs: the one at --url, or on this machine. Where none runs, it
    /// is read from its state directory.
    Spend(Spend),
    /// Check the receipts of calls
    Receipts {
        /// What to do
        #[command(subcommand)]
        what: Receipts,
    },
    /// Print a script that completes commands and flags in a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page, in roff
    #[command(after_help = examples::MAN)]
    Man {
        /// Of this sub-command, not of the whole program
        command: Option<String>,
    },
}

/// How the proxy is started, or what is asked of one that runs.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Serve {
    /// Flags of the proxy itself.
    #[command(flatten)]
    pub proxy: Proxy,
    /// Flags that do something else than serve.
    #[command(flatten)]
    pub asked: Asked,
}

impl Cli {
    /// Reads the process's command line. Prints help or what is wrong, and exits, where that is
    /// what the command line leads to: 0 for help and the version, 2 for mistakes.
    #[must_use]
    pub fn of_process() -> Self {
        Self::of(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    /// Reads the words of a command line: `--num-workers 2 --debug True` is `--num_workers 2
    /// --debug=True`. What follows `--` is another program's.
    fn of(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut command = Self::command();
        let words = spelling::known(words, &command);
        let matches = command.try_get_matches_from_mut(words)?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }

    /// The whole command line as data, for completions and manual pages.
    #[must_use]
    pub fn described() -> clap::Command {
        Self::command()
    }
}
