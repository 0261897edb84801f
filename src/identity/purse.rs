//! What deployments and providers have spent: the router leaves out those that have spent theirs.
use super::Directory;
use crate::store::Account;
use bartizan_layers::facts::{NanoUsd, Scope};
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// What a deployment or a provider has spent. Its window begins with the first call that costs
/// anything and lasts for a fixed time: it does not follow the calendar (contract 7.3).
#[derive(Debug, Default)]
pub struct Purse(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    spent: NanoUsd,
    /// When the window ends, in seconds since 1970.
    until: Option<i64>,
    /// How many seconds a window lasts; `None` is for good.
    lasts: Option<i64>,
}

impl Held {
    fn is_open(&self, now: i64) -> bool {
        match self.until {
            // What was spent before there were windows is in none.
            None => self.lasts.is_none(),
            Some(until) => now < until,
        }
    }

    fn spent(&self, now: i64) -> NanoUsd {
        if self.is_open(now) { self.spent } else { NanoUsd(0) }
    }
}

impl Purse {
    /// What was spent in the window that is open at `now`, in seconds since 1970.
    #[must_use]
    pub fn spent(&self, now: i64) -> NanoUsd {
        self.held().spent(now)
    }

    /// When the window ends that is open at `now`, if it has begun and has an end.
    #[must_use]
    pub fn until(&self, now: i64) -> Option<i64> {
        self.held().until.filter(|until| now < *until)
    }

    /// Pays for a call that ended at `now`; says when the window ends.
    fn pay(&self, cost: NanoUsd, now: i64) -> Option<i64> {
        let mut held = self.held();
        if !held.is_open(now) {
            held.spent = NanoUsd(0);
            held.until = held.lasts.map(|lasts| now.saturating_add(lasts));
        }
        held.spent += cost;
        held.until
    }

    /// Takes over what an account says.
    fn set(&self, account: &Account) {
        let mut held = self.held();
        (held.spent, held.until) = (NanoUsd(account.spend), account.until);
    }

