//! Finds the ends of long values while a text is still coming.
use super::quote::{closing_quote, closing_quote_from, is_escaped};
use crate::wire::text::Text;
use bytes::Bytes;
use std::ops::Range;

/// So many bytes make a value long.
const LONG: usize = 4096;

/// The long values of the object that a text is, found frame by frame, while each frame is in the
/// processor's cache. See [`Text`] for an example.
#[derive(Debug, Default)]
pub struct Skim {
    /// Bytes that were read.
    read: usize,
    /// Open brackets, the object's own among them.
    depth: usize,
    /// Where the value that stands in the object itself begins, while more brackets are open.
    value: usize,
    /// Where the open string's quote stands.
    string: Option<usize>,
    /// Whether the next byte belongs to an escape in that string.
    is_escaped: bool,
    found: Vec<Range<usize>>,
}

impl Skim {
    /// Reads on in the frame that comes next.
    pub fn push(&mut self, frame: &[u8]) {
        let mut at = match self.string {
            Some(opened) if !frame.is_empty() => self.string_goes_on(frame, opened),
            _ => 0,
        };
        while let Some(byte) = frame.get(at) {
            match byte {
                b'"' => {
                    at = self.string(frame, at);
                    continue;
                }
                b'{' | b'[' => {
                    if self.depth == 1 {
                        self.value = self.read + at;
                    }
                    self.depth += 1;
                }
                b'}' | b']' => {
                    if self.depth == 2 {
                        self.note(self.value..self.read + at + 1);
                    }
                    self.depth = self.depth.saturating_sub(1);
                }
                _ => {}
            }
            at += 1;
        }
        self.read += frame.len();
    }

    /// The text of all `frames` that were read, as an outline where it has long values. They may
    /// have been joined, or cut, since they were read.
    #[must_use]
    pub fn into_text(self, frames: Vec<Bytes>) -> Text {
        Text::outlined(frames, &self.found)
    }

    /// Passes a string whose quote is at `at`.
    #[inline]
    fn string(&mut self, frame: &[u8], at: usize) -> usize {
        let opened = self.read + at;
        match closing_quote(frame, at + 1) {
            Some(quote) => self.close_string(opened, quote),
            None => self.leave_open(frame, opened, at + 1),
        }
    }

    /// Passes the rest of a string that was opened in an earlier frame.
    fn string_goes_on(&mut self, frame: &[u8], opened: usize) -> usize {
        // The escape's first byte was in the frame before: what it escapes is not looked at.
        let start = usize::from(self.is_escaped);
        match closing_quote_from(frame, start, start) {
            Some(quote) => self.close_string(opened, quote),
            None => self.leave_open(frame, opened, start),
        }
    }

    /// Where to go on behind a string.
    fn close_string(&mut self, opened: usize, quote: usize) -> usize {
        self.string = None;
        if self.depth == 1 {
            self.note(opened..self.read + quote + 1);
        }
        quote + 1
    }

    /// Keeps in mind a string whose text goes on behind `frame`. Its part in the frame begins at
    /// `start`.
    fn leave_open(&mut self, frame: &[u8], opened: usize, start: usize) -> usize {
        self.string = Some(opened);
        self.is_escaped = is_escaped(frame, start, frame.len());
        frame.len()
    }

    fn note(&mut self, value: Range<usize>) {
        if value.len() >= LONG {
            self.found.push(value);
        }
    }
}
