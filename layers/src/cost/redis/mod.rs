//! A ledger that several processes share.
mod hold;

pub use self::hold::{RedisHold, RedisHolding};

use self::hold::{Held, Holding};
use super::books::Calendar;
use super::{
    Account, Admission, Budget, BudgetWindow, Budgets, CostError, Exhausted, Ledger, Seed, Zone,
};
use crate::facts::{Estimate, NanoUsd, Scope};
use crate::redis::{
    Count, Joining, Joins, Joint, Left, Level, Lost, Mode, Money, Outage, Redis, Take, Verdict, tag,
};
use http::Extensions;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Accounts of any number of budgets in Redis, shared by all who use the same. A call holds in all
/// budgets that it falls under or in none, in one round trip.
///
/// Holds are renewed while they live. One whose process died expires: it goes back under
/// [`Admission::Likely`]; under [`Admission::Most`] it counts as spent, and is a [`Suspect`] until
/// it is [resolved](Self::resolve).
///
/// Without an answer from Redis a call is refused with [`CostError::Outage`], unless it is
/// [admitted](Self::admit_on_outage). A counter that Redis lost begins with what this process last
/// knew or with what the [`Seed`] says, whichever is more.
#[derive(Clone)]
pub struct RedisLedger<B = Arc<[Budget]>> {
    redis: Redis,
    budgets: B,
    calendar: Calendar,
    seed: Option<Arc<dyn Seed>>,
    admit_on_outage: bool,
}

/// A strict hold that expired before anyone settled it: its process died, or was away from Redis
/// for too long. Its amount counts as spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Its name, which [`RedisHold::id`] told.
    pub id: Box<str>,
    /// How much it held.
    pub amount: NanoUsd,
    /// When it expired, by Redis' clock.
    pub since: SystemTime,
}

impl RedisLedger {
    /// One budget of `max` for all calls together, for good.
    #[must_use]
    pub fn new(redis: &Redis, max: NanoUsd) -> Self {
        Self::with(redis, Arc::from([Budget::new(max)]))
    }
}

impl<B: Budgets> RedisLedger<B> {
    /// The budgets that `budgets` says a call falls under. Windows are those of UTC.
    #[must_use]
    pub fn with(redis: &Redis, budgets: B) -> Self {
        let (redis, calendar) = (redis.clone(), Calendar::default());
        Self { redis, budgets, calendar, seed: None, admit_on_outage: false }
    }

    /// The place at whose midnight days begin.
    #[must_use]
    pub fn zone(mut self, zone: Zone) -> Self {
        self.calendar.zone = zone;
        self
    }

    /// Who knows what was spent when Redis does not.
    #[must_use]
    pub fn seed(self, seed: impl Seed + 'static) -> Self {
        Self { seed: Some(Arc::new(seed)), ..self }
    }

    /// Lets calls through while Redis is away, and charges them when it is back. What has to fit
    /// as a whole ([`Admission::Most`]) is refused all the same.
    #[must_use]
    pub fn admit_on_outage(self) -> Self {
        Self { admit_on_outage: true, ..self }
    }

    /// What is spent and held of `budget` now.
    ///
    /// # Errors
    ///
    /// [`CostError::Outage`] if Redis does not answer.
    pub async fn account(&self, budget: &Budget) -> Result<Account, CostError> {
        let level = self.level(budget, NanoUsd(0), Mode::Free);
        let (spent, held) = self.redis.spent_and_held(&level).await.map_err(outage)?;
        let spent = spent.unwrap_or_else(|| self.redis.seed(&level));
        let resets_at = self.left(budget).and_then(|left| SystemTime::now().checked_add(left));
        Ok(Account { max: budget.max, spent: NanoUsd(spent), held: NanoUsd(held), resets_at })
    }

    /// Notes what a store says was spent of `budget` in the window that is open. What is held
    /// stays.
    ///
    /// # Errors
    ///
    /// [`CostError::Outage`] if Redis does not answer.
    pub async fn set_spent(&self, budget: &Budget, spent: NanoUsd) -> Result<(), CostError> {
        let level = self.level(budget, NanoUsd(0), Mode::Free);
        self.redis.set_spent(&level, spent.0).await.map_err(outage)
    }

    /// The suspects of `budget`, those of the same window.
    ///
    /// # Errors
    ///
    /// [`CostError::Outage`] if Redis does not answer.
    pub async fn suspects(&self, budget: &Budget) -> Result<Vec<Suspect>, CostError> {
        let level = self.level(budget, NanoUsd(0), Mode::Fits);
        let found = self.redis.suspects(&level).await.map_err(outage)?;
        let suspect = |(member, since): (String, u64)| {
            let (id, rest) = member.split_once(':')?;
            let amount = NanoUsd(rest.split_once(':')?.0.parse().ok()?);
            let since = UNIX_EPOCH.checked_add(Duration::from_millis(since))?;
            Some(Suspect { id: id.into(), amount, since })
        };
        Ok(found.into_iter().filter_map(suspect).collect())
    }

    /// Charges `cost` in place of what a suspect held, once: from a journal that tells how its
    /// call ended, or as a person decides. Done in the background.
    pub fn resolve(&self, budget: &Budget, suspect: &Suspect, cost: NanoUsd) {
        let level = self.level(budget, suspect.amount, Mode::Fits);
        self.redis.resolve(suspect.id.clone(), level, cost.0);
    }

