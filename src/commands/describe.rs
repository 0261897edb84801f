//! `bartizan completions SHELL` and `bartizan man`.
use clap::Command;
use clap_complete::Shell;
use std::io::Write;
use std::process::ExitCode;

/// Prints the script that completes the flags of `program` in `shell`.
#[must_use]
pub fn completions(shell: Shell, mut program: Command) -> ExitCode {
    let mut script = Vec::new();
    let name = program.get_name().to_owned();
    clap_complete::generate(shell, &mut program, name, &mut script);
    print(&script)
}

/// Prints the manual page of `program`, or of one of its sub-commands.
#[must_use]
pub fn man(sub: Option<&str>, mut program: Command) -> ExitCode {
    program.build();
    let known: Vec<_> = program.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let known = known.join(", ");
    let described = match sub {
        None => Some(program),
        Some(name) => {
            let found = program.find_subcommand(name).cloned();
            // As manual pages are named: `bartizan-exec`.
            found.map(|sub| sub.display_name(format!("bartizan-{name}")))
        }
    };
    let Some(described) = described else {
        drop(writeln!(std::io::stderr(), "there is no such sub-command: use one of {known}"));
        return ExitCode::from(2);
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(described).render(&mut page).expect("memory takes any page");
    print(&page)
}

/// Whoever stops reading has seen enough.
fn print(text: &[u8]) -> ExitCode {
    drop(std::io::stdout().write_all(text));
    ExitCode::SUCCESS
}
