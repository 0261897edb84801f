//! Reads the top level of a JSON object without parsing what is below it.
//!
//! A prompt is skipped at the speed of `memchr`; only keys and the values that somebody asks for are
//! looked at. The scanner validates neither nested values nor UTF-8: on every input that `serde_json`
//! accepts it sees the same members with the same values, and some broken inputs pass as well.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use bartizan_layers::wire::scan::scan;
//!
//! let body = scan(br#"{"model": "gpt-4o", "messages": [{"role": "user"}], "stream": true}"#)?;
//! let model = body.get("model")?.and_then(|member| member.value().as_str());
//! assert_eq!(model.as_deref(), Some("gpt-4o"));
//! # Ok(())
//! # }
//! ```
mod layout;
mod quote;
mod skim;
mod walk;

pub use layout::Layout;
pub(super) use quote::closing_quote;
pub use skim::Skim;

use serde_json::value::RawValue;
use std::{borrow::Cow, ops::Range};
use thiserror::Error;
use walk::{Broken, elements, members, unescape};

/// Why a body is not a JSON object. Its text fits behind "Invalid JSON payload: ".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason} (byte {offset})")]
#[non_exhaustive]
pub struct Invalid {
    /// Where reading stopped, in bytes from the start.
    pub offset: usize,
    reason: String,
}

/// A key that was asked for stands more than once, so that two readers could see two values.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the member `{0}` stands more than once")]
pub struct Duplicate(pub String);

/// The top level of a JSON object.
#[derive(Clone, Debug)]
pub struct Object<'a> {
    members: Vec<Member<'a>>,
    /// Just behind `{`.
    pub(super) open: usize,
}

/// One `"key": value` of an object. Ranges count bytes from the start of the scanned text.
#[derive(Clone, Debug)]
pub struct Member<'a> {
    key: Cow<'a, [u8]>,
    start: usize,
    value: Value<'a>,
}

/// A JSON value as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    raw: &'a [u8],
    at: usize,
}

/// Scans `body`, which must be one JSON object and nothing else.
///
/// # Errors
/// [`Invalid`] when it is not; a byte order mark is refused too (RFC 8259, 8.1).
pub fn scan(body: &[u8]) -> Result<Object<'_>, Invalid> {
    let mut found = members(body);
    let open = found.open();
    let mut all = Vec::with_capacity(16);
    for member in &mut found {
        all.push(member.map_err(|broken| broken.explain(body))?);
    }
    found.finish().map_err(|broken| broken.explain(body))?;
    Ok(Object { members: all, open })
}

/// Visits the leaves of the first member of `tail` like [`Value::leaves`]. Whether `tail` is the
/// rest of an object, from a member that is an object on to the end of the text.
pub(super) fn tail_leaves<'a>(tail: &'a [u8], visit: impl FnMut(&[u8], &[u8], Value<'a>)) -> bool {
    walk::tail_leaves(tail, visit).is_ok()
}

impl<'a> Object<'a> {
    /// The members in the order of the text.
    #[must_use]
    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// The member called `key`.
    ///
    /// # Errors
    /// [`Duplicate`] when there is more than one: a reader that takes the first and a reader that
    /// takes the last would disagree.
    pub fn get(&self, key: &str) -> Result<Option<&Member<'a>>, Duplicate> {
        Ok(self.index(key)?.map(|index| &self.members[index]))
    }

    /// The place of the member called `key`, for [`Splice`](super::splice::Splice).
    ///
    /// # Errors
    /// [`Duplicate`], like [`get`](Self::get).
    pub fn index(&self, key: &str) -> Result<Option<usize>, Duplicate> {
        let mut found =
            self.members.iter().enumerate().filter(|(_, member)| *member.key == *key.as_bytes());
        let first = found.next().map(|(index, _)| index);
        if found.next().is_some() {
            return Err(Duplicate(key.to_owned()));
        }
        Ok(first)
    }
}

impl<'a> Member<'a> {
    /// The key, unescaped.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> Value<'a> {
        self.value
    }

    /// From the key's quote to the end of the value.
    #[must_use]
    pub const fn range(&self) -> Range<usize> {
        self.start..self.value.range().end
    }
}

impl<'a> Value<'a> {
    /// The text.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Where it stands in the scanned text.
    #[must_use]
    pub const fn range(&self) -> Range<usize> {
        self.at..self.at + self.raw.len()
    }

    /// A string, unescaped; borrowed when it has no escapes.
    #[must_use]
    pub fn as_str(&self) -> Option<Cow<'a, str>> {
        if self.raw.first() == Some(&b'"') { unescape(self.raw) } else { None }
    }

    /// `true` or `false`.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.raw {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        }
    }

    /// `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.raw == b"null"
    }

    /// An object, by its first byte.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.raw.first() == Some(&b'{')
    }

    /// An array, by its first byte.
    #[must_use]
    pub fn is_array(&self) -> bool {
        self.raw.first() == Some(&b'[')
    }

    /// A whole number from 0 up.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        let plain = matches!(self.raw.len(), 1..=18) && self.raw.iter().all(u8::is_ascii_digit);
        if !plain || (self.raw.len() > 1 && self.raw.first() == Some(&b'0')) {
            return serde_json::from_slice(self.raw).ok();
        }
        Some(self.raw.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')))
    }

    /// Any number.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        serde_json::from_slice(self.raw).ok()
    }

    /// The members of an object up to the first broken one; none for other values. Allocates
    /// nothing but unescaped keys.
    pub fn members(self) -> impl Iterator<Item = (Cow<'a, [u8]>, Self)> {
        members(self.raw).map_while(|member| member.ok().map(|m| (m.key, m.value)))
    }

    /// Visits the members of an object in one pass: with the key of the object that a member stands
    /// in, its own key, and its value. For members of the object itself the first is empty; members
    /// of objects in it come one by one; deeper ones do not. Ends at the first fault.
    pub fn leaves(self, visit: impl FnMut(&[u8], &[u8], Self)) {
        walk::leaves(self.raw, visit);
    }

    /// The elements of an array up to the first broken one; none for other values.
    pub fn elements(self) -> impl Iterator<Item = Self> {
        elements(self.raw)
    }

    /// The member of an object called `key`; the last one, as most parsers have it.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        self.members().filter(|(name, _)| **name == *key.as_bytes()).last().map(|(_, value)| value)
    }
}

/// A text that is known to be one JSON value.
pub(super) const fn value(raw: &[u8]) -> Value<'_> {
    Value { raw, at: 0 }
}

impl Broken {
    /// Lets the strict parser find the words; it often sees the fault earlier than we do.
    #[cold]
    fn explain(self, body: &[u8]) -> Invalid {
        let reason = match serde_json::from_slice::<&RawValue>(body) {
            Err(error) => error.to_string(),
            Ok(_) => "expected an object".to_owned(),
        };
        Invalid { offset: self.0, reason }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
pub(super) mod tests;
