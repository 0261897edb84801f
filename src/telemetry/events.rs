//! What happens to few calls: a kept answer, another attempt, a refusal by a limit.
use super::series::DeploymentLabels;
use super::trail::{Learned, Trail};
use bartizan_layers::facts::{NanoUsd, Usage};
use std::sync::Arc;

/// Why a call failed, as metrics and records name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The status of the failure; not always the one that the client got, as a stream may fail
    /// after its 200 went out.
    pub status: u16,
    /// LiteLLM's exception class, or `Cancelled`.
    pub class: &'static str,
}

impl Failure {
    /// The client left.
    pub const CANCELLED: Self = Self { status: 499, class: "Cancelled" };
    /// A layer of this proxy panicked.
    pub const PANIC: Self = Self { status: 500, class: "Panic" };

    /// Whether no provider has a part in it, whoever was asked.
    pub(super) fn is_ours(self) -> bool {
        [Self::CANCELLED, Self::PANIC].contains(&self)
    }
}

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
    /// Those of the group that was asked for, and the most that it could have been.
    first: (u32, u32),
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
    /// Whose failure that is, where it is a provider's.
    pub(super) provider: Option<&'static str>,
}

/// What was tried for a call.
#[derive(Clone, Debug, Default)]
pub struct Attempted {
    /// The group that was asked for, as the config spells it; nothing if none was found.
    pub group: Option<Arc<str>>,
    /// Attempts after its first.
    pub retries: u32,
    /// The most that these could have been.
    pub most: u32,
    /// Groups that were tried in its place.
    pub fallbacks: u32,
}

impl Learned {
    /// The provider that is asked, and that fails if the call does.
    fn provider(&self) -> Option<&'static str> {
        self.served.as_ref().map(|served| served.deployment.api_provider)
    }

    /// Whose failure it is, where it is a provider's: of groups that all failed the first one's.
    pub(super) fn failed_at(&self, failure: Failure) -> Option<&'static str> {
        let first = self.events.as_ref().and_then(|events| events.fallbacks.first());
        match first {
            _ if failure.is_ours() => None,
            Some(first) if self.served.is_none() => first.provider,
            _ => self.provider(),
        }
    }
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
        let provider = self.learned().provider();
        self.again(failure);
        let fallback = Fallback { group, failure, provider };
        self.learned().events.get_or_insert_default().fallbacks.push(fallback);
    }

    /// Notes that the group that was asked for made so many retries, of so many at `most`.
    #[cold]
    pub fn set_retries(&self, done: u32, most: u32) {
        let mut learned = self.learned();
        let first = &mut learned.events.get_or_insert_default().first;
        *first = (done, most.max(first.1));
    }

    /// What was tried so far.
    #[must_use]
    pub fn attempted(&self) -> Attempted {
        let learned = self.learned();
        let group = learned.requested.clone();
        let Some(events) = &learned.events else {
            return Attempted { group, ..Attempted::default() };
        };
        let (retries, most) = events.first;
        let fallbacks = u32::try_from(events.fallbacks.len()).unwrap_or(u32::MAX);
        Attempted { group, retries, most, fallbacks }
    }

    /// The deployment with that id, if it was tried.
    #[must_use]
    pub fn tried(&self, id: &str) -> Option<Arc<DeploymentLabels>> {
        let learned = self.learned();
        let past = learned.attempts.iter().filter_map(|past| past.learned().served.clone());
        let mut all = past.chain(learned.served.clone()).map(|served| served.deployment);
        all.find(|deployment| &*deployment.model_id == id)
    }

    /// The call failed like this. Where other groups were tried in vain, that is how the first
    /// one did, and the last attempt is past.
    #[cold]
    pub fn fail(&self, failure: Failure) {
        let mut learned = self.learned();
        if learned.events.as_ref().is_some_and(|events| !events.fallbacks.is_empty()) {
            let last = learned.failure.unwrap_or(failure);
            drop(learned);
            self.again(last);
            learned = self.learned();
        }
        // What an attempt said of itself is less than what is known in the end.
        learned.failure = Some(failure);
    }

    /// The client leaves before it has an answer. An attempt that failed is past then, and not
    /// what became of the call.
    #[cold]
    pub fn leave(&self) {
        let failed = self.learned().failure.filter(|_| !self.is_answered());
        if let Some(failure) = failed {
            self.again(failure);
        }
    }

    /// A limit or a budget refused the call: whose it is, and what it limits.
    #[cold]
    pub fn set_refused(&self, scope: &'static str, measure: &'static str) {
        self.learned().events.get_or_insert_default().refused = Some((scope, measure));
    }
}
