//! Writes JSON in its canonical form while walking it once.
use super::number;
use super::room::{Room, Segment};
use crate::wire::scan::{Member, Object};
use memchr::memchr2;

/// Deeper texts have no form; parsers stop there too.
const DEEPEST: usize = 128;

/// A walk over a text, and what it has written. Every value begins with a tag and tells its
/// length or its end, so that no two values are written alike.
#[derive(Debug)]
pub(super) struct Canonical<'a> {
    rest: &'a [u8],
    room: Room,
}

impl Drop for Canonical<'_> {
    fn drop(&mut self) {
        std::mem::take(&mut self.room).leave();
    }
}

impl<'a> Canonical<'a> {
    pub(super) fn new() -> Self {
        Self { rest: &[], room: Room::take() }
    }

    /// The hash of what was written.
    pub(super) fn hash(&self) -> [u8; 32] {
        blake3::hash(&self.room.out).into()
    }

    /// Writes `bytes` as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.room.out.extend_from_slice(bytes);
    }

    /// Writes a text like the string that it is.
    pub(super) fn text(&mut self, text: &[u8]) -> Option<()> {
        let [a, b, c, d] = u32::try_from(text.len()).ok()?.to_le_bytes();
        self.raw(&[b's', a, b, c, d]);
        self.raw(text);
        Some(())
    }

    /// Writes the members of a request in the order of their keys, but for those that are left
    /// out, and those that are null.
    pub(super) fn request(
        &mut self,
        object: &Object<'a>,
        is_left_out: impl Fn(&str) -> bool,
    ) -> Option<()> {
        let members = object.members();
        self.room.out.reserve(members.last().map_or(0, |last| last.range().end));
        let counts = |member: &Member<'_>| !str::from_utf8(member.key()).is_ok_and(&is_left_out);
        let mut order = std::mem::take(&mut self.room.order);
        order.clear();
        order.extend((0..members.len()).filter(|at| counts(&members[*at])));
        order.sort_unstable_by(|a, b| members[*a].key().cmp(members[*b].key()));
        let written = order
            .is_sorted_by(|a, b| members[*a].key() < members[*b].key())
            .then(|| order.iter().try_for_each(|at| self.member(&members[*at])))
            .flatten();
        self.room.order = order;
        written
    }

    fn member(&mut self, member: &Member<'a>) -> Option<()> {
        let value = member.value();
        if value.is_null() {
            return Some(());
        }
        self.text(member.key())?;
        self.rest = value.raw();
        self.value(1)?;
        self.rest.is_empty().then_some(())
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        match *self.rest.first()? {
            b'"' => self.string(),
            b'{' => self.object(depth + 1),
            b'[' => self.array(depth + 1),
            b't' => self.literal(b"true", b't'),
            b'f' => self.literal(b"false", b'f'),
            b'n' => self.literal(b"null", b'0'),
            _ => self.number(),
        }
    }

    fn literal(&mut self, word: &[u8], tag: u8) -> Option<()> {
        self.rest = self.rest.strip_prefix(word)?;
        self.room.out.push(tag);
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let end = self.rest.iter().position(|byte| !is_part(byte)).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        number::write(number, &mut self.room.out)
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.rest = &self.rest[1..];
        self.room.out.push(b'[');
        self.blanks();
        if self.expect(b']').is_none() {
            (depth <= DEEPEST).then_some(())?;
            loop {
                self.blanks();
                self.value(depth)?;
                self.blanks();
                if self.expect(b',').is_none() {
                    break;
                }
            }
            self.expect(b']')?;
        }
        self.room.out.push(b']');
        Some(())
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        self.rest = &self.rest[1..];
        self.room.out.push(b'{');
        let first = self.room.members.len();
        self.object_members(depth)?;
        let in_order = self.room.members[first..].is_sorted_by(|a, b| self.key(*a) < self.key(*b));
        if !in_order {
            self.sort(first)?;
        }
        self.room.members.truncate(first);
        self.room.out.push(b'}');
        Some(())
    }

    /// Walks the members behind an opening bracket, to behind the closing one.
    fn object_members(&mut self, depth: usize) -> Option<()> {
        (depth <= DEEPEST).then_some(())?;
        self.blanks();
        if self.expect(b'}').is_some() {
            return Some(());
        }
        loop {
            self.blanks();
            let start = self.room.out.len();
            self.string()?;
            let key_end = self.room.out.len();
            self.blanks();
            self.expect(b':')?;
            self.blanks();
            self.value(depth)?;
            self.room.members.push(Segment { start, key_end, end: self.room.out.len() });
            self.blanks();
            if self.expect(b',').is_none() {
                return self.expect(b'}');
            }
        }
    }

    fn key(&self, member: Segment) -> &[u8] {
        &self.room.out[member.start..member.key_end]
    }

    /// Puts the members from the `first` on, which end the text, in the order of their keys;
    /// `None` if two are the same.
    fn sort(&mut self, first: usize) -> Option<()> {
        let Room { out, members, sorted, .. } = &mut self.room;
        let members = &mut members[first..];
        let start = members.first()?.start;
        let key = |member: &Segment| &out[member.start..member.key_end];
        if let [a, b] = members {
            // As nearly all that are not in order: `role` and `content`, `type` and `text`.
            (key(a) != key(b)).then_some(())?;
            out[start..].rotate_left(b.start - start);
            return Some(());
        }
        members.sort_unstable_by(|a, b| key(a).cmp(key(b)));
        members.is_sorted_by(|a, b| key(a) < key(b)).then_some(())?;
        sorted.clear();
        for member in members {
            sorted.extend_from_slice(&out[member.start..member.end]);
        }
        out.truncate(start);
        out.extend_from_slice(sorted);
        Some(())
    }

    /// Writes a string: a tag, its length, and its bytes without escapes.
    fn string(&mut self) -> Option<()> {
        self.expect(b'"')?;
        let mark = memchr2(b'"', b'\\', self.rest)?;
        let (plain, rest) = self.rest.split_at(mark);
        let start = self.room.out.len();
        self.text(plain)?;
        self.rest = &rest[1..];
        if rest[0] == b'"' { Some(()) } else { self.escaped(start) }
    }

    /// Writes the rest of a string from behind its first backslash on, and then its length, which
    /// stands behind the tag at `start`.
    fn escaped(&mut self, start: usize) -> Option<()> {
        let mut is_end = false;
        while !is_end {
            self.escape()?;
            let mark = memchr2(b'"', b'\\', self.rest)?;
            self.room.out.extend_from_slice(&self.rest[..mark]);
            is_end = self.rest[mark] == b'"';
            self.rest = &self.rest[mark + 1..];
        }
        let (text, out) = (start + 5, &mut self.room.out);
        let len = u32::try_from(out.len() - text).ok()?;
        out[start + 1..text].copy_from_slice(&len.to_le_bytes());
        Some(())
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Option<()> {
        let (escape, rest) = self.rest.split_first()?;
        self.rest = rest;
        self.room.out.push(match escape {
            b'"' | b'\\' | b'/' => *escape,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode(),
            _ => return None,
        });
        Some(())
    }

    /// A character by its number, or by two surrogates.
    fn unicode(&mut self) -> Option<()> {
        let mut code = self.hex()?;
        if (0xD800..0xDC00).contains(&code) {
            self.rest = self.rest.strip_prefix(b"\\u")?;
            let low = self.hex().filter(|low| (0xDC00..0xE000).contains(low))?;
            code = 0x1_0000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        let character = char::from_u32(code)?;
        self.room.out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Some(())
    }

    fn hex(&mut self) -> Option<u32> {
        let (digits, rest) = self.rest.split_first_chunk::<4>()?;
        self.rest = rest;
        digits.iter().try_fold(0, |sum, digit| Some(sum * 16 + char::from(*digit).to_digit(16)?))
    }

    fn blanks(&mut self) {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        let (first, rest) = self.rest.split_first()?;
        (*first == byte).then(|| self.rest = rest)
    }
}
