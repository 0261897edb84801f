//! Answers that are kept, as a config says.
use super::Place;
use crate::config::{CacheKind, CacheScope, Caching};
use bartizan_layers::cache::{self, CacheLayer, MemoryStore, RedisStore};
use bartizan_layers::redis::Redis;
use bartizan_layers::retold::Retold;

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
