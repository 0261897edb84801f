//! What outlives the process, and who looks after it.
use crate::alerts::Alerts;
use crate::config::{Compat, Database, Issuing, Secret, StoreSettings};
use crate::conversations::Conversations;
use crate::identity::{Directory, Following, Issued, Owners};
use crate::ledger::{Ledger, Standing};
use crate::manage::{self, Manage};
use crate::revocations::Revocations;
use crate::router::Router;
use crate::store::{Filter, Kind, Page, Place, Seal, Store, StoreError};
use crate::tasks::Tasks;
use crate::telemetry::{Book, Metrics};
use anyhow::Context;
use bartizan_layers::redis::Redis;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// So long is everyone read at first before calls are taken; the rest comes beside them.
const FIRST: Duration = Duration::from_secs(5);

/// The store and who is known of it; nothing beside a command.
#[derive(Clone, Debug, Default)]
pub struct Persistence {
    store: Option<Store>,
    directory: Directory,
    owners: Option<Owners>,
    conversations: Option<Conversations>,
    /// Whether models may be added at run time, and what their credentials are sealed with.
    models: bool,
    seal: Option<Seal>,
    ledger: Option<Ledger>,
    alerts: Option<Alerts>,
    revocations: Option<Revocations>,
    /// Cancelled when nothing more is to be kept.
    stop: CancellationToken,
}

