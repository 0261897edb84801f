//! A hold that the limiter makes in its own round trip, for the ledger below it.
use super::{Count, Level, Outage, Ticket};
use http::Extensions;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Tells what a ledger will hold.
pub(crate) trait Joins: Send + Sync {
    /// What the call with these `facts` holds; nothing where the ledger has to see for itself.
    fn levels(&self, facts: &Extensions) -> Vec<Level>;
}

/// A ledger that a limiter makes holds for, in its own round trip. Made by
/// [`RedisLedger::joining`](crate::cost::RedisLedger::joining).
#[derive(Clone)]
pub struct Joining(Arc<dyn Joins>);

impl Joining {
    pub(crate) fn new(ledger: impl Joins + 'static) -> Self {
        Self(Arc::new(ledger))
    }

    pub(crate) fn levels(&self, facts: &Extensions) -> Vec<Level> {
        self.0.levels(facts)
    }
}

impl fmt::Debug for Joining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joining").finish_non_exhaustive()
    }
}

/// What became of the hold.
#[derive(Debug)]
pub(crate) enum Joint {
    Held(Arc<Ticket>),
    /// The ledger's level with this number has no room.
    Refused(usize, Count),
    Outage(Outage),
}

/// The fact in which the ledger finds it, once.
#[derive(Clone, Debug)]
pub(crate) struct Left(Arc<Mutex<Option<Joint>>>);

impl Left {
    pub(crate) fn new(joint: Joint) -> Self {
        Self(Arc::new(Mutex::new(Some(joint))))
    }

    pub(crate) fn take(&self) -> Option<Joint> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
