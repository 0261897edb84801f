//! What happens to few calls: a kept answer, another attempt, a refusal by a limit.
use super::series::DeploymentLabels;
use super::trail::{Failure, Trail};
use bartizan_layers::facts::{NanoUsd, Usage};
use std::sync::Arc;

/// What a cache had for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Cached {
    /// An answer that was kept.
    Hit,
    /// Nothing.
    Miss,
}

/// A kept answer that is given again.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The id of the deployment that answered then.
    pub served_by: Option<Arc<str>>,
    /// What it used, and what that cost.
    pub bill: Option<(Usage, NanoUsd)>,
    pub(super) deployment: Option<Arc<DeploymentLabels>>,
}

impl Hit {
    /// The answer of the deployment with that id, which cost what its bill says.
    #[must_use]
    pub const fn new(served_by: Option<Arc<str>>, bill: Option<(Usage, NanoUsd)>) -> Self {
        Self { served_by, bill, deployment: None }
    }
}

/// Retries, fallbacks and refusals of one call.
#[derive(Debug, Default)]
pub(super) struct Events {
    pub(super) retries: u32,
    /// In the order in which they were tried.
    pub(super) fallbacks: Vec<Fallback>,
    /// Whose limit refused it, and what that limits.
    pub(super) refused: Option<(&'static str, &'static str)>,
}

/// A group that was tried in place of another.
#[derive(Debug)]
pub(super) struct Fallback {
    pub(super) group: Arc<str>,
    /// How the one before it failed.
    pub(super) failure: Failure,
}

impl Trail {
    /// Begins another attempt in the same group, after one that failed like this.
    #[cold]
    pub fn retrying(&self, failure: Failure) {
        self.again(failure);
        self.learned().events.get_or_insert_default().retries += 1;
    }

    /// Begins an attempt in another group, whose name is as the config spells it.
    #[cold]
    pub fn falling_back(&self, group: Arc<str>, failure: Failure) {
        self.again(failure);
        let mut learned = self.learned();
        learned.events.get_or_insert_default().fallbacks.push(Fallback { group, failure });
    }

    /// A limit or a budget refused the call: whose it is, and what it limits.
    #[cold]
    pub fn set_refused(&self, scope: &'static str, measure: &'static str) {
        self.learned().events.get_or_insert_default().refused = Some((scope, measure));
    }
}
