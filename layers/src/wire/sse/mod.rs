//! Reads server-sent events (WHATWG HTML, 9.2.6) from frames that are cut anywhere.
//!
//! Text is borrowed from the frame; only a line that straddles two frames, or an event that does
//! not end in the frame of its data, is copied. Line ends may be `\n`, `\r\n` or `\r`.
//!
//! ```
//! use bartizan_layers::wire::sse::Events;
//!
//! let mut seen = Vec::new();
//! let mut events = Events::new();
//! for frame in ["event: ping\ndata: {}\n\nda", "ta: [DO", "NE]\n\n"] {
//!     events.push(frame.as_bytes(), |event| {
//!         seen.push((event.name.to_vec(), event.data.to_vec()));
//!     });
//! }
//! assert_eq!(seen, [(b"ping".to_vec(), b"{}".to_vec()), (b"".to_vec(), b"[DONE]".to_vec())]);
//! ```
mod pending;

use memchr::memchr2;
use pending::{Pending, Span};

/// A line longer than this is not read, though its end is found: 1 MiB.
pub const LONGEST: usize = 1024 * 1024;

/// What a buffer keeps for the next line once a long one is over.
const KEPT: usize = 16 * 1024;

/// One event, at the blank line that ends it.
#[derive(Clone, Copy, Debug)]
pub struct Event<'e> {
    /// Its `event` field; empty when it has none.
    pub name: &'e [u8],
    /// Its `data` fields, joined by `\n`.
    pub data: &'e [u8],
    /// Some of its lines were too long to be read: `data` is not all of it.
    pub clipped: bool,
    /// Where its only data line stands, when the blank line follows it directly.
    pub place: Option<Place>,
}

/// The bytes of an event with a single data line in the frame that ended it.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Where the data line begins; `None` when in an earlier frame.
    pub start: Option<usize>,
    /// Behind the data line.
    pub line_end: usize,
    /// Behind the blank line.
    pub end: usize,
    /// The event has no other line.
    pub alone: bool,
}

/// The reader's state between two frames. Holds at most [`LONGEST`] bytes of a line that is not
/// over, and as many of an event that is not over; or as many as [`up_to`](Self::up_to) says.
#[derive(Debug, Default)]
pub struct Events {
    /// How much longer than [`LONGEST`] a line may be.
    more: usize,
    /// The begun line, when it began in an earlier frame.
    carry: Vec<u8>,
    /// Where the begun line begins, when in the last frame.
    begun: Option<usize>,
    /// The begun line is too long: its bytes are dropped.
    dropping: bool,
    /// The last frame ended in `\r`: a `\n` belongs to it.
    after_cr: bool,
    /// The first line was seen, which may have a byte order mark.
    started: bool,
    event: Pending,
}

impl Events {
    /// At the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// At the start of a stream whose lines are read up to this many bytes; at least [`LONGEST`].
    #[must_use]
    pub fn up_to(longest: usize) -> Self {
        let more = longest.saturating_sub(LONGEST);
        Self { more, event: Pending::up_to(more), ..Self::default() }
    }

