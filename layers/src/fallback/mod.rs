//! Moves a failed call to the next model group.
//!
//! A [`Plan`] lists for each group the [`Target`]s that may answer in its place: for prompts that
//! are too long, for what a provider's policy refuses, and for anything else. Each target is a
//! whole call of its own, with its own fallbacks, down to a bounded depth; no group is tried
//! twice, so plans may have cycles. The first success is returned, with the fact [`FellBack`].
//!
//! Whatever comes back as an answer without a fault is committed: a body that fails later is
//! passed on as it is. A request that no plan and no [`FallbackOverride`] can apply to is handed
//! on as it came; of others a copy is kept until there is an answer. It costs what that of `retry`
//! costs, and each of the two makes its own: a layer between them may change a call.
//!
//! # Errors
//!
//! Those of the inner service. Where every group failed, it is what the first one said that is
//! returned, error or answer: it is the one that the client asked for.
//!
//! # Example
//!
//! ```
//! use bartizan_layers::facts::Call;
//! use bartizan_layers::fallback::{FallbackLayer, FellBack, Plan, Target};
//! # use {bytes::Bytes, http::{Request, Response}, http_body_util::Empty, std::sync::Arc};
//! use tower::{BoxError, ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let plan = Plan::default().general("large", [Target::new("small")]);
//! let service = ServiceBuilder::new()
//!     .layer(FallbackLayer::new(Arc::new(plan)))
//!     .service_fn(async |req: Request<()>| {
//!         let large = &*req.extensions().get::<Call>().expect("ingested").group == "large";
//!         let status = if large { 503 } else { 200 };
//!         Ok::<_, BoxError>(Response::builder().status(status).body(Empty::<Bytes>::new())?)
//!     });
//!
//! let call = Call { group: "large".into(), stream: false, end_user: None };
//! let rsp = service.oneshot(Request::builder().extension(call).body(())?).await?;
//! assert_eq!(rsp.status(), 200);
//! assert_eq!(&*rsp.extensions().get::<FellBack>().expect("it did").group, "small");
//! # Ok(())
//! # }
//! ```
mod future;
mod plan;
mod policy;
#[cfg(test)]
mod tests;
mod walk;

pub use self::future::FallbackFuture;
pub use self::plan::{FallbackOverride, Plan, Target};
pub use self::policy::{FellBack, Policy};

use crate::BoxError;
use http::{Request, Response};
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Wraps services in [`Fallback`]. See the [module docs](self) for an example.
#[derive(Clone, Debug)]
pub struct FallbackLayer<P> {
    policy: P,
}

impl<P> FallbackLayer<P> {
    /// Falls back as `policy` says.
    pub const fn new(policy: P) -> Self {
        Self { policy }
    }
}

impl<P: Clone, S> Layer<S> for FallbackLayer<P> {
    type Service = Fallback<P, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Fallback { inner, policy: self.policy.clone() }
    }
}

/// Middleware that moves failed calls to other groups. Made by [`FallbackLayer`].
#[derive(Clone, Debug)]
pub struct Fallback<P, S> {
    inner: S,
    policy: P,
}

impl<P, S, B, R> Service<Request<B>> for Fallback<P, S>
where
    P: Policy<B>,
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = FallbackFuture<P, S, B, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        // The clone is not ready: it stays behind, and the ready service makes the call.
        let unready = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, unready);
        FallbackFuture::new(ready, &self.policy, req)
    }
}
