//! Learns what an answer says while its frames pass.
//!
//! A [`Tap`] is fed frame by frame and hands on the same bytes, but for the `[DONE]` of an OpenAI
//! stream that had an error: a client must not take a broken stream for a complete one. JSON is read only where an event
//! can carry usage, an ending or an error; until the first content event every event is looked at.
//! Memory is bounded: a line or object that straddles frames is copied up to 1 MiB and skipped
//! beyond; of a whole JSON answer in many frames the last MiB is kept, by reference.
//!
//! ```
//! use bartizan_layers::wire::tap::{Framing, Tap, Wire};
//! use bytes::Bytes;
//!
//! let mut tap = Tap::new(Wire::Chat, Framing::Events).take_out_usage_event();
//! let chunk = Bytes::from(concat!(
//!     r#"data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}"#,
//!     "\n\n"
//! ));
//! assert_eq!(tap.push(chunk.clone()), Some(chunk));
//! let usage = r#"data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#;
//! assert_eq!(tap.push(Bytes::from(format!("{usage}\n\ndata: [DONE]\n\n"))).unwrap(), "data: [DONE]\n\n");
//! assert_eq!(tap.usage().map(|usage| usage.total()), Some(4));
//! assert!(tap.is_complete());
//! ```
mod array;
mod bill;
mod cohere;
mod finish;
mod gemini;
mod in_band;
mod key;
mod learned;
mod lines;
mod media;
mod named;
mod ollama;
mod realtime;
mod sift;
mod usage;
mod whole;
mod words;
mod written;

pub use finish::finish_of;
pub use in_band::InBand;
pub use named::name_whole;
pub use realtime::{Session, realtime_usage};
pub use usage::usage_of;
pub use words::{Framing, Wire};

use crate::{
    facts::{Usage, UsageCell},
    wire::sse::Events,
};
use array::Array;
use bytes::Bytes;
use learned::Learned;
use lines::Lines;
use sift::Sift;
use whole::Kept;

/// The state of one answer. See the [module docs](self).
#[derive(Debug)]
pub struct Tap {
    learned: Learned,
    source: Source,
    choices: u32,
    lenient_end: bool,
    input: Option<i64>,
}

#[derive(Debug)]
enum Source {
    Events(Events, Sift),
    Array(Array),
    Lines(Lines),
    Whole(Kept),
    Opaque,
}

impl Tap {
    /// At the start of an answer. One choice is expected.
    #[must_use]
    pub fn new(wire: Wire, framing: Framing) -> Self {
        let source = match framing {
            Framing::Events => Source::Events(Events::new(), Sift::default()),
            Framing::Array => Source::Array(Array::default()),
            Framing::Lines => Source::Lines(Lines::default()),
            Framing::Whole => Source::Whole(Kept::default()),
        };
        Self::over(wire, source)
    }

    /// At the start of an answer that is not JSON, such as audio: its bytes pass unread. To those
    /// who ask, its framing is [`Framing::Whole`].
    #[must_use]
    pub fn opaque(wire: Wire) -> Self {
        Self::over(wire, Source::Opaque)
    }

    fn over(wire: Wire, source: Source) -> Self {
        Self { learned: Learned::new(wire), source, choices: 1, lenient_end: false, input: None }
    }

    /// Writes what it learns to `cell` as well: each usage report, why the model stopped, and an
    /// error event.
    #[must_use]
    pub fn cell(mut self, cell: UsageCell) -> Self {
        self.learned.cell = Some(cell);
        self
    }

    /// What the answer says of usage is not read: whoever translated it has written to `cell` what
    /// its provider told, which its client's words may not have room for.
    #[must_use]
    pub fn told(mut self, cell: UsageCell) -> Self {
        self.learned.told = true;
        self.cell(cell)
    }

    /// Takes out the event that an OpenAI stream has only because we asked for usage: `choices` is
    /// an empty array, and there is a `usage` object. All other bytes pass.
    #[must_use]
    pub fn take_out_usage_event(mut self) -> Self {
        if let Source::Events(_, sift) = &mut self.source {
            sift.usage = true;
        }
        self
    }

    /// How many choices the client asked for (`n`): so many have to finish. Default 1.
    #[must_use]
    pub const fn choices(mut self, choices: u32) -> Self {
        self.choices = choices;
        self
    }

    /// For providers that are known to stop without an ending: a clean end between two events is
    /// an ending.
    #[must_use]
    pub const fn lenient_end(mut self) -> Self {
        self.lenient_end = true;
        self
    }

