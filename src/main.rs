//! The `bartizan` program: flags → command → exit code.
use bartizan::cli::{Cli, Command, Exec, Serve};
use bartizan::commands;
use bartizan::config::Options;
use std::io::Write;
use std::process::ExitCode;

/// Fewer instructions per call than the system's allocator; see `docs/decisions/`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Not as `Debug`, which would show places in our code where RUST_BACKTRACE is set.
    done(Cli::of_process()).unwrap_or_else(|error| {
        drop(writeln!(std::io::stderr(), "Error: {error:#}"));
        ExitCode::FAILURE
    })
}

fn done(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Some(Command::Check { file }) => {
            let options = Options { config: Some(file), ..Options::default() };
            Ok(commands::check(options))
        }
        Some(Command::Schema { markdown }) => Ok(commands::schema(markdown)),
        Some(Command::Keys { what }) => commands::keys(what),
        Some(Command::Spend(wanted)) => commands::spend(&wanted),
        Some(Command::Receipts { what }) => commands::receipts(&what),
        Some(Command::Exec(exec)) => Ok(run(*exec.0)),
        Some(Command::Completions { shell }) => Ok(commands::completions(shell, Cli::described())),
        Some(Command::Man { command }) => Ok(commands::man(command.as_deref(), Cli::described())),
        Some(Command::Serve(serve)) => start(*serve.0),
        None => start(cli.serve),
    }
}

fn start(serve: Serve) -> anyhow::Result<ExitCode> {
    let Serve { proxy, asked } = serve;
    let (options, ignored) = proxy.options();
    if asked.validate_config || asked.skip_server_startup {
        return Ok(commands::check(options));
    }
    if asked.health {
        return commands::health(&options);
    }
    match asked.test {
        Some(url) => commands::test(&options, url.as_deref()),
        None => commands::serve(options, &ignored),
    }
}

fn run(exec: Exec) -> ExitCode {
    let (options, _) = exec.proxy.options();
    commands::exec(options, &exec.command, exec.budget, exec.quiet)
}
