//! Objects, written member by member.
use crate::providers::chat::{write_text, write_value};
use serde_json::Value;

/// The members of an object that has one already. Names are plain.
#[derive(Debug)]
pub(super) struct Members<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Members<'a> {
    /// More members of the object that is open at the end of `out`.
    pub(super) const fn after(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// The members of an object that begins with the `first` one.
    pub(super) fn of(out: &'a mut Vec<u8>, first: &str, text: &str) -> Self {
        out.extend_from_slice(b"{\"");
        out.extend_from_slice(first.as_bytes());
        out.extend_from_slice(b"\":");
        write_text(text, out);
        Self { out }
    }

    fn name(&mut self, name: &str) {
        for piece in [",\"", name, "\":"] {
            self.out.extend_from_slice(piece.as_bytes());
        }
    }

    /// A text.
    pub(super) fn text(mut self, name: &str, text: &str) -> Self {
        self.name(name);
        write_text(text, self.out);
        self
    }

    /// A number.
    pub(super) fn number(mut self, name: &str, number: u64) -> Self {
        self.name(name);
        // A vector takes everything.
        serde_json::to_writer(&mut *self.out, &number).unwrap_or_default();
        self
    }

    /// Any value.
    pub(super) fn value(mut self, name: &str, value: &Value) -> Self {
        self.name(name);
        write_value(value, self.out);
        self
    }

    /// What is JSON already.
    pub(super) fn json(mut self, name: &str, json: &[u8]) -> Self {
        self.name(name);
        self.out.extend_from_slice(json);
        self
    }

    /// A list of what is JSON already, with commas in between.
    pub(super) fn list(mut self, name: &str, elements: &[u8]) -> Self {
        self.name(name);
        self.out.push(b'[');
        self.out.extend_from_slice(elements);
        self.out.push(b']');
        self
    }

    /// Ends the object.
    pub(super) fn close(self) {
        self.out.push(b'}');
    }

    /// Ends the event.
    pub(super) fn end(self) {
        self.out.extend_from_slice(b"}\n\n");
    }
}
