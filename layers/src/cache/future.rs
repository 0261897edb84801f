//! The response future of [`Cache`](super::Cache).
use super::flight::Wait;
use super::job::{Job, Next};
use super::{CacheBody, Replay, Store};
use crate::BoxError;
use bytes::Bytes;
use http::{Extensions, Request, Response};
use http_body::Body;
use pin_project::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::time::{Sleep, sleep};
use tower_service::Service;

/// Looks for an answer, waits for that of an equal call, or asks the inner service. Dropping it
/// strands no other call.
#[pin_project]
#[derive(Debug)]
pub struct CacheFuture<T: Store, P, S: Service<Request<B>>, B> {
    #[pin]
    state: State<T::Get, S::Future>,
    service: S,
    request: Option<Request<B>>,
    job: Option<Job<T, P>>,
}

#[pin_project(project = StateProj)]
#[derive(Debug)]
enum State<G, C> {
    Looking(#[pin] G),
    Waiting(Wait, #[pin] Sleep),
    Calling(#[pin] C),
}

impl<T: Store, P, S: Service<Request<B>>, B> CacheFuture<T, P, S, B> {
    /// Calls without a look; without a job, the answer is not touched.
    pub(super) fn call(mut service: S, request: Request<B>, job: Option<Job<T, P>>) -> Self {
        let state = State::Calling(service.call(request));
        Self { state, service, request: None, job }
    }

    pub(super) fn look(service: S, request: Request<B>, job: Job<T, P>) -> Self {
        let state = State::Looking(job.look());
        Self { state, service, request: Some(request), job: Some(job) }
    }
}

impl<T, P, S, B, R> Future for CacheFuture<T, P, S, B>
where
    T: Store,
    P: Replay,
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: Body<Data = Bytes>,
{
    type Output = Result<Response<CacheBody<R, T>>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProj::Looking(get) => {
                    let found = ready!(get.poll(cx));
                    let (job, facts) = asked(this.job, this.request);
                    job.looked(found, facts)
                }
                StateProj::Waiting(wait, patience) => match Pin::new(wait).poll(cx) {
                    Poll::Ready(landed) => {
                        let (job, facts) = asked(this.job, this.request);
                        job.landed(landed, facts)
                    }
                    Poll::Pending => {
                        ready!(patience.poll(cx));
                        Next::Call
                    }
                },
                StateProj::Calling(call) => {
                    let result = ready!(call.poll(cx)).map_err(Into::into);
                    return Poll::Ready(answered(this.job.take(), result));
                }
            };
            let state = match next {
                Next::Done(rsp) => return Poll::Ready(Ok(rsp.map(CacheBody::kept))),
                Next::Look => State::Looking(asked(this.job, this.request).0.look()),
                Next::Wait(wait) => {
                    let patience = asked(this.job, this.request).0.patience();
                    State::Waiting(wait, sleep(patience))
                }
                Next::Call => {
                    asked(this.job, this.request).0.missed();
                    let req = this.request.take().expect("a request is sent once");
                    State::Calling(this.service.call(req))
                }
            };
            this.state.set(state);
        }
    }
}

fn asked<'c, T, P, B>(
    job: &'c mut Option<Job<T, P>>,
    request: &'c Option<Request<B>>,
) -> (&'c mut Job<T, P>, &'c Extensions) {
    let request = request.as_ref().expect("only a request that is not sent is looked for");
    (job.as_mut().expect("only a job looks and waits"), request.extensions())
}

fn answered<T: Store, P, R: Body>(
    job: Option<Job<T, P>>,
    result: Result<Response<R>, BoxError>,
) -> Result<Response<CacheBody<R, T>>, BoxError> {
    let Some(job) = job else {
        return result.map(|rsp| rsp.map(|body| CacheBody::passing(body, None)));
    };
    let rsp = match result {
        Ok(rsp) => rsp,
        Err(error) => {
            job.land();
            return Err(error);
        }
    };
    let (mut head, body) = rsp.into_parts();
    head.extensions.insert(job.status());
    // Nobody polls an empty body, nor hears its end.
    let fill = if body.is_end_stream() {
        job.land();
        None
    } else {
        job.fill(&head)
    };
    Ok(Response::from_parts(head, CacheBody::passing(body, fill)))
}