    /// What the call has to hold, and in which budgets.
    fn ask(&self, facts: &Extensions, admission: Admission) -> Option<(Vec<Budget>, Vec<Level>)> {
        let estimate = facts.get::<Estimate>();
        let mode = match admission {
            _ if Admission::is_free(estimate) => Mode::Free,
            Admission::Likely => Mode::Left,
            Admission::Most => Mode::Fits,
        };
        let mut budgets = Vec::new();
        self.budgets.each(facts, &mut |budget| budgets.push(budget.clone()));
        if budgets.is_empty() {
            return Some((budgets, Vec::new()));
        }
        let amount = admission.amount(estimate)?;
        let levels = budgets.iter().map(|budget| self.level(budget, amount, mode)).collect();
        Some((budgets, levels))
    }

    fn level(&self, budget: &Budget, amount: NanoUsd, mode: Mode) -> Level {
        let lost = self.seed.clone().map(|seed| {
            let budget = budget.clone();
            Arc::new(Asked { seed, budget }) as Arc<dyn Lost>
        });
        let money = Money {
            name: name(budget.window),
            most: budget.max.0,
            take: amount.0,
            mode,
            left: self.left(budget),
            lost,
        };
        Level { tag: tag(budget.scope, &budget.subject), take: Take::Money(money) }
    }

    /// What is left of the budget's window.
    fn left(&self, budget: &Budget) -> Option<Duration> {
        let now = self.calendar.now();
        let left = budget.window?.end(now, &self.calendar.zone).saturating_sub(now);
        Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
    }
}

/// The name of a budget's keys.
fn name(window: Option<BudgetWindow>) -> Box<str> {
    match window {
        None => "budget".into(),
        Some(BudgetWindow::Seconds(seconds)) => format!("budget:{seconds}s").into(),
        Some(BudgetWindow::Days(days)) => format!("budget:{days}d").into(),
        Some(BudgetWindow::Months(months)) => format!("budget:{months}mo").into(),
    }
}

struct Asked {
    seed: Arc<dyn Seed>,
    budget: Budget,
}

impl Lost for Asked {
    fn spent(&self) -> i64 {
        self.seed.spent(&self.budget).0
    }
}

fn outage(outage: Outage) -> CostError {
    CostError::Outage(outage.into())
}

impl<B: Budgets> Ledger for RedisLedger<B> {
    type Hold = RedisHold;
    type Future = RedisHolding;

    fn hold(&self, facts: &Extensions, admission: Admission) -> Self::Future {
        let Some((budgets, levels)) = self.ask(facts, admission) else {
            return RedisHolding::ready(Err(CostError::Unbounded));
        };
        if levels.is_empty() {
            return RedisHolding::ready(Ok(RedisHold(Held::Nothing)));
        }
        let redis = self.redis.clone();
        let later = (self.admit_on_outage && admission == Admission::Likely)
            .then(|| (redis.clone(), levels.clone()));
        let conclude = move |joint| match joint {
            Joint::Held(ticket) => Ok(RedisHold(Held::Ticket(ticket))),
            Joint::Refused(level, count) => Err(exhausted(&budgets, level, count)),
            Joint::Outage(error) => match later {
                Some((redis, levels)) => Ok(RedisHold(Held::Later(redis, levels))),
                None => Err(outage(error)),
            },
        };
        if let Some(joint) = facts.get::<Left>().and_then(Left::take) {
            return RedisHolding::ready(conclude(joint));
        }
        RedisHolding(Holding::Asked(Box::pin(async move {
            conclude(match redis.admit(levels).await {
                Ok(Verdict::Admitted(ticket)) => Joint::Held(ticket),
                Ok(Verdict::Refused(level, count)) => Joint::Refused(level, count),
                Err(outage) => Joint::Outage(outage),
            })
        })))
    }
}

fn exhausted(budgets: &[Budget], level: usize, count: Count) -> CostError {
    let budget = budgets.get(level).cloned();
    let budget = budget.unwrap_or_else(|| Budget::of(Scope::Global, "", NanoUsd(0)));
    let (spent, held) = (NanoUsd(count.mark), NanoUsd(count.taken - count.mark));
    let resets_in = u64::try_from(count.left).ok().map(Duration::from_millis);
    CostError::BudgetExhausted(Box::new(Exhausted { budget, spent, held, resets_in }))
}

/// The ledger with the admission of its layer, as a limiter joins it.
struct Joined<B> {
    ledger: RedisLedger<B>,
    admission: Admission,
}

impl<B: Budgets + Send + Sync> Joins for Joined<B> {
    fn levels(&self, facts: &Extensions) -> Vec<Level> {
        self.ledger.ask(facts, self.admission).map(|(_, levels)| levels).unwrap_or_default()
    }
}

impl<B: Budgets + Send + Sync + 'static> RedisLedger<B> {
    /// For a [`RedisLimiter`](crate::ratelimit::RedisLimiter) that stands above the ledger's layer:
    /// it makes the hold in its own round trip. `admission` is that of the layer.
    #[must_use]
    pub fn joining(&self, admission: Admission) -> Joining {
        Joining::new(Joined { ledger: self.clone(), admission })
    }
}

impl<B> fmt::Debug for RedisLedger<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLedger").field("redis", &self.redis).finish_non_exhaustive()
    }
}
