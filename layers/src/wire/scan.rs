//! Reads the top level of a JSON object without parsing what is below it.
//!
//! A prompt is skipped at the speed of `memchr`; only keys and the values that somebody asks for are
//! looked at. The scanner does not validate nested values: on every input that `serde_json` accepts
//! it sees the same members with the same values, and some broken inputs pass as well.
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
use memchr::memchr2;
use serde_json::value::RawValue;
use std::{borrow::Cow, ops::Range};
use thiserror::Error;

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
    key: Cow<'a, str>,
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
        let mut found = self.members.iter().enumerate().filter(|(_, member)| member.key == key);
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
    pub fn key(&self) -> &str {
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
        serde_json::from_slice(self.raw).ok()
    }

    /// Any number.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        serde_json::from_slice(self.raw).ok()
    }

    /// The members of an object up to the first broken one; none for other values. Allocates
    /// nothing but unescaped keys.
    pub fn members(self) -> impl Iterator<Item = (Cow<'a, str>, Self)> {
        members(self.raw).map_while(|member| member.ok().map(|m| (m.key, m.value)))
    }

    /// The elements of an array up to the first broken one; none for other values.
    pub fn elements(self) -> impl Iterator<Item = Self> {
        Elements(Walk::open(self.raw, b'['))
    }

    /// The member of an object called `key`; the last one, as most parsers have it.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        self.members().filter(|(name, _)| name == key).last().map(|(_, value)| value)
    }
}

/// A text that is known to be one JSON value.
pub(super) const fn value(raw: &[u8]) -> Value<'_> {
    Value { raw, at: 0 }
}

/// A byte that has no place where it stands.
#[derive(Clone, Copy, Debug)]
struct Broken(usize);

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

fn members(text: &[u8]) -> Members<'_> {
    Members(Walk::open(text, b'{'))
}

/// The members of an object, one at a time.
struct Members<'a>(Walk<'a>);

impl Members<'_> {
    fn open(&self) -> usize {
        self.0.cursor.at
    }

    /// Checks that nothing but blanks follows the object.
    fn finish(mut self) -> Result<(), Broken> {
        self.0.cursor.blanks();
        let Cursor { bytes, at } = self.0.cursor;
        if at == bytes.len() { Ok(()) } else { Err(Broken(at)) }
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Result<Member<'a>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.step(b'}', |cursor| {
            let start = cursor.at;
            let key = cursor.key()?;
            cursor.blanks();
            cursor.expect(b':')?;
            cursor.blanks();
            Ok(Member { key, start, value: cursor.value()? })
        })
    }
}

struct Elements<'a>(Walk<'a>);

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        self.0.step(b']', Cursor::value)?.ok()
    }
}

/// The common part of walking an object and an array: blanks, commas and the end.
struct Walk<'a> {
    cursor: Cursor<'a>,
    stage: Stage,
}

#[derive(Clone, Copy)]
enum Stage {
    Wrong,
    First,
    Later,
    Over,
}

impl<'a> Walk<'a> {
    fn open(bytes: &'a [u8], bracket: u8) -> Self {
        let mut cursor = Cursor { bytes, at: 0 };
        cursor.blanks();
        let stage = cursor.expect(bracket).map_or(Stage::Wrong, |()| Stage::First);
        Self { cursor, stage }
    }

    fn step<T>(
        &mut self,
        close: u8,
        item: impl FnOnce(&mut Cursor<'a>) -> Result<T, Broken>,
    ) -> Option<Result<T, Broken>> {
        let stage = std::mem::replace(&mut self.stage, Stage::Over);
        let cursor = &mut self.cursor;
        cursor.blanks();
        match stage {
            Stage::Over => return None,
            Stage::Wrong => return Some(Err(Broken(cursor.at))),
            Stage::First | Stage::Later if cursor.expect(close).is_ok() => return None,
            Stage::First => {}
            Stage::Later => {
                if let Err(broken) = cursor.expect(b',') {
                    return Some(Err(broken));
                }
                cursor.blanks();
            }
        }
        let item = item(cursor);
        if item.is_ok() {
            self.stage = Stage::Later;
        }
        Some(item)
    }
}

#[derive(Clone, Copy)]
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Broken> {
        if self.bytes.get(self.at) != Some(&byte) {
            return Err(Broken(self.at));
        }
        self.at += 1;
        Ok(())
    }

    fn key(&mut self) -> Result<Cow<'a, str>, Broken> {
        let start = self.at;
        if self.bytes.get(start) != Some(&b'"') {
            return Err(Broken(start));
        }
        self.string()?;
        unescape(&self.bytes[start..self.at]).ok_or(Broken(start))
    }

    fn value(&mut self) -> Result<Value<'a>, Broken> {
        let at = self.at;
        match self.bytes.get(at) {
            Some(b'"') => self.string()?,
            Some(b'{' | b'[') => self.nested()?,
            Some(b't') => self.literal(b"true")?,
            Some(b'f') => self.literal(b"false")?,
            Some(b'n') => self.literal(b"null")?,
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => return Err(Broken(at)),
        }
        Ok(Value { raw: &self.bytes[at..self.at], at })
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), Broken> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(Broken(self.at));
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) {
        while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// Skips a string whose opening quote is at the cursor.
    #[inline]
    fn string(&mut self) -> Result<(), Broken> {
        let opened = self.at;
        let mut at = opened + 1;
        loop {
            at = quote_or_backslash(self.bytes, at).ok_or(Broken(opened))?;
            if self.bytes[at] == b'"' {
                self.at = at + 1;
                return Ok(());
            }
            at += 2;
        }
    }

    /// Skips an object or array. Depth is a number, not a recursion: no input can exhaust the stack.
    fn nested(&mut self) -> Result<(), Broken> {
        let opened = self.at;
        let mut depth = 0usize;
        loop {
            match self.bytes.get(self.at).ok_or(Broken(opened))? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }
}

/// The next `"` or `\` from `at` on. Most strings, and most runs between two escapes, are shorter
/// than the start-up of a vectorised search, so the first two words are searched in registers.
#[inline]
fn quote_or_backslash(bytes: &[u8], mut at: usize) -> Option<usize> {
    for _ in 0..2 {
        let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) else { break };
        let word = u64::from_le_bytes(*word);
        let hits = equal_bytes(word, b'"') | equal_bytes(word, b'\\');
        if hits != 0 {
            return Some(at + (hits.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    memchr2(b'"', b'\\', bytes.get(at..)?).map(|found| at + found)
}

/// Marks bytes of `word` that equal `byte` in their high bit. The lowest mark is exact, which is
/// all that a search for the first hit needs.
const fn equal_bytes(word: u64, byte: u8) -> u64 {
    const LOW: u64 = u64::from_le_bytes([1; 8]);
    let zeroed = word ^ (LOW * byte as u64);
    zeroed.wrapping_sub(LOW) & !zeroed & (LOW << 7)
}

fn unescape(quoted: &[u8]) -> Option<Cow<'_, str>> {
    let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    if inner.iter().any(|byte| *byte == b'\\' || *byte < b' ') {
        return serde_json::from_slice::<String>(quoted).ok().map(Cow::Owned);
    }
    std::str::from_utf8(inner).ok().map(Cow::Borrowed)
}

#[cfg(test)]
#[path = "scan/tests.rs"]
mod tests;
