//! The second listener: `/health/*` and `/metrics` without a key, and nothing else.
use super::{Handles, health, metrics};
use crate::edge::{AdminRoute, Answer, Route, nothing};
use http::{Request, Response};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

/// Answers the kubelet and Prometheus.
#[derive(Clone, Debug)]
pub struct Ops(Arc<Handles>);

impl Ops {
    /// Shows `handles`.
    #[must_use]
    pub const fn new(handles: Arc<Handles>) -> Self {
        Self(handles)
    }
}

impl<B> Service<Request<B>> for Ops {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Answer>, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        let rsp = match Route::of(req.method(), req.uri().path()) {
            Route::Admin(AdminRoute::Liveness) => health::liveness(),
            Route::Admin(AdminRoute::Readiness) => health::readiness(&self.0),
            Route::Admin(AdminRoute::Health) => health::summary(&self.0),
            Route::Admin(AdminRoute::Metrics) => metrics(&self.0),
            _ => nothing(),
        };
        ready(Ok(rsp.map(Answer::Right)))
    }
}
