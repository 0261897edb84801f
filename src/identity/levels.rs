//! At which levels a call is paid for.
use super::{Caller, Directory, Holder, Money};
use crate::store::Kind;
use bartizan_layers::facts::{Principal, Scope};
use std::sync::Arc;

/// One level at which a call is paid for.
#[derive(Debug)]
pub struct Level<'a> {
    /// Which kind of level.
    pub scope: Scope,
    /// Whose account it is.
    pub subject: Arc<str>,
    /// Who has the rules; `None` where nobody is known by that name.
    pub holder: Option<&'a Holder>,
    /// What may be spent there; nothing is bounded where it is empty.
    pub money: Money,
    /// Whether that bounds this call: what a user may spend bounds the keys that are for no team.
    pub bounds: bool,
}

impl Directory {
    /// Shows `visit` each level at which a call of `principal` is paid for, always in the same
    /// order, and none twice: key, key for this model, user, member, team, organisation, end user,
    /// tags.
    pub fn levels<T: AsRef<str>>(
        &self,
        principal: &Principal,
        group: Option<&str>,
        end_user: Option<&Arc<str>>,
        tags: &[T],
        visit: &mut dyn FnMut(Level<'_>),
    ) {
        let mut level = |scope, subject: Arc<str>, holder: Option<&Holder>| {
            let money = holder.map_or(Money::default(), |holder| self.money(holder));
            visit(Level { scope, subject, holder, money, bounds: true });
        };
        match principal.about.get::<Caller>() {
            None => level(Scope::Key, principal.key.clone(), None),
            Some(caller) => {
                let key = &caller.key.holder;
                level(Scope::Key, key.id.clone(), Some(key));
                let own = caller.model_money(group);
                let rest = [
                    (Scope::User, &caller.user),
                    (Scope::TeamMember, &caller.member),
                    (Scope::Team, &caller.team),
                    (Scope::Organization, &caller.organization),
                ];
                for (scope, holder) in rest {
                    let Some(holder) = holder else { continue };
                    let bounds = scope != Scope::User || caller.team.is_none();
                    let (money, subject) = (self.money(holder), holder.id.clone());
                    visit(Level { scope, subject, holder: Some(holder), money, bounds });
                }
                if let Some((subject, money)) = own {
                    let scope = Scope::ModelPerKey;
                    visit(Level { scope, subject, holder: None, money, bounds: true });
                }
            }
        }
        let mut level = |scope, kind, id: &str| {
            let holder = self.holder(kind, id);
            let money = holder.as_deref().map_or(Money::default(), |holder| self.money(holder));
            let subject = holder.as_ref().map_or_else(|| id.into(), |holder| holder.id.clone());
            visit(Level { scope, subject, holder: holder.as_deref(), money, bounds: true });
        };
        if let Some(end_user) = end_user {
            level(Scope::EndUser, Kind::EndUser, end_user);
        }
        for (at, tag) in tags.iter().enumerate() {
            let tag = tag.as_ref();
            if !tags.iter().take(at).any(|before| before.as_ref() == tag) {
                level(Scope::Tag, Kind::Tag, tag);
            }
        }
    }

    /// What a holder may spend: as it says, or as the budget says that it refers to.
    #[must_use]
    pub fn money(&self, holder: &Holder) -> Money {
        let own = holder.money.as_deref().copied().unwrap_or_default();
        let rules = holder.rules.as_ref().filter(|_| own.max.is_none());
        let budget = rules.and_then(|rules| rules.budget.as_deref());
        let shared = budget.and_then(|id| self.holder(Kind::Budget, id));
        shared.and_then(|shared| shared.money.as_deref().copied()).unwrap_or(own)
    }
}

impl Caller {
    /// What its key may spend on a model, where that is bounded: the account is that of the key,
    /// a colon and the model as the key has it.
    fn model_money(&self, group: Option<&str>) -> Option<(Arc<str>, Money)> {
        let (name, money) = self.key.holder.rules.as_ref()?.money_of(group?)?;
        Some((format!("{}:{name}", self.key.holder.id).into(), *money))
    }
}
