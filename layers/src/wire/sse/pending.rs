//! An event whose blank line is due.
use super::{Event, KEPT, LONGEST, Place};

/// The lines of an event that is not over.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// How much longer than [`LONGEST`] its data may be.
    more: usize,
    pub(super) name: Vec<u8>,
    pub(super) data: Vec<u8>,
    pub(super) data_lines: usize,
    pub(super) other_lines: bool,
    pub(super) clipped: bool,
    /// Where the last line began and ended, when that was the only data line.
    pub(super) at: Option<(Option<usize>, usize)>,
}

/// A line in a frame: `None` as start means that it began in an earlier one.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) start: Option<usize>,
    pub(super) end: usize,
}

impl Pending {
    pub(super) fn up_to(more: usize) -> Self {
        Self { more, ..Self::default() }
    }

    /// The places of the last frame mean nothing in this one. A `\n` that ends the last frame's
    /// `\r` belongs to its line.
    pub(super) fn next_frame(&mut self, line_end: usize) {
        if let Some(at) = &mut self.at {
            *at = (None, line_end);
        }
    }

    pub(super) fn field(&mut self, text: &[u8], span: Span) {
        let colon = memchr::memchr(b':', text).unwrap_or(text.len());
        let (field, value) = text.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let only = field == b"data" && self.data_lines == 0 && !self.clipped;
        self.at = only.then_some((span.start, span.end));
        match field {
            b"data" => self.data_line(value),
            b"event" => {
                self.name.clear();
                self.name.extend_from_slice(value);
                self.other_lines = true;
            }
            _ => self.other_lines |= !field.is_empty(),
        }
    }

    fn data_line(&mut self, value: &[u8]) {
        if self.data_lines > 0 {
            self.data.push(b'\n');
        }
        self.data_lines += 1;
        if self.data.len() + value.len() > LONGEST + self.more {
            self.clipped = true;
        } else {
            self.data.extend_from_slice(value);
        }
    }

    pub(super) fn dispatch(&mut self, end: usize, each: &mut impl FnMut(Event<'_>)) {
        if self.data_lines > 0 || self.clipped {
            let alone = !self.other_lines;
            let place = self.at.map(|(start, line_end)| Place { start, line_end, end, alone });
            each(Event { name: &self.name, data: &self.data, clipped: self.clipped, place });
        }
        self.clear();
    }

    pub(super) fn clear(&mut self) {
        self.name.clear();
        self.data.clear();
        self.data.shrink_to(KEPT);
        (self.data_lines, self.other_lines, self.clipped, self.at) = (0, false, false, None);
    }
}
