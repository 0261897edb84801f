//! Reads a request's body once, under a cap, and leaves what it asks for among its facts.
//!
//! From here inwards the body is in memory, so that an attempt can be repeated. Written are
//! [`Call`](crate::facts::Call), [`Estimate`](crate::facts::Estimate),
//! [`CacheControl`](crate::facts::CacheControl), [`Expected`](super::estimate::Expected) for
//! [`usage_tap`](super::usage_tap), and, where [asked for](IngestLayer::cache_keys), the
//! [`CacheKey`](crate::facts::CacheKey) with a [`Retell`](super::replay::Retell). The prompt itself is not parsed.
//!
//! The group of a call is the model that its body names. One that names none has the empty group,
//! and no key.
//!
//! A request is read if its path ends like one of OpenAI's or Anthropic's
//! [endpoints](Endpoint::of_path). Others pass unread and without facts. What else may become of a
//! body that was read, a [`Policy`] says.
//!
//! # Errors
//!
//! [`IngestError`], before the inner service is called. Inner errors pass through untouched.
//!
//! # Example
//!
//! ```
//! use bartizan_layers::{body::Body, facts::{Call, Estimate}, wire::ingest::IngestLayer};
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::Full;
//! use tower::{BoxError, ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let service = ServiceBuilder::new()
//!     .layer(IngestLayer::new(()))
//!     .service_fn(async |req: Request<Body>| {
//!         let call: &Call = req.extensions().get().expect("it names a model");
//!         assert_eq!((&*call.group, call.stream), ("gpt-4o-mini", true));
//!         let estimate: &Estimate = req.extensions().get().expect("it was read");
//!         assert!(estimate.most.is_some());
//!         Ok::<_, BoxError>(Response::new(()))
//!     });
//!
//! let chat = r#"{"model":"gpt-4o-mini","stream":true,"max_tokens":9,"messages":[]}"#;
//! let request = Request::post("/v1/chat/completions").body(Full::new(Bytes::from(chat)))?;
//! service.oneshot(request).await?;
//! # Ok(())
//! # }
//! ```
mod facts;
mod future;
mod policy;
#[cfg(test)]
mod tests;

pub use self::facts::Notes;
pub use self::future::IngestFuture;
pub use self::policy::{Begin, Policy};
pub use super::endpoint::Endpoint;
pub use super::prices::Prices;

use super::scan::{Duplicate, Invalid};
use super::text::NotUtf8;
use crate::BoxError;
use bytes::Bytes;
use http::Request;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Why a body was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// It is larger than the cap, in bytes.
    #[error("the body has more than {0} bytes")]
    TooLarge(usize),
    /// It broke off.
    #[error("the body could not be read")]
    Broken(#[source] BoxError),
    /// It is compressed: a layer before this one has to decode it.
    #[error("the body is compressed")]
    Encoded,
    /// It is no text.
    #[error("the body is not UTF-8")]
    NotUtf8(#[from] NotUtf8),
    /// It is no JSON object.
    #[error("the body is not a JSON object: {0}")]
    NotJson(#[from] Invalid),
    /// It names a model twice, so that two readers could see two.
    #[error("{0}")]
    Duplicate(#[from] Duplicate),
}

/// Wraps services in [`Ingest`]. See the [module docs](self) for an example.
#[derive(Debug)]
pub struct IngestLayer<P>(Arc<P>);

impl<P> Clone for IngestLayer<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: Policy> IngestLayer<P> {
    /// Reads requests as `policy` says.
    pub fn with_policy(policy: impl Into<Arc<P>>) -> Self {
        Self(policy.into())
    }
}

impl<P: Prices> IngestLayer<Notes<P>> {
    /// Reads bodies of at most 32 MiB, and takes `prices` for estimates.
    pub fn new(prices: P) -> Self {
        Self::with_policy(Notes::new(prices))
    }

    /// Refuses bodies of more than `cap` bytes.
    #[must_use]
    pub fn cap(self, cap: usize) -> Self {
        self.with(|notes| notes.cap = cap)
    }

    /// Reads every request as one of `endpoint`, whatever its path.
    #[must_use]
    pub fn endpoint(self, endpoint: Endpoint) -> Self {
        self.with(|notes| notes.endpoint = Some(endpoint))
    }

    /// Makes a cache key of each request, which takes a walk over its body.
    #[must_use]
    pub fn cache_keys(self) -> Self {
        self.with(|notes| notes.cache_keys = true)
    }

    /// Leaves those alone that were made before.
    fn with(mut self, set: impl FnOnce(&mut Notes<P>)) -> Self {
        set(Arc::make_mut(&mut self.0));
        self
    }
}

impl<P, S> Layer<S> for IngestLayer<P> {
    type Service = Ingest<P, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Ingest { inner, policy: self.0.clone() }
    }
}

/// Middleware that reads bodies. Made by [`IngestLayer`].
#[derive(Debug)]
pub struct Ingest<P, S> {
    inner: S,
    policy: Arc<P>,
}

impl<P, S: Clone> Clone for Ingest<P, S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), policy: self.policy.clone() }
    }
}

impl<P, S, B> Service<Request<B>> for Ingest<P, S>
where
    P: Policy,
    S: Service<Request<P::Body>> + Clone,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = IngestFuture<P, S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        // The clone is not ready: it stays behind, and the ready service makes the call.
        let unready = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, unready);
        IngestFuture::new(ready, self.policy.clone(), req)
    }
}
