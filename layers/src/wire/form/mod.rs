//! Finds the fields of a multipart form (RFC 7578) in frames that are cut anywhere, without
//! holding its files.
//!
//! A proxy that edits one field must see the very fields that the next reader sees. So whatever
//! two readers may take differently is an error here, though RFC 2046 may allow it: a boundary
//! after a bare line feed or followed by other text, folded headers, names with escapes, text
//! before the first boundary or after the last. Each byte is looked at once, and no more is held
//! than the headers of one part and the value of one field.
//!
//! ```
//! use bartizan_layers::wire::form::{Scanner, boundary};
//!
//! # fn main() -> Result<(), bartizan_layers::wire::form::FormError> {
//! let mut scanner = Scanner::new(&boundary(b"multipart/form-data; boundary=x")?);
//! let form = "--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nfast\r\n--x--\r\n";
//! let mut model = None;
//! for piece in form.as_bytes().chunks(7) {
//!     scanner.push(piece, |field| model = Some((field.value.map(<[u8]>::to_vec), field.at)))?;
//! }
//! scanner.finish()?;
//! assert_eq!(model, Some((Some(b"fast".to_vec()), 53..57)));
//! # Ok(())
//! # }
//! ```
mod head;
#[cfg(test)]
mod tests;

pub use self::head::boundary;

use memchr::memchr;
use std::ops::Range;

/// The most parts of a form.
pub const MOST_PARTS: usize = 1000;
/// The most bytes of a part's headers.
pub const LONGEST_HEAD: usize = 8 * 1024;
/// Longer values of fields are not told: 4 KiB.
pub const LONGEST_VALUE: usize = 4 * 1024;

/// Why a form cannot be read in one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// The content type is another one.
    #[error("the content type is not multipart/form-data")]
    NotAForm,
    /// RFC 2046 5.1.1: 1 to 70 characters of a short list, not a space at the end, named once.
    #[error("the content type has no valid boundary")]
    Boundary,
    /// Something stands before the first boundary.
    #[error("the body does not begin with its boundary")]
    Preamble,
    /// A boundary follows a bare line feed, or is followed by something else than a line end.
    #[error("a boundary does not stand on a line of its own")]
    Delimiter,
    /// A part's headers are not `Content-Disposition: form-data; name="…"` and its like.
    #[error("the headers of a part are not valid")]
    Head,
    /// A part's headers are longer than [`LONGEST_HEAD`].
    #[error("the headers of a part have more than {LONGEST_HEAD} bytes")]
    LongHead,
    /// There are more parts than [`MOST_PARTS`].
    #[error("there are more than {MOST_PARTS} parts")]
    ManyParts,
    /// It stops before its last boundary.
    #[error("the body ends before its last boundary")]
    Cut,
    /// Something follows the last boundary.
    #[error("something follows the last boundary")]
    Epilogue,
}

/// A part of a form, once all of it has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'f> {
    /// Its name.
    pub name: &'f str,
    /// Its value; `None` for a file, and for one longer than [`LONGEST_VALUE`].
    pub value: Option<&'f [u8]>,
    /// Where the value stands in the form.
    pub at: Range<u64>,
}

/// Reads one form.
#[derive(Debug)]
pub struct Scanner {
    /// A line feed, two dashes and the boundary.
    delimiter: Box<[u8]>,
    state: State,
    /// How much of the delimiter was seen just now.
    matched: usize,
    /// Whether a carriage return stood before what was matched.
    returned: bool,
    /// The last byte of the last piece was a carriage return.
    last_return: bool,
    /// Bytes of the form so far.
    at: u64,
    parts: usize,
    head: Vec<u8>,
    name: Box<str>,
    is_file: bool,
    value: Vec<u8>,
    value_at: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Start,
    /// Directly behind a boundary; the byte that was seen there.
    Behind(Option<u8>),
    Head,
    Value,
    /// Behind the last boundary; whether its line has ended.
    Over,
}

impl Scanner {
    /// Reads a form with this boundary, as [`boundary`] found it.
    #[must_use]
    pub fn new(boundary: &[u8]) -> Self {
        Self {
            delimiter: [b"\n--", boundary].concat().into(),
            state: State::Start,
            // The first boundary needs no line end before it.
            matched: 1,
            returned: true,
            last_return: false,
            at: 0,
            parts: 0,
            head: Vec::new(),
            name: "".into(),
            is_file: false,
            value: Vec::new(),
            value_at: 0,
        }
    }

