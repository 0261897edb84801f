//! Answers equal calls once.
//!
//! A call whose facts have a [`CacheKey`](crate::facts::CacheKey) gets an answer that was kept from
//! an equal one, and the upstream hears nothing of it; any other call passes untouched. Equal calls
//! at the same time are one upstream call: the others wait for the first, and each goes its own way
//! when that brings nothing to share. Tenants and namespaces are kept apart, see [`Key`].
//!
//! An answer is collected while it passes, frames by reference, and kept when its body has ended
//! well: status 200, complete, not cut at its most tokens, not filtered, not failed in its stream, and
//! without tool calls unless they are asked for. What the upstream's
//! [`UsageCell`](crate::facts::UsageCell) says at the end counts; without one, the end alone.
//! A stream is replayed to a call that wants a whole answer and the other way round, as far as the
//! [`Replay`] policy can tell one by the other.
//!
//! A hit has the header `x-litellm-cache-key`, and the facts [`CacheStatus::Hit`], [`ServedBy`] of
//! the deployment that answered then, and [`Replayed`]. Misses, and calls that did not want to
//! look, have their [`CacheStatus`]. Requests control their part by
//! [`CacheControl`](crate::facts::CacheControl); the HTTP header of that name is no switch.
//!
//! A hit shares its answer's bytes. A miss allocates twice besides its fact: for those who may
//! follow, and to collect. What is kept is a copy: frames hold on to whole buffers.
//!
//! # Errors
//!
//! None of its own. Errors of the inner service pass through untouched.
//!
//! # Outages
//!
//! A store that does not answer is a miss, and counted: see [`CacheStats::outages`].
//!
//! # Example
//!
//! ```
//! use bartizan_layers::{cache::{CacheLayer, MemoryStore}, facts::CacheKey};
//! # use {bytes::Bytes, http::{Request, Response}, http_body_util::{BodyExt, Full}};
//! use tower::{BoxError, ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let service = ServiceBuilder::new()
//!     .layer(CacheLayer::new(MemoryStore::new()))
//!     .service_fn(async |_: Request<()>| Ok::<_, BoxError>(Response::new(Full::<Bytes>::from("hi"))));
//!
//! for hit in [false, true] {
//!     let mut request = Request::new(());
//!     // A stack has `wire::IngestLayer` write it.
//!     request.extensions_mut().insert(CacheKey([7; 32]));
//!     let response = service.clone().oneshot(request).await?;
//!     assert_eq!(response.headers().contains_key("x-litellm-cache-key"), hit);
//!     assert_eq!(response.into_body().collect().await?.to_bytes(), "hi");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`CacheStatus`]: crate::facts::CacheStatus
//! [`CacheStatus::Hit`]: crate::facts::CacheStatus::Hit
//! [`ServedBy`]: crate::facts::ServedBy
mod body;
mod entry;
mod fill;
mod flight;
mod future;
mod job;
mod key;
#[cfg(test)]
#[cfg(bartizan_loom)]
mod loom;
mod memory;
mod parts;
mod policy;
#[cfg(feature = "redis")]
mod redis;
mod shared;
#[cfg(test)]
#[cfg(not(bartizan_loom))]
mod tests;

pub use self::body::CacheBody;
pub use self::entry::{Answer, Entry};
pub use self::future::CacheFuture;
pub use self::key::{CacheScope, Key};
pub use self::memory::{Held, MemoryStore};
pub use self::parts::Parts;
pub use self::policy::{AsKept, Replay, Store};
#[cfg(feature = "redis")]
pub use self::redis::{RedisDone, RedisGet, RedisStore};
pub use self::shared::CacheStats;

use self::job::Job;
use self::shared::Shared;
use crate::BoxError;
use bytes::Bytes;
use http::{HeaderName, Request, Response};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tower_layer::Layer;
use tower_service::Service;

/// The header of a hit: its [`Key`] in hexadecimal digits.
pub const HEADER: HeaderName = HeaderName::from_static("x-litellm-cache-key");

/// The kept answer that a hit is made of. A response fact of hits.
#[derive(Clone, Debug)]
pub struct Replayed(pub Entry);

/// Wraps services in [`Cache`]. See the [module docs](self) for an example. Clones, and all
/// services that it wraps, share flights and counts.
#[derive(Clone, Debug)]
pub struct CacheLayer<T, P = AsKept> {
    store: T,
    replay: P,
    scope: CacheScope,
    namespace: Arc<str>,
    ttl: Option<Duration>,
    opt_in: bool,
    keep_tool_calls: bool,
    single_flight: bool,
    max_entry: usize,
    patience: Duration,
    shared: Arc<Shared>,
}

