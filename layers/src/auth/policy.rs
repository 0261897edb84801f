//! Whose key it is: the [`Keys`] trait and its in-memory default.
use super::Presented;
use crate::BoxError;
use crate::facts::Principal;
use sha2::{Digest, Sha256};
use std::future::{Ready, ready};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Why a caller was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The request carries no key.
    #[error("no key was presented")]
    Missing,
    /// The key stands where a scheme such as `Bearer` was expected before it.
    #[error("the key was presented without a scheme")]
    Malformed,
    /// Nobody has this key.
    #[error("the key is not known")]
    Unknown,
    /// Somebody has this key, and may not use it: it is blocked, or its time is over.
    #[error("the key may not be used")]
    Denied(#[source] BoxError),
    /// The store of keys did not answer.
    #[error("keys are unreachable")]
    Outage(#[source] BoxError),
}

/// Knows whose key it is. Clones share one set of keys.
///
/// An implementation compares digests, never keys, and takes as long for a wrong key as for a
/// right one. While its store is away it answers from its last copy, or [`AuthError::Outage`].
pub trait Keys: Clone {
    /// The future of [`Keys::check`].
    type Future: Future<Output = Result<Principal, AuthError>>;

    /// Finds the principal of what a client presented.
    fn check(&self, presented: Presented<'_>) -> Self::Future;

    /// The same at once; `None` where the answer has to be waited for. Then [`Keys::check`] is asked.
    fn check_now(&self, presented: Presented<'_>) -> Option<Result<Principal, AuthError>> {
        let _ = presented;
        None
    }
}

/// The SHA-256 of a key: what is stored and compared instead of it.
#[must_use]
pub fn digest(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// A few keys in this process's memory. Every check looks at all of them.
#[derive(Clone, Debug, Default)]
pub struct MemoryKeys {
    keys: Arc<Vec<([u8; 32], Principal)>>,
    anyone: Option<Principal>,
}

impl MemoryKeys {
    /// No key yet: everyone is refused.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key and its principal.
    #[must_use]
    pub fn with(mut self, key: &[u8], principal: Principal) -> Self {
        Arc::make_mut(&mut self.keys).push((digest(key), principal));
        self
    }

    /// Takes every caller for `principal`, whatever key it presents, or none.
    #[must_use]
    pub fn open_to_anyone(self, principal: Principal) -> Self {
        Self { anyone: Some(principal), ..self }
    }

    fn told(&self, presented: Presented<'_>) -> Result<Principal, AuthError> {
        if let Some(anyone) = &self.anyone {
            return Ok(anyone.clone());
        }
        match presented {
            Presented::Nothing => Err(AuthError::Missing),
            Presented::Malformed => Err(AuthError::Malformed),
            Presented::Key(key) => self.find(key).cloned().ok_or(AuthError::Unknown),
        }
    }

    fn find(&self, key: &[u8]) -> Option<&Principal> {
        let digest = digest(key);
        let mut found = None;
        for (known, principal) in self.keys.iter() {
            if bool::from(known.ct_eq(&digest)) {
                found = Some(principal);
            }
        }
        found
    }
}

impl Keys for MemoryKeys {
    type Future = Ready<Result<Principal, AuthError>>;

    fn check(&self, presented: Presented<'_>) -> Self::Future {
        ready(self.told(presented))
    }

    fn check_now(&self, presented: Presented<'_>) -> Option<Result<Principal, AuthError>> {
        Some(self.told(presented))
    }
}
