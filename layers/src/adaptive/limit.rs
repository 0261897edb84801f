//! The limit of one deployment, and the permits to call it.
use super::control::{Control, Sample};
use super::group::Group;
use super::slots::Slots;
use super::{Bounds, Outcome};
use crate::BoxError;
use crate::end::{End, OnEnd};
use crate::facts::{Cause, Fault};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU32, Ordering::Relaxed};
use http::Response;
use std::fmt;
use std::sync::{Arc, PoisonError};
use tokio::time::Instant;

/// How many calls one deployment may have in flight, as learnt. Clones share it. Made by
/// [`Group::limit`].
#[derive(Clone)]
pub struct AdaptiveLimit(Arc<Inner>);

struct Inner {
    slots: Slots,
    round: AtomicU32,
    control: Mutex<Control>,
    group: Group,
}

impl AdaptiveLimit {
    pub(super) fn new(bounds: Bounds, group: Group) -> Self {
        let control = Control::new(bounds);
        let slots = Slots::new(control.limit());
        Self(Arc::new(Inner {
            slots,
            round: AtomicU32::new(control.round()),
            control: Mutex::new(control),
            group,
        }))
    }

    /// A permit, if fewer than the limit are in flight. It does not wait: [`Group::acquire`] does.
    #[must_use]
    pub fn try_acquire(&self) -> Option<Permit> {
        // Read first: a sample that takes a new limit for the old one is left out, which is safe.
        let round = self.0.round.load(Relaxed);
        let taken = self.0.slots.take()?;
        Some(Permit { limit: self.clone(), started: Instant::now(), round, taken, told: false })
    }

    /// How many calls may be in flight now.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.0.slots.limit()
    }

    /// How many are. More than the limit for a while after it was lowered.
    #[must_use]
    pub fn inflight(&self) -> u32 {
        self.0.slots.taken()
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn record(&self, sample: Sample, now: Instant) {
        let mut control = self.0.control.lock().unwrap_or_else(PoisonError::into_inner);
        let before = control.limit();
        control.record(sample, now);
        let limit = control.limit();
        if limit == before {
            return;
        }
        self.0.slots.set_limit(limit);
        self.0.round.store(control.round(), Relaxed);
        drop(control);
        if limit > before {
            self.0.group.serve(self);
        }
    }
}

impl fmt::Debug for AdaptiveLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (limit, inflight) = (self.limit(), self.inflight());
        f.debug_struct("AdaptiveLimit").field("limit", &limit).field("inflight", &inflight).finish()
    }
}

/// Leave to have one call in flight, until it is dropped: put it into an
/// [`EndBody`](crate::end::EndBody), so that it is held until the body ends.
#[derive(Debug)]
#[must_use = "a permit that is dropped is free again"]
pub struct Permit {
    limit: AdaptiveLimit,
    started: Instant,
    round: u32,
    taken: u32,
    told: bool,
}

impl Permit {
    /// The call starts now, not when the permit was set aside.
    pub(super) fn start(&mut self) {
        self.started = Instant::now();
    }

    /// Learns from the attempt's answer, which has just come, or from its failure. What the client
    /// did wrong says nothing, nor what a layer further in refused.
    pub fn judge<B>(&mut self, result: Result<&Response<B>, &BoxError>) {
        match Fault::of(result) {
            None => self.record(Outcome::Answered),
            Some(fault) if fault.refused => {}
            Some(fault) => match fault.cause {
                Cause::RateLimit | Cause::Overload => self.record(Outcome::Overloaded),
                Cause::Timeout | Cause::Outage | Cause::Network => self.record(Outcome::Failed),
                _ => {}
            },
        }
    }

    /// Learns how the attempt went, which has just become known. The first word counts.
    pub fn record(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let (now, round, taken) = (Instant::now(), self.round, self.taken);
        let (inflight, ttfb) = (self.limit.inflight(), now - self.started);
        let sample = Sample { round, taken, inflight, ttfb, outcome };
        self.limit.record(sample, now);
    }
}

/// Frees the permit.
impl OnEnd for Permit {
    fn on_end(self, _end: End) {}
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limit.0.slots.free();
        self.limit.0.group.serve(&self.limit);
    }
}
