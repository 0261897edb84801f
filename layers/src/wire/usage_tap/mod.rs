//! Learns what an answer used while it passes, and how it ended.
//!
//! The innermost layer, around the client that sends an attempt. Before it is sent, a line is put
//! on the call's [`Bill`](crate::facts::Bill); the answer carries the same
//! [`UsageCell`](crate::facts::UsageCell) as a fact, and while its body streams, usage, the reason
//! of its end and a failure are written there. An OpenAI stream that did not ask for usage is made
//! to, and the one event that it has for this is taken out. An answer without a usage report is
//! counted by its content, if [`ingest`](super::ingest) has read the request. Where a call fell back
//! (the fact [`Attempt`](crate::facts::Attempt)), the group of its [`Call`](crate::facts::Call) takes
//! the place of the model's name in the body.
//!
//! The beginning of an event stream is held back until its first content, so that a stream that
//! begins with an error, or breaks before it has begun, is an error that retry and fallback can
//! still make up for. Later it ends with an error event in the words of its endpoint. An answer
//! with an error status gets a [`Fault`] as a fact.
//!
//! Only answers that are not compressed can be read: those of known endpoints are asked for so. One
//! that comes compressed all the same passes, and costs nothing.
//!
//! # Errors
//!
//! [`UsageTapError`], with a [`Fault`] in its chain. Inner errors pass
//! through untouched.
//!
//! # Example
//!
//! ```
//! use bartizan_layers::facts::{Bill, NanoUsd, Price, Rates};
//! use bartizan_layers::wire::{ingest::IngestLayer, usage_tap::UsageTapLayer};
//! use bytes::Bytes;
//! use http::{Request, Response};
//! use http_body_util::{BodyExt, Full};
//! use std::sync::Arc;
//! use tower::{BoxError, ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let price = Arc::new(Price::flat(Rates::tokens(1_000, 2_000)));
//! let prices = move |_: &str| Some(price.clone());
//! let service = ServiceBuilder::new()
//!     .layer(IngestLayer::new(prices.clone()))
//!     .layer(UsageTapLayer::new(prices))
//!     .service_fn(async |_| {
//!         let answer = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#;
//!         let json = Response::builder().header("content-type", "application/json");
//!         Ok::<_, BoxError>(json.body(Full::new(Bytes::from(answer)))?)
//!     });
//!
//! let bill = Bill::default();
//! let chat = Full::new(Bytes::from(r#"{"model":"gpt-4o-mini","messages":[]}"#));
//! let request = Request::post("/v1/chat/completions").extension(bill.clone()).body(chat)?;
//! service.oneshot(request).await?.into_body().collect().await?;
//! assert_eq!(bill.cost(), NanoUsd(5));
//! # Ok(())
//! # }
//! ```
mod begin;
mod ending;
mod future;
mod gather;
mod tapping;
#[cfg(test)]
mod tests;

pub use self::future::UsageTapFuture;
pub use self::tapping::{Tapping, begun};
pub use super::endpoint::Endpoint;
pub use super::prices::Prices;

use self::begin::Attempt;
use crate::BoxError;
use crate::body::Body;
use crate::facts::Fault;
use bytes::Bytes;
use http::{Request, Response};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tower_layer::Layer;
use tower_service::Service;

/// Why a stream is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UsageTapError {
    /// It began with an error event.
    #[error("the stream began with an error")]
    ErrorFirst {
        /// What the error was.
        #[source]
        fault: Fault,
        /// The provider's words.
        message: Option<String>,
    },
    /// Reading it failed before its first content.
    #[error("the stream broke before it began")]
    Broke {
        /// What that is to retry and fallback.
        #[source]
        fault: Fault,
        /// The error itself.
        error: BoxError,
    },
    /// It ended before its first content, and without an ending.
    #[error("the stream ended before it began")]
    Cut(#[source] Fault),
}

/// Wraps services in [`UsageTap`]. See the [module docs](self) for an example.
#[derive(Debug)]
pub struct UsageTapLayer<P>(Arc<Options<P>>);

#[derive(Debug)]
struct Options<P> {
    prices: Arc<P>,
    endpoint: Option<Endpoint>,
    commit: Duration,
    asks: bool,
}

impl<P> Clone for Options<P> {
    fn clone(&self) -> Self {
        Self { prices: self.prices.clone(), ..*self }
    }
}

impl<P> Clone for UsageTapLayer<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: Prices> UsageTapLayer<P> {
    /// Bills attempts at `prices`. Streams are held back for 15 seconds at most.
    pub fn new(prices: P) -> Self {
        let (prices, commit) = (Arc::new(prices), Duration::from_secs(15));
        Self(Arc::new(Options { prices, endpoint: None, commit, asks: true }))
    }

    /// Takes every request for one of `endpoint`, whatever its path.
    #[must_use]
    pub fn endpoint(self, endpoint: Endpoint) -> Self {
        self.with(|options| options.endpoint = Some(endpoint))
    }

    /// Lets a stream go after `timeout`, whether it has begun or not. Errors are read no longer.
    #[must_use]
    pub fn commit_timeout(self, timeout: Duration) -> Self {
        self.with(|options| options.commit = timeout)
    }

    /// Does not ask streams for usage: their requests stay as they are.
    #[must_use]
    pub fn never_ask(self) -> Self {
        self.with(|options| options.asks = false)
    }

    /// Leaves those alone that were made before.
    fn with(mut self, set: impl FnOnce(&mut Options<P>)) -> Self {
        set(Arc::make_mut(&mut self.0));
        self
    }
}

impl<P, S> Layer<S> for UsageTapLayer<P> {
    type Service = UsageTap<P, S>;

    fn layer(&self, inner: S) -> Self::Service {
        UsageTap { inner, options: self.0.clone() }
    }
}

/// Middleware that taps answers. Made by [`UsageTapLayer`].
#[derive(Debug)]
pub struct UsageTap<P, S> {
    inner: S,
    options: Arc<Options<P>>,
}

impl<P, S: Clone> Clone for UsageTap<P, S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), options: self.options.clone() }
    }
}

impl<P, S, R> Service<Request<Body>> for UsageTap<P, S>
where
    P: Prices,
    S: Service<Request<Body>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = UsageTapFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut req: Request<Body>) -> Self::Future {
        let attempt = Attempt::begin(&self.options, &mut req);
        UsageTapFuture::new(self.inner.call(req), attempt, self.options.commit)
    }
}
