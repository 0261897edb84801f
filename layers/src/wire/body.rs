//! An answer's body that is tapped, and that never looks complete when it is not.
//!
//! Frames go on untouched while a [`Tap`] learns from them. When an event stream stops before its
//! dialect's own ending, [`TapBody`] closes what is open with an empty line, adds one error event
//! ([`Ending`] renders it in the client's dialect), and ends cleanly without `[DONE]`. Lines of JSON are
//! events, too. A body that is no event stream is aborted with the error instead. After the proper ending everything passes,
//! and an upstream that then breaks is forgiven.
//!
//! # Errors
//! The upstream's, and [`Failure::Cut`] for a JSON array that was not closed; never for event streams.
//!
//! # Example
//! ```
//! use bartizan_layers::wire::{
//!     body::{Ending, Failure, TapBody},
//!     tap::{Framing, Tap, Wire},
//! };
//! use bytes::Bytes;
//! use http_body_util::{BodyExt, Full};
//!
//! struct OpenAi;
//!
//! impl Ending for OpenAi {
//!     fn error_event(&self, cause: &Failure) -> Bytes {
//!         format!("data: {{\"error\":{{\"message\":\"{cause}\"}}}}\n\n").into()
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let upstream = Full::new(Bytes::from("data: {\"choi"));
//! let body = TapBody::new(upstream, Tap::new(Wire::Chat, Framing::Events), OpenAi, ());
//! let answer = body.collect().await?.to_bytes();
//! let error = r#"{"error":{"message":"the upstream ended the stream early"}}"#;
//! assert_eq!(answer, format!("data: {{\"choi\n\ndata: {error}\n\n"));
//! # Ok(())
//! # }
//! ```
use super::cause::fault_of_break;
use super::tap::{Framing, InBand, Tap};
use crate::BoxError;
use crate::end::End;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::{pin_project, pinned_drop};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use thiserror::Error;

/// Why an answer is not complete.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Failure {
    /// It ended cleanly, but without its dialect's ending.
    #[error("the upstream ended the stream early")]
    Cut,
    /// Reading it failed.
    #[error("the upstream broke off the stream")]
    Broke(#[source] BoxError),
    /// The provider sent an error event. It passed untouched, and no second one is added.
    #[error("the upstream reported an error in the stream")]
    InBand(InBand),
}

/// Renders an error event in the client's dialect.
pub trait Ending {
    /// A whole event with its blank line. It follows a blank line.
    fn error_event(&self, cause: &Failure) -> Bytes;
}

/// Watches an answer pass. All methods do nothing unless implemented; `()` watches nothing.
pub trait Watch {
    /// The first bytes came.
    fn first_byte(&mut self) {}

    /// Content came: `new` events in one frame, `total` so far. `new == total` is the first token.
    fn content(&mut self, new: u64, total: u64) {
        let _ = (new, total);
    }

    /// It is over. Called once, possibly from `Drop`: it must not block or panic. `failure` is
    /// there exactly for [`End::Failed`].
    fn end(&mut self, end: End, failure: Option<&Failure>, tap: &Tap) {
        let _ = (end, failure, tap);
    }
}

impl Watch for () {}

/// A tapped body. See the [module docs](self).
#[pin_project(PinnedDrop)]
#[derive(Debug)]
pub struct TapBody<B, E, W: Watch> {
    #[pin]
    inner: B,
    tap: Tap,
    ending: E,
    watch: W,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// No byte yet.
    Fresh,
    Passing,
    /// The upstream is over; this is still to be said.
    Closing(Option<Bytes>, Option<BoxError>),
    Over,
}

impl<B, E, W> TapBody<B, E, W>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
    E: Ending,
    W: Watch,
{
    /// Taps `inner`. The response must not carry a `content-length` when `tap` reads an event
    /// stream: bytes may be taken out or added.
    pub fn new(inner: B, tap: Tap, ending: E, watch: W) -> Self {
        let mut body = Self { inner, tap, ending, watch, phase: Phase::Fresh };
        // Nobody polls a body that is at its end; an event stream is polled, for its error event.
        if body.tap.framing() == Framing::Whole && body.inner.is_end_stream() {
            body.watch.end(End::Complete, None, &body.tap);
            body.phase = Phase::Over;
        }
        body
    }
}

