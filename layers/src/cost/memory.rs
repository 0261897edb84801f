//! A ledger in this process's memory.
#[cfg(test)]
mod tests;

use super::books::{Books, Calendar, Page};
use super::{
    Account, Admission, Budget, BudgetWindow, Budgets, CostError, Exhausted, Hold, Ledger, Seed,
    Zone,
};
use crate::facts::{Estimate, NanoUsd};
use http::Extensions;
use std::fmt;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::SystemTime;

/// Accounts of any number of budgets in this process's memory. A call holds in all budgets that it
/// falls under, one after another; where one has no room, what it held in those before goes back.
///
/// When a window ends, what was spent in it is forgotten. What is held stays, and is settled into
/// the window that is open then.
#[derive(Clone)]
pub struct MemoryLedger<B = Arc<[Budget]>> {
    budgets: B,
    books: Arc<Books>,
    calendar: Calendar,
    seed: Option<Arc<dyn Seed>>,
}

impl MemoryLedger {
    /// One budget of `max` for all calls together, for good.
    #[must_use]
    pub fn new(max: NanoUsd) -> Self {
        Self::with(Arc::from([Budget::new(max)]))
    }

    /// One budget of `max` for all calls together, anew every day at midnight UTC.
    #[must_use]
    pub fn daily(max: NanoUsd) -> Self {
        Self::per(BudgetWindow::DAY, max)
    }

    /// One budget of `max` for all calls together, anew in each `window`.
    #[must_use]
    pub fn per(window: BudgetWindow, max: NanoUsd) -> Self {
        Self::with(Arc::from([Budget::new(max).per(window)]))
    }

    /// What is neither spent nor held of the budget that has the least left.
    #[must_use]
    pub fn left(&self) -> NanoUsd {
        let left = self.budgets.iter().map(|budget| self.account(budget).left());
        left.min().unwrap_or(NanoUsd(i64::MAX))
    }
}

impl<B: Budgets> MemoryLedger<B> {
    /// The budgets that `budgets` says a call falls under, nothing of them spent. A call that
    /// falls under none is admitted. Windows are those of UTC.
    ///
    /// ```
    /// use bartizan_layers::cost::{Budget, BudgetWindow, MemoryLedger};
    /// use bartizan_layers::facts::{NanoUsd, Principal, Scope};
    /// use http::Extensions;
    ///
    /// let a_dollar_a_day_for_each_user = |facts: &Extensions, visit: &mut dyn FnMut(&Budget)| {
    ///     if let Some(Principal { user, .. }) = facts.get() {
    ///         let dollar = Budget::of(Scope::User, user.clone(), NanoUsd::from_dollars(1.0));
    ///         visit(&dollar.per(BudgetWindow::DAY));
    ///     }
    /// };
    /// let ledger = MemoryLedger::with(a_dollar_a_day_for_each_user);
    /// # let _ = ledger;
    /// ```
    #[must_use]
    pub fn with(budgets: B) -> Self {
        Self { budgets, books: Arc::default(), calendar: Calendar::default(), seed: None }
    }

    /// A ledger with other `budgets` and this one's accounts.
    pub fn sharing<Q: Budgets>(&self, budgets: Q) -> MemoryLedger<Q> {
        let Self { books, calendar, seed, .. } = self.clone();
        MemoryLedger { budgets, books, calendar, seed }
    }

    /// The place at whose midnight days begin.
    #[must_use]
    pub fn zone(mut self, zone: Zone) -> Self {
        self.calendar.zone = zone;
        self
    }

    /// Who knows what was spent before, of a budget that has no account here yet.
    #[must_use]
    pub fn seed(self, seed: impl Seed + 'static) -> Self {
        Self { seed: Some(Arc::new(seed)), ..self }
    }

