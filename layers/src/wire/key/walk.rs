//! Writes JSON in its canonical form while walking it once.
use super::number;
use memchr::memchr2;

/// Deeper texts have no form; parsers stop there too.
const DEEPEST: usize = 128;

/// A member of an object in the canonical form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) start: usize,
    key_end: usize,
    pub(super) end: usize,
}

/// A walk over a text, and what it has written. Every value begins with a tag and tells its
/// length or its end, so that no two values are written alike.
#[derive(Debug)]
pub(super) struct Canonical<'a> {
    rest: &'a [u8],
    out: Vec<u8>,
    /// Members of the objects that are open.
    members: Vec<Segment>,
    sorted: Vec<u8>,
}

impl<'a> Canonical<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        let out = Vec::with_capacity(text.len() + 64);
        Self { rest: text, out, members: Vec::with_capacity(16), sorted: Vec::new() }
    }

    pub(super) fn written(&self) -> &[u8] {
        &self.out
    }

    /// Walks a whole request and returns its members in order, without those that are left out.
    pub(super) fn request(&mut self, is_left_out: impl Fn(&str) -> bool) -> Option<Vec<Segment>> {
        self.blanks();
        self.expect(b'{')?;
        self.object_members(1, |out, member| {
            let key = out.get(member.start + 5..member.key_end).unwrap_or_default();
            out.get(member.key_end..member.end) == Some(b"0")
                || std::str::from_utf8(key).is_ok_and(&is_left_out)
        })?;
        self.blanks();
        (self.rest.is_empty() && self.sort(0)).then(|| std::mem::take(&mut self.members))
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
        self.out.push(tag);
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let end = self.rest.iter().position(|byte| !is_part(byte)).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        number::write(number, &mut self.out)
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.rest = &self.rest[1..];
        self.out.push(b'[');
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
        self.out.push(b']');
        Some(())
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        self.rest = &self.rest[1..];
        self.out.push(b'{');
        let first = self.members.len();
        self.object_members(depth, |_, _| false)?;
        let in_order = self.members[first..].is_sorted_by(|a, b| self.key(*a) < self.key(*b));
        if !in_order {
            self.sort(first).then_some(())?;
            self.rewrite(first);
        }
        self.members.truncate(first);
        self.out.push(b'}');
        Some(())
    }

    /// Walks the members behind an opening bracket, to behind the closing one.
    fn object_members(
        &mut self,
        depth: usize,
        is_left_out: impl Fn(&[u8], Segment) -> bool,
    ) -> Option<()> {
        (depth <= DEEPEST).then_some(())?;
        self.blanks();
        if self.expect(b'}').is_some() {
            return Some(());
        }
        loop {
            self.blanks();
            let start = self.out.len();
            self.string()?;
            let key_end = self.out.len();
            self.blanks();
            self.expect(b':')?;
            self.blanks();
            self.value(depth)?;
            let member = Segment { start, key_end, end: self.out.len() };
            if is_left_out(&self.out, member) {
                self.out.truncate(start);
            } else {
                self.members.push(member);
            }
            self.blanks();
            if self.expect(b',').is_none() {
                return self.expect(b'}');
            }
        }
    }

    fn key(&self, member: Segment) -> &[u8] {
        &self.out[member.start..member.key_end]
    }

    /// Sorts the members from the `first` on by their keys. Whether all are different.
    fn sort(&mut self, first: usize) -> bool {
        let (out, members) = (&self.out, &mut self.members[first..]);
        let key = |member: &Segment| &out[member.start..member.key_end];
        members.sort_unstable_by(|a, b| key(a).cmp(key(b)));
        members.is_sorted_by(|a, b| key(a) < key(b))
    }

    /// Puts the members of an object, which end the text, in their order.
    fn rewrite(&mut self, first: usize) {
        let members = &self.members[first..];
        let Some(start) = members.iter().map(|member| member.start).min() else { return };
        self.sorted.clear();
        for member in members {
            self.sorted.extend_from_slice(&self.out[member.start..member.end]);
        }
        self.out.truncate(start);
        self.out.extend_from_slice(&self.sorted);
    }

    /// Writes a string: a tag, its length, and its bytes without escapes.
    fn string(&mut self) -> Option<()> {
        self.expect(b'"')?;
        self.out.push(b's');
        let len_at = self.out.len();
        self.out.extend_from_slice(&[0; 4]);
        loop {
            let mark = memchr2(b'"', b'\\', self.rest)?;
            self.out.extend_from_slice(&self.rest[..mark]);
            let is_end = self.rest[mark] == b'"';
            self.rest = &self.rest[mark + 1..];
            if is_end {
                break;
            }
            self.escape()?;
        }
        let len = u32::try_from(self.out.len() - len_at - 4).ok()?;
        self.out[len_at..len_at + 4].copy_from_slice(&len.to_le_bytes());
        Some(())
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Option<()> {
        let (escape, rest) = self.rest.split_first()?;
        self.rest = rest;
        self.out.push(match escape {
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
        self.out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
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
