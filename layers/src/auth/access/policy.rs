//! Who may use what: the [`Access`] trait and its in-memory default.
use crate::BoxError;
use crate::facts::{Call, Principal};
use http::Extensions;
use std::collections::HashMap;
use std::sync::Arc;

/// Why a principal was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// It may use others, but not this group.
    #[error("the key may not use this model")]
    Group {
        /// The group that it asked for.
        group: Arc<str>,
        /// What it may use.
        allowed: Arc<[Arc<str>]>,
    },
    /// It may use nothing now: it is blocked, or its time is over.
    #[error("the key may not be used now")]
    Blocked,
    /// It may not make this call, for a reason of the host's own.
    #[error("the key may not make this call")]
    Denied(#[source] BoxError),
    /// The store of rights did not answer.
    #[error("rights are unreachable")]
    Outage(#[source] BoxError),
}

/// Knows who may use what. Clones share what they know.
///
/// It answers at once, from memory: what has to be looked up, the policy of keys looks up.
pub trait Access: Clone {
    /// Whether `principal` may make this `call` now, of which `facts` tell the rest.
    ///
    /// # Errors
    /// [`AccessError`], if it may not.
    fn check(
        &self,
        principal: &Principal,
        call: &Call,
        facts: &Extensions,
    ) -> Result<(), AccessError>;
}

/// Closures decide.
impl<F> Access for F
where
    F: Fn(&Principal, &Call) -> Result<(), AccessError> + Clone,
{
    fn check(
        &self,
        principal: &Principal,
        call: &Call,
        _facts: &Extensions,
    ) -> Result<(), AccessError> {
        self(principal, call)
    }
}

/// The groups that each key or its team may use, in this process's memory. Who has no list, or an
/// empty one, may use all; where both have one, the group must stand in both.
#[derive(Clone, Debug, Default)]
pub struct Groups(Arc<Lists>);

#[derive(Clone, Debug, Default)]
struct Lists {
    keys: HashMap<Arc<str>, Arc<[Arc<str>]>>,
    teams: HashMap<Arc<str>, Arc<[Arc<str>]>>,
}

impl Groups {
    /// Everyone may use all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The key with this name may use these groups only; a `*` stands for any text.
    #[must_use]
    pub fn only<G: Into<Arc<str>>>(
        mut self,
        key: impl Into<Arc<str>>,
        groups: impl IntoIterator<Item = G>,
    ) -> Self {
        let groups = groups.into_iter().map(Into::into).collect();
        Arc::make_mut(&mut self.0).keys.insert(key.into(), groups);
        self
    }

    /// The keys of this team may use these groups only; a `*` stands for any text.
    #[must_use]
    pub fn only_team<G: Into<Arc<str>>>(
        mut self,
        team: impl Into<Arc<str>>,
        groups: impl IntoIterator<Item = G>,
    ) -> Self {
        let groups = groups.into_iter().map(Into::into).collect();
        Arc::make_mut(&mut self.0).teams.insert(team.into(), groups);
        self
    }
}

impl Access for Groups {
    fn check(
        &self,
        principal: &Principal,
        call: &Call,
        _facts: &Extensions,
    ) -> Result<(), AccessError> {
        let group = &*call.group;
        let key = self.0.keys.get(&principal.key);
        let team = principal.team.as_ref().and_then(|team| self.0.teams.get(team));
        for allowed in key.into_iter().chain(team).filter(|groups| !groups.is_empty()) {
            if !allowed.iter().any(|pattern| covers(pattern, group)) {
                let (group, allowed) = (group.into(), allowed.clone());
                return Err(AccessError::Group { group, allowed });
            }
        }
        Ok(())
    }
}

/// Whether `group` is what `pattern` says, in which each `*` stands for any text: `openai/*`.
#[must_use]
pub fn covers(pattern: &str, group: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == group };
    let Some(mut group) = group.strip_prefix(head) else { return false };
    let Some((middle, tail)) = rest.rsplit_once('*') else { return group.ends_with(rest) };
    for piece in middle.split('*') {
        let Some((_, behind)) = group.split_once(piece) else { return false };
        group = behind;
    }
    group.ends_with(tail)
}
