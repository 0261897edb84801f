//! Keys that were never seen here, where not all of them are held in memory.
use super::Directory;
use super::digest::Digest;
use crate::store::{Kind, Store, Thing, member_id};
use bartizan_layers::BoxError;
use bartizan_layers::facts::Scope;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

/// What a store did not have, it is not asked for again so soon.
const MISSING: Duration = Duration::from_secs(1);
/// So many missing keys are remembered.
const REMEMBERED: usize = 4_096;
/// So many keys are asked for at once; further ones have to come again.
const ASKING: usize = 64;
/// So long may the answer take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks a store for keys that were never seen, and not for each guess of a stranger.
#[derive(Debug)]
pub(super) struct Unseen {
    store: Store,
    directory: Directory,
    /// Keys that it did not have, and when that was.
    missing: Mutex<HashMap<Digest, Instant, RandomState>>,
    /// How many may ask at once.
    room: Semaphore,
}

impl Unseen {
    pub(super) fn new(store: Store, directory: Directory) -> Self {
        Self { store, directory, missing: Mutex::default(), room: Semaphore::new(ASKING) }
    }

    /// Looks for a key, and puts it into the directory if there is one.
    ///
    /// # Errors
    ///
    /// While the store is away, or too many are looked for.
    pub(super) async fn look_for(&self, digest: &Digest) -> Result<bool, BoxError> {
        let id: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let _room = self.room.try_acquire().map_err(|_| "too many keys are looked for")?;
        let found = timeout(PATIENCE, self.bring(&id)).await??;
        if !found {
            self.miss(*digest);
        }
        Ok(found)
    }

    async fn bring(&self, id: &str) -> Result<bool, BoxError> {
        let Some(key) = self.store.thing(Kind::Key, id).await? else { return Ok(false) };
        // First what bounds it: what was made a moment ago with the key, nobody has told us yet.
        let team = match key.text("team_id") {
            Some(team) => self.above(Kind::Team, Scope::Team, team).await?,
            None => None,
        };
        let of_team = team.as_ref().and_then(|team| team.text("organization_id"));
        if let Some(id) = key.text("organization_id").or(of_team) {
            self.above(Kind::Organization, Scope::Organization, id).await?;
        }
        if let Some(user) = key.text("user_id") {
            self.above(Kind::User, Scope::User, user).await?;
            if let Some(team) = key.text("team_id") {
                let member = member_id(team, user);
                self.above(Kind::TeamMember, Scope::TeamMember, &member).await?;
            }
        }
        self.budget_of(&key).await?;
        let accounts = self.store.accounts_of_key(id).await?;
        self.directory.apply(Kind::Key, id, Some(&key));
        accounts.iter().for_each(|account| self.directory.set_spent(account));
        Ok(true)
    }

    /// Reads what stands above a key, with its budget and its account, unless it is known.
    async fn above(&self, kind: Kind, scope: Scope, id: &str) -> Result<Option<Thing>, BoxError> {
        if self.directory.holder(kind, id).is_some() {
            return Ok(None);
        }
        let Some(thing) = self.store.thing(kind, id).await? else { return Ok(None) };
        self.budget_of(&thing).await?;
        let account = self.store.account(scope.name(), id).await?;
        self.directory.apply(kind, id, Some(&thing));
        self.directory.set_spent(&account);
        Ok(Some(thing))
    }

    async fn budget_of(&self, thing: &Thing) -> Result<(), BoxError> {
        let Some(id) = thing.text("budget_id") else { return Ok(()) };
        if self.directory.holder(Kind::Budget, id).is_none() {
            let budget = self.store.thing(Kind::Budget, id).await?;
            self.directory.apply(Kind::Budget, id, budget.as_ref());
        }
        Ok(())
    }

    /// Whether the store did not have it just now.
    pub(super) fn misses(&self, digest: &Digest) -> bool {
        self.missing().get(digest).is_some_and(|at| at.elapsed() < MISSING)
    }

    fn miss(&self, digest: Digest) {
        let mut missing = self.missing();
        if missing.len() >= REMEMBERED {
            missing.retain(|_, at| at.elapsed() < MISSING);
        }
        if missing.len() < REMEMBERED {
            missing.insert(digest, Instant::now());
        }
    }

    fn missing(&self) -> MutexGuard<'_, HashMap<Digest, Instant, RandomState>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
