//! What outlives the process, and who looks after it.
use crate::config::{Compat, Database, Issuing, Secret, StoreSettings};
use crate::identity::{Directory, Following, Issued};
use crate::manage::{self, Manage};
use crate::store::{Place, Store, StoreError};
use crate::tasks::Tasks;
use anyhow::Context;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The store and who is known of it; nothing beside a command.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    store: Option<Store>,
    directory: Directory,
    /// Cancelled when nothing more is to be kept.
    stop: CancellationToken,
}

impl Kept {
    /// Opens what `settings` name. Where the state directory cannot be used, everything is kept in
    /// memory, and a warning says so.
    pub async fn open(settings: Option<&StoreSettings>, tasks: &Tasks) -> Self {
        let Some(settings) = settings else { return Self::default() };
        let store = match &settings.database {
            Some(database) => match postgres(database).await {
                Ok(store) => store,
                Err(error) => {
                    tracing::error!("The database cannot be used: {error:#}");
                    return Self::default();
                }
            },
            None => embedded(settings).await,
        };
        let Some(store) = store else { return Self::default() };
        let directory = Directory::default();
        let all = settings.database.as_ref().is_none_or(|database| database.all_keys);
        let mut following = Following::new(store.clone(), directory.clone(), all);
        // Keys of a file are there before the first call; a database may be away.
        if !store.is_postgres()
            && let Err(error) = following.catch_up().await
        {
            tracing::error!(%error, "The keys of the state directory cannot be read");
        }
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tasks.spawn(async move {
            stopped.run_until_cancelled(following.run()).await;
        });
        Self { store: Some(store), directory, stop }
    }

    /// Lets go of everything: no call may end after it.
    pub async fn close(&self) {
        self.stop.cancel();
        if let Some(store) = &self.store {
            store.close().await;
        }
    }

    /// Everyone who is known; `None` where nothing is kept.
    #[must_use]
    pub fn directory(&self) -> Option<Directory> {
        self.store.as_ref().map(|_| self.directory.clone())
    }

    /// The keys that open this proxy.
    #[must_use]
    pub fn issued(&self, master: Option<&Secret<String>>) -> Issued {
        Issued::new(master, self.directory.clone(), self.store.clone())
    }

    /// The management API.
    #[must_use]
    pub fn managing(
        &self,
        compat: Compat,
        issuing: Issuing,
        models: Vec<String>,
    ) -> Option<axum::Router> {
        let store = self.store.clone()?;
        let manage = Manage { store, directory: self.directory.clone(), compat, issuing, models };
        Some(manage::routes(Arc::new(manage)))
    }
}

async fn postgres(database: &Database) -> anyhow::Result<Option<Store>> {
    let options = database.url.expose().parse();
    // Its text may hold the password: the error is told without it.
    let options = options.map_err(|_: sqlx::Error| anyhow::anyhow!("`database_url` is no URL"))?;
    let place = Place::Postgres {
        options: Box::new(options),
        connections: database.connections,
        timeout: database.timeout,
    };
    Store::open(place).await.map(Some).context("`database_url`")
}

async fn embedded(settings: &StoreSettings) -> Option<Store> {
    let error = match &settings.directory {
        None => "there is none; set --state-dir".to_owned(),
        Some(directory) => match Store::open(Place::Directory(directory.clone())).await {
            Ok(store) => return Some(store),
            Err(error) => why(&error),
        },
    };
    tracing::warn!(
        "The state directory cannot be used ({error}): keys and spend end with this process"
    );
    let opened = Store::open(Place::Memory).await;
    opened.inspect_err(|error| tracing::error!(%error, "Nothing can be kept in memory")).ok()
}

fn why(error: &StoreError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), ToString::to_string)
}
