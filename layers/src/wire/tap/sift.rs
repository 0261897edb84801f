//! Takes surplus events out of a stream, however it is cut into frames.
use super::learned::{DONE, Surplus, is_usage_event};
use crate::wire::sse::{Events, Place};
use bytes::Bytes;
use memchr::memmem;
use std::collections::VecDeque;

/// A begun line is held back for edit (d) up to this many bytes; usage events are far shorter.
const LONGEST_HELD: usize = 16 * 1024;

/// Holds back bytes only while they may belong to an event that is to go.
#[derive(Debug, Default)]
pub(super) struct Sift {
    /// The usage event is to go, and was not seen yet.
    pub(super) usage: bool,
    /// The stream is broken: `[DONE]` is to go.
    pub(super) done: bool,
    /// The begun line, or the line whose blank line is due.
    held: Vec<Bytes>,
    /// A `\n` at the start of the next frame ends the blank line that was taken out.
    eat_lf: bool,
    queue: VecDeque<Bytes>,
}

impl Sift {
    /// Where the bytes of the next frame begin that may go on.
    #[inline]
    pub(super) fn begin(&mut self, frame: &[u8]) -> usize {
        let Some(first) = frame.first().filter(|_| self.eat_lf) else { return 0 };
        self.eat_lf = false;
        usize::from(*first == b'\n')
    }

    /// Takes the event at `place` out if it is to go, lets the bytes of `frame` between `from` and
    /// it go on, and says where the bytes behind it begin.
    pub(super) fn cut(
        &mut self,
        frame: &Bytes,
        from: usize,
        surplus: Surplus,
        place: Place,
    ) -> usize {
        if surplus == Surplus::Usage && !self.usage {
            return from;
        }
        // Without its data line, an event that has a name is not dispatched; its blank line must
        // stay, or the name would go to the next event.
        let end = if place.alone { place.end } else { place.line_end };
        match place.start {
            Some(start) => {
                self.let_go();
                self.emit(frame.slice(from..start));
            }
            // It was too long to be held, and went on.
            None if self.held.is_empty() => return from,
            None => self.held.clear(),
        }
        if surplus == Surplus::Usage {
            self.usage = false;
        }
        self.eat_lf = end == frame.len() && frame.ends_with(b"\r");
        end
    }

    /// Takes what [`cut`](Self::cut) left of a frame. What may go on now is returned, and then in
    /// `pop`.
    #[inline]
    pub(super) fn rest(&mut self, frame: Bytes, from: usize, events: &Events) -> Option<Bytes> {
        let hold = if self.usage || self.done { self.undecided(events) } else { None };
        let idle = from == 0 && self.held.is_empty();
        if idle && hold.is_none_or(|start| start.is_none()) {
            return Some(frame);
        }
        self.split(&frame, from, hold)
    }

    /// Lets go what is decided; `hold` is where undecided bytes begin.
    fn split(&mut self, frame: &Bytes, from: usize, hold: Option<Option<usize>>) -> Option<Bytes> {
        match hold {
            Some(None) if !self.held.is_empty() => self.held.push(frame.slice(from..)),
            Some(Some(start)) => {
                self.let_go();
                self.emit(frame.slice(from..start));
                self.held.push(frame.slice(start..));
            }
            _ => {
                self.let_go();
                self.emit(frame.slice(from..));
            }
        }
        self.pop()
    }

    /// The stream is over: lets go of what is held, unless it is an event that is to go, complete
    /// but for its end.
    pub(super) fn finish(&mut self, events: &Events) {
        if !self.held.is_empty() && self.is_to_go(begun_data(events)) {
            self.held.clear();
        }
        self.let_go();
    }

    /// Where bytes begin that may belong to an event that is to go; inside, `None` is an earlier
    /// frame.
    fn undecided(&self, events: &Events) -> Option<Option<usize>> {
        if let Some(data) = events.due() {
            return self.is_to_go(data).then(|| events.due_start());
        }
        let line = events.begun_line();
        let may_go = |line| {
            (self.usage && may_be_usage_event(line)) || (self.done && may_be_done_event(line))
        };
        (events.in_line() && may_go(line)).then(|| events.begun_start())
    }

    fn is_to_go(&self, data: &[u8]) -> bool {
        (self.done && data == DONE) || (self.usage && is_usage_event(data))
    }

    pub(super) fn pop(&mut self) -> Option<Bytes> {
        self.queue.pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    fn let_go(&mut self) {
        self.queue.extend(self.held.drain(..));
    }

    fn emit(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.queue.push_back(bytes);
        }
    }
}

/// Decides on the begin of a line; says no as soon as it shows a choice.
fn may_be_usage_event(line: &[u8]) -> bool {
    if line.len() > LONGEST_HELD {
        return false;
    }
    let Some(data) = line.strip_prefix(b"data:") else { return b"data:".starts_with(line) };
    let data = data.trim_ascii_start();
    if data.first().is_some_and(|first| *first != b'{') {
        return false;
    }
    let Some(at) = memmem::find(data, br#""choices""#) else { return true };
    let value = data[at + br#""choices""#.len()..].trim_ascii_start();
    let Some(value) = value.strip_prefix(b":").map(<[u8]>::trim_ascii_start) else {
        return value.is_empty();
    };
    let Some(inside) = value.strip_prefix(b"[") else { return value.is_empty() };
    matches!(inside.trim_ascii_start().first(), None | Some(b']'))
}

/// Decides on the begin of a line.
fn may_be_done_event(line: &[u8]) -> bool {
    b"data: [DONE]".starts_with(line) || b"data:[DONE]".starts_with(line)
}

/// The data of the event that the stream ended in.
fn begun_data(events: &Events) -> &[u8] {
    events.due().unwrap_or_else(|| {
        let line = events.begun_line();
        let data = line.strip_prefix(b"data:").unwrap_or(line);
        data.strip_prefix(b" ").unwrap_or(data)
    })
}
