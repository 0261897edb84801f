//! What becomes known of one call while it goes through the layers.
use super::book::{Outcome, Told};
use super::events::{Cached, Events, Failure, Hit};
use super::request_id::RequestId;
use super::series::DeploymentLabels;
use super::words::Words;
use bartizan_layers::end::End;
use bartizan_layers::facts::{About, NanoUsd, Principal, UsageCell};
use http::{Method, StatusCode};
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// Who answered a call, and what it uses.
#[derive(Clone, Debug)]
pub struct Served {
    /// The deployment, as metrics name it.
    pub deployment: Arc<DeploymentLabels>,
    /// What the provider calls the model, where the deployment's own name for it is a pattern.
    pub model: Option<Box<str>>,
    /// The usage and the price of the answer.
    pub usage: UsageCell,
}

/// The trail of one call. Each part has one writer; who reads it before finds nothing.
///
/// A request fact, so that refusals, which have no answer to carry facts, leave a trail too.
/// Clones share it.
#[derive(Clone, Debug)]
pub struct Trail(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    id: RequestId,
    method: Method,
    route: &'static str,
    started: Instant,
    /// Under which it will be booked; 0 if nobody books it.
    number: AtomicU64,
    learned: Mutex<Learned>,
    streamed: AtomicBool,
    missed: AtomicBool,
    status: AtomicU16,
    received: AtomicU64,
    written: AtomicU64,
}

impl Parts {
    fn new(id: RequestId, method: Method, route: &'static str) -> Self {
        Self {
            id,
            method,
            route,
            started: Instant::now(),
            number: AtomicU64::new(0),
            learned: Mutex::default(),
            streamed: AtomicBool::new(false),
            missed: AtomicBool::new(false),
            status: AtomicU16::new(0),
            received: AtomicU64::new(0),
            written: AtomicU64::new(0),
        }
    }
}

/// What layers learned of a call.
#[derive(Debug, Default)]
pub(super) struct Learned {
    pub(super) principal: Option<Principal>,
    pub(super) requested: Option<Arc<str>>,
    pub(super) served: Option<Served>,
    pub(super) sent: Option<Instant>,
    pub(super) first_content: Option<Instant>,
    pub(super) branches: Vec<Trail>,
    pub(super) attempts: Vec<Trail>,
    pub(super) hit: Option<Box<Hit>>,
    pub(super) events: Option<Box<Events>>,
    pub(super) told: Option<Box<Told>>,
    pub(super) model: Option<Box<str>>,
    pub(super) words: Option<Box<Words>>,
    pub(super) error: Option<Box<str>>,
    lead: Option<Trail>,
    ended: Option<Instant>,
    pub(super) failure: Option<Failure>,
}

