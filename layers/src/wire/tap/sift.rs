//! Takes one event out of a stream, however it is cut into frames.
use super::learned::is_usage_event;
use crate::wire::sse::{Events, Place};
use bytes::Bytes;
use memchr::memmem;
use std::collections::VecDeque;

/// A begun line is held back for edit (d) up to this many bytes; usage events are far shorter.
const LONGEST_HELD: usize = 16 * 1024;

/// Holds back bytes only while they may belong to the event that is to go.
#[derive(Debug, Default)]
pub(super) struct Sift {
    /// The event was taken out: from here on nothing is held.
    done: bool,
    /// The begun line, or the line whose blank line is due.
    held: Vec<Bytes>,
    /// A `\n` at the start of the next frame ends the blank line that was taken out.
    eat_lf: bool,
    queue: VecDeque<Bytes>,
}

impl Sift {
    /// Still looking for its event.
    pub(super) const fn looks(&self) -> bool {
        !self.done
    }

    /// Takes the next frame. `cut` is the event to take out, `hold` where undecided bytes begin
    /// (inside: `None` is an earlier frame). What may go on now is returned, and then in `pop`.
    pub(super) fn push(
        &mut self,
        frame: Bytes,
        cut: Option<Place>,
        hold: Option<Option<usize>>,
        after_cr: bool,
    ) -> Option<Bytes> {
        let idle = self.held.is_empty() && !self.eat_lf;
        if idle && cut.is_none() && hold.is_none_or(|start| start.is_none()) {
            return Some(frame);
        }
        let mut from = 0;
        if std::mem::take(&mut self.eat_lf) && frame.first() == Some(&b'\n') {
            from = 1;
        }
        if let Some(place) = cut {
            from = self.cut(&frame, from, place, after_cr);
        }
        match hold.filter(|_| !self.done) {
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

    /// Takes the event at `place` out and says where the bytes behind it begin.
    fn cut(&mut self, frame: &Bytes, from: usize, place: Place, after_cr: bool) -> usize {
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
        self.done = true;
        self.eat_lf = after_cr && end == frame.len();
        end
    }

    /// The stream is over. `drop` says that what is held is the event, complete but for its end.
    pub(super) fn finish(&mut self, drop: bool) {
        if drop {
            self.held.clear();
        }
        self.let_go();
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

/// Where bytes begin that may belong to the usage event; inside, `None` is an earlier frame.
pub(super) fn undecided(events: &Events) -> Option<Option<usize>> {
    if let Some(data) = events.due() {
        return is_usage_event(data).then(|| events.due_start());
    }
    let line = events.begun_line();
    (events.in_line() && may_be_usage_event(line)).then(|| events.begun_start())
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

/// The data of the event that the stream ended in.
pub(super) fn begun_data(events: &Events) -> &[u8] {
    events.due().unwrap_or_else(|| {
        let line = events.begun_line();
        line.strip_prefix(b"data:").unwrap_or(line)
    })
}
