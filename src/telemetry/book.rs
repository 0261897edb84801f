//! Where finished calls are booked, and what is told of them there.
use super::events::{Cached, Failure, Hit};
use super::series::DeploymentLabels;
use super::trail::{Learned, Served, Trail};
use super::words::Words;
use bartizan_layers::end::End;
use bartizan_layers::facts::{NanoUsd, Principal};
use http::HeaderValue;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;
use tokio::time::Instant;

/// Keeps finished calls: each is handed over once, before the client sees the end of its answer.
pub trait Book: fmt::Debug + Send + Sync {
    /// The number under which a call that begins will be booked; never 0.
    fn reserve(&self) -> u64;

    /// What the receipt of the call with that number is found by.
    fn receipt(&self, number: u64) -> HeaderValue;

    /// Books a call that has ended. Possibly called from `Drop`: it must not panic.
    fn book(&self, trail: &Trail, outcome: &Outcome<'_>);
}

/// What a request says of itself besides what it asks for.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Whom the client calls for.
    pub end_user: Option<Arc<str>>,
    /// The model that the client asks for, as it spells it.
    pub model: Option<Box<str>>,
    /// Words that the call bears, its key's included.
    pub tags: Arc<[Box<str>]>,
    /// The session that it belongs to.
    pub session: Option<Box<str>>,
    /// What is to be kept with its record: the text of a JSON object.
    pub metadata: Option<Box<str>>,
    /// Where it came from.
    pub ip: Option<IpAddr>,
    /// The program that made it, as that says.
    pub user_agent: Option<Box<str>>,
    /// What was held for it, where a budget bounds it.
    pub held: Option<NanoUsd>,
}

/// How a call ended.
#[derive(Debug)]
pub struct Outcome<'a> {
    pub(super) learned: MutexGuard<'a, Learned>,
    /// What the client got; 499 if it left before.
    pub(super) status: u16,
    pub(super) failure: Option<Failure>,
    /// Whose failure it is, where it is a provider's.
    pub(super) failed_at: Option<&'static str>,
    /// What a cache had for it; nothing if none was asked, or nobody answered.
    pub(super) cached: Option<Cached>,
    pub(super) end: End,
    pub(super) ended: Instant,
    /// From its begin to its end.
    pub(super) took: Duration,
}

impl Outcome<'_> {
    /// Who answered this call, or the one whose answer was kept for it.
    #[must_use]
    pub fn deployment(&self) -> Option<&Arc<DeploymentLabels>> {
        let kept = || self.learned.hit.as_ref()?.deployment.as_ref();
        self.learned.served.as_ref().map(|served| &served.deployment).or_else(kept)
    }

    /// What the provider calls the model that answered.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        let learned = &*self.learned;
        let told = learned.served.as_ref().map_or(&learned.model, |served| &served.model);
        let label = || self.deployment().map(|deployment| &*deployment.model);
        // Another process may have kept the answer, of a deployment of its own.
        let asked = || learned.hit.as_ref().and(learned.requested.as_deref());
        told.as_deref().or_else(label).or_else(asked)
    }

    /// What the client got; 499 if it left before.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Why it failed, if it did.
    #[must_use]
    pub const fn failure(&self) -> Option<Failure> {
        self.failure
    }

    /// What the client was told of its failure, where that was said here.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.learned.error.as_deref()
    }

    /// From its begin to its end.
    #[must_use]
    pub const fn took(&self) -> Duration {
        self.took
    }

    /// From its begin to the first content of its answer.
    #[must_use]
    pub fn first_content(&self, trail: &Trail) -> Option<Duration> {
        self.learned.first_content.map(|at| at - trail.started())
    }

    /// Whether a cache had its answer; `None` if none was asked.
    #[must_use]
    pub fn is_hit(&self) -> Option<bool> {
        self.cached.map(|cached| cached == Cached::Hit)
    }

    /// The kept answer that the client got.
    #[must_use]
    pub fn hit(&self) -> Option<&Hit> {
        self.learned.hit.as_deref()
    }

    /// What it said and was answered, where that is kept.
    #[must_use]
    pub fn words(&self) -> Option<&Words> {
        self.learned.words.as_deref()
    }

    /// Who calls.
    #[must_use]
    pub fn principal(&self) -> Option<&Principal> {
        self.learned.principal.as_ref()
    }

    /// The name that was asked for.
    #[must_use]
    pub fn requested(&self) -> Option<&Arc<str>> {
        self.learned.requested.as_ref()
    }

    /// Who answered, and what that uses.
    #[must_use]
    pub fn served(&self) -> Option<&Served> {
        self.learned.served.as_ref()
    }

    /// What the request says of itself.
    #[must_use]
    pub fn told(&self) -> Option<&Told> {
        self.learned.told.as_deref()
    }

    /// The id that the answer bears.
    #[must_use]
    pub fn response_id(&self) -> Option<Box<str>> {
        self.learned.served.as_ref()?.usage.answered()?.id
    }

    /// Shows `visit` the attempts that failed before, in their order, and the deployments of a
    /// call that asked several, each with the attempts before its own.
    pub fn others(&self, visit: &mut dyn FnMut(&Outcome<'_>)) {
        let learned = &*self.learned;
        for other in learned.attempts.iter().chain(&learned.branches) {
            let outcome = other.outcome(self.end);
            outcome.others(visit);
            visit(&outcome);
        }
    }

    /// Whether all of the answer went out.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.end == End::Complete
    }
}
