//! May this principal use this model group, now?
//!
//! The layer stands behind [`auth`](super) and behind whoever reads the request's body: it needs the
//! facts [`Principal`] and [`Call`], and lets a request pass that lacks either, as then there is
//! nobody to refuse or nothing to refuse it. An [`Access`] policy decides.
//!
//! # Errors
//!
//! [`AccessError`], before the inner service is called. Inner errors pass through untouched.
//!
//! # Example
//!
//! ```
//! use bartizan_layers::auth::access::{AccessLayer, Groups};
//! use bartizan_layers::facts::{Call, Principal};
//! use http::{Request, Response};
//! use tower::{BoxError, ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let access = Groups::new().only("alice", ["openai/*", "fast"]);
//! let service = ServiceBuilder::new()
//!     .layer(AccessLayer::new(access))
//!     .service_fn(async |_: Request<()>| Ok::<_, BoxError>(Response::new(())));
//!
//! let call = |group: &str| Call { group: group.into(), stream: false, end_user: None };
//! let mut request = Request::new(());
//! request.extensions_mut().insert(Principal::new("alice", "alice"));
//! request.extensions_mut().insert(call("openai/gpt-4o"));
//! service.clone().oneshot(request.clone()).await?;
//! request.extensions_mut().insert(call("claude"));
//! assert!(service.oneshot(request).await.is_err());
//! # Ok(())
//! # }
//! ```
mod future;
mod policy;
#[cfg(test)]
mod tests;

pub use self::future::AccessFuture;
pub use self::policy::{Access, AccessError, Groups, covers};

use crate::BoxError;
use crate::facts::{Call, Principal};
use http::Request;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Wraps services in [`Accessing`]. See the [module docs](self) for an example.
#[derive(Clone, Debug)]
pub struct AccessLayer<A>(A);

impl<A: Access> AccessLayer<A> {
    /// Asks `access`.
    pub const fn new(access: A) -> Self {
        Self(access)
    }
}

impl<A: Clone, S> Layer<S> for AccessLayer<A> {
    type Service = Accessing<A, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Accessing { inner, access: self.0.clone() }
    }
}

/// Middleware that asks who may use what. Made by [`AccessLayer`].
#[derive(Clone, Debug)]
pub struct Accessing<A, S> {
    inner: S,
    access: A,
}

impl<A, S, B> Service<Request<B>> for Accessing<A, S>
where
    A: Access,
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = AccessFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        let facts = req.extensions();
        let refused = match (facts.get::<Principal>(), facts.get::<Call>()) {
            (Some(principal), Some(call)) => self.access.check(principal, call, facts).err(),
            _ => None,
        };
        match refused {
            Some(error) => AccessFuture::refused(error),
            None => AccessFuture::calling(self.inner.call(req)),
        }
    }
}
