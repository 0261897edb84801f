//! What a request asks for.
use super::NanoUsd;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What a request asks for. A request fact, written by ingest; absent means that nobody read the
/// body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The model group that it names; empty where it names none.
    pub group: Arc<str>,
    /// Whether it wants a stream.
    pub stream: bool,
    /// Whom the client says it calls for (`user`).
    pub end_user: Option<Arc<str>>,
}

/// What a call may take, guessed before it is sent. A request fact, written by ingest; absent
/// means that nothing is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// What it is likely to take: its input, and `max_tokens` or what the group usually answers.
    pub likely: Amount,
    /// The most that it can take; `None` where nothing bounds the answer.
    pub most: Option<Amount>,
}

/// Tokens, and what they cost at the dearest price that may answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Input and output together.
    pub tokens: i64,
    /// Their cost.
    pub cost: NanoUsd,
}

/// When a call has to be over. A request fact; absent means never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(pub Instant);

/// The key of an answer in a cache, without its tenant: equal requests have equal keys, and any
/// difference that may change the answer makes another one. A request fact, written by ingest;
/// absent means that the answer is not to be cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey(pub [u8; 32]);

/// What a request says about caches: LiteLLM's `cache` member. A request fact; absent means
/// nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheControl {
    /// Do not look for an answer (`no-cache`); the new one is kept.
    pub no_cache: bool,
    /// Do not keep the answer (`no-store`).
    pub no_store: bool,
    /// Keep the answer for so long (`ttl`).
    pub ttl: Option<Duration>,
    /// Take answers that are no older (`s-maxage`).
    pub max_age: Option<Duration>,
    /// Which part of the cache (`namespace`).
    pub namespace: Option<Arc<str>>,
    /// Take part where requests have to say so (`use-cache`).
    pub use_cache: bool,
}

/// Where an answer came from. A response fact, written by `cache`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheStatus {
    /// It was kept from an earlier call.
    Hit,
    /// No answer was kept.
    Miss,
    /// The cache was not asked.
    Bypass,
}

/// The deployment that answered. A response fact, written by who picks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedBy(pub Arc<str>);

/// Which attempt of a call this is. A request fact, written by `retry` and `fallback`; absent
/// means the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// Attempts in this group before this one.
    pub retries: u32,
    /// Groups before this one.
    pub fallbacks: u32,
}