    /// What tells the time, instead of the system's clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.calendar.clock = Some(Arc::new(clock));
        self
    }

    /// What is spent and held of `budget` now.
    #[must_use]
    pub fn account(&self, budget: &Budget) -> Account {
        self.page(budget).open(&self.calendar).account(budget.max)
    }

    /// Notes what a store says was spent of `budget` in the window that is open. What is held
    /// stays. The window ends at `resets_at`; without that, when the calendar says.
    pub fn set_spent(&self, budget: &Budget, spent: NanoUsd, resets_at: Option<SystemTime>) {
        self.page(budget).open(&self.calendar).seed(spent, resets_at);
    }

    fn page(&self, budget: &Budget) -> Arc<Page> {
        self.books.page(budget, &self.calendar, self.seed.as_deref())
    }

    fn try_hold(&self, facts: &Extensions, admission: Admission) -> Result<MemoryHold, CostError> {
        let estimate = facts.get::<Estimate>();
        let amount = admission.amount(estimate);
        let free = Admission::is_free(estimate);
        let mut hold = MemoryHold::new(amount.unwrap_or_default(), self.calendar.clone());
        let mut result = Ok(());
        self.budgets.each(facts, &mut |budget| {
            result = match (&result, amount) {
                (Err(_), _) => return,
                (Ok(()), None) => Err(CostError::Unbounded),
                (Ok(()), Some(_)) => hold
                    .take(self.page(budget), budget, admission, free)
                    .map_err(CostError::BudgetExhausted),
            };
        });
        result.map(|()| hold)
    }
}

impl<B: fmt::Debug> fmt::Debug for MemoryLedger<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { budgets, books, .. } = self;
        let mut shown = f.debug_struct("MemoryLedger");
        shown.field("budgets", budgets).field("books", books).finish_non_exhaustive()
    }
}

impl<B: Budgets> Ledger for MemoryLedger<B> {
    type Hold = MemoryHold;
    type Future = Ready<Result<MemoryHold, CostError>>;

    fn hold(&self, facts: &Extensions, admission: Admission) -> Self::Future {
        ready(self.try_hold(facts, admission))
    }

    fn hold_now(
        &self,
        facts: &Extensions,
        admission: Admission,
    ) -> Option<Result<MemoryHold, CostError>> {
        Some(self.try_hold(facts, admission))
    }
}

/// Money held in a [`MemoryLedger`], the same sum in each budget of the call.
#[derive(Debug)]
pub struct MemoryHold {
    amount: NanoUsd,
    // Most calls fall under one budget: it needs no list.
    first: Option<Arc<Page>>,
    more: Vec<Arc<Page>>,
    calendar: Calendar,
}

impl MemoryHold {
    const fn new(amount: NanoUsd, calendar: Calendar) -> Self {
        Self { amount, first: None, more: Vec::new(), calendar }
    }

    fn take(
        &mut self,
        page: Arc<Page>,
        budget: &Budget,
        admission: Admission,
        free: bool,
    ) -> Result<(), Box<Exhausted>> {
        let mut entry = page.open(&self.calendar);
        if !free && !admission.fits(self.amount, entry.spent, entry.held(), budget.max) {
            return Err(entry.exhausted(budget, &self.calendar));
        }
        entry.held += i128::from(self.amount.0);
        drop(entry);
        match self.first {
            None => self.first = Some(page),
            Some(_) => self.more.push(page),
        }
        Ok(())
    }

    /// Gives back what is held, the first time, and spends `cost` instead.
    fn close(&mut self, cost: NanoUsd) {
        for page in self.first.take().into_iter().chain(self.more.drain(..)) {
            let mut entry = page.open(&self.calendar);
            entry.held -= i128::from(self.amount.0);
            entry.spent += cost;
        }
    }
}

impl Hold for MemoryHold {
    fn settle(mut self, cost: NanoUsd) {
        self.close(cost);
    }
}

impl Drop for MemoryHold {
    fn drop(&mut self) {
        self.close(NanoUsd(0));
    }
}
