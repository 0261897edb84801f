//! The response future of [`Cache`](super::Cache).
use super::flight::Wait;
use super::job::{Job, Next};
use super::{CacheBody, Replay, Store};
use crate::BoxError;
use bytes::Bytes;
use http::{Request, Response};
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
    state: State<T::Get, S::Future, T, P, S, B>,
}

#[pin_project(project = StateProj)]
#[derive(Debug)]
enum State<G, F, T, P, S, B> {
    Looking(#[pin] G, Option<Asking<T, P, S, B>>),
    /// Few calls get here: the clock is boxed.
    Waiting(Wait, Pin<Box<Sleep>>, Option<Asking<T, P, S, B>>),
    /// Without a job, the answer is not touched.
    Calling(#[pin] F, Option<Job<T, P>>),
}

/// A call that may yet reach the inner service.
#[derive(Debug)]
struct Asking<T, P, S, B> {
    service: S,
    request: Request<B>,
    job: Job<T, P>,
}

impl<T: Store, P, S: Service<Request<B>>, B> CacheFuture<T, P, S, B> {
    /// Waits for a `call` that was made without a look.
    pub(super) const fn call(call: S::Future, job: Option<Job<T, P>>) -> Self {
        Self { state: State::Calling(call, job) }
    }

    pub(super) fn look(service: S, request: Request<B>, job: Job<T, P>) -> Self {
        let get = job.look();
        Self { state: State::Looking(get, Some(Asking { service, request, job })) }
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
        let mut state = self.project().state;
        loop {
            let (next, mut asking) = match state.as_mut().project() {
                StateProj::Looking(get, asking) => {
                    let found = ready!(get.poll(cx));
                    let mut asking = taken(asking);
                    (asking.job.looked(found, asking.request.extensions()), asking)
                }
                StateProj::Waiting(wait, patience, asking) => match Pin::new(wait).poll(cx) {
                    Poll::Ready(landed) => {
                        let mut asking = taken(asking);
                        (asking.job.landed(landed, asking.request.extensions()), asking)
                    }
                    Poll::Pending => {
                        ready!(patience.as_mut().poll(cx));
                        (Next::Call, taken(asking))
                    }
                },
                StateProj::Calling(call, job) => {
                    let result = ready!(call.poll(cx)).map_err(Into::into);
                    return Poll::Ready(answered(job.take(), result));
                }
            };
            let next = match next {
                Next::Done(rsp) => return Poll::Ready(Ok(rsp.map(CacheBody::kept))),
                Next::Look => State::Looking(asking.job.look(), Some(asking)),
                Next::Wait(wait) => {
                    let patience = Box::pin(sleep(asking.job.patience()));
                    State::Waiting(wait, patience, Some(asking))
                }
                Next::Call => {
                    asking.job.missed();
                    State::Calling(asking.service.call(asking.request), Some(asking.job))
                }
            };
            state.set(next);
        }
    }
}

fn taken<A>(asking: &mut Option<A>) -> A {
    asking.take().expect("a look or a wait ends once")
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
    let fill = if body.is_end_stream() || !job.has_room_for(body.size_hint().lower()) {
        job.land();
        None
    } else {
        job.fill(&head)
    };
    Ok(Response::from_parts(head, CacheBody::passing(body, fill)))
}
