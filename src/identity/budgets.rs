//! What a call is held against: the limits and the budgets of everyone above it.
use super::{Caller, Directory, Holder, Level, Rules, Tags};
use crate::clock;
use bartizan_layers::cost::{Budget, Seed};
use bartizan_layers::facts::{Call, Limit, Measure, NanoUsd, Principal, Scope};
use http::Extensions;
use std::sync::Arc;

impl Directory {
    /// Shows `visit` each level at which the call with these `facts` is paid for.
    pub fn levels_of(&self, facts: &Extensions, visit: &mut dyn FnMut(Level<'_>)) {
        let Some(principal) = facts.get::<Principal>() else { return };
        let call = facts.get::<Call>();
        let tags = facts.get::<Tags>().map_or(&[][..], |tags| &tags.0);
        let (group, end_user) =
            (call.map(|call| &*call.group), call.and_then(|call| call.end_user.as_ref()));
        self.levels(principal, group, end_user, tags, visit);
    }

    /// Shows `visit` each budget that the call with these `facts` falls under.
    pub fn each_budget(&self, facts: &Extensions, visit: &mut dyn FnMut(&Budget)) {
        self.levels_of(facts, &mut |Level { scope, subject, money, bounds, .. }| {
            if let Some(max) = money.max.filter(|_| bounds) {
                let budget = Budget::of(scope, subject, max);
                visit(&money.window.into_iter().fold(budget, Budget::per));
            }
        });
    }

    /// Shows `visit` each limit that the call with these `facts` falls under. Before its body is
    /// read, those are missing that depend on it.
    pub fn each_limit(&self, facts: &Extensions, visit: &mut dyn FnMut(&Limit)) {
        self.levels_of(facts, &mut |Level { scope, subject, holder, .. }| {
            let Some(rules) = holder.and_then(|holder| holder.rules.as_deref()) else { return };
            let shared = rules.budget.as_deref().and_then(|id| self.budget(id));
            let shared = shared.as_ref().and_then(|shared| shared.rules.as_deref());
            let of = |own: fn(&Rules) -> Option<u64>| own(rules).or_else(|| own(shared?));
            let each = [
                (Measure::Requests, of(|rules| rules.rpm)),
                (Measure::Tokens, of(|rules| rules.tpm)),
                (Measure::Parallel, of(|rules| rules.parallel)),
            ];
            for (measure, most) in each {
                if let Some(most) = most {
                    visit(&Limit { scope, subject: subject.clone(), measure, most });
                }
            }
        });
        each_of_model(facts, visit);
    }

    fn budget(&self, id: &str) -> Option<Arc<Holder>> {
        self.holder(crate::store::Kind::Budget, id)
    }
}

/// The limits of a key for the model that is asked for.
fn each_of_model(facts: &Extensions, visit: &mut dyn FnMut(&Limit)) {
    let Some(principal) = facts.get::<Principal>() else { return };
    let Some(rules) = principal.about.get::<Caller>().and_then(|it| it.key.holder.rules.as_ref())
    else {
        return;
    };
    let Some(Call { group, .. }) = facts.get() else { return };
    let lists = [(Measure::Requests, &rules.model_rpm), (Measure::Tokens, &rules.model_tpm)];
    for (measure, list) in lists {
        if let Some((name, most)) = list.iter().find(|(name, _)| **name == **group) {
            let subject = format!("{}:{name}", principal.key).into();
            visit(&Limit { scope: Scope::ModelPerKey, subject, measure, most: *most });
        }
    }
}

impl Seed for Directory {
    fn spent(&self, budget: &Budget) -> NanoUsd {
        let (now, mut spent) = (clock::now() / 1000, NanoUsd(0));
        self.spent(budget.scope.name(), &budget.subject, |holder| {
            spent = holder.spent.amount(now);
        });
        spent
    }
}
