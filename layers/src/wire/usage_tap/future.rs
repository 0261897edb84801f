//! The response future of [`UsageTap`](super::UsageTap).
use super::UsageTapError;
use super::begin::Attempt;
use super::gather::{Gather, Gathered};
use crate::BoxError;
use crate::body::Body;
use crate::facts::Fault;
use crate::wire::cause::{fault_of, fault_of_break, fault_of_event};
use crate::wire::peek::{Peek, Replay, Verdict};
use crate::wire::tap::{Framing, Tap};
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
                    if let Err((error, fault)) = judge(verdict) {
                        attempt.cell.fail(fault);
                        return Poll::Ready(Err(error.into()));
                    }
                    return Poll::Ready(Ok(stream(parts, attempt, body)));
                }
                StateProj::Calling(call) => {
                    let (parts, body) = ready!(call.poll(cx)).map_err(Into::into)?.into_parts();
                    let attempt = this.attempt.take().expect("a call is answered once");
                    let failed = parts.status.is_client_error() || parts.status.is_server_error();
                    let tap = attempt.tap(&parts.headers).filter(|_| !failed);
                    let next = match tap {
                        _ if failed => State::Gathering(Gather::new(body, *this.commit)),
                        Some(tap) if tap.framing() == Framing::Events => {
                            State::Peeking(Peek::new(body, tap, *this.commit))
                        }
                        tap => return Poll::Ready(Ok(passing(parts, attempt, tap, body))),
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

/// Whether a stream has begun well.
fn judge(verdict: Verdict) -> Result<(), (UsageTapError, Fault)> {
    match verdict {
        Verdict::ErrorFirst(error) => {
            let (fault, message) = (fault_of_event(&error), error.message);
            Err((UsageTapError::ErrorFirst { fault: fault.clone(), message }, fault))
        }
        Verdict::Broke(error) => {
            let fault = fault_of_break(Some(&*error));
            Err((UsageTapError::Broke { fault: fault.clone(), error }, fault))
        }
        Verdict::Ended { complete: false } => {
            let fault = fault_of_break(None);
            Err((UsageTapError::Cut(fault.clone()), fault))
        }
        _ => Ok(()),
    }
}

/// A stream that has begun, or has had its time to.
fn stream<B>(mut parts: Parts, attempt: Attempt, body: Replay<B>) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let tap = attempt.tap(&parts.headers);
    // Bytes may be taken out or added.
    parts.headers.remove(header::CONTENT_LENGTH);
    passing(parts, attempt, tap, body)
}

/// A good answer, tapped if its words are known.
fn passing<B>(mut parts: Parts, attempt: Attempt, tap: Option<Tap>, body: B) -> Response<Body>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    parts.extensions.insert(attempt.cell.clone());
    let body = match tap {
        Some(tap) => attempt.tapped(tap, body),
        None => Body::stream(body),
    };
    Response::from_parts(parts, body)
}
