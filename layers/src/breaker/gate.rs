//! The shared handle of one deployment's breaker.
use super::policy::is_clients;
use super::tally::{Tally, millis};
use super::word::{Entry, Probe, State, Word};
use super::{BreakerError, Policy};
use crate::facts::Fault;
use http::StatusCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, mem};
use tokio::time::Instant;

/// That a deployment is rested, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trip {
    /// The status of the failure that was one too many.
    pub status: StatusCode,
    /// When the cooldown began.
    pub since: Instant,
    /// When it ends.
    pub until: Instant,
}

/// Hears that a breaker opened by itself, to tell other nodes. Implemented by closures.
pub trait Trips: Send + Sync {
    /// Called in the middle of a call, possibly from `Drop`: it must not block or panic.
    fn tripped(&self, trip: &Trip);
}

/// Tells nobody.
impl Trips for () {
    fn tripped(&self, _trip: &Trip) {}
}

impl<F: Fn(&Trip) + Send + Sync> Trips for F {
    fn tripped(&self, trip: &Trip) {
        self(trip);
    }
}

/// The breaker of one deployment. Clones share it: one is in its [`Breaker`](super::Breaker),
/// others are with whoever picks, and with status pages.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    word: Word,
    base: Instant,
    policy: Policy,
    group: AtomicUsize,
    tally: Mutex<Tally>,
    last: Mutex<Option<Trip>>,
    trips: Box<dyn Trips>,
}

impl Gate {
    /// A closed breaker.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self::telling(policy, ())
    }

    /// A closed breaker that tells `trips` when it opens.
    #[must_use]
    pub fn telling(policy: Policy, trips: impl Trips + 'static) -> Self {
        Self(Arc::new(Inner {
            word: Word::new(),
            base: Instant::now(),
            policy,
            group: AtomicUsize::new(1),
            tally: Mutex::default(),
            last: Mutex::default(),
            trips: Box::new(trips),
        }))
    }

    /// When it rests its deployment.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.0.policy
    }

    /// Finds the gate for as long as others have it.
    #[cfg(feature = "redis")]
    pub(super) fn weak(&self) -> impl Fn() -> Option<Self> + Send + Sync + use<> {
        let weak = Arc::downgrade(&self.0);
        move || weak.upgrade().map(Self)
    }

    /// Tells how many deployments its group has: LiteLLM's rule spares one that is alone. One,
    /// until it is told.
    pub fn set_group_size(&self, deployments: usize) {
        self.0.group.store(deployments, Relaxed);
    }

    /// Whether a call that is sent now would get in. Once the cooldown is over that is so until
    /// a call has become the probe.
    #[must_use]
    pub fn admits(&self) -> bool {
        self.0.word.admits(|| self.now())
    }

    /// What it lets through now.
    #[must_use]
    pub fn state(&self) -> State {
        self.0.word.state(|| self.now())
    }

    /// What is left of the cooldown; `None` when there is none.
    #[must_use]
    pub fn rests_for(&self) -> Option<Duration> {
        let left = self.0.word.until()?.saturating_sub(self.now());
        (left > 0).then(|| Duration::from_millis(left))
    }

    /// Why it does not let everything through; `None` while it does.
    #[must_use]
    pub fn tripped(&self) -> Option<Trip> {
        let trip = *lock(&self.0.last);
        trip.filter(|_| !self.0.word.is_closed())
    }

    /// Rests the deployment from now on, as another node or a person says. One that rests for
    /// longer already goes on to do so. [`Trips`] are not told.
    pub fn trip(&self, rest: Duration, status: StatusCode) {
        let until = self.now().saturating_add(millis(rest));
        if self.0.word.rest(until) {
            self.note(status, until);
        }
    }

    /// Closes the breaker and forgets what was counted.
    pub fn reset(&self) {
        *lock(&self.0.tally) = Tally::default();
        self.0.word.close();
    }

    /// Asks to make a call.
    pub(super) fn enter(&self) -> Result<Pass, BreakerError> {
        let probe = match self.0.word.enter(|| self.now(), self.patience()) {
            Entry::Through => None,
            Entry::Probe(probe) => Some(probe),
            Entry::Resting(until) => return Err(BreakerError::Resting { until: self.at(until) }),
            Entry::Probing => return Err(BreakerError::Probing),
        };
        Ok(Pass { gate: self.clone(), probe })
    }

    /// A call ended well.
    pub(super) fn succeeded(&self) {
        lock(&self.0.tally).succeed(&self.0.policy.rule, || self.now());
    }

    /// A call failed. That of a probe is always one too many.
    pub(super) fn failed(&self, fault: &Fault, probe: bool) {
        let Some(rest) = self.rest_after(fault).filter(|_| self.0.word.is_closed()) else { return };
        let (now, others) = (self.now(), self.0.group.load(Relaxed) > 1);
        let due = lock(&self.0.tally).fail(&self.0.policy, fault, others, now);
        let until = now.saturating_add(millis(rest));
        if (due || probe) && self.0.word.open(until) {
            self.opened(fault, until);
        }
    }

    /// How long to rest if this `fault` is one too many; `None` where it never is.
    fn rest_after(&self, fault: &Fault) -> Option<Duration> {
        self.0.policy.cooldown(fault).filter(|_| self.0.policy.counts(fault))
    }

    fn opened(&self, fault: &Fault, until: u64) {
        *lock(&self.0.tally) = Tally::default();
        let trip = self.note(fault.status, until);
        self.0.trips.tripped(&trip);
    }

    fn note(&self, status: StatusCode, until: u64) -> Trip {
        let trip = Trip { status, since: Instant::now(), until: self.at(until) };
        *lock(&self.0.last) = Some(trip);
        trip
    }

    /// How long a probe is the only one: a cooldown, as if it had failed by then.
    fn patience(&self) -> u64 {
        let policy = &self.0.policy;
        millis(policy.cooldown.unwrap_or(policy.default_cooldown)).max(1000)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.base.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn at(&self, millis: u64) -> Instant {
        let far = self.0.base + Duration::from_secs(u64::from(u32::MAX));
        self.0.base.checked_add(Duration::from_millis(millis)).unwrap_or(far)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("state", &self.state())
            .field("policy", &self.0.policy)
            .finish()
    }
}

/// One call that was let in. Dropped before it is judged, it leaves the place of the probe.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Gate,
    probe: Option<Probe>,
}

impl Pass {
    /// The attempt ended before its body began, or began well. Gives back the gate, and whether
    /// this call was the probe.
    pub(super) fn judge(mut self, fault: Option<&Fault>) -> (Gate, bool) {
        let gate = self.gate.clone();
        let Some(probe) = mem::take(&mut self.probe) else {
            fault.inspect(|fault| gate.failed(fault, false));
            return (gate, false);
        };
        let Some(fault) = fault.filter(|fault| !is_clients(fault)) else {
            gate.0.word.close_after(&probe);
            return (gate, true);
        };
        match gate.rest_after(fault) {
            Some(rest) => {
                let until = gate.now().saturating_add(millis(rest));
                if gate.0.word.open_after(&probe, until) {
                    gate.opened(fault, until);
                }
            }
            None => gate.0.word.release(&probe),
        }
        (gate, true)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(probe) = &self.probe {
            self.gate.0.word.release(probe);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
