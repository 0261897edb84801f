//! Where calls whose body is read first part from those whose body goes straight through.
use crate::providers::Operation;
use crate::router::RouteError;
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use http::{Request, Response};
use pin_project::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tower_service::Service;

/// Sends uploads and providers' own paths to `T`, all other calls to `I`.
#[derive(Clone, Debug)]
pub struct Fork<I, T> {
    ingest: I,
    through: T,
}

impl<I, T> Fork<I, T> {
    /// Parts calls between `ingest` and `through`.
    pub const fn new(ingest: I, through: T) -> Self {
        Self { ingest, through }
    }
}

impl<I, T, B> Service<Request<B>> for Fork<I, T>
where
    I: Service<Request<B>, Response = Response<Body>, Error = BoxError>,
    T: Service<Request<B>, Response = Response<Body>, Error = BoxError>,
{
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = ForkFuture<I::Future, T::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        ready!(self.through.poll_ready(cx))?;
        self.ingest.poll_ready(cx)
    }

    fn call(&mut self, req: Request<B>) -> Self::Future {
        match req.extensions().get() {
            Some(Operation::Unserved(path, why)) => {
                ForkFuture::Unserved(Some(RouteError::Unserved { path, why }))
            }
            Some(operation) if operation.goes_through() => {
                ForkFuture::Through(self.through.call(req))
            }
            _ => ForkFuture::Ingest(Box::pin(self.ingest.call(req))),
        }
    }
}

/// The response future of [`Fork`].
#[pin_project(project = FutureProj)]
#[derive(Debug)]
pub enum ForkFuture<I, T> {
    /// Of a call whose body is read first. Boxed: it holds the request, and the layers outside
    /// move it.
    Ingest(Pin<Box<I>>),
    /// Of a call whose body goes straight through.
    Through(#[pin] T),
    /// Of a call that is refused.
    Unserved(Option<RouteError>),
}

impl<I, T, R> Future for ForkFuture<I, T>
where
    I: Future<Output = Result<R, BoxError>>,
    T: Future<Output = Result<R, BoxError>>,
{
    type Output = Result<R, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            FutureProj::Ingest(call) => call.as_mut().poll(cx),
            FutureProj::Through(call) => call.poll(cx),
            FutureProj::Unserved(error) => {
                let error = error.take().expect("a call is refused once");
                Poll::Ready(Err(error.into()))
            }
        }
    }
}
