//! `bartizan schema`.
use crate::config;
use std::io::Write;
use std::process::ExitCode;

/// Prints the JSON schema of a config, or the same keys as a page of Markdown.
#[must_use]
pub fn schema(markdown: bool) -> ExitCode {
    let text = if markdown { config::page() } else { format!("{:#}\n", config::schema()) };
    // Whoever stops reading has seen enough.
    drop(std::io::stdout().lock().write_all(text.as_bytes()));
    ExitCode::SUCCESS
}
