//! What a call may take from: budgets, and which of them it falls under.
use super::BudgetWindow;
use crate::facts::{NanoUsd, Scope};
use http::Extensions;
use std::sync::Arc;
use std::time::SystemTime;

/// Money for a window of time, of whoever it belongs to. Budgets that differ in `max` alone share
/// one account, so that a limit may be changed while it is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Whose kind of budget it is.
    pub scope: Scope,
    /// Whose it is: a digest, a name or an id; empty for [`Scope::Global`].
    pub subject: Arc<str>,
    /// How much it is.
    pub max: NanoUsd,
    /// For how long; `None` for good.
    pub window: Option<BudgetWindow>,
}

impl Budget {
    /// One budget for all calls together, for good.
    #[must_use]
    pub fn new(max: NanoUsd) -> Self {
        Self::of(Scope::Global, "", max)
    }

    /// The budget of `subject`, for good.
    #[must_use]
    pub fn of(scope: Scope, subject: impl Into<Arc<str>>, max: NanoUsd) -> Self {
        Self { scope, subject: subject.into(), max, window: None }
    }

    /// The same, anew in each window.
    #[must_use]
    pub fn per(self, window: BudgetWindow) -> Self {
        Self { window: Some(window), ..self }
    }
}

/// What an account says of a [`Budget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// How much the budget is.
    pub max: NanoUsd,
    /// What was spent in this window.
    pub spent: NanoUsd,
    /// What open calls hold.
    pub held: NanoUsd,
    /// When the window ends; `None` for a budget without one.
    pub resets_at: Option<SystemTime>,
}

impl Account {
    /// What is neither spent nor held; less than nothing when overspent.
    #[must_use]
    pub fn left(&self) -> NanoUsd {
        self.max - self.spent - self.held
    }
}

/// Knows what a budget has spent in its present window. Implemented for closures.
pub trait Seed: Send + Sync {
    /// What was spent of `budget`. Asked while a call waits, when a ledger has no account of it: it
    /// answers from memory.
    fn spent(&self, budget: &Budget) -> NanoUsd;
}

impl<F: Fn(&Budget) -> NanoUsd + Send + Sync> Seed for F {
    fn spent(&self, budget: &Budget) -> NanoUsd {
        self(budget)
    }
}

/// Says which budgets a call falls under. Implemented by a list that holds for every call, and by
/// closures.
pub trait Budgets: Clone {
    /// Shows `visit` each budget of the call that has these `facts` once, always in the same order.
    fn each(&self, facts: &Extensions, visit: &mut dyn FnMut(&Budget));
}

impl Budgets for Arc<[Budget]> {
    fn each(&self, _facts: &Extensions, visit: &mut dyn FnMut(&Budget)) {
        self.iter().for_each(visit);
    }
}

impl<F: Fn(&Extensions, &mut dyn FnMut(&Budget)) + Clone> Budgets for F {
    fn each(&self, facts: &Extensions, visit: &mut dyn FnMut(&Budget)) {
        self(facts, visit);
    }
}
