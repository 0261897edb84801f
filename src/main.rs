//! The `bartizan` program: flags → command → exit code.
use bartizan::cli::{Cli, Command, Keys};
use bartizan::commands;
use clap::Parser;
use std::process::ExitCode;

/// Fewer instructions per call than the system's allocator; see `docs/decisions/`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<ExitCode> {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::Check { file }) => Ok(commands::check(&file)),
        Some(Command::Schema { markdown }) => Ok(commands::schema(markdown)),
        Some(Command::Keys { which: Keys::Master { state_dir } }) => {
            Ok(commands::master(state_dir.as_deref()))
        }
        Some(Command::Serve(serve)) => start(*serve),
        None => start(cli.serve),
    }
}

fn start(serve: bartizan::cli::Serve) -> anyhow::Result<ExitCode> {
    let (options, ignored) = serve.options();
    commands::serve(options, &ignored)
}
