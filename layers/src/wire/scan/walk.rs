//! Walks JSON text without building anything from it.
use super::quote::{closing_quote, plain_string};
use super::{Member, Value};
use std::borrow::Cow;

/// A byte that has no place where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken(pub(super) usize);

/// The members of the object that `text` begins with.
pub(super) fn members(text: &[u8]) -> Members<'_> {
    Members(Walk::open(text, b'{'))
}

/// Visits the leaves of the object that `text` begins with; see [`Cursor::leaves`].
pub(super) fn leaves<'a>(text: &'a [u8], visit: impl FnMut(&[u8], &[u8], Value<'a>)) {
    // Those before a fault have been visited.
    Cursor { bytes: text, at: 0 }.leaves(visit).ok();
}

/// Visits the leaves of the first member of `tail`. Whether `tail` is the rest of an object, from
/// a member on to the end of the text.
pub(super) fn tail_leaves<'a>(
    tail: &'a [u8],
    visit: impl FnMut(&[u8], &[u8], Value<'a>),
) -> Result<(), Broken> {
    let mut cursor = Cursor { bytes: tail, at: 0 };
    cursor.name()?;
    cursor.leaves(visit)?;
    let mut rest = Members(Walk { cursor, stage: Stage::Later });
    for member in &mut rest {
        member?;
    }
    rest.finish()
}

/// The elements of the array that `text` begins with.
pub(super) fn elements(text: &[u8]) -> Elements<'_> {
    Elements(Walk::open(text, b'['))
}

/// The members of an object, one at a time.
pub(super) struct Members<'a>(Walk<'a>);

impl Members<'_> {
    /// Just behind `{`.
    pub(super) fn open(&self) -> usize {
        self.0.cursor.at
    }

    /// Checks that nothing but blanks follows the object.
    pub(super) fn finish(mut self) -> Result<(), Broken> {
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
            let key = cursor.name()?;
            Ok(Member { key, start, value: cursor.value()? })
        })
    }
}

/// The elements of an array, one at a time.
pub(super) struct Elements<'a>(Walk<'a>);

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

    fn key(&mut self) -> Result<Cow<'a, [u8]>, Broken> {
        let start = self.at;
        if self.bytes.get(start) != Some(&b'"') {
            return Err(Broken(start));
        }
        if let Some(quote) = plain_string(self.bytes, start + 1) {
            self.at = quote + 1;
            return Ok(Cow::Borrowed(&self.bytes[start + 1..quote]));
        }
        self.string()?;
        match unescape(&self.bytes[start..self.at]) {
            Some(Cow::Borrowed(key)) => Ok(Cow::Borrowed(key.as_bytes())),
            Some(Cow::Owned(key)) => Ok(Cow::Owned(key.into_bytes())),
            None => Err(Broken(start)),
        }
    }

    /// A key and its colon.
    fn name(&mut self) -> Result<Cow<'a, [u8]>, Broken> {
        let key = self.key()?;
        self.blanks();
        self.expect(b':')?;
        self.blanks();
        Ok(key)
    }

    /// Passes an object in one go. Calls `visit` for each member with the key of the object that
    /// it stands in (none at the top), its own, and its value. Members of objects at the top come
    /// one by one, deeper ones as part of a value.
    fn leaves(&mut self, mut visit: impl FnMut(&[u8], &[u8], Value<'a>)) -> Result<(), Broken> {
        self.expect(b'{')?;
        let (mut within, mut is_first) = (None, true);
        loop {
            self.blanks();
            if self.expect(b'}').is_ok() {
                is_first = false;
                if within.take().is_none() {
                    return Ok(());
                }
                continue;
            }
            if !is_first {
                self.expect(b',')?;
                self.blanks();
            }
            let key = self.name()?;
            is_first = within.is_none() && self.expect(b'{').is_ok();
            if is_first {
                within = Some(key);
            } else {
                visit(within.as_deref().unwrap_or_default(), &key, self.value()?);
            }
        }
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
        let quote = closing_quote(self.bytes, opened + 1).ok_or(Broken(opened))?;
        self.at = quote + 1;
        Ok(())
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

/// The text of a JSON string.
pub(super) fn unescape(quoted: &[u8]) -> Option<Cow<'_, str>> {
    let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    if inner.iter().any(|byte| *byte == b'\\' || *byte < b' ') {
        return serde_json::from_slice::<String>(quoted).ok().map(Cow::Owned);
    }
    std::str::from_utf8(inner).ok().map(Cow::Borrowed)
}