impl Persistence {
    /// Opens what `settings` name. Where the state directory cannot be used, everything is kept in
    /// memory, and a warning says so.
    pub async fn open(
        settings: Option<&StoreSettings>,
        metrics: &Arc<Metrics>,
        tasks: &Tasks,
    ) -> Self {
        let Some(settings) = settings else { return Self::default() };
        let Some(store) = store(settings).await else { return Self::default() };
        let directory = Directory::default();
        let all = settings.database.as_ref().is_none_or(|database| database.all_keys);
        // What was revoked is so before the first call.
        let place = settings.directory.as_deref();
        let revocations = Revocations::open(place, store.clone(), directory.clone());
        let mut following = Following::new(store.clone(), directory.clone(), all);
        // Whoever bounds keys is known before the first call; but a database may be away.
        match timeout(FIRST, following.catch_up()).await {
            Ok(Err(error)) if store.is_postgres() => {
                tracing::warn!(%error, "The store is away: no keys are known yet");
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "The keys of the state directory cannot be read");
            }
            Ok(Ok(())) | Err(_) => {}
        }
        let stop = CancellationToken::new();
        let (alerts, waiting) = Alerts::new(metrics.clone());
        beside(tasks, &stop, alerts.clone().run(waiting));
        let ledger = Ledger::open(
            settings.ledger.clone(),
            settings.directory.as_ref().map(|directory| directory.join("journal")),
            store.clone(),
            (directory.clone(), alerts.clone()),
            Standing::new(metrics.clone()),
            (tasks, &stop),
        );
        beside(tasks, &stop, following.run());
        beside(tasks, &stop, revocations.clone().settle());
        let owners = Owners::new(store.clone());
        beside(tasks, &stop, owners.clone().run());
        let conversations =
            Conversations::new(store.clone(), &settings.conversations, tasks.clone());
        conversations.iter().for_each(|all| beside(tasks, &stop, all.clone().run()));
        Self {
            store: Some(store),
            directory,
            owners: Some(owners),
            conversations,
            models: settings.models,
            seal: settings.salt.as_ref().map(|salt| Seal::new(salt.expose())),
            ledger: Some(ledger),
            alerts: Some(alerts),
            revocations: Some(revocations),
            stop,
        }
    }

    /// Hears what other nodes on that Redis revoke.
    pub fn listen(&self, redis: &Redis, tasks: &Tasks) {
        let Some(revocations) = self.revocations.clone() else { return };
        beside(tasks, &self.stop, revocations.listen(redis.clone()));
    }

    /// Lets go of everything: no call may end after it.
    pub async fn close(&self) {
        self.stop.cancel();
        if let Some(ledger) = &self.ledger {
            ledger.close().await;
        }
        if let Some(owners) = &self.owners
            && let Err(error) = owners.flush().await
        {
            tracing::warn!(%error, "Whose some objects at providers are was not written");
        }
        if let Some(store) = &self.store {
            store.close().await;
        }
    }

    /// Everyone who is known; `None` where nothing is kept.
    #[must_use]
    pub fn directory(&self) -> Option<Directory> {
        self.store.as_ref().map(|_| self.directory.clone())
    }

    /// Whose the objects are that providers keep; `None` where nothing is kept.
    #[must_use]
    pub fn owners(&self) -> Option<Owners> {
        self.owners.clone()
    }

    /// The responses that are kept here; `None` where none is.
    #[must_use]
    pub fn conversations(&self) -> Option<Conversations> {
        self.conversations.clone()
    }

    /// The models that were added at run time, as entries of `model_list`; the number of the last
    /// change that they show. Nothing where models are not kept.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn models(&self) -> Result<(Vec<Secret<String>>, u64), StoreError> {
        let number = self.directory.models().last();
        let Some(store) = self.store.as_ref().filter(|_| self.models) else {
            return Ok((Vec::new(), number));
        };
        let things = store.things(Kind::Model, &Filter::default(), Page::ALL).await?;
        let seal = self.seal.as_ref();
        let entries = things.iter().filter_map(|model| {
            let entry = manage::entry(model, seal);
            if entry.is_none() {
                let (id, why) = (&model.id, "LITELLM_SALT_KEY is not the one it was added with");
                tracing::error!("The model {id} of the store cannot be read: {why}");
            }
            entry
        });
        Ok((entries.map(Secret::new).collect(), number))
    }

    /// The keys that open this proxy.
    #[must_use]
    pub fn issued(&self, master: Option<&Secret<String>>) -> Issued {
        Issued::new(master, self.directory.clone(), self.store.clone())
    }

    /// Who is told when budgets run out.
    #[must_use]
    pub const fn alerts(&self) -> Option<&Alerts> {
        self.alerts.as_ref()
    }

    /// Whether anything outlives the process.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        self.store.as_ref().is_some_and(|store| !store.is_memory())
    }

    /// Where calls are booked.
    #[must_use]
    pub fn book(&self) -> Option<Arc<dyn Book>> {
        self.ledger.clone().map(|ledger| Arc::new(ledger) as Arc<dyn Book>)
    }

    /// How the ledger stands.
    #[must_use]
    pub fn standing(&self) -> Option<Arc<Standing>> {
        self.ledger.as_ref().map(|ledger| ledger.standing().clone())
    }

    /// The management API.
    #[must_use]
    pub fn managing(
        &self,
        compat: Compat,
        issuing: Issuing,
        router: Option<Router>,
    ) -> Option<axum::Router> {
        let store = self.store.clone()?;
        let (directory, ledger) = (self.directory.clone(), self.ledger.clone()?);
        let revocations = self.revocations.clone()?;
        let (models, seal) = (self.models, self.seal.clone());
        let manage =
            Manage { store, directory, revocations, compat, issuing, ledger, router, models, seal };
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

/// What `settings` name; `None` if it cannot be used, which is told.
async fn store(settings: &StoreSettings) -> Option<Store> {
    let Some(database) = &settings.database else { return embedded(settings).await };
    postgres(database).await.unwrap_or_else(|error| {
        tracing::error!("The database cannot be used: {error:#}");
        None
    })
}

/// Runs `work` until it ends or `stop` is cancelled.
fn beside(
    tasks: &Tasks,
    stop: &CancellationToken,
    work: impl Future<Output = ()> + Send + 'static,
) {
    let stop = stop.clone();
    tasks.spawn(async move {
        stop.run_until_cancelled(work).await;
    });
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
