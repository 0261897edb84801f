//! What is revoked, and the store does not say so yet.
use super::digest::{Digest, digest_of};
use super::{Denied, Key};
use crate::store::Kind;
use bartizan_layers::auth::AuthError;
use foldhash::fast::RandomState;
use std::collections::{HashMap, HashSet};

/// Keys and teams that are revoked, although the store does not say so yet. They are refused
/// whatever else is known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    /// Whether each is gone for good.
    keys: HashMap<Digest, bool, RandomState>,
    teams: HashSet<Box<str>, RandomState>,
}

impl Revoked {
    /// Adds a key or a team: for good, or until it is unblocked. Other things cannot be revoked.
    pub fn add(&mut self, kind: Kind, id: &str, for_good: bool) {
        match (kind, digest_of(id)) {
            (Kind::Key, Some(digest)) => *self.keys.entry(digest).or_default() |= for_good,
            (Kind::Team, _) => drop(self.teams.insert(id.into())),
            _ => {}
        }
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.teams.is_empty()
    }

    /// What the holder of a key is told.
    pub(super) fn key(&self, digest: &Digest) -> Option<AuthError> {
        Some(match self.keys.get(digest)? {
            true => AuthError::Unknown,
            false => AuthError::Denied(Denied::KeyBlocked.into()),
        })
    }

    /// Lets a key pass whose team may go on.
    pub(super) fn check(&self, key: &Key) -> Result<(), AuthError> {
        match key.team.as_ref().filter(|team| self.teams.contains(&***team)) {
            Some(team) => Err(AuthError::Denied(Denied::TeamBlocked(team.clone()).into())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Revoked;
    use crate::store::Kind;
    use bartizan_layers::auth::AuthError;

    #[test]
    fn a_key_that_is_gone_for_good_is_not_merely_blocked() {
        let id = "0a".repeat(32);
        let mut revoked = Revoked::default();
        revoked.add(Kind::Key, "no digest", true);
        revoked.add(Kind::User, &id, true);
        assert!(revoked.is_empty());
        revoked.add(Kind::Key, &id, false);
        assert!(matches!(revoked.key(&[10; 32]), Some(AuthError::Denied(_))));
        revoked.add(Kind::Key, &id, true);
        revoked.add(Kind::Key, &id, false);
        assert!(matches!(revoked.key(&[10; 32]), Some(AuthError::Unknown)));
        assert!(revoked.key(&[11; 32]).is_none());
    }
}
