//! Cuts a stream that is JSON line by line (Ollama's), and lets only whole lines go on: a client
//! reads each one as a document, and the error behind a broken one would be lost on it.
use crate::wire::scan::scan;
use crate::wire::sse::LONGEST;
use bytes::Bytes;
use memchr::{memchr, memrchr};

/// The cutter's state between two frames. Holds at most [`LONGEST`] bytes of a line that is not
/// over; what is longer goes on as it comes, and is not read.
#[derive(Debug, Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
    clipped: bool,
    /// The last line, where nothing ends it.
    last: Option<Bytes>,
}

impl Lines {
    /// Reads the next frame, hands over each line that ends in it and whether it was too long to be
    /// kept, and gives back what may go on.
    pub(super) fn push(
        &mut self,
        frame: Bytes,
        mut each: impl FnMut(&[u8], bool),
    ) -> Option<Bytes> {
        let Some(end) = memrchr(b'\n', &frame) else { return self.begin(frame) };
        let (whole, begun) = (frame.slice(..=end), frame.slice(end + 1..));
        let mut rest = &*whole;
        if std::mem::take(&mut self.clipped) {
            each(&[], true);
            rest = behind_line(rest);
        }
        let out = if self.begun.is_empty() {
            whole.clone()
        } else {
            let held = std::mem::take(&mut self.begun);
            let out = [&*held, &*whole].concat();
            let first = memchr(b'\n', &out).map_or(&*out, |end| &out[..end]);
            each(first, false);
            rest = behind_line(rest);
            out.into()
        };
        while let Some(end) = memchr(b'\n', rest) {
            each(&rest[..end], false);
            rest = &rest[end + 1..];
        }
        match self.begin(begun) {
            None => Some(out),
            Some(more) => Some([&*out, &*more].concat().into()),
        }
    }

    /// Keeps the beginning of a line; gives it back once that is too long.
    fn begin(&mut self, frame: Bytes) -> Option<Bytes> {
        if self.clipped {
            return Some(frame);
        }
        if self.begun.len() + frame.len() <= LONGEST {
            self.begun.extend_from_slice(&frame);
            return None;
        }
        self.clipped = true;
        let held = std::mem::take(&mut self.begun);
        Some([&*held, &*frame].concat().into())
    }

    /// The stream is over: hands over the line that nothing ended, if that is whole. One that was
    /// cut off does not go on.
    pub(super) fn finish(&mut self, mut each: impl FnMut(&[u8], bool)) {
        let begun = std::mem::take(&mut self.begun);
        if scan(&begun).is_ok() {
            each(&begun, false);
            self.last = Some(begun.into());
        }
    }

    /// Whether what has gone on, or will, needs an end of line.
    pub(super) fn is_open(&self) -> bool {
        self.clipped || scan(&self.begun).is_ok()
    }

    /// What waits after the end.
    pub(super) fn pop(&mut self) -> Option<Bytes> {
        self.last.take()
    }

    /// Whether nothing waits.
    pub(super) const fn is_drained(&self) -> bool {
        self.last.is_none()
    }
}

fn behind_line(text: &[u8]) -> &[u8] {
    memchr(b'\n', text).map_or(&[], |end| &text[end + 1..])
}
