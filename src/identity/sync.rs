//! How a change reaches the other processes.
use super::accounts::scope_of;
use super::{Directory, Setter};
use crate::clock;
use crate::store::{Heard, Kind, News, Store, StoreError};
use std::time::Duration;
use tokio::time::timeout;

/// How often the store is asked for changes. A change is heard of within a second.
const EVERY: Duration = Duration::from_millis(500);
/// So long may it take to tell them.
const PATIENCE: Duration = Duration::from_secs(5);

/// Keeps a [`Directory`] as a store has it.
#[derive(Debug)]
pub struct Following {
    store: Store,
    directory: Directory,
    /// Whether all keys are held, or those that were seen.
    all_keys: bool,
    /// The last change that is known; `None` before anything was read.
    seen: Option<i64>,
}

impl Following {
    /// Follows `store`: with all keys, or with those only that are seen.
    #[must_use]
    pub const fn new(store: Store, directory: Directory, all_keys: bool) -> Self {
        Self { store, directory, all_keys, seen: None }
    }

    /// Reads what there is, and from then on what changes.
    ///
    /// # Errors
    ///
    /// While the store cannot be reached; then the last copy stays in force.
    pub async fn catch_up(&mut self) -> Result<(), StoreError> {
        // What is read at first may be much.
        let done = match self.seen {
            Some(_) => {
                timeout(PATIENCE, self.read_on()).await.map_err(|_| StoreError::late()).flatten()
            }
            None => self.read_on().await,
        };
        self.directory.set_away(done.is_err());
        done
    }

    async fn read_on(&mut self) -> Result<(), StoreError> {
        let Some(seen) = self.seen else {
            // Before the rest: what changes while it is read is read again.
            let last = self.store.last_change().await?;
            self.directory.load(&self.store, self.all_keys).await?;
            self.seen = Some(last);
            return Ok(());
        };
        let heard = self.store.changes_since(seen).await?;
        for Heard { seq, news } in &heard {
            match news {
                Some(News::Thing(kind, id)) => self.hear_of(*kind, id).await?,
                Some(News::Account(scope, subject)) => self.recount(scope, subject).await?,
                None => {}
            }
            self.seen = Some(*seq);
        }
        self.read_purses().await
    }

    async fn hear_of(&self, kind: Kind, id: &str) -> Result<(), StoreError> {
        let is_known = match kind {
            Kind::Key => self.directory.key_of(id).is_some(),
            kind => self.directory.holder(kind, id).is_some(),
        };
        if kind == Kind::Key && !self.all_keys && !is_known {
            return Ok(());
        }
        let thing = self.store.thing(kind, id).await?;
        if thing.is_none() && is_known {
            self.directory.forget_spent(kind, id, Setter::Elsewhere);
        }
        self.directory.apply(kind, id, thing.as_ref());
        // It may have spent something under another name.
        if let (Some(_), false, Some(scope)) = (thing, is_known, scope_of(kind)) {
            let accounts = match kind {
                Kind::Key => self.store.accounts_of_key(id).await?,
                _ => vec![self.store.account(scope.name(), id).await?],
            };
            accounts.iter().for_each(|account| self.directory.set_spent(account));
        }
        Ok(())
    }

    /// Somebody has set an account.
    async fn recount(&self, scope: &str, subject: &str) -> Result<(), StoreError> {
        let account = self.store.account(scope, subject).await?;
        let mut is_known = false;
        self.directory.spent(scope, subject, |_| is_known = true);
        if is_known {
            self.directory.respend(&account, Setter::Elsewhere);
        }
        Ok(())
    }

    /// What other processes have spent at deployments and providers that are bounded.
    async fn read_purses(&self) -> Result<(), StoreError> {
        let purses = self.directory.purses();
        if purses.are_bounded() {
            let now = clock::now() / 1000;
            let accounts = self.store.accounts_in(["deployment", "provider"]).await?;
            accounts.iter().for_each(|account| purses.hear(account, now));
        }
        Ok(())
    }

    /// Does so for good.
    pub async fn run(mut self) {
        loop {
            let was_away = self.directory.is_away();
            match self.catch_up().await {
                Ok(()) if was_away => {
                    tracing::info!("The store is back: keys are followed again");
                }
                Err(error) if !was_away => tracing::warn!(
                    %error,
                    "The store is away: keys, teams and budgets stay as they were"
                ),
                Ok(()) | Err(_) => {}
            }
            // Not all processes at once.
            tokio::time::sleep(EVERY.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
        }
    }
}
