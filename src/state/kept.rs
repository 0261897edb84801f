//! Answers that are kept, as a config says.
use super::Place;
use crate::config::{CacheKind, CacheScope, Caching};
use bartizan_layers::cache::{self, CacheLayer, Entry, MemoryStore, RedisStore, Replay};
use bartizan_layers::redis::Redis;
use bartizan_layers::wire::replay::Retell;
use bytes::Bytes;
use http::Extensions;

/// Tells a kept answer as its call wants it, by the fact [`Retell`].
#[derive(Clone, Copy, Debug)]
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

/// Keeps answers in one of both places.
pub type Kept = Place<MemoryStore, RedisStore>;

/// The answers in Redis, where a config wants them there.
pub(super) fn shared(redis: Option<&Redis>, caching: &Caching) -> Option<RedisStore> {
    redis.filter(|_| caching.kind == CacheKind::Redis).map(RedisStore::new)
}

/// The layer that keeps answers in `store`.
pub(super) fn layer(store: Kept, caching: &Caching) -> CacheLayer<Kept, Retold> {
    let scope = match caching.scope {
        CacheScope::Key => cache::CacheScope::Key,
        CacheScope::Team => cache::CacheScope::Team,
        CacheScope::All => cache::CacheScope::All,
    };
    let layer = CacheLayer::new(store).replay(Retold).scope(scope);
    let layer = layer.keep_tool_calls(caching.tool_calls);
    let layer = if caching.opt_in { layer.opt_in() } else { layer };
    let layer = caching.ttl.into_iter().fold(layer, CacheLayer::ttl);
    caching.namespace.iter().fold(layer, |layer, name| layer.namespace(name.as_str()))
}
