//! The response future of [`UsageTap`](super::UsageTap).
use super::begin::Attempt;
use super::gather::{Gather, Gathered};
use super::tapping::begun;
use crate::BoxError;
use crate::body::Body;
use crate::wire::cause::fault_of;
use crate::wire::peek::{Peek, Replay};
use crate::wire::tap::Framing;
use bytes::Bytes;
use http::response::Parts;
use http::{Response, header};
use pin_project::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

/// Waits for the answer, and for the first content of a stream. Dropping it drops the attempt; its
/// line stays on the bill.
#[pin_project]
#[derive(Debug)]
pub struct UsageTapFuture<F, B> {
    #[pin]
    state: State<F, B>,
    attempt: Option<Attempt>,
    parts: Option<Parts>,
    commit: Duration,
}

#[pin_project(project = StateProj)]
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a call is as large as a stream that begins")]
enum State<F, B> {
    Calling(#[pin] F),
    /// Reading an error.
    Gathering(#[pin] Gather<B>),
    /// Holding a stream back.
    Peeking(#[pin] Peek<B>),
}

impl<F, B> UsageTapFuture<F, B> {
    pub(super) const fn new(call: F, attempt: Attempt, commit: Duration) -> Self {
        Self { state: State::Calling(call), attempt: Some(attempt), parts: None, commit }
    }
}

impl<F, B, E> Future for UsageTapFuture<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<Response<Body>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProj::Gathering(gather) => {
                    let gathered = ready!(gather.poll(cx));
                    let (parts, attempt) = once(this.parts, this.attempt);
                    return Poll::Ready(Ok(failed(parts, &attempt, gathered)));
                }
                StateProj::Peeking(peek) => {
                    let (verdict, body) = ready!(peek.poll(cx));
                    let (parts, attempt) = once(this.parts, this.attempt);
                    return Poll::Ready(match begun(verdict) {
                        Ok(()) => Ok(stream(parts, attempt, body)),
                        Err(error) => {
                            attempt.cell.fail(error.fault().clone());
                            Err(error.into())
                        }
                    });
                }
                StateProj::Calling(call) => {
                    let (parts, body) = ready!(call.poll(cx)).map_err(Into::into)?.into_parts();
                    let attempt = this.attempt.take().expect("a call is answered once");
                    let failed = parts.status.is_client_error() || parts.status.is_server_error();
                    let next = match attempt.framing(&parts.headers) {
                        _ if failed => State::Gathering(Gather::new(body, *this.commit)),
                        Some(framing @ Framing::Events) => {
                            let tap = attempt.tapping.begin(framing, attempt.cell.clone());
                            State::Peeking(Peek::new(body, tap, *this.commit))
                        }
                        framing => return Poll::Ready(Ok(passing(parts, attempt, framing, body))),
                    };
                    (*this.attempt, *this.parts) = (Some(attempt), Some(parts));
                    next
                }
            };
            this.state.set(next);
        }
    }
}

fn once(parts: &mut Option<Parts>, attempt: &mut Option<Attempt>) -> (Parts, Attempt) {
    let parts = parts.take().expect("a body begins once");
    (parts, attempt.take().expect("a call is answered once"))
}

/// An answer with an error status, and what it means.
fn failed(mut parts: Parts, attempt: &Attempt, gathered: Gathered) -> Response<Body> {
    let fault = fault_of(parts.status, &parts.headers, &gathered.begin, SystemTime::now());
    attempt.cell.fail(fault.clone());
    parts.extensions.insert(fault);
    parts.extensions.insert(attempt.cell.clone());
    if gathered.is_cut {
        parts.headers.remove(header::CONTENT_LENGTH);
    }
    Response::from_parts(parts, gathered.body)
}

/// A stream that has begun, or has had its time to.
fn stream<B>(mut parts: Parts, attempt: Attempt, body: Replay<B>) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    // Bytes may be taken out or added.
    parts.headers.remove(header::CONTENT_LENGTH);
    passing(parts, attempt, Some(Framing::Events), body)
}

/// A good answer, tapped if its words are known.
fn passing<B>(
    mut parts: Parts,
    attempt: Attempt,
    framing: Option<Framing>,
    body: B,
) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    parts.extensions.insert(attempt.cell.clone());
    let body = match framing {
        Some(framing) => attempt.tapped(framing, body),
        None => Body::stream(body),
    };
    Response::from_parts(parts, body)
}
