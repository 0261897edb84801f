//! Answers that are kept in parts, for calls that ask for several things at once.
use super::job::Plan;
use super::{Answer, CacheLayer, Entry, HEADER, Key, Replayed, Shared, Store};
use crate::BoxError;
use crate::facts::{CacheKey, CacheStatus, NanoUsd, ServedBy, Unit, Usage};
use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderName, Response, header, response};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

/// The parts of one call, each kept under a key of its own. Made by [`CacheLayer::parts`].
///
/// Whoever can take such answers apart looks for all parts, asks the upstream for those that are
/// missing, and keeps each of them. Equal parts of calls that are open at the same time are not
/// one upstream call.
///
/// ```
/// use bartizan_layers::{cache::{CacheLayer, MemoryStore}, facts::CacheKey};
/// # use {bytes::Bytes, http::{Extensions, Response}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let layer = CacheLayer::new(MemoryStore::new());
/// let keys = [CacheKey([1; 32]), CacheKey([2; 32])];
/// let parts = layer.parts(&Extensions::new(), &keys).ok_or("it takes part")?;
/// parts.keep(1, &Response::new(()).into_parts().0, Bytes::from("two"), None);
///
/// let mut looked = Vec::new();
/// for look in parts.looks() {
///     looked.push(look.await);
/// }
/// let found = parts.found(looked);
/// assert!(found[0].is_none());
/// assert_eq!(found[1].as_ref().ok_or("it is kept")?.body, "two");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Parts<T> {
    store: T,
    keys: Vec<Key>,
    plan: Plan,
    max_entry: usize,
    shared: Arc<Shared>,
}

impl<T: Store, P> CacheLayer<T, P> {
    /// The parts with these `keys` of a call with these `facts`, kept by the layer's rules; `None`
    /// for a call that takes no part.
    pub fn parts(&self, facts: &Extensions, keys: &[CacheKey]) -> Option<Parts<T>> {
        let (plan, namespace) = Plan::of(self, facts)?;
        let key = |key| Key::new(key, facts, self.scope, namespace);
        let keys = keys.iter().map(key).collect();
        let (store, shared) = (self.store.clone(), self.shared.clone());
        Some(Parts { store, keys, plan, max_entry: self.max_entry, shared })
    }
}

impl<T: Store> Parts<T> {
    /// A look for each part, begun when it is taken; none where the call does not want to look.
    pub fn looks(&self) -> impl Iterator<Item = T::Get> {
        let keys = self.keys.iter().filter(|_| self.plan.look);
        keys.map(|key| self.store.get(key))
    }

    /// What came of the looks, for each part in order: what is kept of it. A store that does not
    /// answer is a miss.
    pub fn found(&self, looked: Vec<Result<Option<Entry>, BoxError>>) -> Vec<Option<Entry>> {
        let away = looked.iter().any(Result::is_err);
        let fresh = |entry: &Entry| self.plan.max_age.is_none_or(|most| entry.age() <= most);
        let found = looked.into_iter().map(|look| look.ok().flatten().filter(fresh));
        let mut found: Vec<_> = found.collect();
        found.resize(self.keys.len(), None);
        if self.plan.look {
            let Shared { hits, misses, outages, .. } = &*self.shared;
            let count = if found.iter().all(Option::is_some) { hits } else { misses };
            count.fetch_add(1, Ordering::Relaxed);
            outages.fetch_add(away.into(), Ordering::Relaxed);
        }
        found
    }

    /// What the answer of an upstream says of the cache.
    #[must_use]
    pub const fn status(&self) -> CacheStatus {
        if self.plan.look { CacheStatus::Miss } else { CacheStatus::Bypass }
    }

    /// Keeps the `body` of one part, which came with this `head` and cost its share of the call. Of
    /// the headers, each part has those that say what it is and who answered. One that is longer
    /// than [`CacheLayer::max_entry`] is not kept.
    pub fn keep(
        &self,
        part: usize,
        head: &response::Parts,
        body: Bytes,
        bill: Option<(Usage, NanoUsd)>,
    ) {
        let keeps = self.plan.keep && body.len() <= self.max_entry;
        let Some(key) = self.keys.get(part).filter(|_| keeps) else { return };
        let mut answer = Answer::new(false, kept(&head.headers), body);
        answer.served_by = head.extensions.get().map(|ServedBy(id)| Arc::clone(id));
        answer.bill = bill;
        self.store.put(*key, answer.into(), self.plan.ttl);
    }

    /// The answer to a call whose parts are all kept: its `body` was put together of them.
    #[must_use]
    pub fn replay(&self, found: &[Entry], body: Bytes) -> Response<Bytes> {
        let mut rsp = Response::new(body.clone());
        let Some(first) = found.first() else { return rsp };
        *rsp.headers_mut() = first.headers.clone();
        rsp.headers_mut().insert(HEADER, Key::of_all(&self.keys).header());
        let facts = rsp.extensions_mut();
        facts.insert(CacheStatus::Hit);
        if let Some(id) = &first.served_by {
            facts.insert(ServedBy(id.clone()));
        }
        let bills = found.iter().map(|entry| entry.bill);
        let entry = Answer {
            body,
            bill: bills.reduce(sum).flatten(),
            stored: found.iter().map(|entry| entry.stored).min().unwrap_or_else(SystemTime::now),
            ..Answer::clone(first)
        };
        facts.insert(Replayed(entry.into()));
        rsp
    }
}

fn kept(headers: &HeaderMap) -> HeaderMap {
    let is_kept = |name: &HeaderName| {
        *name == header::CONTENT_TYPE || name.as_str().starts_with("x-litellm-model-")
    };
    let kept = headers.iter().filter(|(name, _)| is_kept(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn sum(a: Option<(Usage, NanoUsd)>, b: Option<(Usage, NanoUsd)>) -> Option<(Usage, NanoUsd)> {
    let ((mut usage, cost), (more, added)) = (a?, b?);
    for unit in Unit::ALL {
        usage[unit] = usage[unit].saturating_add(more[unit]);
    }
    Some((usage, NanoUsd(cost.0.saturating_add(added.0))))
}
