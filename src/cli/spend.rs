//! The flags of `bartizan spend` and `bartizan receipts`.
use super::keys::At;
use std::path::PathBuf;

/// What `bartizan spend` shows.
#[derive(Debug, clap::Args)]
pub struct Spend {
    /// By what: key, user, team, organization, end_user, tag, model, group, provider or day
    #[arg(long, default_value = "model")]
    pub by: String,
    /// The first day, such as 2026-11-22; or how many days, such as 7d [default: 30d]
    #[arg(long, value_name = "DAY")]
    pub since: Option<String>,
    /// Where the spend is kept.
    #[command(flatten)]
    pub at: At,
}

/// What `bartizan receipts` does.
#[derive(Debug, clap::Subcommand)]
pub enum Receipts {
    /// Check that a journal is as it was written: each line bound to those before
    Verify {
        /// A file of STATE/journal
        file: PathBuf,
    },
}
