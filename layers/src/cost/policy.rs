//! Who may spend: the [`Ledger`] trait, and what it says.
use super::Budget;
use crate::BoxError;
use crate::facts::{Estimate, NanoUsd};
use http::Extensions;
use std::time::Duration;

/// How much of its [`Estimate`] a call needs to find free in its budgets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Admission {
    /// A call is admitted while less is spent and held than the budget has, and holds what it is
    /// likely to cost. A budget is overspent by at most one estimate, and by what calls cost more
    /// than theirs.
    #[default]
    Likely,
    /// A call is admitted if the most that it can cost fits beside what is spent and held, and
    /// holds that. A budget is not overspent. What has no bound is refused.
    Most,
}

impl Admission {
    /// What a call with this estimate has to hold. Without an estimate it is nothing under
    /// [`Likely`](Self::Likely); `None` where the call has no bound that
    /// [`Most`](Self::Most) needs.
    #[must_use]
    pub fn amount(self, estimate: Option<&Estimate>) -> Option<NanoUsd> {
        let cost = match self {
            Self::Likely => estimate.map_or(NanoUsd(0), |estimate| estimate.likely.cost),
            Self::Most => estimate?.most?.cost,
        };
        Some(cost.max(NanoUsd(0)))
    }

    /// Whether a call that holds `amount` fits in a budget of `max`. One that cannot cost anything
    /// fits always: ask [`is_free`](Self::is_free) before.
    #[must_use]
    pub fn fits(self, amount: NanoUsd, spent: NanoUsd, held: NanoUsd, max: NanoUsd) -> bool {
        let taken = i128::from(spent.0) + i128::from(held.0);
        match self {
            Self::Likely => taken < i128::from(max.0),
            Self::Most => taken + i128::from(amount.0) <= i128::from(max.0),
        }
    }

    /// Whether a call with this estimate is known to cost nothing. Such calls are admitted also
    /// when a budget is used up (contract 7.3).
    #[must_use]
    pub fn is_free(estimate: Option<&Estimate>) -> bool {
        estimate.and_then(|estimate| estimate.most).is_some_and(|most| most.cost.0 <= 0)
    }
}

/// Why a call was refused before it reached an upstream.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CostError {
    /// Too much of a budget is spent and held.
    #[error("budget exhausted")]
    BudgetExhausted(Box<Exhausted>),
    /// [`Admission::Most`] needs to know the most that a call can cost, and nothing bounds it:
    /// the request does not say how long the answer may be.
    #[error("nothing bounds what the call may cost")]
    Unbounded,
    /// The ledger's store did not answer.
    #[error("ledger unreachable")]
    Outage(#[source] BoxError),
}

/// The budget that has no room for a call, as it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exhausted {
    /// Which budget.
    pub budget: Budget,
    /// What was spent of it.
    pub spent: NanoUsd,
    /// What other calls held of it.
    pub held: NanoUsd,
    /// When its window ends; `None` for a budget without one.
    pub resets_in: Option<Duration>,
}

/// Decides who may spend and keeps the account. Clones share one account.
pub trait Ledger: Clone {
    /// Money set aside for one call.
    type Hold: Hold;
    /// The future of [`Ledger::hold`]. Dropped early, it gives back what it had held.
    type Future: Future<Output = Result<Self::Hold, CostError>>;

    /// Sets aside what `admission` [asks for](Admission::amount), in every budget that the call
    /// falls under, or in none.
    ///
    /// What it needs to know of the call is among `facts`: the [`Estimate`], who calls, and where
    /// an outer layer has made the hold in its own round trip, that hold.
    fn hold(&self, facts: &Extensions, admission: Admission) -> Self::Future;

    /// The same at once; `None`, and nothing is held, where the answer has to be waited for. Then
    /// [`Ledger::hold`] is asked.
    fn hold_now(
        &self,
        facts: &Extensions,
        admission: Admission,
    ) -> Option<Result<Self::Hold, CostError>> {
        let _ = (facts, admission);
        None
    }
}

/// Money set aside. Dropped unsettled, it goes back to the budgets whole. A ledger whose holds
/// expire keeps them alive itself for as long as this value lives.
pub trait Hold: Send + 'static {
    /// Spends `cost` and gives the rest back. Called from `Drop`: it must not block or panic.
    fn settle(self, cost: NanoUsd);
}
