//! What one call wants of the cache, and what it does next.
use super::fill::{Fill, Order};
use super::flight::{Joined, Landed, Lead, Wait};
use super::{CacheLayer, Entry, HEADER, Key, Replay, Replayed, Store};
use crate::BoxError;
use crate::facts::{CacheControl, CacheKey, CacheStatus, Call, ServedBy};
use bytes::Bytes;
use http::{Extensions, HeaderValue, Response, header, response};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A call that takes part.
#[derive(Debug)]
pub(super) struct Job<T, P> {
    cache: Arc<CacheLayer<T, P>>,
    key: Key,
    plan: Plan,
    lead: Option<Lead>,
    mark: u64,
}

/// What the facts of a call say.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plan {
    pub(super) look: bool,
    pub(super) keep: bool,
    pub(super) ttl: Option<Duration>,
    pub(super) max_age: Option<Duration>,
}

/// What a call does next.
#[derive(Debug)]
pub(super) enum Next {
    Done(Response<Bytes>),
    Look,
    Wait(Wait),
    Call,
}

impl<T: Store, P> Job<T, P> {
    /// Whether it looks for an answer before it calls.
    pub(super) const fn looks(&self) -> bool {
        self.plan.look
    }

    pub(super) fn look(&self) -> T::Get {
        self.cache.store.get(&self.key)
    }

    pub(super) fn patience(&self) -> Duration {
        self.cache.patience
    }

    pub(super) const fn status(&self) -> CacheStatus {
        if self.plan.look { CacheStatus::Miss } else { CacheStatus::Bypass }
    }

    pub(super) fn missed(&self) {
        self.cache.shared.misses.fetch_add(1, Ordering::Relaxed);
    }

    fn join(&mut self) -> Next {
        if self.lead.is_some() || !self.cache.single_flight || !self.plan.keep {
            return Next::Call;
        }
        match self.cache.shared.flights.join(self.key, self.mark) {
            Joined::Follows(wait) => Next::Wait(wait),
            Joined::Leads { lead, again } => {
                self.lead = Some(lead);
                if again { Next::Look } else { Next::Call }
            }
        }
    }

    /// There is nothing to share. Those who wait ask for themselves, all at once: one by one, the
    /// last would wait for the failures of all others.
    pub(super) fn land(self) {
        if let Some(lead) = self.lead {
            lead.land(None);
        }
    }

    /// Whether an answer of so many bytes, or more, may be kept.
    pub(super) fn has_room_for(&self, bytes: u64) -> bool {
        usize::try_from(bytes).is_ok_and(|bytes| bytes <= self.cache.max_entry)
    }

    /// Begins to collect an answer.
    pub(super) fn fill(self, head: &response::Parts) -> Option<Box<Fill<T>>> {
        let Self { cache, key, plan, lead, .. } = self;
        if !plan.keep {
            return None;
        }
        let CacheLayer { store, keep_tool_calls, shared, max_entry, .. } = &*cache;
        let (store, room) = (store.clone(), shared.room.clone());
        let (keep_tool_calls, max_entry) = (*keep_tool_calls, *max_entry);
        let order = Order { store, key, ttl: plan.ttl, keep_tool_calls, lead, room, max_entry };
        Fill::begin(order, head)
    }
}

impl<T: Store, P: Replay> Job<T, P> {
    /// `None` for a call that takes no part.
    pub(super) fn of(cache: &Arc<CacheLayer<T, P>>, facts: &Extensions) -> Option<Self> {
        let key = facts.get::<CacheKey>()?;
        let (plan, namespace) = Plan::of(cache, facts)?;
        let key = Key::new(key, facts, cache.scope, namespace);
        let mark = cache.shared.flights.mark(&key);
        Some(Self { cache: cache.clone(), key, plan, lead: None, mark })
    }

    /// After a look.
    pub(super) fn looked(
        &mut self,
        found: Result<Option<Entry>, BoxError>,
        facts: &Extensions,
    ) -> Next {
        let found = found.unwrap_or_else(|_| {
            self.cache.shared.outages.fetch_add(1, Ordering::Relaxed);
            None
        });
        let Some(entry) = found else { return self.join() };
        let Some(rsp) = self.replay(&entry, facts) else { return self.join() };
        if let Some(lead) = self.lead.take() {
            lead.land(Some(entry));
        }
        Next::Done(rsp)
    }

    /// After a wait.
    pub(super) fn landed(&mut self, landed: Landed, facts: &Extensions) -> Next {
        match landed {
            Landed::Kept(entry) => self.replay(&entry, facts).map_or(Next::Call, |rsp| {
                self.cache.shared.joined.fetch_add(1, Ordering::Relaxed);
                Next::Done(rsp)
            }),
            Landed::Alone => Next::Call,
            Landed::Lead(lead) => {
                self.lead = Some(lead);
                Next::Call
            }
        }
    }

    /// The kept answer as this call wants it.
    fn replay(&self, entry: &Entry, facts: &Extensions) -> Option<Response<Bytes>> {
        if self.plan.max_age.is_some_and(|most| entry.age() > most) {
            return None;
        }
        let stream = facts.get().map_or(entry.stream, |call: &Call| call.stream);
        let replay = &self.cache.replay;
        let (body, content_type) = match (entry.stream, stream) {
            (false, false) => (entry.body.clone(), None),
            (true, true) => (replay.again(facts, entry)?, None),
            (true, false) => (replay.whole(facts, entry)?, Some("application/json")),
            (false, true) => {
                (replay.stream(facts, entry)?, Some("text/event-stream; charset=utf-8"))
            }
        };
        self.cache.shared.hits.fetch_add(1, Ordering::Relaxed);
        let mut rsp = Response::new(body);
        *rsp.headers_mut() = entry.headers.clone();
        if let Some(content_type) = content_type {
            let value = HeaderValue::from_static(content_type);
            rsp.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        // Entries that were kept here have it.
        if !rsp.headers().get(HEADER).is_some_and(|value| self.key.is_in(value)) {
            rsp.headers_mut().insert(HEADER, self.key.header());
        }
        rsp.extensions_mut().insert(CacheStatus::Hit);
        rsp.extensions_mut().insert(Replayed(entry.clone()));
        if let Some(id) = &entry.served_by {
            rsp.extensions_mut().insert(ServedBy(id.clone()));
        }
        Some(rsp)
    }
}

impl Plan {
    /// What a call wants, and the namespace of its answer; `None` if it takes no part.
    pub(super) fn of<'c, T, P>(
        cache: &'c CacheLayer<T, P>,
        facts: &'c Extensions,
    ) -> Option<(Self, &'c str)> {
        let control = facts.get::<CacheControl>();
        if cache.opt_in && !control.is_some_and(|control| control.use_cache) {
            return None;
        }
        let namespace = control.and_then(|control| control.namespace.as_deref());
        Some((Self::new(control, cache.ttl), namespace.unwrap_or(&cache.namespace)))
    }

    fn new(control: Option<&CacheControl>, ttl: Option<Duration>) -> Self {
        let Some(control) = control else {
            return Self { look: true, keep: true, ttl, max_age: None };
        };
        Self {
            look: !control.no_cache,
            keep: !control.no_store,
            ttl: control.ttl.or(ttl),
            max_age: control.max_age,
        }
    }
}