impl<T> CacheLayer<T> {
    /// Keeps answers of up to 1 MiB in `store`, as long as it does by itself, for each team or key
    /// without a team, but none that call tools. Streams are replayed as streams only.
    pub fn new(store: T) -> Self {
        Self {
            store,
            replay: AsKept,
            scope: CacheScope::default(),
            namespace: "".into(),
            ttl: None,
            opt_in: false,
            keep_tool_calls: false,
            single_flight: true,
            max_entry: 1 << 20,
            patience: Duration::from_secs(30),
            shared: Shared::new(32 << 20),
        }
    }
}

impl<T, P> CacheLayer<T, P> {
    /// Gives kept answers the form that a request asks for by `replay`.
    pub fn replay<Q>(self, replay: Q) -> CacheLayer<T, Q> {
        let Self { store, scope, namespace, ttl, opt_in, keep_tool_calls, .. } = self;
        let Self { single_flight, max_entry, patience, shared, .. } = self;
        CacheLayer {
            store,
            replay,
            scope,
            namespace,
            ttl,
            opt_in,
            keep_tool_calls,
            single_flight,
            max_entry,
            patience,
            shared,
        }
    }

    /// Who shares answers. Default [`CacheScope::Team`].
    #[must_use]
    pub fn scope(self, scope: CacheScope) -> Self {
        Self { scope, ..self }
    }

    /// Where answers of requests are kept that name no namespace. Default: the empty one.
    #[must_use]
    pub fn namespace(self, namespace: impl Into<Arc<str>>) -> Self {
        Self { namespace: namespace.into(), ..self }
    }

    /// How long answers are kept where the request does not say. Default: as the store does.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl: Some(ttl), ..self }
    }

    /// Only requests that say `use-cache` take part (LiteLLM's mode `default_off`).
    #[must_use]
    pub fn opt_in(self) -> Self {
        Self { opt_in: true, ..self }
    }

    /// Keeps answers that call tools, too.
    #[must_use]
    pub fn keep_tool_calls(self, keep: bool) -> Self {
        Self { keep_tool_calls: keep, ..self }
    }

    /// Whether equal calls on their way at the same time are one. Default: yes.
    #[must_use]
    pub fn single_flight(self, single_flight: bool) -> Self {
        Self { single_flight, ..self }
    }

    /// How long a call waits for an equal one before it asks for itself: the other's client may
    /// read slowly. Default 30 s.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The most bytes of one answer; a larger one is not kept. Default 1 MiB.
    #[must_use]
    pub fn max_entry(self, bytes: usize) -> Self {
        Self { max_entry: bytes, ..self }
    }

    /// The most bytes of all answers that are being collected at a time; what goes beyond is not
    /// kept. Default 32 MiB. Clones made before count for themselves.
    #[must_use]
    pub fn collecting(self, bytes: usize) -> Self {
        Self { shared: Shared::new(bytes), ..self }
    }

    /// What happened so far.
    pub fn stats(&self) -> CacheStats {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Shared { hits, joined, misses, outages, .. } = &*self.shared;
        let [hits, joined, misses, outages] = [hits, joined, misses, outages].map(read);
        CacheStats { hits, joined, misses, outages }
    }
}

impl<T: Clone, P: Clone, S> Layer<S> for CacheLayer<T, P> {
    type Service = Cache<T, P, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Cache { inner, options: Arc::new(self.clone()) }
    }
}

/// Middleware that answers equal calls once. Made by [`CacheLayer`].
#[derive(Clone, Debug)]
pub struct Cache<T, P, S> {
    inner: S,
    options: Arc<CacheLayer<T, P>>,
}

impl<T, P, S, B, R> Service<Request<B>> for Cache<T, P, S>
where
    T: Store,
    P: Replay,
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: http_body::Body<Data = Bytes>,
{
    type Response = Response<CacheBody<R, T>>;
    type Error = BoxError;
    type Future = CacheFuture<T, P, S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        match Job::of(&self.options, req.extensions()) {
            Some(job) if job.looks() => {
                // The clone is not ready: it stays behind, and the ready service makes the call.
                let unready = self.inner.clone();
                CacheFuture::look(std::mem::replace(&mut self.inner, unready), req, job)
            }
            job => CacheFuture::call(self.inner.call(req), job),
        }
    }
}