    /// Reads the next frame and hands on what may pass: the very frame, unless an event is being
    /// taken out: the usage event, or the `[DONE]` of an OpenAI stream that had an error. More may wait in [`pop`](Self::pop).
    #[inline]
    pub fn push(&mut self, frame: Bytes) -> Option<Bytes> {
        let learned = &mut self.learned;
        match &mut self.source {
            Source::Events(events, sift) => {
                let mut from = sift.begin(&frame);
                events.push(&frame, |event| {
                    let surplus = learned.event(event.name, event.data, event.clipped);
                    if let (Some(surplus), Some(place)) = (surplus, event.place) {
                        from = sift.cut(&frame, from, surplus, place);
                    }
                });
                sift.done = learned.broken();
                return sift.rest(frame, from, events);
            }
            Source::Array(array) => {
                array.push(&frame, |object, clipped| {
                    learned.event(b"", object, clipped);
                });
            }
            Source::Lines(lines) => {
                return lines.push(frame, |line, clipped| {
                    learned.event(b"", line, clipped);
                });
            }
            Source::Whole(kept) => kept.push(&frame),
            Source::Opaque => {}
        }
        Some(frame)
    }

    /// The next piece that waits, after [`push`](Self::push) or [`finish`](Self::finish).
    pub fn pop(&mut self) -> Option<Bytes> {
        match &mut self.source {
            Source::Events(_, sift) => sift.pop(),
            Source::Lines(lines) => lines.pop(),
            _ => None,
        }
    }

    /// The stream is over, well or not: reads what is left and lets go of what was held.
    pub fn finish(&mut self) {
        let learned = &mut self.learned;
        match &mut self.source {
            Source::Events(events, sift) => {
                sift.finish(events);
                events.finish(|event| {
                    learned.event(event.name, event.data, event.clipped);
                });
            }
            Source::Lines(lines) => {
                lines.finish(|line, clipped| {
                    learned.event(b"", line, clipped);
                });
            }
            Source::Array(_) | Source::Opaque => {}
            Source::Whole(kept) => learned.whole(&std::mem::take(kept).join()),
        }
        self.leave();
    }

    /// The usage so far; `None` until some was reported.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.learned.usage()
    }

    /// How many content events passed: text, reasoning, tool or audio deltas; not comments, pings,
    /// `message_start` or chunks with a role only.
    #[must_use]
    pub const fn content_events(&self) -> u64 {
        self.learned.content
    }

    /// The provider's error event, if one came.
    #[must_use]
    pub fn error(&self) -> Option<&InBand> {
        self.learned.error.as_deref()
    }

    /// Whether the dialect's own ending was seen. A whole answer has none: its frame is its proof.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let learned = &self.learned;
        let finished = learned.finished.count_ones() >= self.choices.min(128)
            && learned.finished & learned.seen == learned.seen
            && matches!(learned.wire, Wire::Chat | Wire::Gemini);
        match &self.source {
            Source::Events(..) => learned.ended || finished,
            Source::Array(array) => array.closed() && (learned.ended || finished),
            Source::Lines(_) => learned.ended,
            Source::Whole(_) | Source::Opaque => true,
        }
    }

    /// Whether a clean end here is as good as an ending: the provider is known for it, or the
    /// event that may have told was too long to be read.
    #[must_use]
    pub fn may_end(&self) -> bool {
        (self.lenient_end || self.learned.unread) && !self.in_event()
    }

    /// Whether the stream is inside a line or an event, so that an empty line must close it, or the
    /// end of the line where lines are events.
    #[must_use]
    pub fn in_event(&self) -> bool {
        match &self.source {
            Source::Events(events, _) => events.in_event(),
            Source::Lines(lines) => lines.is_open(),
            _ => false,
        }
    }

    /// How the answer is cut into events.
    #[must_use]
    pub const fn framing(&self) -> Framing {
        match &self.source {
            Source::Events(..) => Framing::Events,
            Source::Array(_) => Framing::Array,
            Source::Lines(_) => Framing::Lines,
            Source::Whole(_) | Source::Opaque => Framing::Whole,
        }
    }

    /// Whether nothing waits in [`pop`](Self::pop).
    #[must_use]
    pub fn is_drained(&self) -> bool {
        match &self.source {
            Source::Events(_, sift) => sift.is_empty(),
            Source::Lines(lines) => lines.is_drained(),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_cell;
#[cfg(test)]
mod tests_native;
