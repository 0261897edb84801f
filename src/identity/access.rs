//! May this caller make this call: blocked end users, lists of models, budgets that are spent.
use super::denied::listed;
use super::{Caller, Denied, Directory, Holder, Tags};
use crate::clock;
use crate::store::Kind;
use bartizan_layers::auth::access::{Access, AccessError, covers};
use bartizan_layers::facts::{Call, Estimate, NanoUsd, Principal, Scope};
use bartizan_layers::fallback::FallbackOverride;
use http::Extensions;
use std::fmt;

/// A request fact: which models a call asks for that goes to a provider as it is, on one of the
/// provider's own paths or about objects that it keeps.
#[derive(Clone, Debug)]
pub struct Sought {
    /// The provider, as model names begin with it.
    pub provider: Box<str>,
    /// The models, as the provider calls them.
    pub models: Vec<Box<str>>,
    /// Whether it may have none: then it asks no model for anything.
    pub may_have_none: bool,
}

/// What the config says of models.
pub trait Names: Clone {
    /// Whether a name of the config covers a model: an access group that it is in, its provider's
    /// pattern.
    fn belongs(&self, name: &str, model: &str) -> bool;

    /// The team that a model is for, if it is not for all.
    fn team_of(&self, model: &str) -> Option<Box<str>>;
}

/// Knows who may call what.
#[derive(Clone)]
pub struct Allowed<F> {
    directory: Directory,
    names: F,
}

impl<F> fmt::Debug for Allowed<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Allowed").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// A list that allows what its key's team may use: it bounds nothing itself.
const AS_TEAM: &str = "all-team-models";
/// A list that allows everything.
const ALL: [&str; 2] = ["all-proxy-models", "*"];

impl<F: Names> Allowed<F> {
    /// Allows what those in `directory` may use.
    pub const fn new(directory: Directory, names: F) -> Self {
        Self { directory, names }
    }

    /// Whether `caller` may ask for `model`.
    ///
    /// # Errors
    ///
    /// [`Denied::Model`], with the first list that does not allow it.
    pub fn model(&self, caller: &Caller, model: &str) -> Result<(), Denied> {
        if let Some(team) = self.names.team_of(model)
            && caller.key.team.as_deref() != Some(&*team)
        {
            let (models, model) = (format!("['{model}' of another team]").into(), model.into());
            return Err(Denied::Model { whose: "team", models, model });
        }
        // A list of a user is for the keys that are for no team.
        let user = caller.user.as_deref().filter(|_| caller.key.team.is_none());
        let lists = [
            ("key", Some(&caller.key.holder)),
            ("team", caller.team.as_deref()),
            ("user", user),
            ("org", caller.organization.as_deref()),
        ];
        for (whose, holder) in lists {
            let Some(models) = holder.map(models).filter(|models| !models.is_empty()) else {
                continue;
            };
            if !models.iter().any(|name| self.covers(name, model)) {
                let models = listed(models.iter().map(|name| &**name));
                return Err(Denied::Model { whose, models, model: model.into() });
            }
        }
        Ok(())
    }

    /// Whether `caller` may ask a provider itself for models: by their own names, or with the
    /// provider's before them.
    fn sought(&self, caller: &Caller, sought: &Sought) -> Result<(), Denied> {
        if sought.models.is_empty() && !sought.may_have_none && caller.has_models() {
            return Err(Denied::Through);
        }
        for model in &sought.models {
            let full = format!("{}/{model}", sought.provider);
            self.model(caller, model)
                .or_else(|denied| self.model(caller, &full).map_err(|_| denied))?;
        }
        Ok(())
    }

    fn covers(&self, name: &str, model: &str) -> bool {
        name == AS_TEAM
            || ALL.contains(&name)
            || covers(name, model)
            || self.names.belongs(name, model)
            || self
                .directory
                .holder(Kind::AccessGroup, name)
                .is_some_and(|group| models(&group).iter().any(|member| covers(member, model)))
    }

    /// Refuses whose budget is spent, also where the answer would cost nothing because it is kept.
    fn solvent(
        &self,
        principal: &Principal,
        call: &Call,
        facts: &Extensions,
    ) -> Result<(), Denied> {
        if facts.get::<Estimate>().is_some_and(|it| it.most.is_some_and(|most| most.cost.0 <= 0)) {
            return Ok(());
        }
        let (now, mut result) = (clock::now() / 1000, Ok(()));
        let tags = facts.get::<Tags>().map_or(&[][..], |tags| &tags.0);
        let Call { group, end_user, .. } = call;
        self.directory.levels(principal, Some(group), end_user.as_ref(), tags, &mut |level| {
            let (Some(max), Some(holder)) = (level.money.max, level.holder) else { return };
            let spent = holder.spent.amount(now);
            if result.is_ok() && level.bounds && spent >= max {
                result = Err(Denied::spent(level.scope, &level.subject, spent, max));
            }
        });
        result
    }
}

fn models(holder: &Holder) -> &[Box<str>] {
    holder.rules.as_ref().map_or(&[], |rules| &rules.models)
}

impl<F: Names> Access for Allowed<F> {
    fn check(
        &self,
        principal: &Principal,
        call: &Call,
        facts: &Extensions,
    ) -> Result<(), AccessError> {
        let denied = |denied: Denied| AccessError::Denied(denied.into());
        if let Some(end_user) = &call.end_user
            && let Some(holder) = self.directory.holder(Kind::EndUser, end_user)
            && holder.blocked
        {
            return Err(denied(Denied::EndUserBlocked(holder.id.clone())));
        }
        if let Some(caller) = principal.about.get::<Caller>() {
            for model in call.group.split(',').map(str::trim).filter(|it| !it.is_empty()) {
                self.model(caller, model).map_err(denied)?;
            }
            if let Some(sought) = facts.get() {
                self.sought(caller, sought).map_err(denied)?;
            }
            if let Some(fallbacks) = facts.get::<FallbackOverride>() {
                for target in fallbacks.targets() {
                    self.model(caller, &target.group).map_err(denied)?;
                }
            }
        }
        self.solvent(principal, call, facts).map_err(denied)
    }
}

impl Denied {
    /// The budget of `scope` is spent.
    #[must_use]
    pub fn spent(scope: Scope, subject: &str, spent: NanoUsd, max: NanoUsd) -> Self {
        let whose = match scope {
            Scope::Team => format!("Team={subject} "),
            Scope::User => format!("User={subject} "),
            Scope::TeamMember => match serde_json::from_str::<[String; 2]>(subject) {
                Ok([team, user]) => format!("User={user} in Team={team} "),
                Err(_) => String::new(),
            },
            Scope::Organization => format!("Organization={subject} "),
            Scope::Tag => format!("Tag={subject} "),
            Scope::Provider => format!("Provider={subject} "),
            Scope::Deployment => format!("Deployment={subject} "),
            _ => String::new(),
        };
        match scope {
            Scope::EndUser => Self::EndUserBudget { end_user: subject.into(), spent, max },
            _ => Self::Budget { whose: whose.into(), spent, max },
        }
    }
}
