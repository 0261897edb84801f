//! Under which key an answer is kept, and for whom.
use crate::facts::{CacheKey, Principal};
use http::{Extensions, HeaderValue};
use std::fmt;
use std::hash::{Hash, Hasher};

/// Who shares answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheScope {
    /// A virtual key has its own answers.
    Key,
    /// A team shares its answers; a key without a team has its own. The default.
    #[default]
    Team,
    /// Everyone shares all answers, as in LiteLLM.
    All,
}

/// The key of a kept answer: a digest of the request's [`CacheKey`], the tenant and the namespace.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key([u8; 32]);

/// A part of a digest tells as much as all of it.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        state.write_u64(u64::from_le_bytes([a, b, c, d, e, f, g, h]));
    }
}

impl Key {
    /// The key of the call that has these `facts`, in `namespace`. All principals that may manage
    /// the server are one tenant, and so are all calls without a principal.
    #[must_use]
    pub fn new(key: &CacheKey, facts: &Extensions, scope: CacheScope, namespace: &str) -> Self {
        let (kind, tenant) = tenant(facts.get(), scope);
        let length = (tenant.len() as u64).to_le_bytes();
        let parts = [&key.0, &[kind][..], &length, tenant.as_bytes(), namespace.as_bytes()];
        Self(digest(parts).into())
    }

    /// The key of an answer that is kept in parts.
    pub(super) fn of_all(parts: &[Self]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&part.0);
        }
        Self(hasher.finalize().into())
    }

    /// The key that [`Display`](fmt::Display) wrote.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        blake3::Hash::from_hex(hex).ok().map(|hash| Self(hash.into()))
    }

    /// The digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn hex(&self) -> [u8; 64] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 64];
        for (two, byte) in hex.chunks_exact_mut(2).zip(self.0) {
            two[0] = DIGITS[usize::from(byte >> 4)];
            two[1] = DIGITS[usize::from(byte & 15)];
        }
        hex
    }

    pub(super) fn header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.hex()).expect("hexadecimal digits are ASCII")
    }

    /// Whether `value` is [`header`](Self::header).
    pub(super) fn is_in(&self, value: &HeaderValue) -> bool {
        value == &self.hex()[..]
    }

    /// Spreads keys evenly over `count` shards.
    pub(super) fn shard(&self, count: usize) -> usize {
        usize::from(self.0[31]) % count
    }
}

/// In hexadecimal digits, as clients see it.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// The digest of `parts`, one after the other.
fn digest(parts: [&[u8]; 5]) -> blake3::Hash {
    // Most keys fit: short texts in one piece need no state of a hasher.
    let (mut text, mut end) = ([0; 192], 0);
    for part in parts {
        let Some(room) = text.get_mut(end..end + part.len()) else {
            let mut hasher = blake3::Hasher::new();
            for part in parts {
                hasher.update(part);
            }
            return hasher.finalize();
        };
        room.copy_from_slice(part);
        end += part.len();
    }
    blake3::hash(&text[..end])
}

/// A kind apart from the name, so that no team is taken for a key.
fn tenant(principal: Option<&Principal>, scope: CacheScope) -> (u8, &str) {
    match (scope, principal) {
        (CacheScope::All, _) => (0, ""),
        (_, None) => (1, ""),
        (_, Some(principal)) if principal.admin => (2, ""),
        (CacheScope::Team, Some(Principal { team: Some(team), .. })) => (3, team),
        (_, Some(principal)) => (4, &principal.key),
    }
}