    /// Reads the next piece, and tells of the fields that end in it.
    ///
    /// # Errors
    ///
    /// [`FormError`]; what follows it is not read.
    pub fn push(&mut self, piece: &[u8], mut seen: impl FnMut(Field<'_>)) -> Result<(), FormError> {
        let mut rest = piece;
        while !rest.is_empty() {
            let used = match self.state {
                State::Start => self.start(rest)?,
                State::Behind(first) => self.behind(first, rest)?,
                State::Head => self.head(rest)?,
                State::Value => self.value(rest, &mut seen)?,
                State::Over => self.over(rest)?,
            };
            self.at += used as u64;
            rest = rest.get(used..).unwrap_or_default();
        }
        Ok(())
    }

    /// The form is over.
    ///
    /// # Errors
    ///
    /// [`FormError::Cut`], when its last boundary has not come.
    pub const fn finish(&self) -> Result<(), FormError> {
        if matches!(self.state, State::Over) { Ok(()) } else { Err(FormError::Cut) }
    }

    fn start(&mut self, rest: &[u8]) -> Result<usize, FormError> {
        let wanted = self.delimiter.get(self.matched..).unwrap_or_default();
        let len = wanted.len().min(rest.len());
        if rest.get(..len) != wanted.get(..len) {
            return Err(FormError::Preamble);
        }
        self.matched += len;
        if self.matched == self.delimiter.len() {
            self.state = State::Behind(None);
        }
        Ok(len)
    }

    /// A line end begins a part, two dashes end the form.
    fn behind(&mut self, first: Option<u8>, rest: &[u8]) -> Result<usize, FormError> {
        self.state = match (first, rest.first()) {
            (None, Some(byte @ (b'\r' | b'-'))) => State::Behind(Some(*byte)),
            (Some(b'\r'), Some(b'\n')) => {
                self.parts += 1;
                if self.parts > MOST_PARTS {
                    return Err(FormError::ManyParts);
                }
                self.head.clear();
                State::Head
            }
            (Some(b'-'), Some(b'-')) => {
                self.matched = 0;
                State::Over
            }
            _ => return Err(FormError::Delimiter),
        };
        Ok(1)
    }

    fn head(&mut self, rest: &[u8]) -> Result<usize, FormError> {
        // A head ends with a line end, so it is looked at line by line.
        let line = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        if self.head.len() + line > LONGEST_HEAD {
            return Err(FormError::LongHead);
        }
        self.head.extend_from_slice(rest.get(..line).unwrap_or_default());
        if self.head.ends_with(b"\r\n\r\n") {
            let head = head::Head::parse(&self.head).ok_or(FormError::Head)?;
            (self.name, self.is_file) = (head.name, head.is_file);
            self.value.clear();
            self.value_at = self.at + line as u64;
            // A boundary directly behind the head would share its line end.
            (self.matched, self.returned, self.last_return) = (1, true, false);
            self.state = State::Value;
        } else if self.head == b"\r\n" {
            return Err(FormError::Head);
        }
        Ok(line)
    }

    fn value(&mut self, rest: &[u8], seen: &mut impl FnMut(Field<'_>)) -> Result<usize, FormError> {
        let Some(used) = self.delimited(rest) else {
            self.keep(rest);
            return Ok(rest.len());
        };
        self.keep(rest.get(..used).unwrap_or_default());
        let end = (self.at + used as u64).checked_sub(self.delimiter.len() as u64 + 1);
        let end = end.filter(|end| self.returned && *end >= self.value_at);
        let end = end.ok_or(FormError::Delimiter)?;
        let len = usize::try_from(end - self.value_at).unwrap_or(usize::MAX);
        let short = !self.is_file && len <= LONGEST_VALUE;
        seen(Field {
            name: &self.name,
            value: short.then(|| self.value.get(..len).unwrap_or_default()),
            at: self.value_at..end,
        });
        self.state = State::Behind(None);
        Ok(used)
    }

    /// Goes on looking for the delimiter; the place behind it.
    fn delimited(&mut self, rest: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(byte) = rest.get(at).copied() {
            if self.delimiter.get(self.matched) == Some(&byte) {
                if self.matched == 0 {
                    self.returned = match at.checked_sub(1) {
                        Some(before) => rest.get(before) == Some(&b'\r'),
                        None => self.last_return,
                    };
                }
                self.matched += 1;
                at += 1;
                if self.matched == self.delimiter.len() {
                    return Some(at);
                }
            } else if self.matched > 0 {
                // A line feed stands at the delimiter's beginning only: look at this byte again.
                self.matched = 0;
            } else {
                at = memchr(b'\n', rest.get(at..)?).map_or(rest.len(), |found| at + found);
            }
        }
        self.last_return = rest.last() == Some(&b'\r');
        None
    }

    /// Keeps a field's value, and what may still turn out to be the delimiter.
    fn keep(&mut self, bytes: &[u8]) {
        let most = LONGEST_VALUE + self.delimiter.len() + 1;
        if !self.is_file && self.value.len() < most {
            let len = bytes.len().min(most - self.value.len());
            self.value.extend_from_slice(bytes.get(..len).unwrap_or_default());
        }
    }

    fn over(&mut self, rest: &[u8]) -> Result<usize, FormError> {
        let wanted = b"\r\n".get(self.matched..).unwrap_or_default();
        if rest.len() > wanted.len() || !wanted.starts_with(rest) {
            return Err(FormError::Epilogue);
        }
        self.matched += rest.len();
        Ok(rest.len())
    }
}
