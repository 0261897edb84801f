//! Answers that several processes share.
use super::{Entry, Key, Store};
use crate::BoxError;
use crate::redis::{Redis, Write};
use bytes::Bytes;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Answers in Redis. How much it holds, and what makes room, is Redis' `maxmemory` to say.
///
/// Answers are written in the background, at most 8 MiB of them wait for it. While Redis is away
/// every call is a miss, and nothing is kept.
#[derive(Clone, Debug)]
pub struct RedisStore {
    redis: Redis,
    ttl: Option<Duration>,
}

impl RedisStore {
    /// Keeps answers until Redis needs the room, as LiteLLM does.
    #[must_use]
    pub fn new(redis: &Redis) -> Self {
        Self { redis: redis.clone(), ttl: None }
    }

    /// Keeps an answer for `ttl` where its call does not say how long.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl: Some(ttl), ..self }
    }

    fn key(&self, key: &Key) -> String {
        self.redis.cache_key(&key.to_string())
    }
}

impl Store for RedisStore {
    type Get = RedisGet;
    type Done = RedisDone;

    fn get(&self, key: &Key) -> Self::Get {
        let (redis, key) = (self.redis.clone(), self.key(key));
        RedisGet(Box::pin(async move {
            let found: Option<Vec<u8>> = redis.get(&key).await?;
            Ok(found.and_then(|bytes| Entry::from_bytes(Bytes::from(bytes))))
        }))
    }

    fn put(&self, key: Key, entry: Entry, ttl: Option<Duration>) {
        let key = self.key(&key);
        self.redis.write(Write { key, value: entry.to_bytes(), ttl: ttl.or(self.ttl) });
    }

    fn remove(&self, key: &Key) -> Self::Done {
        let (redis, key) = (self.redis.clone(), self.key(key));
        RedisDone(Box::pin(async move { Ok(redis.remove(&key).await?) }))
    }

    fn clear(&self) -> Self::Done {
        let redis = self.redis.clone();
        RedisDone(Box::pin(async move { Ok(redis.clear_cache().await?) }))
    }
}

macro_rules! future {
    ($(#[doc = $doc:literal])+ $name:ident, $output:ty) => {
        $(#[doc = $doc])+
        #[must_use = "futures do nothing unless polled"]
        pub struct $name(Pin<Box<dyn Future<Output = $output> + Send>>);

        impl Future for $name {
            type Output = $output;

            fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                self.0.as_mut().poll(cx)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

future! {
    /// Finds an answer in a [`RedisStore`].
    RedisGet, Result<Option<Entry>, BoxError>
}
future! {
    /// Forgets answers of a [`RedisStore`].
    RedisDone, Result<(), BoxError>
}
