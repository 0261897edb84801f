//! The flags of `bartizan exec`.
use super::Proxy;
use std::ffi::OsString;

/// Runs a command whose LLM calls go through a proxy of its own.
///
/// The proxy listens on a free port of 127.0.0.1 until the command has ended. The variables that
/// lead clients to it (OPENAI_BASE_URL, ANTHROPIC_BASE_URL, GOOGLE_GEMINI_BASE_URL, OLLAMA_HOST
/// and their keys) are set for the command only. Signals are passed on, and its exit code is ours.
#[derive(Clone, Debug, clap::Args)]
pub struct Exec {
    /// Flags of the proxy.
    #[command(flatten)]
    pub proxy: Proxy,
    /// Do not print the line with calls, tokens and cost at the end
    #[arg(short, long)]
    pub quiet: bool,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}
