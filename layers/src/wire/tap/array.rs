//! Finds the objects of a streamed JSON array (Gemini without `alt=sse`).
use memchr::memchr2;

/// The splitter's state between two frames. Holds at most [`LONGEST`](crate::wire::sse::LONGEST)
/// bytes of an object that is not over.
#[derive(Debug, Default)]
pub(super) struct Array {
    depth: u32,
    in_string: bool,
    escaped: bool,
    /// The depth around the object that is being read.
    object: Option<u32>,
    carry: Vec<u8>,
    clipped: bool,
    closed: bool,
}

impl Array {
    /// The outermost bracket was closed.
    pub(super) const fn closed(&self) -> bool {
        self.closed
    }

    /// Reads the next frame and hands over each object that ends in it, and whether it was too
    /// long to be kept.
    pub(super) fn push(&mut self, frame: &[u8], mut each: impl FnMut(&[u8], bool)) {
        let mut at = 0;
        let mut start = 0;
        while at < frame.len() {
            if self.in_string {
                at = self.string(frame, at);
                continue;
            }
            match frame[at] {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    if frame[at] == b'{' && self.object.is_none() {
                        self.object = Some(self.depth);
                        start = at;
                    }
                    self.depth += 1;
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.object == Some(self.depth) {
                        self.object_over(&frame[start..=at], &mut each);
                    }
                    self.closed |= self.depth == 0;
                }
                _ => {}
            }
            at += 1;
        }
        if self.object.is_some() {
            self.keep(&frame[start..]);
        }
    }

    /// Skips to behind the string's end, or to the end of the frame.
    fn string(&mut self, frame: &[u8], mut at: usize) -> usize {
        if std::mem::take(&mut self.escaped) {
            at += 1;
        }
        let Some(found) = frame.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) else {
            return frame.len();
        };
        at += found;
        if frame[at] == b'"' {
            self.in_string = false;
        } else {
            self.escaped = true;
        }
        at + 1
    }

    fn object_over(&mut self, tail: &[u8], each: &mut impl FnMut(&[u8], bool)) {
        self.object = None;
        if self.carry.is_empty() && !self.clipped {
            each(tail, false);
            return;
        }
        self.keep(tail);
        each(&self.carry, self.clipped);
        self.carry = Vec::new();
        self.clipped = false;
    }

    fn keep(&mut self, text: &[u8]) {
        if self.clipped || self.carry.len() + text.len() > crate::wire::sse::LONGEST {
            self.clipped = true;
            self.carry = Vec::new();
        } else {
            self.carry.extend_from_slice(text);
        }
    }
}
