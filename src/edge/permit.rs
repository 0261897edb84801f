//! Notes who calls, and refuses routes that its key may not call, before its body is read.
use crate::identity::{Caller, RouteKind};
use crate::providers::Operation;
use crate::telemetry::Trail;
use bartizan_layers::BoxError;
use bartizan_layers::auth::AuthError;
use bartizan_layers::facts::Principal;
use futures_util::future::Either;
use http::Request;
use std::future::{Ready, ready};
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Wraps services in [`Permit`].
#[derive(Clone, Copy, Debug)]
pub struct PermitLayer;

impl<S> Layer<S> for PermitLayer {
    type Service = Permit<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Permit(inner)
    }
}

/// Middleware that notes who calls, and refuses routes. Made by [`PermitLayer`].
#[derive(Clone, Debug)]
pub struct Permit<S>(S);

impl<S, B> Service<Request<B>> for Permit<S>
where
    S: Service<Request<B>, Error = BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Either<S::Future, Ready<Result<S::Response, BoxError>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        let facts = req.extensions();
        let caller = facts.get::<Principal>().and_then(|it| it.about.get::<Caller>());
        if let (Some(trail), Some(principal)) = (facts.get::<Trail>(), facts.get::<Principal>()) {
            trail.set_principal(principal.clone());
        }
        let kind = match facts.get() {
            Some(Operation::Raw(_)) => RouteKind::Through,
            _ => RouteKind::Call,
        };
        match caller.map_or(Ok(()), |caller| caller.may_call(req.uri().path(), kind)) {
            Ok(()) => Either::Left(self.0.call(req)),
            Err(denied) => Either::Right(ready(Err(AuthError::Denied(denied.into()).into()))),
        }
    }
}
