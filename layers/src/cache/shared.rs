//! What all services of one layer share.
use super::fill::Room;
use super::flight::Flights;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Calls that a kept answer was found for.
    pub hits: u64,
    /// Of those, the ones that waited for the answer of an equal call.
    pub joined: u64,
    /// Calls that looked and found none.
    pub misses: u64,
    /// Looks that the store did not answer.
    pub outages: u64,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) flights: Flights,
    pub(super) room: Room,
    pub(super) hits: AtomicU64,
    pub(super) joined: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) outages: AtomicU64,
}

impl Shared {
    pub(super) fn new(collecting: usize) -> Arc<Self> {
        let (flights, room) = (Flights::new(), Room::new(collecting));
        let [hits, joined, misses, outages] = [const { AtomicU64::new(0) }; 4];
        Arc::new(Self { flights, room, hits, joined, misses, outages })
    }
}