impl<B, E, W> Body for TapBody<B, E, W>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
    E: Ending,
    W: Watch,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        loop {
            if let Some(piece) = this.tap.pop() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            match this.phase {
                Phase::Over => return Poll::Ready(None),
                Phase::Closing(event, error) => {
                    let event = event.take().map(|event| Ok(Frame::data(event)));
                    let last = event.or_else(|| error.take().map(Err));
                    *this.phase = Phase::Over;
                    return Poll::Ready(last);
                }
                Phase::Fresh | Phase::Passing => {}
            }
            let failure = match ready!(this.inner.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        let out = pass(this.tap, this.watch, this.phase, data);
                        let whole = this.tap.framing() == Framing::Whole;
                        // With a content length nobody polls for the end.
                        if whole && this.inner.is_end_stream() {
                            *this.phase = settle(this.tap, this.ending, this.watch, None);
                        }
                        let Some(out) = out else { continue };
                        return Poll::Ready(Some(Ok(Frame::data(out))));
                    }
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                Some(Err(error)) => Some(error.into()),
                None => None,
            };
            *this.phase = settle(this.tap, this.ending, this.watch, failure);
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.phase, Phase::Over) && self.tap.is_drained()
    }

    fn size_hint(&self) -> SizeHint {
        match self.tap.framing() {
            Framing::Events | Framing::Lines => SizeHint::default(),
            Framing::Array | Framing::Whole => self.inner.size_hint(),
        }
    }
}

/// Feeds the tap and tells what came.
fn pass<W: Watch>(tap: &mut Tap, watch: &mut W, phase: &mut Phase, data: Bytes) -> Option<Bytes> {
    if matches!(phase, Phase::Fresh) && !data.is_empty() {
        *phase = Phase::Passing;
        watch.first_byte();
    }
    let before = tap.content_events();
    let out = tap.push(data);
    let total = tap.content_events();
    if total > before {
        watch.content(total - before, total);
    }
    out
}

/// Judges an answer whose upstream is over, tells the watcher, and says what the client still gets.
fn settle<E: Ending, W: Watch>(
    tap: &mut Tap,
    ending: &E,
    watch: &mut W,
    error: Option<BoxError>,
) -> Phase {
    let framing = tap.framing();
    let events = matches!(framing, Framing::Events | Framing::Lines);
    // Asked before the tap reads a begun line as if it were over.
    let (open, may_end) = (tap.in_event(), tap.may_end());
    tap.finish();
    let failure = match (tap.error(), error) {
        (_, Some(error)) if !events => Failure::Broke(error),
        (Some(in_band), _) => Failure::InBand(in_band.clone()),
        _ if tap.is_complete() => return complete(tap, watch),
        (None, Some(error)) => Failure::Broke(error),
        (None, None) if may_end && events => return complete(tap, watch),
        (None, None) => Failure::Cut,
    };
    match &failure {
        // The tap has judged it.
        Failure::InBand(_) => {}
        Failure::Cut => tap.fail(fault_of_break(None)),
        Failure::Broke(error) => tap.fail(fault_of_break(Some(&**error))),
    }
    watch.end(End::Failed, Some(&failure), tap);
    match failure {
        Failure::InBand(_) => Phase::Over,
        failure if events => {
            let event = ending.error_event(&failure);
            let close: &[u8] = match (open, framing) {
                (false, _) => b"",
                (true, Framing::Lines) => b"\n",
                (true, _) => b"\n\n",
            };
            Phase::Closing(Some([close, &event].concat().into()), None)
        }
        Failure::Broke(error) => Phase::Closing(None, Some(error)),
        failure @ Failure::Cut => Phase::Closing(None, Some(failure.into())),
    }
}

fn complete<W: Watch>(tap: &Tap, watch: &mut W) -> Phase {
    watch.end(End::Complete, None, tap);
    Phase::Over
}

#[pinned_drop]
impl<B, E, W: Watch> PinnedDrop for TapBody<B, E, W> {
    fn drop(self: Pin<&mut Self>) {
        let this = self.project();
        if !matches!(this.phase, Phase::Fresh | Phase::Passing) {
            return;
        }
        let whole = this.tap.framing() == Framing::Whole;
        // What has come of an event may be read wrongly.
        if whole {
            this.tap.finish();
        } else {
            this.tap.leave();
        }
        // A client may leave at the ending without waiting for the end.
        match this.tap.error() {
            Some(error) => {
                let failure = Failure::InBand(error.clone());
                this.watch.end(End::Failed, Some(&failure), this.tap);
            }
            None if this.tap.is_complete() && !whole => {
                this.watch.end(End::Complete, None, this.tap);
            }
            None => this.watch.end(End::Cancelled, None, this.tap),
        }
    }
}

#[cfg(test)]
mod tests;
