//! Learns how many calls a deployment can have in flight, and lets no more through.
//!
//! An [`AdaptiveLimit`] watches the time to first byte. While its gradient, that of an upstream at
//! ease over that of now, stays near one, the limit grows as far as it is used; where it falls
//! below `1 / tolerance` the limit is cut by a tenth, as it is after a 429, an overload or a run
//! of errors. (TCP Vegas reads congestion from delays like that, and Netflix's Gradient2 limit
//! made a gradient of it; the memory for a limit that was too high, with a plateau before it, is
//! that of CUBIC, RFC 9438.) An upstream that turns bad above some number of calls is kept just
//! below it, with a short look above it every few seconds.
//!
//! Waiting belongs to the [`Group`]: a call tries the limits of its deployments in order and, if
//! none has room, waits for the first that has. [`AdaptiveLayer`] does so for a single upstream;
//! whoever picks among several asks [`Group::acquire`], judges the attempt with [`Permit::judge`]
//! and puts the permit into an [`EndBody`], which frees it when the body ends.
//!
//! # Errors
//!
//! [`Crowded`], where too many wait or none had room in time. Retry does not wait for it, and
//! fallback goes on at once, by the [refusal](crate::facts::Fault::refused) in its chain. Inner
//! errors pass through untouched.
//!
//! # Example
//!
//! ```
//! use bartizan_layers::adaptive::{AdaptiveLayer, Bounds, Group, Waiting};
//! # use {bytes::Bytes, http::{Request, Response}, http_body_util::Empty};
//! use tower::{BoxError, ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let group = Group::new(Waiting::default());
//! let limit = group.limit(Bounds::between(1, 200));
//! let service = ServiceBuilder::new()
//!     .layer(AdaptiveLayer::new(group, limit.clone()))
//!     .service_fn(async |_: Request<()>| Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new())));
//!
//! let response = service.oneshot(Request::new(())).await?;
//! println!("{} of {} in flight", limit.inflight(), limit.limit());
//! # let _ = response;
//! # Ok(())
//! # }
//! ```
mod control;
mod future;
mod group;
mod limit;
mod seen;
mod slots;
#[cfg(test)]
mod tests;

pub use self::control::Outcome;
pub use self::future::AdaptiveFuture;
pub use self::group::{Acquire, Crowded, Group, Waiting};
pub use self::limit::{AdaptiveLimit, Permit};

use crate::{BoxError, end::EndBody};
use http::{Request, Response};
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Wraps services in [`Adaptive`]. See the [module docs](self) for an example.
#[derive(Clone, Debug)]
pub struct AdaptiveLayer {
    group: Group,
    limit: AdaptiveLimit,
}

impl AdaptiveLayer {
    /// Lets as many calls through as `limit` allows; the others wait as `group`, that of the
    /// limit, says.
    #[must_use]
    pub const fn new(group: Group, limit: AdaptiveLimit) -> Self {
        Self { group, limit }
    }
}

impl<S> Layer<S> for AdaptiveLayer {
    type Service = Adaptive<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Adaptive { inner, options: self.clone() }
    }
}

/// Middleware that keeps an upstream at ease. Made by [`AdaptiveLayer`].
#[derive(Clone, Debug)]
pub struct Adaptive<S> {
    inner: S,
    options: AdaptiveLayer,
}

impl<S, B, R> Service<Request<B>> for Adaptive<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: http_body::Body,
{
    type Response = Response<EndBody<R, Permit>>;
    type Error = BoxError;
    type Future = AdaptiveFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        // The clone is not ready: it stays behind, and the ready service makes the call.
        let unready = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, unready);
        let acquire = self.options.group.acquire([&self.options.limit]);
        AdaptiveFuture::new(acquire, ready, req)
    }
}

/// Between what a limit is sought, and where the search begins.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Bounds {
    /// Calls in flight that are always allowed; 1 unless told.
    pub min: u32,
    /// Never more than that; 1000 unless told.
    pub max: u32,
    /// Where it begins; 10 unless told.
    pub initial: u32,
    /// How many times the time to first byte of an upstream at ease is still well; 1.5 unless
    /// told. Above it the limit is too high.
    pub tolerance: f64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { min: 1, max: 1000, initial: 10, tolerance: 1.5 }
    }
}

impl Bounds {
    /// From `min` to `max`; `min` is at least one.
    #[must_use]
    pub fn between(min: u32, max: u32) -> Self {
        Self { min: min.max(1), max: max.max(min.max(1)), ..Self::default() }
    }

    /// Begins the search at `initial`.
    #[must_use]
    pub const fn starting_at(self, initial: u32) -> Self {
        Self { initial, ..self }
    }
}
