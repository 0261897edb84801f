//! Everyone who is known, in memory.
use super::accounts::Accounts;
use super::digest::{Digest, digest_of};
use super::interned::Interned;
use super::purse::Purses;
use super::revoked::Revoked;
use super::{Caller, Holder, Key, Models, Money, Region, Rules};
use crate::store::{Kind, Store, StoreError, Thing, member_id};
use arc_swap::ArcSwapOption;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Things are read from the store so many at a time: memory that is needed for them stays taken.
const PART: i64 = 500;

/// Everyone who is known. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Directory(Arc<Tables>);

#[derive(Debug, Default)]
struct Tables {
    keys: RwLock<HashMap<Digest, Arc<Key>, RandomState>>,
    others: [Table; Kind::ALL.len()],
    rules: Mutex<Interned<Rules>>,
    /// Of users, teams and organisations that are not here themselves.
    names: Mutex<Interned<str>>,
    /// The proxy as a whole.
    proxy: RwLock<(Arc<Holder>, Money)>,
    /// Deployments and providers.
    purses: Purses,
    accounts: Accounts,
    /// What the store has not heard of yet.
    revoked: ArcSwapOption<Revoked>,
    models: Models,
    /// Whether all things of the store are here.
    complete: AtomicBool,
    /// Whether the store was out of reach when it was asked last.
    away: AtomicBool,
}

/// Holders of one kind, by their ids.
#[derive(Debug, Default)]
struct Table {
    holders: RwLock<HashMap<Arc<str>, Arc<Holder>, RandomState>>,
    /// So that nobody looks into an empty one.
    count: AtomicUsize,
}

impl Directory {
    /// The key with this digest.
    pub(super) fn key(&self, digest: &Digest) -> Option<Arc<Key>> {
        read(&self.0.keys).get(digest).cloned()
    }

    /// The key whose digest this is in hexadecimal.
    #[must_use]
    pub fn key_of(&self, id: &str) -> Option<Arc<Key>> {
        self.key(&digest_of(id)?)
    }

    /// The holder of a kind with this id; no keys.
    #[must_use]
    pub fn holder(&self, kind: Kind, id: &str) -> Option<Arc<Holder>> {
        let table = &self.0.others[kind as usize];
        if table.count.load(Relaxed) == 0 {
            return None;
        }
        read(&table.holders).get(id).cloned()
    }

    /// Shows all keys that are here to `visit`, in no order.
    pub fn each_key(&self, visit: impl FnMut(&Arc<Key>)) {
        read(&self.0.keys).values().for_each(visit);
    }

    /// Shows all holders of a kind to `visit`, in no order; no keys.
    pub fn each(&self, kind: Kind, visit: impl FnMut(&Arc<Holder>)) {
        read(&self.0.others[kind as usize].holders).values().for_each(visit);
    }

    /// Where the models of an end user must be.
    #[must_use]
    pub fn region(&self, end_user: &str) -> Option<Region> {
        let holder = self.holder(Kind::EndUser, end_user)?;
        holder.rules.as_ref()?.region.clone().map(Region)
    }

    /// A user as a member of a team.
    #[must_use]
    pub fn member(&self, team: &str, user: &str) -> Option<Arc<Holder>> {
        if self.0.others[Kind::TeamMember as usize].count.load(Relaxed) == 0 {
            return None;
        }
        self.holder(Kind::TeamMember, &member_id(team, user))
    }

    /// A key with all that stands above it.
    #[must_use]
    pub fn caller(&self, key: Arc<Key>) -> Caller {
        let above = |kind, id: Option<&Arc<str>>| id.and_then(|id| self.holder(kind, id));
        let (user, team) = (key.user.as_ref(), key.team.as_ref());
        let member = team.zip(user).and_then(|(team, user)| self.member(team, user));
        let (user, team) = (above(Kind::User, user), above(Kind::Team, team));
        // A key that says nothing is of the organisation that its team is of.
        let of_team = || team.as_ref()?.organization.as_ref();
        let organization = above(Kind::Organization, key.organization.as_ref().or_else(of_team));
        Caller { user, team, organization, member, key }
    }

    /// The key that people call so, where it is here.
    #[must_use]
    pub fn key_called(&self, alias: &str) -> Option<Arc<Key>> {
        let keys = read(&self.0.keys);
        keys.values().find(|key| key.holder.alias.as_deref() == Some(alias)).cloned()
    }

    /// Replaces what is revoked without a word of the store.
    pub fn set_revoked(&self, revoked: Revoked) {
        self.0.revoked.store(Some(Arc::new(revoked)).filter(|revoked| !revoked.is_empty()));
    }

