//! Keys, and whoever else has rules, as they are held in memory: there may be a hundred thousand.
use super::{Money, Role, Rules};
use crate::clock;
use crate::store::{Account, Kind, Thing};
use bartizan_layers::facts::NanoUsd;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// Somebody with rules: a user, a team, an organisation, …, or the part of a [`Key`] that is like
/// theirs.
#[derive(Debug, Default)]
pub struct Holder {
    /// What it is found by; of a key the digest.
    pub id: Arc<str>,
    /// What people call it.
    pub alias: Option<Box<str>>,
    /// Whether it may do nothing now.
    pub blocked: bool,
    /// The organisation that a team belongs to.
    pub organization: Option<Arc<str>>,
    /// What a user may do with the proxy itself.
    pub role: Role,
    /// `None` is no bounds. Equal ones are held once.
    pub rules: Option<Arc<Rules>>,
    /// What it may spend, if that is bounded. Apart from the rules: two keys that differ in
    /// nothing else are common.
    pub money: Option<Box<Money>>,
    /// What it has spent, as this process knows.
    pub spent: Spent,
}

/// A virtual key.
#[derive(Debug)]
pub struct Key {
    /// Its digest, its alias, its rules.
    pub holder: Holder,
    /// Whose it is.
    pub user: Option<Arc<str>>,
    /// For which team it is.
    pub team: Option<Arc<str>>,
    /// For which organisation it is.
    pub organization: Option<Arc<str>>,
    /// When its time is over, in milliseconds since 1970; `i64::MAX` is never.
    pub expires: i64,
}

/// What was spent in a window: as the store said, and what calls of this process have added since.
#[derive(Debug)]
pub struct Spent {
    amount: AtomicI64,
    /// When the window ends, in seconds since 1970; `i64::MAX` is never.
    until: AtomicI64,
}

impl Default for Spent {
    fn default() -> Self {
        Self { amount: AtomicI64::new(0), until: AtomicI64::new(i64::MAX) }
    }
}

impl Spent {
    /// Takes over what an account says.
    pub fn set(&self, account: &Account) {
        self.amount.store(account.spend, Relaxed);
        self.until.store(account.until.unwrap_or(i64::MAX), Relaxed);
    }

    /// Takes over what another one says.
    pub(super) fn copy(&self, other: &Self) {
        self.amount.store(other.amount.load(Relaxed), Relaxed);
        self.until.store(other.until.load(Relaxed), Relaxed);
    }

    /// What was spent in the window that is open at `now`, in seconds since 1970.
    #[must_use]
    pub fn amount(&self, now: i64) -> NanoUsd {
        let open = now < self.until.load(Relaxed);
        NanoUsd(if open { self.amount.load(Relaxed) } else { 0 })
    }

    /// When the window ends, in seconds since 1970, if it has an end and that is still to come.
    #[must_use]
    pub fn until(&self, now: i64) -> Option<i64> {
        Some(self.until.load(Relaxed)).filter(|until| *until != i64::MAX && now < *until)
    }

    /// Adds what a call has cost that ended at `now`, in a window that ends at `until`.
    pub fn add(&self, cost: NanoUsd, now: i64, until: Option<i64>) {
        if self.until.load(Relaxed) <= now {
            self.amount.store(0, Relaxed);
        }
        self.until.store(until.unwrap_or(i64::MAX), Relaxed);
        self.amount.fetch_add(cost.0, Relaxed);
    }
}

impl Holder {
    /// What a thing says that has an effect.
    #[must_use]
    pub fn of(thing: &Thing) -> Self {
        let alias = ["key_alias", "team_alias", "organization_alias", "user_email", "alias"];
        let flag = |name: &str| thing.doc.get(name).and_then(Value::as_bool).unwrap_or(false);
        Self {
            id: thing.id.as_str().into(),
            alias: alias.into_iter().find_map(|field| thing.text(field)).map(Into::into),
            blocked: flag("blocked"),
            organization: thing.text("organization_id").map(Into::into),
            role: match (thing.kind, thing.text("user_role")) {
                (_, Some(role)) => Role::named(role),
                (Kind::User, None) => Role::User,
                _ => Role::None,
            },
            rules: Rules::of(&thing.doc).map(Arc::new),
            money: Some(Money::of(&thing.doc)).filter(|it| *it != Money::default()).map(Box::new),
            spent: Spent::default(),
        }
    }
}

impl Key {
    /// What a thing says that has an effect.
    #[must_use]
    pub fn of(thing: &Thing) -> Self {
        let own = |field| thing.text(field).map(Into::into);
        Self {
            holder: Holder::of(thing),
            user: own("user_id"),
            team: own("team_id"),
            organization: own("organization_id"),
            expires: thing.text("expires").and_then(clock::parse).unwrap_or(i64::MAX),
        }
    }
}
