//! The budget of the proxy, as a config says.
use crate::config::{Budget, BudgetAdmission, BudgetDuration, Budgets, DurationUnit};
use bartizan_layers::cost::{self, BudgetWindow, CostLayer, MemoryLedger};
use std::num::NonZeroU32;
use std::sync::Arc;

/// The layer that holds money; `None` where there is no budget.
pub(super) fn layer(ledger: &MemoryLedger, budgets: &Budgets) -> Option<CostLayer<MemoryLedger>> {
    let budget = budget(budgets.proxy?);
    let layer = CostLayer::new(ledger.sharing(Arc::from([budget])));
    let layer = if budgets.fail_closed { layer } else { layer.admit_on_outage() };
    Some(match budgets.admission {
        BudgetAdmission::Likely => layer,
        BudgetAdmission::Strict => layer.strict(),
    })
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
