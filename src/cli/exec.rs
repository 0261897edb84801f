//! The flags of `bartizan exec`.
use super::Proxy;
use super::money;
use bartizan_layers::facts::NanoUsd;
use std::ffi::OsString;

/// Flags before `--`, and the command behind it.
#[derive(Clone, Debug, clap::Args)]
pub struct Exec {
    /// Flags of the proxy.
    #[command(flatten)]
    pub proxy: Proxy,
    /// What the command may spend, in US dollars; then its calls are refused
    #[arg(long, value_name = "DOLLARS", value_parser = money::dollars)]
    #[arg(allow_negative_numbers = true)]
    pub budget: Option<NanoUsd>,
    /// Do not print what was called, and what it cost, at the end
    #[arg(short, long)]
    pub quiet: bool,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}
