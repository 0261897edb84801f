//! What calls to a deployment may cost: those that have spent it are left out (contract 7.3).
use super::Router;
use super::answer::dollars;
use super::deployment::Deployment;
use super::error::RouteError;
use crate::clock;
use crate::config::{Budget, Routing};
use crate::identity::Purse;
use crate::state::State;
use bartizan_layers::facts::{NanoUsd, Scope};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// One budget of a deployment: its own, or that of its provider.
#[derive(Clone, Debug)]
pub struct Allowance {
    purse: Arc<Purse>,
    scope: Scope,
    budget: Budget,
}

impl Allowance {
    fn new(state: &State, scope: Scope, subject: &str, budget: Budget) -> Option<Self> {
        Some(Self { purse: state.directory()?.purse(scope, subject)?, scope, budget })
    }

    /// What may be spent, and for how long.
    #[must_use]
    pub const fn budget(&self) -> Budget {
        self.budget
    }

    /// What was spent in the window that is open now.
    #[must_use]
    pub fn spent(&self) -> NanoUsd {
        self.purse.spent(now())
    }

    /// When that window ends, in seconds since 1970, if it has begun and has an end.
    #[must_use]
    pub fn until(&self) -> Option<i64> {
        self.purse.until(now())
    }

    fn is_spent(&self) -> bool {
        self.spent() >= self.budget.max
    }
}

/// The budgets of all deployments and providers that have any.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowances {
    providers: BTreeMap<String, Allowance>,
    deployments: BTreeMap<String, Allowance>,
}

impl Allowances {
    /// Those of a config. They are in force from now on, and no others.
    pub(super) fn new(state: &State, routing: &Routing) -> Self {
        let named = |scope, name: &str, budget| {
            Some((name.to_owned(), Allowance::new(state, scope, name, budget)?))
        };
        let own = routing.deployments.iter();
        let allowances = Self {
            providers: routing
                .provider_budgets
                .iter()
                .filter_map(|(name, budget)| named(Scope::Provider, name, *budget))
                .collect(),
            deployments: own
                .filter_map(|one| named(Scope::Deployment, &one.id, one.budget?))
                .collect(),
        };
        if let Some(directory) = state.directory() {
            let all = allowances.providers.values().chain(allowances.deployments.values());
            let bounds: Vec<_> = all.map(|one| (one.purse.clone(), lasts(one.budget))).collect();
            directory.bound_purses(&bounds);
        }
        allowances
    }

    /// Those that bound a deployment.
    pub(super) fn of(&self, id: &str, provider: &str) -> Box<[Allowance]> {
        let both = [self.providers.get(provider), self.deployments.get(id)];
        both.into_iter().flatten().cloned().collect()
    }
}

fn lasts(budget: Budget) -> Option<i64> {
    budget.duration.map(|duration| i64::try_from(duration.length().as_secs()).unwrap_or(i64::MAX))
}

/// Whether something is left in each.
pub(super) fn is_left(allowances: &[Allowance]) -> bool {
    !allowances.iter().any(Allowance::is_spent)
}

/// Why none of the `deployments` takes a call: all have spent what they may.
#[cold]
pub(super) fn over_budget<'a>(
    deployments: impl Iterator<Item = &'a Arc<Deployment>>,
) -> RouteError {
    let (mut spent, mut wait) = (String::new(), None::<Duration>);
    for deployment in deployments {
        let Some(over) = deployment.room().allowances().iter().find(|one| one.is_spent()) else {
            continue;
        };
        let labels = deployment.labels();
        let whose = match over.scope {
            Scope::Provider => format!("provider {}", labels.api_provider),
            _ => format!(
                "deployment model_name: {}, litellm_params.model: {}, model_id: {}",
                labels.model_group, labels.litellm_model_name, labels.model_id
            ),
        };
        let [amount, max] = [over.spent(), over.budget.max].map(dollars);
        let (amount, max) = (amount.to_str().unwrap_or("?"), max.to_str().unwrap_or("?"));
        // A text takes all that is written.
        writeln!(spent, "Exceeded budget for {whose}: {amount} >= {max}").ok();
        let left = over.until().and_then(|until| u64::try_from(until - now()).ok());
        let left = left.map(Duration::from_secs);
        wait = wait.into_iter().chain(left).min();
    }
    RouteError::OverBudget { spent: spent.into(), wait }
}

fn now() -> i64 {
    clock::now() / 1000
}

impl Router {
    /// What calls to each provider may cost, by its name, where that is bounded.
    #[must_use]
    pub fn provider_budgets(&self) -> &BTreeMap<String, Allowance> {
        &self.0.allowances.providers
    }
}
