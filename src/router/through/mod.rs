//! Calls whose body goes straight through: uploads, objects of an account, providers' own paths.
use super::Router;
use super::answer::Answer;
use super::error::RouteError;
use super::realtime;
use crate::providers::Operation;
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use std::future::ready;
use std::task::{Context, Poll};
use tower_service::Service;

/// Sends calls on while their body still comes. Made by [`Router::through`].
#[derive(Clone, Debug)]
pub struct Through(Router);

impl Through {
    pub(super) const fn new(router: Router) -> Self {
        Self(router)
    }
}

impl<B> Service<Request<B>> for Through
where
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Answer;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        let (parts, body) = req.into_parts();
        if parts.extensions.get() == Some(&Operation::Realtime) {
            return realtime::answer(&self.0, parts, !body.is_end_stream());
        }
        let route = parts.extensions.get().map_or("", Operation::route);
        let error = RouteError::NotSpoken { route, model: "".into() };
        Box::pin(ready(Err(error.into())))
    }
}
