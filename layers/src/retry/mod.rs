//! Tries a failed call again, within its group.
//!
//! A failure is judged by its [`Fault`](crate::facts::Fault): which kinds are tried again, how
//! often and after what pause follows LiteLLM's rules, so that a client cannot tell the
//! difference. A [`Policy`] says what holds for a call ([`Rules`]) and how its group stands
//! ([`Group`]). A copy of the request is kept as long as another attempt may follow; the last one
//! takes it. Further attempts have two facts more: [`Attempt`](crate::facts::Attempt) counts
//! them, and [`Tried`] names the deployments that have failed, which whoever picks should avoid.
//! What attempts share, as their [`Bill`](crate::facts::Bill), has to be a fact before the first.
//!
//! Whatever comes back as an answer without a fault is committed: a body that fails later is
//! passed on as it is. So what is inside should hold the beginning of a stream back until it is
//! known to be one.
//!
//! Retries beyond a share of the group's calls are refused by its [`RetryBudget`]: when all calls
//! fail, trying each again makes things worse. No attempt begins after the call's
//! [`Deadline`](crate::facts::Deadline).
//!
//! # What it costs
//!
//! A call that succeeds costs its copy: an allocation for each fact and two more, and two or three
//! for headers. Where that counts, let a body hold behind an `Arc` what all attempts share, and
//! the request itself only what differs: then the copy takes none.
//!
//! # Errors
//!
//! Those of the inner service: the last failure, as it came.
//!
//! # Example
//!
//! ```
//! use bartizan_layers::retry::{Retries, RetryLayer, Rules};
//! # use {bytes::Bytes, http::{Request, Response}, http_body_util::Empty};
//! use tower::{BoxError, ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), BoxError> {
//! let service = ServiceBuilder::new()
//!     .layer(RetryLayer::new(Rules::default()))
//!     .service_fn(async |req: Request<()>| {
//!         let first = req.extensions().get::<bartizan_layers::facts::Attempt>().is_none();
//!         let status = if first { 503 } else { 200 };
//!         Ok::<_, BoxError>(Response::builder().status(status).body(Empty::<Bytes>::new())?)
//!     });
//!
//! let rsp = service.oneshot(Request::new(())).await?;
//! assert_eq!(rsp.status(), 200);
//! assert_eq!(rsp.extensions().get(), Some(&Retries { done: 1, most: 2 }));
//! # Ok(())
//! # }
//! ```
mod backoff;
mod budget;
mod failure;
mod future;
mod policy;
mod rules;
#[cfg(test)]
mod tests;

pub use self::backoff::Backoff;
pub use self::budget::RetryBudget;
pub use self::failure::{AttemptFailed, DeploymentRetries, Failure};
pub use self::future::RetryFuture;
pub use self::policy::{Fallbacks, Group, Policy, Retries, RetryOverride, Tried};
pub use self::rules::{ByClass, Rules};

use crate::BoxError;
use http::{Request, Response};
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Wraps services in [`Retry`]. See the [module docs](self) for an example.
#[derive(Clone, Debug)]
pub struct RetryLayer<P> {
    policy: P,
    backoff: Backoff,
}

impl<P> RetryLayer<P> {
    /// Tries again as `policy` says, after the pauses of [`Backoff::default`].
    pub fn new(policy: P) -> Self {
        Self { policy, backoff: Backoff::default() }
    }

    /// Makes other pauses.
    #[must_use]
    pub fn backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }
}

impl<P: Clone, S> Layer<S> for RetryLayer<P> {
    type Service = Retry<P, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Retry { inner, options: self.clone() }
    }
}

/// Middleware that tries failed calls again. Made by [`RetryLayer`].
#[derive(Clone, Debug)]
pub struct Retry<P, S> {
    inner: S,
    options: RetryLayer<P>,
}

impl<P, S, B, R> Service<Request<B>> for Retry<P, S>
where
    P: Policy<B>,
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = RetryFuture<P, S, B, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        // The clone is not ready: it stays behind, and the ready service makes the call.
        let unready = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, unready);
        RetryFuture::new(ready, &self.options, req)
    }
}
