//! Rests a deployment that fails, and probes it before it is used again.
//!
//! A breaker is *closed* while all is well. What its [`Policy`] says of failures *opens* it for a
//! cooldown: that of the deployment, else the provider's `Retry-After`, else five seconds. After
//! it the breaker is *half-open*: one call, the probe, may pass; its success closes the breaker,
//! its failure opens it again, and if its client leaves, the next call is the probe. One that has
//! no answer after a cooldown is joined by another, so that a slow answer does not keep all other
//! calls out. An attempt is judged by its [`Fault`](crate::facts::Fault) and, if it began well, by
//! how its body ends: a stream that fails later counts, a client that leaves does not. What the
//! client did wrong does not count.
//!
//! One gate is one deployment: an upstream with one model of its own. [`Policy::default`] is
//! LiteLLM's rule for those, which rests one at once after a 401, 402 or 404. Around an upstream
//! whose models clients name themselves, any of them could so rest it for all: there, take
//! [`Rule::Consecutive`] or [`Rule::Rate`].
//!
//! The [`Gate`] is the breaker's handle. Whoever picks a deployment reads it, without a lock;
//! others can [`trip`](Gate::trip) it, such as a node that heard of another's [`Trips`].
//!
//! # Errors
//!
//! [`BreakerError`], before the inner service is called. Retry does not wait for it, and fallback
//! goes on at once, by the [refusal](crate::facts::Fault::refused) in its chain. Inner errors pass
//! through untouched.
//!
//! # Example
//!
//! ```
//! use bartizan_layers::breaker::{BreakerLayer, Gate, Policy, Rule};
//! # use {bytes::Bytes, http::{Request, Response}, http_body_util::Empty};
//! use tower::{BoxError, ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let gate = Gate::new(Policy::new(Rule::Consecutive(2)));
//! let service = ServiceBuilder::new()
//!     .layer(BreakerLayer::new(gate.clone()))
//!     .service_fn(async |_: Request<()>| Err::<Response<Empty<Bytes>>, _>("connection refused"));
//!
//! for _ in 0..2 {
//!     assert!(gate.admits());
//!     assert!(service.clone().oneshot(Request::new(())).await.is_err());
//! }
//! assert!(!gate.admits());
//! # }
//! ```
mod future;
mod gate;
mod policy;
#[cfg(feature = "redis")]
mod redis;
mod tally;
#[cfg(test)]
mod tests;
mod word;

pub use self::future::{BreakerFuture, Watch};
pub use self::gate::{Gate, Trip, Trips};
pub use self::policy::{AllowedFails, BreakerError, Policy, Rule};
pub use self::word::State;

use crate::{BoxError, end::EndBody};
use http::{Request, Response};
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Wraps services in [`Breaker`]. See the [module docs](self) for an example.
#[derive(Clone, Debug)]
pub struct BreakerLayer {
    gate: Gate,
}

impl BreakerLayer {
    /// Lets through what `gate` admits, and tells it how that ended. One gate is one deployment.
    #[must_use]
    pub const fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

impl<S> Layer<S> for BreakerLayer {
    type Service = Breaker<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Breaker { inner, gate: self.gate.clone() }
    }
}

/// Middleware that rests a failing deployment. Made by [`BreakerLayer`].
#[derive(Clone, Debug)]
pub struct Breaker<S> {
    inner: S,
    gate: Gate,
}

impl<S, B, R> Service<Request<B>> for Breaker<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: http_body::Body,
{
    type Response = Response<EndBody<R, Watch>>;
    type Error = BoxError;
    type Future = BreakerFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        match self.gate.enter() {
            Ok(pass) => BreakerFuture::calling(self.inner.call(req), pass),
            Err(error) => BreakerFuture::refused(error),
        }
    }
}
