//! Which limits a call falls under.
use crate::facts::{Call, Limit, Principal, Scope};
use http::Extensions;
use std::sync::Arc;

/// Knows which limits a call falls under. Implemented by lists of limits that hold for every call,
/// by closures, and by pairs of rules, which hold together.
pub trait Rules: Clone {
    /// Shows `visit` each limit of a call with these `facts`, always in the same order, and none
    /// twice.
    fn each(&self, facts: &Extensions, visit: &mut dyn FnMut(&Limit));

    /// Only those of these limits that `keep` keeps. So two layers share the work: one that needs
    /// no more than the principal, and another behind ingest.
    fn only<F: Fn(&Limit) -> bool + Clone>(self, keep: F) -> Only<Self, F> {
        Only { rules: self, keep }
    }
}

impl Rules for Arc<[Limit]> {
    fn each(&self, _facts: &Extensions, visit: &mut dyn FnMut(&Limit)) {
        self.iter().for_each(visit);
    }
}

impl<F: Fn(&Extensions, &mut dyn FnMut(&Limit)) + Clone> Rules for F {
    fn each(&self, facts: &Extensions, visit: &mut dyn FnMut(&Limit)) {
        self(facts, visit);
    }
}

impl<A: Rules, B: Rules> Rules for (A, B) {
    fn each(&self, facts: &Extensions, visit: &mut dyn FnMut(&Limit)) {
        self.0.each(facts, visit);
        self.1.each(facts, visit);
    }
}

/// The limits of the [`Principal`] among the facts; none where there is no principal.
///
/// A limit of [`Scope::ModelPerKey`] holds where its subject is the principal's key, a colon and
/// the [`Call`]'s group, as LiteLLM spells it. All others hold for every call.
#[derive(Clone, Copy, Debug, Default)]
pub struct PrincipalLimits;

impl Rules for PrincipalLimits {
    fn each(&self, facts: &Extensions, visit: &mut dyn FnMut(&Limit)) {
        let Some(principal) = facts.get::<Principal>() else { return };
        let named =
            |limit: &Limit| facts.get().is_some_and(|call| names(limit, &principal.key, call));
        let holds = |limit: &&Limit| limit.scope != Scope::ModelPerKey || named(limit);
        principal.limits.iter().filter(holds).for_each(visit);
    }
}

fn names(limit: &Limit, key: &str, call: &Call) -> bool {
    let group = limit.subject.strip_prefix(key).and_then(|rest| rest.strip_prefix(':'));
    group.is_some_and(|group| group == &*call.group)
}

/// Some of the limits of other rules. Made by [`Rules::only`].
#[derive(Clone, Copy, Debug)]
pub struct Only<R, F> {
    rules: R,
    keep: F,
}

impl<R: Rules, F: Fn(&Limit) -> bool + Clone> Rules for Only<R, F> {
    fn each(&self, facts: &Extensions, visit: &mut dyn FnMut(&Limit)) {
        self.rules.each(facts, &mut |limit| {
            if (self.keep)(limit) {
                visit(limit);
            }
        });
    }
}
