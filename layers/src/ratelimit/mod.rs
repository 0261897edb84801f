//! Limits calls, tokens and parallel calls.
//!
//! The layer asks a [`Limiter`] whether a call may pass, which counts the call, sets its likely
//! tokens aside and takes one of the calls that may be open at once, for each [`Limit`] that the
//! limiter's [`Rules`] know. When the answer's body ends, or the client has left, the likely tokens
//! are replaced by those that were used, all attempts together, and the call is no longer open.
//! Windows, counting and headers are LiteLLM's; unlike there, parallel tokens are set aside, so
//! that calls which come together cannot overdraw a limit together.
//!
//! Answers tell in `x-ratelimit-<scope>-limit-<measure>` and `-remaining-<measure>` what is left.
//! An answer from a cache counts as a call, not in tokens.
//!
//! # Errors
//!
//! [`RateLimitError::Exceeded`], before the inner service is called; nothing is counted for a call
//! that is refused. In a [dry run](RateLimitLayer::dry_run) the call passes and its answer bears
//! the [`Exceeded`] as a fact. Inner errors pass through untouched, their tokens are given back.
//!
//! # Outages
//!
//! [`RateLimitError::Outage`] where a limiter has no other way, unless the layer is told to
//! [admit](RateLimitLayer::admit_on_outage). [`MemoryLimiter`] has none.
//!
//! # Example
//!
//! ```
//! use bartizan_layers::facts::{Limit, Measure, Scope};
//! use bartizan_layers::ratelimit::{MemoryLimiter, RateLimitLayer};
//! # use {bytes::Bytes, http::{Request, Response}, http_body_util::Empty, std::sync::Arc};
//! use tower::{BoxError, ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let once = Limit {
//!     scope: Scope::Global,
//!     subject: "".into(),
//!     measure: Measure::Requests,
//!     most: 1,
//! };
//! let limits: Arc<[Limit]> = [once].into();
//! let service = ServiceBuilder::new()
//!     .layer(RateLimitLayer::new(MemoryLimiter::new(limits)))
//!     .service_fn(async |_: Request<()>| {
//!         Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new()))
//!     });
//!
//! let rsp = service.clone().oneshot(Request::new(())).await?;
//! assert_eq!(rsp.headers()["x-ratelimit-global-remaining-requests"], "0");
//! let refused = service.oneshot(Request::new(())).await.unwrap_err();
//! assert!(refused.to_string().starts_with("Rate limit exceeded for global"));
//! # Ok(())
//! # }
//! ```
//!
//! [`Limit`]: crate::facts::Limit
mod counters;
mod future;
mod headers;
mod memory;
mod policy;
#[cfg(feature = "redis")]
mod redis;
mod rules;
#[cfg(test)]
mod tests;
mod window;

pub use self::future::{RateLimitFuture, Settle};
pub use self::headers::LimitHeaders;
pub use self::memory::{MemoryGrant, MemoryLimiter};
pub use self::policy::{Exceeded, Grant, Limiter, RateLimitError};
#[cfg(feature = "redis")]
pub use self::redis::{RedisAdmit, RedisGrant, RedisLimiter};
pub use self::rules::{Only, PrincipalLimits, Rules};

use crate::BoxError;
use crate::end::EndBody;
use http::{Request, Response};
use http_body::Body;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Wraps services in [`RateLimit`]. See the [module docs](self) for an example.
#[derive(Clone, Debug)]
pub struct RateLimitLayer<L> {
    limiter: L,
    options: Options,
}

#[derive(Clone, Copy, Debug)]
struct Options {
    headers: Headers,
    dry_run: bool,
    admit_on_outage: bool,
    one_attempt: bool,
}

/// Where the headers are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Headers {
    None,
    /// Inside, by who makes the answer.
    Early,
    /// On the answer.
    Late,
}

impl<L> RateLimitLayer<L> {
    /// Refuses what `limiter` refuses, and whatever it cannot decide. Answers bear headers.
    pub const fn new(limiter: L) -> Self {
        let options = Options {
            headers: Headers::Late,
            dry_run: false,
            admit_on_outage: false,
            one_attempt: false,
        };
        Self { limiter, options }
    }

    /// Refuses nothing: the answer to a call that would have been refused bears the [`Exceeded`]
    /// as a fact. As such a call would not have been made, it does not count.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.options.dry_run = true;
        self
    }

    /// Lets calls pass, uncounted, while the limiter's store is unreachable.
    #[must_use]
    pub fn admit_on_outage(mut self) -> Self {
        self.options.admit_on_outage = true;
        self
    }

    /// Sets no headers.
    #[must_use]
    pub fn without_headers(mut self) -> Self {
        self.options.headers = Headers::None;
        self
    }

    /// Leaves the headers as the fact [`LimitHeaders`] for the services inside, which may know a
    /// cheaper way to set them, and sets them on answers only that come without them.
    #[must_use]
    pub fn tell_early(mut self) -> Self {
        self.options.headers = Headers::Early;
        self
    }

    /// Settles by what the answer itself has used, not by the bill of the whole call: for limits
    /// of a deployment, which other attempts have nothing to do with.
    #[must_use]
    pub fn one_attempt(mut self) -> Self {
        self.options.one_attempt = true;
        self
    }
}

impl<L: Clone, S> Layer<S> for RateLimitLayer<L> {
    type Service = RateLimit<L, S>;

    fn layer(&self, inner: S) -> Self::Service {
        RateLimit { inner, limiter: self.limiter.clone(), options: self.options }
    }
}

/// Middleware that limits calls. Made by [`RateLimitLayer`].
#[derive(Clone, Debug)]
pub struct RateLimit<L, S> {
    inner: S,
    limiter: L,
    options: Options,
}

impl<L, S, B, R> Service<Request<B>> for RateLimit<L, S>
where
    L: Limiter,
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: Body,
{
    type Response = Response<EndBody<R, Settle<L::Grant>>>;
    type Error = BoxError;
    type Future = RateLimitFuture<L, S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        if let Some(decided) = self.limiter.admit_now(req.extensions()) {
            return RateLimitFuture::decided(decided, &mut self.inner, req, self.options);
        }
        // The clone is not ready: it stays behind, and the ready service makes the call.
        let unready = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, unready);
        let admit = self.limiter.admit(req.extensions());
        RateLimitFuture::waiting(admit, ready, req, self.options)
    }
}