    /// What is revoked without a word of the store, if anything is.
    pub(super) fn revoked(&self) -> Option<Arc<Revoked>> {
        self.0.revoked.load_full()
    }

    /// How models that were added at run time come into force.
    #[must_use]
    pub fn models(&self) -> &Models {
        &self.0.models
    }

    /// Takes over what a thing is now; `None` if it is gone.
    pub fn apply(&self, kind: Kind, id: &str, thing: Option<&Thing>) {
        if kind == Kind::Model {
            return self.0.models.change();
        }
        if kind == Kind::Key {
            return self.apply_key(id, thing);
        }
        let table = &self.0.others[kind as usize];
        let mut holders = write(&table.holders);
        match thing.map(Holder::of) {
            Some(mut holder) => {
                self.intern(&mut holder);
                if let Some(before) = holders.get(id) {
                    holder.spent.copy(&before.spent);
                }
                holders.insert(holder.id.clone(), Arc::new(holder));
            }
            None => drop(holders.remove(id)),
        }
        table.count.store(holders.len(), Relaxed);
    }

    fn apply_key(&self, id: &str, thing: Option<&Thing>) {
        let Some(digest) = digest_of(id) else { return };
        let mut key = thing.map(Key::of);
        // Most keys of a user or a team share their names.
        if let Some(key) = &mut key {
            self.intern(&mut key.holder);
            let shared = |kind, id: &mut Option<Arc<str>>| {
                *id = id.take().map(|id| match self.holder(kind, &id) {
                    Some(known) => known.id.clone(),
                    None => lock(&self.0.names).one(id),
                });
            };
            shared(Kind::User, &mut key.user);
            shared(Kind::Team, &mut key.team);
            shared(Kind::Organization, &mut key.organization);
        }
        let mut keys = write(&self.0.keys);
        match key {
            Some(key) => {
                if let Some(before) = keys.get(&digest) {
                    key.holder.spent.copy(&before.holder.spent);
                }
                keys.insert(digest, Arc::new(key));
            }
            None => drop(keys.remove(&digest)),
        }
    }

    fn intern(&self, holder: &mut Holder) {
        if let Some(rules) = holder.rules.take() {
            holder.rules = Some(lock(&self.0.rules).one(rules));
        }
    }

    /// Takes over what a store holds: all of it, or all but the keys, which then come one by one
    /// when they are seen first.
    ///
    /// # Errors
    ///
    /// As the store says; then some of it may be here.
    pub async fn load(&self, store: &Store, keys: bool) -> Result<(), StoreError> {
        for kind in Kind::ALL.into_iter().filter(|kind| keys || *kind != Kind::Key) {
            let mut after = String::new();
            loop {
                let things = store.things_after(kind, &after, PART).await?;
                things.iter().for_each(|thing| self.apply(kind, &thing.id, Some(thing)));
                let Some(last) = things.last() else { break };
                after.clone_from(&last.id);
            }
        }
        let mut after = (String::new(), String::new());
        loop {
            let accounts = store.accounts_after((&after.0, &after.1), PART).await?;
            accounts.iter().for_each(|account| self.set_spent(account));
            let Some(last) = accounts.last() else { break };
            after = (last.scope.clone(), last.subject.clone());
        }
        self.0.complete.store(keys, Relaxed);
        write(&self.0.keys).shrink_to_fit();
        Ok(())
    }

    /// Whether a key that is not here is not in the store either.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.0.complete.load(Relaxed)
    }

    /// Notes what the whole proxy may spend.
    pub fn set_proxy_money(&self, money: Money) {
        write(&self.0.proxy).1 = money;
    }

    /// What the whole proxy may spend.
    #[must_use]
    pub fn proxy_money(&self) -> Money {
        read(&self.0.proxy).1
    }

    pub(super) fn purses(&self) -> &Purses {
        &self.0.purses
    }

    /// Notes whether the store can be reached.
    pub(super) fn set_away(&self, away: bool) {
        self.0.away.store(away, Relaxed);
    }

    /// Whether the store was out of reach when it was asked last.
    pub(super) fn is_away(&self) -> bool {
        self.0.away.load(Relaxed)
    }

    /// How many keys are here.
    #[must_use]
    pub fn keys(&self) -> usize {
        read(&self.0.keys).len()
    }

    /// The proxy as a whole.
    pub(super) fn proxy(&self) -> Arc<Holder> {
        read(&self.0.proxy).0.clone()
    }

    pub(super) fn accounts(&self) -> &Accounts {
        &self.0.accounts
    }
}

pub(super) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
