//! Edits of a JSON body that leave every other byte as it was.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use bartizan_layers::wire::{scan::scan, splice::Splice, text::Text};
//! use bytes::Bytes;
//!
//! let text = Text::from(Bytes::from(r#"{"model": "fast",  "tags": ["a"], "n": 1}"#));
//! let object = scan(text.outline())?;
//! let mut splice = Splice::new(&object);
//! splice.replace(0, r#""gpt-4o""#);
//! splice.remove(1);
//! splice.insert("seed", "7");
//! assert_eq!(splice.bytes(&text), r#"{"model": "gpt-4o", "n": 1,"seed":7}"#);
//! # Ok(())
//! # }
//! ```
use super::scan::{Duplicate, Object, scan};
use super::text::Text;
use crate::body::{Body, Parts};
use bytes::{Bytes, BytesMut};
use std::ops::Range;

/// Up to this many bytes are copied into one piece: cheaper than more than one write to a socket.
const ONE_PIECE: usize = 16 * 1024;

/// Edits of one object, collected and then applied at once.
#[derive(Clone, Debug)]
pub struct Splice<'o, 'a> {
    object: &'o Object<'a>,
    /// Replaced ranges, in no order; they do not overlap.
    replaced: Vec<(Range<usize>, Bytes)>,
    /// Sorted places of removed members.
    removed: Vec<usize>,
    /// `"key":value` texts, each behind a comma.
    inserted: Vec<u8>,
}

/// What [`Splice::ask_for_usage`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageAsk {
    /// The client asks for usage itself: the answer must keep it.
    ByClient,
    /// The client says that it wants none: it is left so.
    Refused,
    /// We ask for it now: the answer's usage event is ours to take out.
    ByUs,
    /// `stream_options` is no object that could be edited; left as it is.
    Unreadable,
}

impl<'o, 'a> Splice<'o, 'a> {
    /// No edits yet.
    #[must_use]
    pub const fn new(object: &'o Object<'a>) -> Self {
        Self { object, replaced: Vec::new(), removed: Vec::new(), inserted: Vec::new() }
    }

    /// Puts `json` in place of the value of the member at `index`.
    ///
    /// # Panics
    /// When the object has no such member, as all methods that take an `index`.
    pub fn replace(&mut self, index: usize, json: impl Into<Bytes>) {
        self.replaced.push((self.object.members()[index].value().range(), json.into()));
    }

    /// Calls the member at `index` otherwise; its value stays as it is written.
    pub fn rename(&mut self, index: usize, key: &str) {
        let member = &self.object.members()[index];
        let mut json = serde_json::to_vec(key).expect("a string is always JSON");
        json.push(b':');
        self.replaced.push((member.range().start..member.value().range().start, json.into()));
    }

    /// Takes the member at `index` out, with the comma that it no longer needs.
    pub fn remove(&mut self, index: usize) {
        assert!(index < self.object.members().len(), "the object has no member {index}");
        if let Err(place) = self.removed.binary_search(&index) {
            self.removed.insert(place, index);
        }
    }

    /// Adds a member behind the last one. `json` is its value as text.
    pub fn insert(&mut self, key: &str, json: impl AsRef<[u8]>) {
        self.inserted.push(b',');
        serde_json::to_writer(&mut self.inserted, key).expect("a string is always JSON");
        self.inserted.push(b':');
        self.inserted.extend_from_slice(json.as_ref());
    }

