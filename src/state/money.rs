//! The budget of the proxy, as a config says.
use super::Place;
use crate::clock;
use crate::config::{Budget, BudgetAdmission, BudgetDuration, Budgets, DurationUnit};
use crate::identity::{self, Directory};
use bartizan_layers::cost::{self, Admission, BudgetWindow, CostLayer, MemoryLedger, RedisLedger};
use bartizan_layers::redis::Redis;
use http::Extensions;
use std::num::NonZeroU32;

/// Keeps accounts in one of both places.
pub type Money = Place<MemoryLedger<CallBudgets>, RedisLedger<CallBudgets>>;

/// Which budgets a call falls under: that of the proxy, and those of everyone above its key.
#[derive(Clone, Debug)]
pub struct CallBudgets {
    proxy: Option<cost::Budget>,
    directory: Option<Directory>,
}

impl CallBudgets {
    /// `None` if there can be none.
    pub(super) fn new(budgets: &Budgets, directory: Option<&Directory>) -> Option<Self> {
        let (proxy, directory) = (budgets.proxy.map(budget), directory.cloned());
        (proxy.is_some() || directory.is_some()).then_some(Self { proxy, directory })
    }
}

impl cost::Budgets for CallBudgets {
    fn each(&self, facts: &Extensions, visit: &mut dyn FnMut(&cost::Budget)) {
        self.proxy.iter().for_each(&mut *visit);
        if let Some(directory) = &self.directory {
            directory.each_budget(facts, visit);
        }
    }
}

/// What the proxy may spend.
#[must_use]
pub fn proxy_money(budgets: &Budgets) -> identity::Money {
    let Some(Budget { max, duration }) = budgets.proxy else { return identity::Money::default() };
    identity::Money { max: Some(max), soft: None, window: duration.and_then(window) }
}

/// The layer that holds money in `ledger`.
pub(super) fn layer(ledger: Money, budgets: &Budgets) -> CostLayer<Money> {
    let layer = CostLayer::new(ledger).admission(admission(budgets));
    if closes(budgets) { layer } else { layer.admit_on_outage() }
}

/// The same for calls of which nobody can tell what they will cost: a strict budget takes them
/// while something is left, as they could not be made at all otherwise.
pub(super) fn through(ledger: Money, budgets: &Budgets) -> CostLayer<Money> {
    layer(ledger, budgets).admission(Admission::Likely)
}

/// The accounts of those budgets in Redis.
pub(super) fn shared(
    redis: &Redis,
    calls: CallBudgets,
    budgets: &Budgets,
) -> RedisLedger<CallBudgets> {
    let seed = calls.directory.clone();
    let ledger = RedisLedger::with(redis, calls).zone(clock::zone());
    let ledger = seed.into_iter().fold(ledger, RedisLedger::seed);
    if closes(budgets) { ledger } else { ledger.admit_on_outage() }
}

/// Whether calls are refused while the accounts are out of reach. A strict budget never overspends,
/// so it has to.
fn closes(budgets: &Budgets) -> bool {
    budgets.fail_closed || budgets.admission == BudgetAdmission::Strict
}

pub(super) const fn admission(budgets: &Budgets) -> Admission {
    match budgets.admission {
        BudgetAdmission::Likely => Admission::Likely,
        BudgetAdmission::Strict => Admission::Most,
    }
}

fn budget(told: Budget) -> cost::Budget {
    let budget = cost::Budget::new(told.max);
    match told.duration.and_then(window) {
        Some(window) => budget.per(window),
        None => budget,
    }
}

fn window(BudgetDuration { count, unit }: BudgetDuration) -> Option<BudgetWindow> {
    let count = NonZeroU32::new(count)?;
    let seconds = |each: u32| count.checked_mul(NonZeroU32::new(each)?).map(BudgetWindow::Seconds);
    match unit {
        DurationUnit::Second => seconds(1),
        DurationUnit::Minute => seconds(60),
        DurationUnit::Hour => seconds(3600),
        DurationUnit::Day => Some(BudgetWindow::Days(count)),
        DurationUnit::Week => count.checked_mul(NonZeroU32::new(7)?).map(BudgetWindow::Days),
        DurationUnit::Month => Some(BudgetWindow::Months(count)),
    }
}