    /// How many bytes it has taken to keep what is begun.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.carry.capacity() + self.event.data.capacity()
    }

    /// Reads the next frame and hands over each event that ends in it.
    pub fn push(&mut self, frame: &[u8], mut each: impl FnMut(Event<'_>)) {
        let mut at = 0;
        self.begun = None;
        if self.after_cr && !frame.is_empty() {
            self.after_cr = false;
            at = usize::from(frame[0] == b'\n');
        }
        self.event.next_frame(at);
        if self.carries() {
            let Some(next) = self.finish_carried(frame, at, &mut each) else { return };
            at = next;
        }
        while let Some(found) = memchr2(b'\n', b'\r', &frame[at..]) {
            let span = Span { start: Some(at), end: self.behind(frame, at + found) };
            at = self.line(frame, &frame[at..at + found], span, &mut each);
        }
        self.begun = Some(at);
        self.carry(&frame[at..]);
    }

    /// Hands over what the end of the stream left open, as if its blank line had come.
    pub fn finish(&mut self, mut each: impl FnMut(Event<'_>)) {
        if self.carries() {
            let carry = std::mem::take(&mut self.carry);
            self.field(&carry, Span { start: None, end: 0 });
            self.dropping = false;
        }
        self.event.at = None;
        self.event.dispatch(0, &mut each);
    }

    /// Whether a line is begun.
    #[must_use]
    pub fn in_line(&self) -> bool {
        self.carries()
    }

    /// Whether an event is begun: one of its lines, or a part of its first.
    #[must_use]
    pub fn in_event(&self) -> bool {
        self.carries() || self.event.data_lines > 0 || self.event.other_lines
    }

    /// The begun line as far as it was read.
    #[must_use]
    pub fn begun_line(&self) -> &[u8] {
        &self.carry
    }

    /// Where the begun line begins in the last frame; `None` before it.
    #[must_use]
    pub const fn begun_start(&self) -> Option<usize> {
        self.begun
    }

    /// Whether the last frame ended in `\r`, so that a `\n` at the start of the next is part of the
    /// same line end.
    #[must_use]
    pub const fn after_cr(&self) -> bool {
        self.after_cr
    }

    /// The data of an event whose only data line is over while its blank line is due.
    #[must_use]
    pub fn due(&self) -> Option<&[u8]> {
        let due = self.event.at.is_some() && !self.event.clipped && !self.carries();
        due.then_some(&self.event.data)
    }

    /// Where the line of [`due`](Self::due) begins in the last frame; `None` before it.
    #[must_use]
    pub fn due_start(&self) -> Option<usize> {
        self.event.at.and_then(|(start, _)| start)
    }

    fn carries(&self) -> bool {
        self.dropping || !self.carry.is_empty()
    }

    /// Ends the line that began in an earlier frame; `None` when it goes on.
    fn finish_carried(
        &mut self,
        frame: &[u8],
        at: usize,
        each: &mut impl FnMut(Event<'_>),
    ) -> Option<usize> {
        let Some(found) = memchr2(b'\n', b'\r', &frame[at..]) else {
            self.carry(&frame[at..]);
            return None;
        };
        self.carry(&frame[at..at + found]);
        let mut carry = std::mem::take(&mut self.carry);
        let span = Span { start: None, end: self.behind(frame, at + found) };
        let next = self.line(frame, &carry, span, each);
        self.dropping = false;
        carry.clear();
        carry.shrink_to(KEPT);
        self.carry = carry;
        Some(next)
    }

    fn carry(&mut self, text: &[u8]) {
        if self.dropping || self.carry.len() + text.len() > LONGEST + self.more {
            self.dropping = true;
            self.carry = Vec::new();
        } else {
            self.carry.extend_from_slice(text);
        }
    }

    /// The place behind the line end at `at`.
    fn behind(&mut self, frame: &[u8], at: usize) -> usize {
        if frame[at] == b'\n' {
            return at + 1;
        }
        match frame.get(at + 1) {
            Some(b'\n') => at + 2,
            Some(_) => at + 1,
            None => {
                self.after_cr = true;
                at + 1
            }
        }
    }

    /// Reads one line and says where to go on: a lone data line and the blank line behind it are
    /// one step, so that the data need not be copied.
    #[inline]
    fn line(
        &mut self,
        frame: &[u8],
        text: &[u8],
        span: Span,
        each: &mut impl FnMut(Event<'_>),
    ) -> usize {
        if text.is_empty() && !self.dropping {
            self.started = true;
            self.event.dispatch(span.end, each);
            return span.end;
        }
        let blank = matches!(frame.get(span.end), Some(b'\n' | b'\r'));
        let first = self.event.data_lines == 0 && !self.dropping && self.started;
        if blank
            && first
            && let Some(data) = text.strip_prefix(b"data:")
        {
            let end = self.behind(frame, span.end);
            let alone = !self.event.other_lines;
            let place = Place { start: span.start, line_end: span.end, end, alone };
            let data = data.strip_prefix(b" ").unwrap_or(data);
            let (name, clipped) = (&*self.event.name, self.event.clipped);
            each(Event { name, data, clipped, place: Some(place) });
            self.event.clear();
            return end;
        }
        self.field(text, span);
        span.end
    }

    fn field(&mut self, text: &[u8], span: Span) {
        let text = match text.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) if !self.started => rest,
            _ => text,
        };
        self.started = true;
        if self.dropping {
            self.event.clipped = true;
            self.event.at = None;
        }
        self.event.field(text, span);
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
