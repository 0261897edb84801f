//! Equal calls that are on their way at the same time: one of them leads, the others wait for what
//! becomes of it.
//!
//! Locks are taken in one order: the table, then the flight. Nobody is woken under a lock.
use super::{Entry, Key};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicU64, Ordering};
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

/// A model checks one of them.
const SHARDS: usize = if cfg!(bartizan_loom) { 1 } else { 16 };

/// How many ends a shard remembers: far more than there are while a call looks into a store.
const REMEMBERED: usize = 64;

/// All flights of a cache. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Flights(Arc<[Shard]>);

#[derive(Debug)]
struct Shard {
    table: Mutex<Table>,
    /// How many flights have ended with an answer.
    kept: AtomicU64,
}

#[derive(Debug, Default)]
struct Table {
    flights: HashMap<Key, Arc<Flight>, RandomState>,
    /// The last ones that ended with an answer.
    kept: VecDeque<Key>,
}

#[derive(Debug)]
struct Flight(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    course: Course,
    followers: usize,
    /// Of the followers that have been polled and not woken since, oldest first.
    wakers: BTreeMap<u64, Waker>,
    next: u64,
}

#[derive(Debug, Default)]
enum Course {
    /// Somebody leads.
    #[default]
    Flying,
    /// The leader has left: the first that comes leads.
    Vacant,
    /// With an answer, or with none that others may have.
    Over(Option<Entry>),
}

/// What a call does that found no answer.
#[derive(Debug)]
pub(super) enum Joined {
    /// It asks the upstream. `again`: an answer may have been kept since its mark, so it looks
    /// once more.
    Leads { lead: Lead, again: bool },
    /// It waits.
    Follows(Wait),
}

/// What has become of the call that a follower waited for.
#[derive(Debug)]
pub(super) enum Landed {
    /// An answer for all.
    Kept(Entry),
    /// None: each asks for itself.
    Alone,
    /// The leader has left, and this one is the next.
    Lead(Lead),
}

impl Flights {
    pub(super) fn new() -> Self {
        let shard = || Shard { table: Mutex::default(), kept: AtomicU64::new(0) };
        Self(std::iter::repeat_with(shard).take(SHARDS).collect())
    }

    /// What [`join`](Self::join) takes, read before the look into the store.
    pub(super) fn mark(&self, key: &Key) -> u64 {
        self.shard(key).kept.load(Ordering::Acquire)
    }

    pub(super) fn join(&self, key: Key, mark: u64) -> Joined {
        let shard = self.shard(&key);
        let mut table = shard.table.lock().unwrap_or_else(PoisonError::into_inner);
        let flight = table.flights.entry(key).or_insert_with(|| Arc::new(Flight::vacant()));
        let flight = Arc::clone(flight);
        let member = Member { flights: self.clone(), key, flight };
        let id = member.flight.with(State::join);
        if let Some(id) = id {
            return Joined::Follows(Wait { member, id, landed: false });
        }
        let since = shard.kept.load(Ordering::Acquire) - mark;
        let again = since > 0 && table.was_kept(&key, since);
        Joined::Leads { lead: Lead { member, over: false }, again }
    }

    fn shard(&self, key: &Key) -> &Shard {
        &self.0[key.shard(self.0.len())]
    }

    #[cfg(all(test, bartizan_loom))]
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|shard| shard.table.lock().is_ok_and(|table| table.flights.is_empty()))
    }
}

impl Table {
    fn keep(&mut self, key: Key) {
        self.kept.truncate(REMEMBERED - 1);
        self.kept.push_front(key);
    }

    /// Whether `key` may be among the last so many that were kept.
    fn was_kept(&self, key: &Key, since: u64) -> bool {
        let since = usize::try_from(since).unwrap_or(usize::MAX);
        since > self.kept.len() || self.kept.iter().take(since).any(|kept| kept == key)
    }
}

impl Flight {
    fn vacant() -> Self {
        Self(Mutex::new(State { course: Course::Vacant, ..State::default() }))
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// A follower's number; `None` for who leads.
    fn join(&mut self) -> Option<u64> {
        if matches!(self.course, Course::Vacant) {
            self.course = Course::Flying;
            return None;
        }
        self.followers += 1;
        self.next += 1;
        Some(self.next)
    }

    /// After somebody left a flight that nobody leads: who is woken, or whether it is over.
    fn leave(&mut self) -> (Option<Waker>, bool) {
        let next = self.wakers.pop_first().map(|(_, waker)| waker);
        (next, self.followers == 0)
    }
}

#[derive(Clone, Debug)]
struct Member {
    flights: Flights,
    key: Key,
    flight: Arc<Flight>,
}

impl Member {
    /// Changes the flight, takes it out of the table if it is over, and wakes who is next.
    fn leave(&self, act: impl FnOnce(&mut State) -> (Option<Waker>, bool)) {
        let mut table = self.shard().table.lock().unwrap_or_else(PoisonError::into_inner);
        let (next, over) = self.flight.with(act);
        if over {
            table.flights.remove(&self.key);
        }
        drop(table);
        if let Some(next) = next {
            next.wake();
        }
    }

    fn shard(&self) -> &Shard {
        self.flights.shard(&self.key)
    }
}

/// Leads a flight. Dropped before it is over, it leaves the lead to the next.
#[derive(Debug)]
pub(super) struct Lead {
    member: Member,
    over: bool,
}

impl Lead {
    /// Ends the flight with an answer for all, which stands in the store already, or with none.
    pub(super) fn land(mut self, entry: Option<Entry>) {
        self.over = true;
        let shard = self.member.shard();
        let mut table = shard.table.lock().unwrap_or_else(PoisonError::into_inner);
        if entry.is_some() {
            table.keep(self.member.key);
            shard.kept.fetch_add(1, Ordering::AcqRel);
        }
        table.flights.remove(&self.member.key);
        let wakers = self.member.flight.with(|state| {
            state.course = Course::Over(entry);
            std::mem::take(&mut state.wakers)
        });
        drop(table);
        wakers.into_values().for_each(Waker::wake);
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        if !self.over {
            self.member.leave(|state| {
                state.course = Course::Vacant;
                state.leave()
            });
        }
    }
}

/// Waits for the leader.
#[derive(Debug)]
pub(super) struct Wait {
    member: Member,
    id: u64,
    landed: bool,
}

impl Future for Wait {
    type Output = Landed;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Landed> {
        let id = self.id;
        let waker = cx.waker().clone();
        // An old waker is dropped when the lock is free: what it held may be anything.
        let mut old = None;
        let landed = self.member.flight.with(|state| match &state.course {
            Course::Flying => {
                old = state.wakers.insert(id, waker);
                None
            }
            Course::Vacant => {
                state.course = Course::Flying;
                state.followers -= 1;
                old = state.wakers.remove(&id);
                Some(None)
            }
            Course::Over(entry) => Some(Some(entry.clone())),
        });
        drop(old);
        let Some(landed) = landed else { return Poll::Pending };
        self.landed = true;
        Poll::Ready(match landed {
            None => Landed::Lead(Lead { member: self.member.clone(), over: false }),
            Some(Some(entry)) => Landed::Kept(entry),
            Some(None) => Landed::Alone,
        })
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if self.landed {
            return;
        }
        let (id, mut own) = (self.id, None);
        self.member.leave(|state| {
            state.followers -= 1;
            own = state.wakers.remove(&id);
            match state.course {
                Course::Vacant => state.leave(),
                Course::Flying | Course::Over(_) => (None, false),
            }
        });
    }
}
