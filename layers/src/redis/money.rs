//! What budgets have spent, as Redis knows it and as this process does.
use super::level::{Count, Level, Take, key, millis};
use super::outage::read;
use super::queue::Ended;
use super::{Outage, Redis};
use ::redis::cmd;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// Budgets of which it is known what they had spent. Names may come from clients: beyond so many
/// all are forgotten, and a counter that Redis loses is seeded from the store alone.
const ACCOUNTS: usize = 16_384;

/// What each budget had spent when it was last heard of, and until when that holds.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<Box<str>, (i64, Option<Instant>)>);

impl Known {
    fn get(&self, account: &str) -> Option<i64> {
        let open = |until: &Option<Instant>| until.is_none_or(|until| until > Instant::now());
        self.0.get(account).filter(|(_, until)| open(until)).map(|(spent, _)| *spent)
    }

    fn set(&mut self, account: Box<str>, count: Count) {
        let left = u64::try_from(count.left).ok().map(Duration::from_millis);
        let until = left.and_then(|left| Instant::now().checked_add(left));
        if self.0.len() >= ACCOUNTS && !self.0.contains_key(&account) {
            self.0.clear();
        }
        self.0.insert(account, (count.mark, until));
    }

    fn add(&mut self, account: &str, cost: i64) {
        if let Some((spent, _)) = self.0.get_mut(account) {
            *spent = spent.saturating_add(cost);
        }
    }
}

impl Redis {
    /// What a budget has spent, where Redis does not know: as the store says or as was last seen,
    /// whichever is more.
    pub(crate) fn seed(&self, level: &Level) -> i64 {
        self.seen(level).unwrap_or(0).max(stored(level))
    }

    /// The same, where the store is asked only if nothing was seen.
    pub(super) fn last_known(&self, level: &Level) -> i64 {
        self.seen(level).unwrap_or_else(|| stored(level))
    }

    fn seen(&self, level: &Level) -> Option<i64> {
        self.known().get(&level.account()?)
    }

    /// Notes what a budget has spent.
    pub(super) fn note(&self, level: &Level, count: Count) {
        if let Some(account) = level.account() {
            self.known().set(account, count);
        }
    }

    /// Adds what was settled to what is known.
    pub(super) fn settled(&self, call: &Ended) {
        if call.cost != 0 {
            let accounts = call.levels.iter().filter_map(Level::account);
            accounts.for_each(|account| self.known().add(&account, call.cost));
        }
    }

    /// What a budget has spent, if Redis knows it, and what is held.
    pub(crate) async fn spent_and_held(&self, level: &Level) -> Result<(Option<i64>, i64), Outage> {
        let mut get = cmd("MGET");
        get.arg(self.money_key(level, "spent")).arg(self.money_key(level, "held"));
        let answer = self.send(&get).await?;
        let (spent, held): (_, Option<i64>) = read(answer)?;
        Ok((spent, held.unwrap_or(0)))
    }

    /// Replaces what a budget has spent.
    pub(crate) async fn set_spent(&self, level: &Level, spent: i64) -> Result<(), Outage> {
        let mut set = cmd("SET");
        set.arg(self.money_key(level, "spent")).arg(spent);
        let left = match &level.take {
            Take::Money(money) => money.left,
            Take::Window(_) | Take::Permit { .. } => None,
        };
        if let Some(left) = left {
            set.arg("PX").arg(millis(left).max(1));
        }
        self.send(&set).await?;
        let left = left.map_or(-1, millis);
        self.note(level, Count { taken: 0, left, mark: spent });
        Ok(())
    }

    /// Expired strict holds, each with the time when it expired.
    pub(crate) async fn suspects(&self, level: &Level) -> Result<Vec<(String, u64)>, Outage> {
        let mut range = cmd("ZRANGE");
        range.arg(self.money_key(level, "suspects")).arg(0).arg(-1).arg("WITHSCORES");
        read(self.send(&range).await?)
    }

    fn money_key(&self, level: &Level, part: &str) -> String {
        let name = match &level.take {
            Take::Money(money) => &*money.name,
            Take::Window(_) | Take::Permit { .. } => "",
        };
        key(self.settings(), &level.tag, &[name, part])
    }

    /// Settles a hold of another process, by its name.
    pub(crate) fn resolve(&self, id: Box<str>, level: Level, cost: i64) {
        self.settle(Ended::resolved(id, level, cost));
    }

    /// Charges a budget for a call that was made without a hold.
    pub(crate) fn charge(&self, level: Level, cost: i64) {
        self.settle(Ended::spent(self.id(self.number()), level, cost));
    }
}

fn stored(level: &Level) -> i64 {
    match &level.take {
        Take::Money(money) => money.lost.as_ref().map_or(0, |lost| lost.spent()),
        Take::Window(_) | Take::Permit { .. } => 0,
    }
}
