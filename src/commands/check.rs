//! `bartizan check FILE`, and `--validate_config`.
use crate::config::{Env, Options, Problems, Refused, load};
use std::collections::HashSet;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Prints every problem of a config, or of the environment where there is none. The code is 1 if
/// there are errors.
#[must_use]
pub fn check(options: Options) -> ExitCode {
    let told = options.config.clone();
    let file = told.or_else(|| Env::of_process().get("CONFIG_FILE_PATH").map(PathBuf::from));
    // Without a file a start would keep a key; a check keeps nothing.
    let for_command = file.is_none();
    let name = file.as_deref().map_or("the environment".into(), |file| file.display().to_string());
    let options = Options { config: file, for_command, ..options };
    let (problems, summary) = match load(&options, Env::of_process()) {
        Ok((config, problems)) => {
            let deployments = &config.routing.deployments;
            let groups: HashSet<_> = deployments.iter().map(|one| &one.group).collect();
            let deployments = count(deployments.len(), "deployment");
            let summary = format!("{deployments}, {}", count(groups.len(), "model group"));
            (problems, Some(summary))
        }
        Err(Refused(problems)) => (problems, None),
    };
    report(&name, &problems, summary)
}

fn report(name: &str, problems: &Problems, summary: Option<String>) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let colour = out.is_terminal();
    let errors = problems.errors();
    let verdict = match summary.filter(|_| errors == 0) {
        Some(summary) => format!("{name}: ok, {summary}"),
        None => format!("{name}: {} to mend", count(errors.max(1), "error")),
    };
    // Whoever stops reading has seen enough.
    drop(writeln!(out, "{}{verdict}", problems.render(colour)));
    if errors == 0 && verdict.contains(": ok, ") { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
