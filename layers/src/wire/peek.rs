//! Holds an answer back until it is clear whether it may be replaced.
//!
//! Retry and fallback may put another answer in place of this one until its first content event was
//! handed out. [`Peek`] waits for that event, an error, the end, 64 KiB, or the commit timeout,
//! whichever is first, and gives the body back with the held frames in front.
//!
//! ```
//! use bartizan_layers::wire::{
//!     peek::{Peek, Verdict},
//!     tap::{Framing, Tap, Wire},
//! };
//! use bytes::Bytes;
//! use http_body_util::{BodyExt, Full};
//! use std::time::Duration;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let text = "data: {\"error\":{\"message\":\"overloaded\",\"code\":503}}\n\n";
//! let tap = Tap::new(Wire::Chat, Framing::Events);
//! let peek = Peek::new(Full::new(Bytes::from(text)), tap, Duration::from_secs(15));
//! let (verdict, body) = peek.await;
//! let Verdict::ErrorFirst(error) = verdict else { panic!("{verdict:?}") };
//! assert_eq!(error.status, Some(503));
//! assert_eq!(body.collect().await?.to_bytes(), text);
//! # Ok(())
//! # }
//! ```
use super::tap::{Framing, InBand, Tap};
use crate::BoxError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;
use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Sleep, sleep};

/// So many bytes are held at most, but for the last frame: 64 KiB.
pub const MOST_HELD: usize = 64 * 1024;

/// Why the answer is let go.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// Content came, or the answer is no event stream.
    Content,
    /// An error event came before any content: as good as an error status.
    ErrorFirst(InBand),
    /// It ended before any content. `complete` says whether with its dialect's ending.
    Ended {
        /// An empty answer, and not a broken one.
        complete: bool,
    },
    /// Reading it failed before any content.
    Broke(BoxError),
    /// [`MOST_HELD`] bytes came without content.
    Held,
    /// The commit timeout passed.
    TimedOut,
}

/// The future of a [`Verdict`] and the body. See the [module docs](self).
#[pin_project]
#[derive(Debug)]
pub struct Peek<B> {
    body: Option<B>,
    tap: Tap,
    commit: Duration,
    held: VecDeque<Frame<Bytes>>,
    len: usize,
    /// Made at the first wait: most answers begin with content.
    #[pin]
    timeout: Option<Sleep>,
}

/// A body with the frames that were held in front of it.
#[pin_project]
#[derive(Debug)]
pub struct Replay<B> {
    held: VecDeque<Frame<Bytes>>,
    len: usize,
    #[pin]
    rest: B,
}

impl<B> Peek<B> {
    /// Reads the begin of `body`. `tap` must not take events out; `commit` is the longest wait.
    pub fn new(body: B, tap: Tap, commit: Duration) -> Self {
        let held = VecDeque::new();
        Self { body: Some(body), tap, commit, held, len: 0, timeout: None }
    }
}

impl<B> Future for Peek<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    type Output = (Verdict, Replay<B>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let verdict = loop {
            let body = this.body.as_mut().expect("a future is not polled after its end");
            match Pin::new(body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    let verdict = frame.data_ref().and_then(|data| judge(this.tap, this.len, data));
                    this.held.push_back(frame);
                    if let Some(verdict) = verdict {
                        break verdict;
                    }
                }
                Poll::Ready(Some(Err(error))) => break Verdict::Broke(error.into()),
                Poll::Ready(None) => {
                    this.tap.finish();
                    break match this.tap.error() {
                        Some(error) => Verdict::ErrorFirst(error.clone()),
                        None => Verdict::Ended { complete: this.tap.is_complete() },
                    };
                }
                Poll::Pending => {
                    if this.timeout.is_none() {
                        this.timeout.set(Some(sleep(*this.commit)));
                    }
                    let timeout = this.timeout.as_pin_mut().expect("it was set above");
                    if timeout.poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    break Verdict::TimedOut;
                }
            }
        };
        let rest = this.body.take().expect("a future is not polled after its end");
        Poll::Ready((verdict, Replay { held: std::mem::take(this.held), len: *this.len, rest }))
    }
}

/// Reads one frame and decides, if it can.
fn judge(tap: &mut Tap, len: &mut usize, data: &Bytes) -> Option<Verdict> {
    *len += data.len();
    if tap.framing() == Framing::Whole {
        return Some(Verdict::Content);
    }
    tap.push(data.clone());
    if let Some(error) = tap.error().filter(|_| tap.content_events() == 0) {
        return Some(Verdict::ErrorFirst(error.clone()));
    }
    if tap.content_events() > 0 {
        return Some(Verdict::Content);
    }
    (*len >= MOST_HELD).then_some(Verdict::Held)
}

impl<B> Replay<B> {
    /// Puts `held` in front of `rest`.
    #[must_use]
    pub fn new(held: Vec<Bytes>, rest: B) -> Self {
        let len = held.iter().map(Bytes::len).sum();
        Self { held: held.into_iter().map(Frame::data).collect(), len, rest }
    }
}

impl<B: Body<Data = Bytes>> Body for Replay<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let Some(frame) = this.held.pop_front() else { return this.rest.poll_frame(cx) };
        *this.len -= frame.data_ref().map_or(0, Bytes::len);
        // The rest may take minutes.
        if this.held.is_empty() {
            *this.held = VecDeque::new();
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, held) = (self.rest.size_hint(), self.len as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower() + held);
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper + held);
        }
        hint
    }
}

#[cfg(test)]
#[path = "peek/tests.rs"]
mod tests;
