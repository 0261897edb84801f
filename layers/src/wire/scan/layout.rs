//! Keeps what a scan found without its text.
use super::{Member, Object, Value};
use std::borrow::Cow;
use std::ops::Range;

/// The places of an [`Object`]'s members, without its text: what remains of a scan when the text
/// is kept elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    members: Vec<Slot>,
    open: usize,
}

#[derive(Clone, Debug)]
struct Slot {
    /// A key that had to be unescaped; others are read from the text.
    unescaped: Option<Vec<u8>>,
    key: Range<usize>,
    value: Range<usize>,
}

impl Layout {
    /// The object again, without a second scan. `body` must be the text that was scanned;
    /// members that do not fit another text are left out.
    #[must_use]
    pub fn object<'a>(&'a self, body: &'a [u8]) -> Object<'a> {
        let member = |slot: &'a Slot| {
            let key = match &slot.unescaped {
                Some(key) => key,
                None => body.get(slot.key.clone())?,
            };
            let value = Value { raw: body.get(slot.value.clone())?, at: slot.value.start };
            Some(Member { key: Cow::Borrowed(key), start: slot.key.start - 1, value })
        };
        Object { members: self.members.iter().filter_map(member).collect(), open: self.open }
    }
}

impl Object<'_> {
    /// Lets go of the text.
    #[must_use]
    pub fn layout(self) -> Layout {
        let slot = |member: Member<'_>| Slot {
            key: member.start + 1..member.start + 1 + member.key.len(),
            value: member.value.range(),
            unescaped: match member.key {
                Cow::Borrowed(_) => None,
                Cow::Owned(key) => Some(key),
            },
        };
        Layout { members: self.members.into_iter().map(slot).collect(), open: self.open }
    }
}
