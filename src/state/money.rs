//! The budget of the proxy, as a config says.
use super::Place;
use crate::config::{Budget, BudgetAdmission, BudgetDuration, Budgets, DurationUnit};
use bartizan_layers::cost::{self, Admission, BudgetWindow, CostLayer, MemoryLedger, RedisLedger};
use bartizan_layers::redis::Redis;
use std::num::NonZeroU32;
use std::sync::Arc;

/// Keeps accounts in one of both places.
pub type Money = Place<MemoryLedger, RedisLedger>;

/// The layer that holds money in `ledger`.
pub(super) fn layer(ledger: Money, budgets: &Budgets) -> CostLayer<Money> {
    let layer = CostLayer::new(ledger).admission(admission(budgets));
    if closes(budgets) { layer } else { layer.admit_on_outage() }
}

/// The accounts of `budget` in Redis.
pub(super) fn shared(redis: &Redis, budget: Arc<[cost::Budget]>, budgets: &Budgets) -> RedisLedger {
    let ledger = RedisLedger::with(redis, budget);
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

pub(super) fn budget(told: Budget) -> cost::Budget {
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
