//! Makes a layer's own body the one that all services here share.
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use http::{Request, Response};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tower_layer::Layer;
use tower_service::Service;

/// Wraps services in [`Erase`].
#[derive(Clone, Copy, Debug)]
pub struct EraseLayer;

impl<S> Layer<S> for EraseLayer {
    type Service = Erase<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Erase(inner)
    }
}

/// Middleware whose answers have a [`Body`]. Made by [`EraseLayer`].
#[derive(Clone, Debug)]
pub struct Erase<S>(S);

impl<S, B, R> Service<Request<B>> for Erase<S>
where
    S: Service<Request<B>, Response = Response<R>, Error = BoxError>,
    R: Into<Body>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = EraseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        EraseFuture(Box::pin(self.0.call(req)))
    }
}

/// The response future of [`Erase`]. Boxed: a layer that may be left out would make the futures of
/// all calls as large as its own, and they are moved more than once.
#[derive(Debug)]
pub struct EraseFuture<F>(Pin<Box<F>>);

impl<F, R> Future for EraseFuture<F>
where
    F: Future<Output = Result<Response<R>, BoxError>>,
    R: Into<Body>,
{
    type Output = Result<Response<Body>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(ready!(self.get_mut().0.as_mut().poll(cx)).map(|rsp| rsp.map(Into::into)))
    }
}