    /// Takes over what others have spent beside this process: an account knows less of this one.
    fn hear(&self, account: &Account, now: i64) {
        let mut held = self.held();
        let own = held.spent(now);
        let told = Held { until: account.until, lasts: held.lasts, ..Held::default() };
        if told.is_open(now) {
            (held.spent, held.until) = (own.max(NanoUsd(account.spend)), account.until);
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Purses by whose they are.
type Table = RwLock<HashMap<Arc<str>, Arc<Purse>, RandomState>>;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Purses {
    deployments: Table,
    providers: Table,
    /// Whether any of them is bounded.
    bounded: AtomicBool,
}

impl Purses {
    /// That of an account; a new one if it has none. `None` where it is nobody's who has a purse.
    fn of(&self, scope: &str, subject: &str) -> Option<Arc<Purse>> {
        let table = match scope {
            _ if scope == Scope::Deployment.name() => &self.deployments,
            _ if scope == Scope::Provider.name() => &self.providers,
            _ => return None,
        };
        let found = table.read().unwrap_or_else(PoisonError::into_inner).get(subject).cloned();
        Some(found.unwrap_or_else(|| {
            let mut table = table.write().unwrap_or_else(PoisonError::into_inner);
            table.entry(subject.into()).or_default().clone()
        }))
    }

    /// Pays for a call that ended at `now`; says when the window of the account ends.
    fn pay(&self, (scope, subject): (Scope, &str), cost: NanoUsd, now: i64) -> Option<i64> {
        self.of(scope.name(), subject)?.pay(cost, now)
    }

    /// Bounds those in `bounds`, each with the seconds that its window lasts, and no others.
    fn bound(&self, bounds: &[(Arc<Purse>, Option<i64>)]) {
        for table in [&self.deployments, &self.providers] {
            let all = table.read().unwrap_or_else(PoisonError::into_inner);
            all.values().for_each(|purse| purse.held().lasts = None);
        }
        for (purse, lasts) in bounds {
            purse.held().lasts = *lasts;
        }
        self.bounded.store(!bounds.is_empty(), Relaxed);
    }

    /// Whether any of them is bounded.
    pub(super) fn are_bounded(&self) -> bool {
        self.bounded.load(Relaxed)
    }

    /// Takes over what an account says, where it is a purse's.
    pub(super) fn set(&self, account: &Account) {
        if let Some(purse) = self.of(&account.scope, &account.subject) {
            purse.set(account);
        }
    }

    /// Takes over what others have spent.
    pub(super) fn hear(&self, account: &Account, now: i64) {
        if let Some(purse) = self.of(&account.scope, &account.subject) {
            purse.hear(account, now);
        }
    }
}

impl Directory {
    /// What a deployment or a provider has spent; `None` of anybody else.
    #[must_use]
    pub fn purse(&self, scope: Scope, subject: &str) -> Option<Arc<Purse>> {
        self.purses().of(scope.name(), subject)
    }

    /// Bounds these, each with the seconds that its window lasts, and no others.
    pub fn bound_purses(&self, bounds: &[(Arc<Purse>, Option<i64>)]) {
        self.purses().bound(bounds);
    }

    /// Pays for a call that ended at `now`, in seconds since 1970, out of the account of a
    /// deployment or a provider; says when its window ends.
    pub fn pay(&self, of: (Scope, &str), cost: NanoUsd, now: i64) -> Option<i64> {
        self.purses().pay(of, cost, now)
    }
}

#[cfg(test)]
mod tests {
    use super::{Purse, Purses};
    use crate::store::Account;
    use bartizan_layers::facts::{NanoUsd, Scope};

    fn account(spend: i64, until: Option<i64>) -> Account {
        Account { scope: "provider".into(), subject: "openai".into(), spend, until }
    }

    #[test]
    fn a_window_begins_with_the_first_call_and_lasts_its_time() {
        let purses = Purses::default();
        let purse = purses.of("provider", "openai").unwrap();
        // What was spent before there were windows is in none.
        purses.set(&account(7, None));
        assert_eq!(purse.spent(0), NanoUsd(7));
        purses.bound(&[(purse.clone(), Some(100))]);
        assert_eq!((purse.spent(5), purse.until(5)), (NanoUsd(0), None));
        assert_eq!(purses.pay((Scope::Provider, "openai"), NanoUsd(3), 10), Some(110));
        assert_eq!(purses.pay((Scope::Provider, "openai"), NanoUsd(2), 109), Some(110));
        assert_eq!((purse.spent(109), purse.until(109)), (NanoUsd(5), Some(110)));
        assert_eq!((purse.spent(110), purse.until(110)), (NanoUsd(0), None));
        assert_eq!(purses.pay((Scope::Provider, "openai"), NanoUsd(1), 200), Some(300));
        assert_eq!(purse.spent(200), NanoUsd(1));
    }

    #[test]
    fn what_others_have_spent_counts_and_takes_nothing_away() {
        let purses = Purses::default();
        let purse = purses.of("provider", "openai").unwrap();
        purses.bound(&[(purse.clone(), Some(100))]);
        purses.pay((Scope::Provider, "openai"), NanoUsd(5), 10);
        purses.hear(&account(3, Some(108)), 20);
        assert_eq!((purse.spent(20), purse.until(20)), (NanoUsd(5), Some(108)));
        purses.hear(&account(9, Some(108)), 20);
        assert_eq!(purse.spent(20), NanoUsd(9));
        purses.hear(&account(50, Some(15)), 20);
        purses.hear(&account(50, None), 20);
        assert_eq!(purse.spent(20), NanoUsd(9));
    }

    #[test]
    fn without_a_window_everything_counts() {
        let purse = Purse::default();
        purse.pay(NanoUsd(5), 10);
        purse.pay(NanoUsd(5), 1_000_000);
        assert_eq!((purse.spent(2_000_000), purse.until(0)), (NanoUsd(10), None));
        purse.hear(&account(20, None), 0);
        assert_eq!(purse.spent(0), NanoUsd(20));
    }
}
