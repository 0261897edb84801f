//! The flags of `bartizan exec`.
use super::Proxy;
use std::ffi::OsString;

/// Flags before `--`, and the command behind it.
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