macro_rules! once {
    ($($(#[$doc:meta])* $set:ident, $name:ident: $type:ty;)*) => {
        $($(#[$doc])*
        pub fn $set(&self, value: $type) {
            // The first word counts: what a later layer says of the same thing is no news.
            self.learned().$name.get_or_insert(value);
        })*
    };
}

impl Trail {
    /// Begins a trail.
    #[must_use]
    pub fn new(id: RequestId, method: Method, route: &'static str) -> Self {
        Self(Arc::new(Parts::new(id, method, route)))
    }

    once! {
        /// Who calls.
        set_principal, principal: Principal;
        /// The name that was asked for, as the config spells it.
        set_requested, requested: Arc<str>;
        /// Who answers.
        set_served, served: Served;
        /// What a provider calls the model that is asked for, where the config has a pattern.
        set_model, model: Box<str>;
        /// The kept answer that the client gets.
        set_hit, hit: Box<Hit>;
        /// When the call was sent to an upstream.
        set_sent, sent: Instant;
        /// When the first content came.
        set_first_content, first_content: Instant;
        /// What the request says of itself.
        set_told, told: Box<Told>;
        /// What it says, to be kept with its answer.
        set_words, words: Box<Words>;
        /// Why it failed.
        set_failure, failure: Failure;
        /// What the client is told of its failure, where that is said here.
        set_error, error: Box<str>;
        /// Of its branches the one whose answer the client gets: how that ends, it ends.
        set_lead, lead: Trail;
        /// When it was over, where that is before its call is: of a branch.
        set_ended, ended: Instant;
    }

    /// The trail of one of several deployments that are asked at once. What is told of this one
    /// at its end is told of its branches as well: each has a deployment and a usage of its own.
    #[must_use]
    pub fn branch(&self) -> Self {
        let Parts { id, method, route, started, .. } = &*self.0;
        let mut learned = self.learned();
        let branch = Self(Arc::new(Parts {
            started: *started,
            learned: Mutex::new(Learned {
                principal: learned.principal.clone(),
                ..Learned::default()
            }),
            ..Parts::new(id.clone(), method.clone(), route)
        }));
        learned.branches.push(branch.clone());
        branch
    }

    /// Begins another attempt: what is known of the one before, which failed like this, becomes a
    /// trail of its own, and the next one's deployment and usage take its place.
    #[cold]
    pub(super) fn again(&self, failure: Failure) {
        let Parts { id, method, route, started, .. } = &*self.0;
        let mut learned = self.learned();
        learned.failure = None;
        if learned.served.is_none() {
            return;
        }
        let past = Learned {
            principal: learned.principal.clone(),
            requested: learned.requested.clone(),
            served: learned.served.take(),
            sent: learned.sent.take(),
            first_content: learned.first_content.take(),
            failure: Some(failure),
            ended: Some(Instant::now()),
            ..Learned::default()
        };
        let parts = Parts::new(id.clone(), method.clone(), route);
        let past = Self(Arc::new(Parts { started: *started, learned: Mutex::new(past), ..parts }));
        past.0.status.store(failure.status, Relaxed);
        learned.attempts.push(past);
    }

    /// What else its issuer knows of the key that it came with.
    #[must_use]
    pub fn about(&self) -> Option<About> {
        self.learned().principal.as_ref().map(|principal| principal.about.clone())
    }

    /// What its answer has cost so far.
    #[must_use]
    pub fn cost(&self) -> NanoUsd {
        self.learned().served.as_ref().map_or(NanoUsd(0), |served| served.usage.cost())
    }

    /// The id that its answer bears, as far as that has come.
    #[must_use]
    pub fn response_id(&self) -> Option<Box<str>> {
        self.learned().served.as_ref()?.usage.answered()?.id
    }

    /// Whether the client asked for a stream.
    pub fn set_streamed(&self, streamed: bool) {
        self.0.streamed.store(streamed, Relaxed);
    }

    /// A cache was asked for the answer and had none.
    pub fn set_missed(&self) {
        self.0.missed.store(true, Relaxed);
    }

    /// The number under which it will be booked.
    pub fn set_number(&self, number: u64) {
        self.0.number.store(number, Relaxed);
    }

    /// The number under which it will be booked; 0 if nobody books it.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0.number.load(Relaxed)
    }

    /// The status that goes to the client.
    pub fn set_status(&self, status: StatusCode) {
        self.0.status.store(status.as_u16(), Relaxed);
    }

    /// Whether there is an answer for the client.
    pub(super) fn is_answered(&self) -> bool {
        self.0.status.load(Relaxed) != 0
    }

    /// Bytes of the request's body.
    pub fn add_received(&self, bytes: u64) {
        self.0.received.fetch_add(bytes, Relaxed);
    }

    /// Bytes of the answer's body.
    pub fn add_written(&self, bytes: u64) {
        self.0.written.fetch_add(bytes, Relaxed);
    }

    /// The call's id.
    #[must_use]
    pub fn id(&self) -> &RequestId {
        &self.0.id
    }

    /// When it came in.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.0.started
    }

    pub(super) fn method(&self) -> &Method {
        &self.0.method
    }

    /// The path, as metrics and records name it.
    #[must_use]
    pub fn route(&self) -> &'static str {
        self.0.route
    }

    /// Whether the client asked for a stream.
    #[must_use]
    pub fn streamed(&self) -> bool {
        self.0.streamed.load(Relaxed)
    }

    pub(super) fn received(&self) -> u64 {
        self.0.received.load(Relaxed)
    }

    pub(super) fn written(&self) -> u64 {
        self.0.written.load(Relaxed)
    }

    pub(super) fn learned(&self) -> MutexGuard<'_, Learned> {
        self.0.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn outcome(&self, end: End) -> Outcome<'_> {
        let learned = self.learned();
        let end = if learned.ended.is_some() { End::Complete } else { end };
        let led = learned.lead.as_ref().and_then(|lead| lead.learned().failure);
        let failed = learned.failure.or(led);
        // A call without an answer: the client left, or a layer panicked.
        let unanswered = failed.map_or(499, |failure| failure.status);
        let status =
            Some(self.0.status.load(Relaxed)).filter(|status| *status != 0).unwrap_or(unanswered);
        let failure = failed.or(match end {
            End::Complete => None,
            End::Failed => Some(Failure { status: 500, class: "APIConnectionError" }),
            End::Cancelled => Some(Failure::CANCELLED),
        });
        let failed_at = failure.and_then(|failure| learned.failed_at(failure));
        let missed = failure.is_none() && self.0.missed.load(Relaxed);
        let cached = learned.hit.as_ref().map(|_| Cached::Hit);
        let cached = cached.or(missed.then_some(Cached::Miss));
        let ended = learned.ended.unwrap_or_else(Instant::now);
        let took = ended - self.started();
        Outcome { learned, status, failure, failed_at, cached, end, ended, took }
    }
}
