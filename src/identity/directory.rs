//! Everyone who is known, in memory.
use super::{Caller, Holder, Key, Models, Region};
use crate::store::{Account, Kind, Page, Store, StoreError, Thing, member_id};
use bartizan_layers::cost::{Budget, BudgetWindow};
use bartizan_layers::facts::{NanoUsd, Scope};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Things are read from the store so many at a time.
const PAGE: i64 = 5_000;

/// Whose accounts have holders here, besides keys and the proxy.
const ACCOUNTS: [(Scope, Kind); 6] = [
    (Scope::User, Kind::User),
    (Scope::Team, Kind::Team),
    (Scope::TeamMember, Kind::TeamMember),
    (Scope::Organization, Kind::Organization),
    (Scope::EndUser, Kind::EndUser),
    (Scope::Tag, Kind::Tag),
];

struct OnSpent(Box<Hear>);

type Hear = dyn Fn(&Budget, NanoUsd) + Send + Sync;

impl fmt::Debug for OnSpent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnSpent")
    }
}

/// A SHA-256.
pub(super) type Digest = [u8; 32];

/// Everyone who is known. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Directory(Arc<Tables>);

#[derive(Debug, Default)]
struct Tables {
    keys: RwLock<HashMap<Digest, Arc<Key>, RandomState>>,
    others: [Table; Kind::ALL.len()],
    /// The proxy as a whole.
    proxy: RwLock<(Arc<Holder>, Option<BudgetWindow>)>,
    /// Who else keeps accounts, and has to hear when one is set.
    on_spent: OnceLock<OnSpent>,
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
            Some(holder) => {
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
            let shared = |kind, id: &mut Option<Arc<str>>| {
                let known = id.as_deref().and_then(|id| self.holder(kind, id));
                if let Some(known) = known {
                    *id = Some(known.id.clone());
                }
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

    /// Takes over what a store holds: all of it, or all but the keys, which then come one by one
    /// when they are seen first.
    ///
    /// # Errors
    ///
    /// As the store says; then some of it may be here.
    pub async fn load(&self, store: &Store, keys: bool) -> Result<(), StoreError> {
        for kind in Kind::ALL.into_iter().filter(|kind| keys || *kind != Kind::Key) {
            let mut page = Page { size: PAGE, ..Page::ALL };
            loop {
                let things = store.things(kind, &Default::default(), page).await?;
                things.iter().for_each(|thing| self.apply(kind, &thing.id, Some(thing)));
                if (things.len() as i64) < PAGE {
                    break;
                }
                page.skip += PAGE;
            }
        }
        store.accounts().await?.iter().for_each(|account| self.set_spent(account));
        self.0.complete.store(keys, Relaxed);
        write(&self.0.keys).shrink_to_fit();
        Ok(())
    }

    /// Whether a key that is not here is not in the store either.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.0.complete.load(Relaxed)
    }

    /// Notes after which time the budget of the whole proxy starts anew.
    pub fn set_proxy_window(&self, window: Option<BudgetWindow>) {
        write(&self.0.proxy).1 = window;
    }

    /// After which time the budget of the whole proxy starts anew; `None` is never.
    #[must_use]
    pub fn proxy_window(&self) -> Option<BudgetWindow> {
        read(&self.0.proxy).1
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

    /// Takes over what an account says, where its holder is here.
    pub fn set_spent(&self, account: &Account) {
        self.spent(&account.scope, &account.subject, |holder| holder.spent.set(account));
    }

    /// Has `hear` told of each account that a person sets.
    pub fn on_spent(&self, hear: impl Fn(&Budget, NanoUsd) + Send + Sync + 'static) {
        // The first one counts: there is one ledger.
        self.0.on_spent.get_or_init(|| OnSpent(Box::new(hear)));
    }

    /// Takes over what a person says was spent, for the calls that come.
    pub fn respend(&self, account: &Account) {
        self.set_spent(account);
        let scopes = ACCOUNTS.into_iter().map(|(scope, _)| scope);
        let mut scopes = scopes.chain([Scope::Key, Scope::Global]);
        let scope = scopes.find(|scope| scope.name() == account.scope);
        if let (Some(scope), Some(hear)) = (scope, self.0.on_spent.get()) {
            let mut window = self.proxy_window().filter(|_| scope == Scope::Global);
            if scope != Scope::Global {
                self.spent(&account.scope, &account.subject, |holder| {
                    window = self.money(holder).window;
                });
            }
            let budget = Budget::of(scope, account.subject.as_str(), NanoUsd(0));
            hear.0(&window.into_iter().fold(budget, Budget::per), NanoUsd(account.spend));
        }
    }

    /// Shows the holder of an account to `visit`, if it is here.
    pub fn spent(&self, scope: &str, subject: &str, visit: impl FnOnce(&Holder)) {
        if scope == Scope::Key.name() {
            if let Some(key) = self.key_of(subject) {
                visit(&key.holder);
            }
            return;
        }
        if scope == Scope::Global.name() {
            let proxy = read(&self.0.proxy).0.clone();
            return visit(&proxy);
        }
        let kind = ACCOUNTS.into_iter().find(|(own, _)| own.name() == scope);
        if let Some(holder) = kind.and_then(|(_, kind)| self.holder(kind, subject)) {
            visit(&holder);
        }
    }
}

/// Hexadecimal, as it is spelt everywhere: in lower case.
#[must_use]
pub(super) fn digest_of(id: &str) -> Option<Digest> {
    let mut digest = [0; 32];
    if id.len() != 64 {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(id.as_bytes().chunks_exact(2)) {
        let digit = |at: usize| match pair[at] {
            digit @ b'0'..=b'9' => Some(digit - b'0'),
            digit @ b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(digest)
}

fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
