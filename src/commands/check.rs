//! `bartizan check FILE`.
use crate::config::{Env, Options, Problems, Refused, load};
use std::collections::HashSet;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

/// Prints every problem of a config. The code is 1 if there are errors.
#[must_use]
pub fn check(file: &Path) -> ExitCode {
    let options = Options { config: Some(file.to_owned()), ..Options::default() };
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
    report(file, &problems, summary)
}

fn report(file: &Path, problems: &Problems, summary: Option<String>) -> ExitCode {
    let mut out = std::io::stdout().lock();
    let colour = out.is_terminal();
    let errors = problems.errors();
    let verdict = match summary.filter(|_| errors == 0) {
        Some(summary) => format!("{}: ok, {summary}", file.display()),
        None => format!("{}: {} to mend", file.display(), count(errors.max(1), "error")),
    };
    // Whoever stops reading has seen enough.
    drop(writeln!(out, "{}{verdict}", problems.render(colour)));
    if errors == 0 && verdict.contains(": ok, ") { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
