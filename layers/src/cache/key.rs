//! Under which key an answer is kept, and for whom.
use crate::facts::{CacheKey, Principal};
use http::{Extensions, HeaderValue};
use std::fmt;

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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of the call that has these `facts`, in `namespace`. All principals that may manage
    /// the server are one tenant, and so are all calls without a principal.
    #[must_use]
    pub fn new(key: &CacheKey, facts: &Extensions, scope: CacheScope, namespace: &str) -> Self {
        let (kind, tenant) = tenant(facts.get(), scope);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&key.0).update(&[kind]).update(&(tenant.len() as u64).to_le_bytes());
        hasher.update(tenant.as_bytes()).update(namespace.as_bytes());
        Self(hasher.finalize().into())
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

    pub(super) fn header(&self) -> HeaderValue {
        let hex = blake3::Hash::from_bytes(self.0).to_hex();
        HeaderValue::from_str(&hex).expect("hexadecimal digits are ASCII")
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
