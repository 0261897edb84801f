//! The response future of [`Adaptive`](super::Adaptive).
use super::{Acquire, Permit};
use crate::BoxError;
use crate::end::EndBody;
use http::{Request, Response};
use http_body::Body;
use pin_project::pin_project;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower_service::Service;

/// Waits for a permit, then for the answer. Dropping it frees the permit, or leaves the queue.
#[pin_project]
#[derive(Debug)]
pub struct AdaptiveFuture<S: Service<Request<B>>, B> {
    #[pin]
    state: State<S::Future>,
    service: S,
    request: Option<Request<B>>,
}

#[pin_project(project = StateProj)]
#[derive(Debug)]
enum State<F> {
    Waiting(#[pin] Acquire),
    Calling(#[pin] F, Option<Permit>),
}

impl<S: Service<Request<B>>, B> AdaptiveFuture<S, B> {
    pub(super) const fn new(acquire: Acquire, service: S, request: Request<B>) -> Self {
        Self { state: State::Waiting(acquire), service, request: Some(request) }
    }
}

impl<S, B, R> Future for AdaptiveFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: Body,
{
    type Output = Result<Response<EndBody<R, Permit>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Waiting(acquire) => {
                    let (_, permit) = ready!(acquire.poll(cx))?;
                    let req = this.request.take().expect("a permit is granted once");
                    this.state.set(State::Calling(this.service.call(req), Some(permit)));
                }
                StateProj::Calling(call, permit) => {
                    let result = ready!(call.poll(cx)).map_err(Into::into);
                    let mut permit = permit.take().expect("an answer comes once");
                    permit.judge(result.as_ref());
                    return Poll::Ready(
                        result.map(|rsp| rsp.map(|body| EndBody::new(body, permit))),
                    );
                }
            }
        }
    }
}
