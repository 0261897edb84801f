//! Whose the objects are that upstream providers keep for calls: files, batches, responses, …. In
//! the provider's eyes they are all the proxy's.
use crate::clock;
use crate::store::{Store, StoreError};
use bartizan_layers::facts::Principal;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

/// Who shares objects: a team; a user, where a key is of no team; a key that is of neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant(Arc<str>);

/// Whom the objects of admins belong to.
const ADMIN: &str = "admin";

impl Tenant {
    /// For whom a principal calls.
    #[must_use]
    pub fn of(principal: &Principal) -> Self {
        match principal {
            Principal { admin: true, .. } => Self(ADMIN.into()),
            Principal { team: Some(team), .. } => Self::team(team),
            Principal { user, .. } if !user.is_empty() => Self::user(user),
            Principal { key, .. } => Self::key(key),
        }
    }

    /// The proxy's admins.
    #[must_use]
    pub fn admin() -> Self {
        Self(ADMIN.into())
    }

    /// The team with that id.
    #[must_use]
    pub fn team(id: &str) -> Self {
        Self(format!("team:{id}").into())
    }

    /// The user with that id, with keys of no team.
    #[must_use]
    pub fn user(id: &str) -> Self {
        Self(format!("user:{id}").into())
    }

    /// The key with that digest, of no user and no team.
    #[must_use]
    pub fn key(id: &str) -> Self {
        Self(format!("key:{id}").into())
    }

    /// Whether all objects are open to it.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        &*self.0 == ADMIN
    }

    /// As the store has it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// So many objects are remembered that the store does not have yet.
const MOST: usize = 10_000;
/// So many are written at once.
const BATCH: usize = 500;
/// For so long others are waited for, to be written with the first.
const GATHER: Duration = Duration::from_millis(50);
/// The pause after a failure of the store.
const PAUSE: Duration = Duration::from_secs(1);
/// How often what providers have forgotten is looked for.
const SWEEP: Duration = Duration::from_hours(24);
/// So long owners of responses are known: providers keep these for 30 days.
const KEPT: Duration = Duration::from_hours(24 * 60);

/// Knows whose each object is. Clones are one.
#[derive(Clone, Debug)]
pub struct Owners(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Store,
    /// What the store does not have yet.
    pending: Mutex<HashMap<Box<str>, Tenant, RandomState>>,
    some: Notify,
}

