//! The body of an upstream's answer.
use super::call::overdue;
use super::error::ForwardError;
use super::h1::Exchange;
use super::h2;
use super::origin::Origin;
use super::timeouts::{Deadlines, Due, Timer};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::Instant;

/// Frames as the upstream sends them. At its end the connection goes back to the pool; dropped
/// before, it cancels the call: the HTTP/1.1 connection is closed, the HTTP/2 stream is reset.
///
/// A body that is shorter than announced is an error, never an end. Only a body whose end is the
/// end of the connection (RFC 9112, 6.3, rule 8) cannot be told from a broken one.
#[derive(Debug)]
pub struct UpstreamBody {
    wire: Wire,
    deadlines: Deadlines,
    /// When the whole call must be over.
    end: Option<Instant>,
    /// Since when somebody waits for the next frame. A slow reader does not count as a gap.
    due: Option<Due>,
}

#[derive(Debug)]
enum Wire {
    H1 { incoming: Incoming, exchange: Box<Exchange>, origin: Arc<Origin> },
    H2 { incoming: Incoming, timer: Timer, _stream: h2::Stream },
    Done,
}

impl UpstreamBody {
    fn new(wire: Wire) -> Self {
        let mut body = Self { wire, deadlines: Deadlines::default(), end: None, due: None };
        if body.wire.is_at_end() {
            body.finish();
        }
        body
    }

    pub(super) fn h1(incoming: Incoming, exchange: Box<Exchange>, origin: Arc<Origin>) -> Self {
        Self::new(Wire::H1 { incoming, exchange, origin })
    }

    pub(super) fn h2(incoming: Incoming, call: h2::Call) -> Self {
        let (stream, timer) = call.into_stream();
        Self::new(Wire::H2 { incoming, timer, _stream: stream })
    }

    pub(super) fn within(mut self, deadlines: Deadlines, end: Option<Instant>) -> Self {
        self.deadlines = deadlines;
        self.end = end;
        self
    }

    /// Lets go of the connection, and gives it back where it can be used again.
    fn finish(&mut self) {
        if let Wire::H1 { incoming, exchange, origin } =
            std::mem::replace(&mut self.wire, Wire::Done)
        {
            drop(incoming);
            origin.give_back(exchange);
        }
    }

    fn fail(&mut self, error: ForwardError) -> Poll<Option<Result<Frame<Bytes>, ForwardError>>> {
        self.wire = Wire::Done;
        Poll::Ready(Some(Err(error)))
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, ForwardError>>> {
        let next = || Due::next(Instant::now(), self.deadlines.idle, self.end);
        let due = *self.due.get_or_insert_with(next);
        if !self.wire.is_overdue(due.at, cx) {
            return Poll::Pending;
        }
        let late = ForwardError::IdleTimeout(self.deadlines.idle);
        let error = overdue(due, &self.deadlines, late);
        self.fail(error)
    }
}

impl Wire {
    fn is_at_end(&self) -> bool {
        match self {
            Self::H1 { incoming, .. } | Self::H2 { incoming, .. } => incoming.is_end_stream(),
            Self::Done => true,
        }
    }

    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self {
            Self::H1 { incoming, exchange, .. } => exchange.poll_frame(incoming, cx),
            Self::H2 { incoming, .. } => Pin::new(incoming).poll_frame(cx),
            Self::Done => Poll::Ready(None),
        }
    }

    fn is_overdue(&mut self, due: Instant, cx: &mut Context<'_>) -> bool {
        match self {
            Self::H1 { exchange, .. } => exchange.is_overdue(due),
            Self::H2 { timer, .. } => timer.passed(due, cx),
            Self::Done => false,
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = ForwardError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ForwardError>>> {
        let this = self.get_mut();
        match this.wire.poll_frame(cx) {
            Poll::Pending => this.wait(cx),
            Poll::Ready(Some(Ok(frame))) => {
                this.due = None;
                // With a content length nobody asks again after the last byte.
                if this.wire.is_at_end() {
                    this.finish();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => this.fail(ForwardError::in_body(error)),
            Poll::Ready(None) => {
                this.finish();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.wire.is_at_end()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.wire {
            Wire::H1 { incoming, .. } | Wire::H2 { incoming, .. } => incoming.size_hint(),
            Wire::Done => SizeHint::with_exact(0),
        }
    }
}
