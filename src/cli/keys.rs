//! The flags of `bartizan keys`.
use super::examples;
use std::path::PathBuf;

/// What `bartizan keys` does.
#[derive(Debug, clap::Subcommand)]
pub enum Keys {
    /// Make a key and print it: it is shown this once
    #[command(after_help = examples::KEYS_CREATE)]
    Create(Box<Create>),
    /// List all keys
    List {
        /// Of this user only
        #[arg(long = "user-id", alias = "user_id", visible_alias = "user")]
        user_id: Option<String>,
        /// Of this team only
        #[arg(long = "team-id", alias = "team_id", visible_alias = "team")]
        team_id: Option<String>,
        /// Where the keys are kept.
        #[command(flatten)]
        at: At,
    },
    /// Show everything about a key but its text
    Info(Named),
    /// Stop a key until it is unblocked
    Block(Named),
    /// Let a key be used again
    Unblock(Named),
    /// Give a key another text and print it; the old one opens nothing from then on
    Rotate(Named),
    /// Take keys away for good
    Delete {
        /// Their texts, digests or aliases
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
        /// Where the keys are kept.
        #[command(flatten)]
        at: At,
    },
    /// Print the key that was generated because none was set
    Master {
        /// Where it is kept [env: BARTIZAN_STATE_DIR]
        #[arg(long, alias = "state_dir", value_name = "DIR")]
        state_dir: Option<PathBuf>,
    },
}

/// A key that there is.
#[derive(Debug, clap::Args)]
pub struct Named {
    /// Its text, its digest or its alias
    #[arg(value_name = "KEY")]
    pub key: String,
    /// Where the keys are kept.
    #[command(flatten)]
    pub at: At,
}

/// Where the keys are kept, and how answers are printed.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct At {
    /// The proxy that is asked [default: the one at HOST and PORT, on 127.0.0.1:4000; without one,
    /// the state directory]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Where a proxy keeps its keys that is not running [env: BARTIZAN_STATE_DIR]
    #[arg(long, alias = "state_dir", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long)]
    pub json: bool,
}

/// A key that is to be made.
#[derive(Debug, Default, clap::Args)]
pub struct Create {
    /// A name for people; no two keys have the same
    #[arg(long)]
    pub alias: Option<String>,
    /// The models that it may ask for, with commas between them [default: all]
    #[arg(long, value_name = "MODELS", value_delimiter = ',')]
    pub models: Vec<String>,
    /// US dollars that it may spend
    #[arg(long = "max-budget", alias = "max_budget", value_name = "DOLLARS")]
    pub max_budget: Option<f64>,
    /// After which its budget starts anew, such as 30d
    #[arg(long = "budget-duration", alias = "budget_duration", value_name = "TIME")]
    pub budget_duration: Option<String>,
    /// How long it lasts, such as 12h [default: for ever]
    #[arg(long, value_name = "TIME")]
    pub duration: Option<String>,
    /// Calls in a minute
    #[arg(long = "rpm-limit", alias = "rpm_limit", visible_alias = "rpm", value_name = "CALLS")]
    pub rpm_limit: Option<u32>,
    /// Tokens in a minute
    #[arg(long = "tpm-limit", alias = "tpm_limit", visible_alias = "tpm", value_name = "TOKENS")]
    pub tpm_limit: Option<u32>,
    /// Calls that may be open at once
    #[arg(long = "max-parallel-requests", alias = "max_parallel_requests", value_name = "CALLS")]
    pub max_parallel_requests: Option<u32>,
    /// Whose it is
    #[arg(long = "user-id", alias = "user_id", visible_alias = "user", value_name = "USER")]
    pub user_id: Option<String>,
    /// For which team it is
    #[arg(long = "team-id", alias = "team_id", visible_alias = "team", value_name = "TEAM")]
    pub team_id: Option<String>,
    /// Words that all its calls bear, with commas between them
    #[arg(long, value_delimiter = ',')]
    pub tags: Vec<String>,
    /// What it may call: default, llm_api, management or read_only
    #[arg(long = "key-type", alias = "key_type", value_name = "TYPE")]
    pub key_type: Option<String>,
    /// Where the keys are kept.
    #[command(flatten)]
    pub at: At,
}
