//! Finds the ends of long values while a text is still coming.
use super::quote::{closing_quote, closing_quote_from};
use std::ops::Range;

/// So many bytes make a value long.
const LONG: usize = 4096;

/// The long values in a text that grows: what was read once, while it was in the processor's
/// cache, need not be read again by [`scan_skimmed`](super::scan_skimmed).
///
/// ```
/// use bartizan_layers::wire::scan::{Skim, scan, scan_skimmed};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (mut skim, mut text) = (Skim::default(), Vec::new());
/// for frame in [r#"{"prompt": "It was a dark and "#, r#"stormy night.", "n": 1}"#] {
///     text.extend_from_slice(frame.as_bytes());
///     skim.push(&text);
/// }
/// let (skimmed, scanned) = (scan_skimmed(&text, &skim)?, scan(&text)?);
/// assert_eq!(skimmed.members()[0].range(), scanned.members()[0].range());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Skim {
    /// Bytes that were read.
    at: usize,
    /// Open brackets, the object's own among them.
    depth: usize,
    /// Where the value that stands in the object itself begins, while more brackets are open.
    value: usize,
    /// Where the text of the open string begins.
    string: Option<usize>,
    found: Vec<Range<usize>>,
}

impl Skim {
    /// Reads on. `text` is all that has come so far.
    pub fn push(&mut self, text: &[u8]) {
        let mut at = self.at;
        if let Some(start) = self.string {
            match closing_quote_from(text, start, at) {
                Some(quote) => at = self.close_string(start, quote),
                None => at = text.len(),
            }
        }
        while let Some(byte) = text.get(at) {
            match byte {
                b'"' => {
                    at = match closing_quote(text, at + 1) {
                        Some(quote) => self.close_string(at + 1, quote),
                        None => {
                            self.string = Some(at + 1);
                            text.len()
                        }
                    };
                    continue;
                }
                b'{' | b'[' => {
                    if self.depth == 1 {
                        self.value = at;
                    }
                    self.depth += 1;
                }
                b'}' | b']' => {
                    if self.depth == 2 {
                        self.note(self.value..at + 1);
                    }
                    self.depth = self.depth.saturating_sub(1);
                }
                _ => {}
            }
            at += 1;
        }
        self.at = at;
    }

    /// Where to go on behind a string.
    fn close_string(&mut self, start: usize, quote: usize) -> usize {
        self.string = None;
        if self.depth == 1 {
            self.note(start - 1..quote + 1);
        }
        quote + 1
    }

    fn note(&mut self, value: Range<usize>) {
        if value.len() >= LONG {
            self.found.push(value);
        }
    }

    /// The long values, from quote to quote or from bracket to bracket, in the order of the text.
    pub(super) fn found(&self) -> &[Range<usize>] {
        &self.found
    }
}
