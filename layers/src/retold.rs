//! Kept answers in the form that a call asks for: what [`cache`](crate::cache) and
//! [`wire`](crate::wire) are together.
//!
//! ```
//! use bartizan_layers::cache::{CacheLayer, MemoryStore};
//! use bartizan_layers::retold::Retold;
//!
//! let layer = CacheLayer::new(MemoryStore::new()).replay(Retold);
//! # let _ = layer;
//! ```
use crate::cache::{Entry, Replay};
use crate::wire::replay::Retell;
use bytes::Bytes;
use http::Extensions;

/// Tells streams as whole answers and whole answers as streams, by the request fact [`Retell`],
/// which [`ingest`](crate::wire::ingest) writes with the cache key. Without it nothing is retold.
#[derive(Clone, Copy, Debug, Default)]
pub struct Retold;

impl Replay for Retold {
    fn whole(&self, facts: &Extensions, kept: &Entry) -> Option<Bytes> {
        retell(facts, kept)?.whole(&kept.body)
    }

    fn stream(&self, facts: &Extensions, kept: &Entry) -> Option<Bytes> {
        retell(facts, kept)?.stream(&kept.body)
    }

    fn again(&self, facts: &Extensions, kept: &Entry) -> Option<Bytes> {
        Some(retell(facts, kept)?.again(&kept.body))
    }
}

fn retell(facts: &Extensions, kept: &Entry) -> Option<Retell> {
    let used = kept.bill.map(|(usage, _)| usage);
    facts.get::<Retell>().map(|retell| retell.usage(used))
}
