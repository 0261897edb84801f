//! The response future of [`Ingest`](super::Ingest).
use super::policy::{Begin, Policy};
use crate::BoxError;
use crate::wire::text::Pieces;
use bytes::Bytes;
use http::Request;
use http::request::Parts;
use pin_project::pin_project;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tower_service::Service;

/// Reads the body, then waits for the inner service. Dropping it drops the body.
#[pin_project]
#[derive(Debug)]
pub struct IngestFuture<P: Policy, S: Service<Request<P::Body>>, B>(
    #[pin] State<Reading<P, S, B>, S::Future>,
);

#[pin_project(project = StateProj)]
#[derive(Debug)]
enum State<R, F> {
    Reading(#[pin] R),
    Calling(#[pin] F),
}

/// A body that comes, and what is needed at its end.
#[pin_project]
#[derive(Debug)]
struct Reading<P: Policy, S, B> {
    #[pin]
    body: B,
    pieces: Pieces,
    announced: usize,
    head: Option<(Parts, P::Reading)>,
    service: S,
    policy: Arc<P>,
}

impl<P, S, B> IngestFuture<P, S, B>
where
    P: Policy,
    S: Service<Request<P::Body>>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    pub(super) fn new(mut service: S, policy: Arc<P>, req: Request<B>) -> Self {
        let (parts, body) = req.into_parts();
        Self(match policy.begin(&parts, body) {
            Begin::Pass(body) => State::Calling(service.call(Request::from_parts(parts, body))),
            Begin::Read(reading, body) => State::Reading(Reading {
                announced: usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX),
                body,
                pieces: Pieces::default(),
                head: Some((parts, reading)),
                service,
                policy,
            }),
        })
    }
}

impl<P, S, B> Future for IngestFuture<P, S, B>
where
    P: Policy,
    S: Service<Request<P::Body>>,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Output = Result<S::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().0;
        loop {
            let call = match state.as_mut().project() {
                StateProj::Calling(call) => return call.poll(cx).map_err(Into::into),
                StateProj::Reading(reading) => ready!(reading.poll_call(cx)).map_err(Into::into)?,
            };
            state.set(State::Calling(call));
        }
    }
}

impl<P, S, B> Reading<P, S, B>
where
    P: Policy,
    S: Service<Request<P::Body>>,
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    /// Makes the call once the whole body has come.
    fn poll_call(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<S::Future, P::Error>> {
        let mut this = self.project();
        let policy = &**this.policy;
        let (_, reading) = this.head.as_mut().expect("a body ends once");
        policy.admit(reading, this.pieces.len().max(*this.announced))?;
        while let Some(frame) = ready!(this.body.as_mut().poll_frame(cx)) {
            let frame = frame.map_err(|error| policy.broken(error.into()))?;
            let Ok(data) = frame.into_data() else { continue };
            policy.admit(reading, this.pieces.len() + data.len())?;
            this.pieces.push(data, *this.announced);
        }
        let (mut parts, reading) = this.head.take().expect("a body ends once");
        let body = policy.read(reading, &mut parts, std::mem::take(this.pieces))?;
        Poll::Ready(Ok(this.service.call(Request::from_parts(parts, body))))
    }
}