impl Owners {
    /// Keeps them in `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self(Arc::new(Shared { store, pending: Mutex::default(), some: Notify::new() }))
    }

    /// The owners of those of these objects that have one, by their ids.
    ///
    /// # Errors
    ///
    /// As the store says.
    pub async fn of(&self, ids: &[&str]) -> Result<HashMap<Box<str>, Tenant>, StoreError> {
        let known = {
            let pending = self.pending();
            let known = ids.iter().filter_map(|id| pending.get_key_value(*id));
            known.map(|(id, tenant)| (id.clone(), tenant.clone())).collect::<HashMap<_, _>>()
        };
        let unknown: Vec<_> = ids.iter().copied().filter(|id| !known.contains_key(*id)).collect();
        let mut all = known;
        let stored = self.0.store.owners_of(&unknown).await?;
        all.extend(stored.into_iter().map(|(id, owner)| (id.into(), Tenant(owner.into()))));
        Ok(all)
    }

    /// Gives objects to their owner before it goes on, but for those that have one.
    pub async fn keep(&self, ids: Vec<Box<str>>, tenant: &Tenant) {
        let owned: Vec<_> = ids.into_iter().map(|id| (id, tenant.clone())).collect();
        if let Err(error) = self.write(&owned).await {
            tracing::debug!(%error, "Who owns an object is written later");
            owned.iter().for_each(|(id, _)| self.note(id, tenant));
        }
    }

    /// Gives an object to its owner soon, unless it has one.
    pub fn note(&self, id: &str, tenant: &Tenant) {
        let mut pending = self.pending();
        if pending.len() < MOST {
            pending.insert(id.into(), tenant.clone());
            self.0.some.notify_one();
        } else {
            tracing::warn!("The store is behind: an object at a provider stays without an owner");
        }
    }

    /// Forgets an object that is gone.
    pub async fn forget(&self, id: &str) {
        self.pending().remove(id);
        let forgotten = async {
            let mut work = self.0.store.work().await?;
            work.forget_object(id).await?;
            work.commit().await
        };
        if let Err(error) = forgotten.await {
            tracing::debug!(%error, "An object that is gone keeps its owner");
        }
    }

    /// Writes what is pending, for good.
    pub async fn run(self) {
        let mut sweep = Instant::now();
        loop {
            if Instant::now() >= sweep {
                sweep = Instant::now() + SWEEP;
                if let Err(error) = self.sweep().await {
                    tracing::debug!(%error, "Owners of old responses stay");
                }
            }
            if timeout_at(sweep, self.0.some.notified()).await.is_err() {
                continue;
            }
            sleep(GATHER).await;
            while let Err(error) = self.flush().await {
                tracing::debug!(%error, "Who owns objects is written later");
                sleep(PAUSE).await;
            }
        }
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        let kept = i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX);
        let mut work = self.0.store.work().await?;
        work.forget_responses(clock::now() - kept).await?;
        work.commit().await
    }

    /// Writes what is pending.
    ///
    /// # Errors
    ///
    /// As the store says; then what was not written stays pending.
    pub async fn flush(&self) -> Result<(), StoreError> {
        loop {
            let some: Vec<_> = {
                let pending = self.pending();
                let some = pending.iter().take(BATCH);
                some.map(|(id, tenant)| (id.clone(), tenant.clone())).collect()
            };
            if some.is_empty() {
                return Ok(());
            }
            self.write(&some).await?;
            let mut pending = self.pending();
            some.iter().for_each(|(id, _)| drop(pending.remove(id)));
        }
    }

    async fn write(&self, owned: &[(Box<str>, Tenant)]) -> Result<(), StoreError> {
        let mut work = self.0.store.work().await?;
        for (id, tenant) in owned {
            work.own(id, tenant.name()).await?;
        }
        work.commit().await
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<Box<str>, Tenant, RandomState>> {
        self.0.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Owners, Tenant};
    use crate::clock;
    use crate::store::{Place, Store};

    #[tokio::test]
    async fn the_first_owner_stays_and_old_responses_are_forgotten() {
        let store = Store::open(Place::Memory).await.unwrap();
        let owners = Owners::new(store.clone());
        let (blue, red) = (Tenant::team("blue"), Tenant::user("red"));
        owners.keep(vec!["file-1".into()], &blue).await;
        owners.note("resp_1", &blue);
        let of = |id: &'static str| {
            let owners = owners.clone();
            async move { owners.of(&[id]).await.unwrap().remove(id) }
        };
        assert_eq!(of("resp_1").await, Some(blue.clone()));
        owners.flush().await.unwrap();
        owners.keep(vec!["file-1".into(), "resp_1".into()], &red).await;
        assert_eq!(
            (of("file-1").await, of("resp_1").await),
            (Some(blue.clone()), Some(blue.clone()))
        );
        owners.sweep().await.unwrap();
        assert_eq!(of("resp_1").await, Some(blue.clone()));
        let mut work = store.work().await.unwrap();
        let old = clock::now() - i64::try_from(KEPT.as_millis()).unwrap() - 1;
        let sql = "UPDATE objects SET at = $1";
        work.execute(sql, &[old.into()]).await.unwrap();
        work.commit().await.unwrap();
        owners.sweep().await.unwrap();
        assert_eq!((of("file-1").await, of("resp_1").await), (Some(blue), None));
        owners.forget("file-1").await;
        assert_eq!(of("file-1").await, None);
    }
}
