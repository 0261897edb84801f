//! Headers: a name, a kind of value, and the value.

/// The headers of a message, all of them readable.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'m>(&'m [u8]);

/// The kinds of values that say how long they are, and those that a kind tells the length of.
const BYTES: u8 = 6;
/// UTF-8.
pub(super) const TEXT: u8 = 7;

impl<'m> Headers<'m> {
    /// `None` if they are not headers.
    pub(super) fn read(bytes: &'m [u8]) -> Option<Self> {
        let mut rest = bytes;
        while !rest.is_empty() {
            (_, rest) = header(rest)?;
        }
        Some(Self(bytes))
    }

    /// The first header of this name, if it is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&'m str> {
        let mut rest = self.0;
        while let Some((header, next)) = header(rest) {
            if header.name == name {
                return header.text;
            }
            rest = next;
        }
        None
    }
}

struct Header<'m> {
    name: &'m str,
    text: Option<&'m str>,
}

/// The header that `bytes` begin with, and what is behind it.
fn header(bytes: &[u8]) -> Option<(Header<'_>, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let name = std::str::from_utf8(name).ok().filter(|name| !name.is_empty())?;
    let (kind, rest) = rest.split_first()?;
    let (length, rest) = match kind {
        // True, false.
        0 | 1 => (0, rest),
        2 => (1, rest),
        3 => (2, rest),
        4 => (4, rest),
        // A long number, a time.
        5 | 8 => (8, rest),
        &BYTES | &TEXT => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        // A UUID.
        9 => (16, rest),
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    let text = match *kind {
        TEXT => Some(std::str::from_utf8(value).ok()?),
        _ => None,
    };
    Some((Header { name, text }, rest))
}
