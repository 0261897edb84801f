//! Where keys, budgets and spend are kept.
use super::fields::Check;
use super::load::Sections;
use super::options::Options;
use super::yaml::Node;
use super::{LedgerSettings, Secret, Server, master_key};
use std::path::PathBuf;
use std::time::Duration;

/// Where keys, budgets and spend are kept, and what of it is held in memory.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// The Postgres that several processes share; `None` is SQLite in the directory.
    pub database: Option<Database>,
    /// The state directory; `None` where there is none: then SQLite is in memory.
    pub directory: Option<PathBuf>,
    /// How calls are booked.
    pub ledger: LedgerSettings,
    /// Whether models may be added at run time (`store_model_in_db`, `STORE_MODEL_IN_DB`). Default
    /// false.
    pub models: bool,
    /// How responses are kept whose providers keep none.
    pub conversations: ConversationSettings,
    /// What credentials are sealed with in the store (`LITELLM_SALT_KEY`). Default: the master key.
    pub salt: Option<Secret<String>>,
}

/// How responses are kept whose providers keep none, for `previous_response_id`.
#[derive(Clone, Debug)]
pub struct ConversationSettings {
    /// For how long (`maximum_responses_retention_period`, default 30 days, as OpenAI has it); `None`
    /// where none is kept (`store_responses`, default true).
    pub keep: Option<Duration>,
}

impl Default for ConversationSettings {
    fn default() -> Self {
        Self { keep: Some(Duration::from_hours(24 * 30)) }
    }
}

/// A Postgres.
#[derive(Clone, Debug)]
pub struct Database {
    /// Its URL (`database_url`, `DATABASE_URL`).
    pub url: Secret<String>,
    /// Connections at most (`database_connection_pool_limit`). Default 1 beside an application, on
    /// loopback, else 10.
    pub connections: u32,
    /// How long a connection is waited for (`database_connection_timeout`). Default 5 s.
    pub timeout: Duration,
    /// Whether all keys are held in memory, or those only that were seen: beside an application,
    /// on loopback.
    pub all_keys: bool,
}

impl Check<'_> {
    /// `None` beside a command, where nothing is written to disk.
    pub(super) fn store(
        &mut self,
        sections: &Sections<'_>,
        options: &Options,
        server: &Server,
    ) -> Option<StoreSettings> {
        if options.for_command {
            return None;
        }
        let general = sections.general;
        let told = self.text(general, "database_url").map(Secret::new);
        let url =
            told.or_else(|| self.secret("DATABASE_URL")).filter(|url| !url.expose().is_empty());
        let url = url.filter(|url| self.is_postgres(general, url));
        let alone = server.is_loopback();
        let connections = self.count(general, "database_connection_pool_limit");
        let connections = connections.filter(|count| *count > 0);
        let timeout = self.seconds(general, "database_connection_pool_timeout");
        let timeout = timeout.or(self.seconds(general, "database_connection_timeout"));
        let database = url.map(|url| Database {
            url,
            connections: connections.unwrap_or(if alone { 1 } else { 10 }),
            timeout: timeout.unwrap_or(Duration::from_secs(5)),
            all_keys: !alone,
        });
        let directory = master_key::state_dir(options.state_dir.as_deref(), self.env);
        let by_variable = self.env.get("STORE_MODEL_IN_DB");
        let by_variable = by_variable.is_some_and(|told| told.eq_ignore_ascii_case("true"));
        let models = self.flag(general, "store_model_in_db").unwrap_or(by_variable);
        let salt = self.secret("LITELLM_SALT_KEY");
        let ledger = self.ledger(general, sections.litellm);
        let conversations = self.conversations(general);
        Some(StoreSettings { database, directory, ledger, models, conversations, salt })
    }

    fn conversations(&mut self, general: &Node) -> ConversationSettings {
        let told = self.lasting(general, "maximum_responses_retention_period");
        let keep = told.or(ConversationSettings::default().keep);
        let stored = self.flag(general, "store_responses").unwrap_or(true);
        ConversationSettings { keep: keep.filter(|_| stored) }
    }

    fn is_postgres(&mut self, general: &Node, url: &Secret<String>) -> bool {
        let fits = ["postgres://", "postgresql://"].iter().any(|it| url.expose().starts_with(it));
        if !fits {
            let at = general.get("database_url").unwrap_or(general);
            let message = "`database_url` is not the URL of a Postgres".to_owned();
            let help = "write postgresql://USER:PASSWORD@HOST:5432/NAME, or leave it out: keys and \
                        spend are then kept in SQLite";
            self.error(at, message, help);
        }
        fits
    }
}
