//! Who calls, with all that stands above it.
use super::{Denied, Holder, Key, Role, Rules};
use std::sync::Arc;

/// A key and all that stands above it, as they are at the beginning of a call.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The key.
    pub key: Arc<Key>,
    /// Its user.
    pub user: Option<Arc<Holder>>,
    /// Its team.
    pub team: Option<Arc<Holder>>,
    /// Its user as a member of its team.
    pub member: Option<Arc<Holder>>,
    /// Its organisation.
    pub organization: Option<Arc<Holder>>,
}

impl Caller {
    /// What its user may do with the proxy itself.
    #[must_use]
    pub fn role(&self) -> Role {
        self.user.as_ref().map_or(Role::None, |user| user.role)
    }

    /// The model that a name stands for: as its key says, else as its team.
    #[must_use]
    pub fn alias(&self, name: &str) -> Option<&str> {
        let mut aliases = self.rules().flat_map(|rules| &rules.aliases);
        aliases.find(|(alias, _)| **alias == *name).map(|(_, model)| &**model)
    }

    /// The parameters that each request must have.
    pub fn enforced(&self) -> impl Iterator<Item = &str> {
        self.rules().flat_map(|rules| &rules.enforced).map(|name| &**name)
    }

    /// What requests may say of caches; empty is anything.
    #[must_use]
    pub fn cache_controls(&self) -> &[Box<str>] {
        self.key.holder.rules.as_ref().map_or(&[], |rules| &rules.cache_controls)
    }

    /// Whether its requests may bring their own answers.
    #[must_use]
    pub fn may_mock(&self) -> bool {
        self.rules().any(|rules| rules.client_mocks)
    }

    /// The rules of its key and of its team.
    fn rules(&self) -> impl Iterator<Item = &Rules> {
        let holders = [Some(&self.key.holder), self.team.as_deref()].into_iter().flatten();
        holders.filter_map(|holder| holder.rules.as_deref())
    }

    /// The words that all its calls bear: its own and its team's.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.rules().flat_map(|rules| &rules.tags).map(|tag| &**tag)
    }

    /// Whether it may do anything at `now`, in milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// [`Denied`], if something is blocked or its time is over.
    pub fn check(&self, now: i64) -> Result<(), Denied> {
        let Key { holder, expires, .. } = &*self.key;
        if holder.blocked {
            return Err(Denied::KeyBlocked);
        }
        if let Some(team) = self.team.as_ref().filter(|team| team.blocked) {
            return Err(Denied::TeamBlocked(team.id.clone()));
        }
        if *expires <= now {
            let name = holder.id.get(..8).unwrap_or_default();
            return Err(Denied::Expired { expires: *expires, now, name: name.into() });
        }
        Ok(())
    }
}