    /// Sees to it that `stream_options.include_usage` is set, unless the client decided otherwise.
    ///
    /// # Errors
    /// [`Duplicate`] when `stream_options` or `include_usage` stands twice.
    pub fn ask_for_usage(&mut self) -> Result<UsageAsk, Duplicate> {
        let Some(index) = self.object.index("stream_options")? else {
            self.insert("stream_options", r#"{"include_usage":true}"#);
            return Ok(UsageAsk::ByUs);
        };
        let options = self.object.members()[index].value();
        if options.is_null() {
            self.replace(index, r#"{"include_usage":true}"#);
            return Ok(UsageAsk::ByUs);
        }
        let Ok(inner) = scan(options.raw()) else { return Ok(UsageAsk::Unreadable) };
        let start = options.range().start;
        let shift = |range: Range<usize>| range.start + start..range.end + start;
        let Some(include) = inner.get("include_usage")? else {
            let (at, comma) = match inner.members().last() {
                Some(last) => (last.range().end, ","),
                None => (inner.open, ""),
            };
            let text = format!(r#"{comma}"include_usage":true"#);
            self.replaced.push((shift(at..at), text.into()));
            return Ok(UsageAsk::ByUs);
        };
        match include.value().as_bool() {
            Some(true) => Ok(UsageAsk::ByClient),
            Some(false) => Ok(UsageAsk::Refused),
            None if include.value().is_null() => {
                self.replaced.push((shift(include.value().range()), "true".into()));
                Ok(UsageAsk::ByUs)
            }
            None => Ok(UsageAsk::Unreadable),
        }
    }

    /// Applies the edits to `text`, whose outline the object was scanned from. A small body comes
    /// out in one piece, a large one as slices of the text: its bytes are not copied.
    #[must_use]
    pub fn apply(&self, text: &Text) -> Body {
        if text.len() <= ONE_PIECE || (self.is_empty() && text.cuts() == 0) {
            return Body::Full(self.bytes(text));
        }
        let edits = self.edits();
        let mut pieces = Vec::with_capacity(edits.len() * 2 + 1);
        walk(text.outline().len(), edits, |piece| match piece {
            Piece::Old(range) => text.visit(range, |old, range| pieces.push(old.slice(range))),
            Piece::New(bytes) => pieces.push(bytes),
        });
        Body::Parts(Parts::new(pieces))
    }

    /// Applies the edits to `text` and copies the result into one piece.
    #[must_use]
    pub fn bytes(&self, text: &Text) -> Bytes {
        if self.is_empty() {
            return text.whole();
        }
        let edits = self.edits();
        let added: usize = edits.iter().map(|(_, new)| new.len()).sum();
        let mut out = BytesMut::with_capacity(text.len() + added);
        walk(text.outline().len(), edits, |piece| match piece {
            Piece::Old(range) => text.visit(range, |old, range| out.extend_from_slice(&old[range])),
            Piece::New(bytes) => out.extend_from_slice(&bytes),
        });
        out.freeze()
    }

    /// Whether nothing is to be changed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.replaced.is_empty() && self.removed.is_empty() && self.inserted.is_empty()
    }

    /// All edits in the order of the text.
    fn edits(&self) -> Vec<(Range<usize>, Bytes)> {
        let mut edits = self.replaced.clone();
        let mut kept_before = false;
        for index in 0..self.object.members().len() {
            if self.removed.binary_search(&index).is_ok() {
                edits.push((self.gap(index, kept_before), Bytes::new()));
            } else {
                kept_before = true;
            }
        }
        if !self.inserted.is_empty() {
            let at = self.object.members().last().map_or(self.object.open, |m| m.range().end);
            let comma = usize::from(!kept_before);
            edits.push((at..at, Bytes::copy_from_slice(&self.inserted[comma..])));
        }
        edits.sort_by_key(|(range, _)| (range.start, range.end));
        edits
    }

    /// The bytes that go with a removed member: the comma before it, or, when no member stays
    /// before it, the comma behind it.
    fn gap(&self, index: usize, kept_before: bool) -> Range<usize> {
        let members = self.object.members();
        let range = members[index].range();
        if kept_before {
            return members[index - 1].range().end..range.end;
        }
        members.get(index + 1).map_or(range.clone(), |next| range.start..next.range().start)
    }
}

enum Piece {
    Old(Range<usize>),
    New(Bytes),
}

/// Puts the text together: old bytes between the edits, new bytes in their places.
fn walk(len: usize, edits: Vec<(Range<usize>, Bytes)>, mut out: impl FnMut(Piece)) {
    let mut at = 0;
    for (range, new) in edits {
        // A value that was replaced inside a member that was removed: the member is gone.
        if range.start < at {
            continue;
        }
        if at < range.start {
            out(Piece::Old(at..range.start));
        }
        if !new.is_empty() {
            out(Piece::New(new));
        }
        at = range.end;
    }
    if at < len {
        out(Piece::Old(at..len));
    }
}

#[cfg(test)]
#[path = "splice/tests.rs"]
mod tests;
