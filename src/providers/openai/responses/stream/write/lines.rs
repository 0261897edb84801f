//! Events as the lines of a stream.
use super::super::super::json::Members;

/// Writes events, each with its number.
#[derive(Debug, Default)]
pub(super) struct Lines {
    next: u64,
}

impl Lines {
    /// Begins an event of this `kind`.
    pub(super) fn event<'a>(&mut self, out: &'a mut Vec<u8>, kind: &str) -> Members<'a> {
        for piece in ["event: ", kind, "\ndata: {\"type\":\"", kind, "\""] {
            out.extend_from_slice(piece.as_bytes());
        }
        let number = self.next;
        self.next += 1;
        Members::after(out).number("sequence_number", number)
    }
}
