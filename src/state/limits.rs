//! Which limits a call falls under: those of the config, and those of its principal.
use crate::config::{Limits, Rate};
use crate::identity::Directory;
use bartizan_layers::facts::{Call, Limit, Measure, Principal, Scope};
use bartizan_layers::ratelimit::Rules;
use http::Extensions;
use std::sync::Arc;

/// Which part of its limits a call is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// What needs no body: calls, and open calls, of all and of a principal.
    Early,
    /// What needs to know what is asked for: tokens, end users, models.
    Late,
    /// All of them.
    All,
}

impl Part {
    /// Whether `part` belongs to it.
    fn has(self, part: Self) -> bool {
        self == part || self == Self::All
    }
}

/// The limits of one config.
#[derive(Clone, Debug)]
pub struct CallLimits {
    told: Arc<Told>,
    directory: Option<Directory>,
    part: Part,
}

#[derive(Debug)]
struct Told {
    global: Vec<Limit>,
    key_parallel: Option<u64>,
    end_user: Vec<(Measure, u64)>,
    end_users: Vec<(String, Vec<(Measure, u64)>)>,
}

impl CallLimits {
    /// That part of the limits of a config; `None` if it has none.
    pub(super) fn new(limits: &Limits, directory: Option<&Directory>, part: Part) -> Option<Self> {
        let parallel = limits.global_parallel.map(|most| (Measure::Parallel, most.into()));
        let global = rates(limits.global).into_iter().chain(parallel);
        let global = global.map(|(measure, most)| global_limit(measure, most));
        let told = Told {
            global: global.filter(|limit| part.has(part_of(limit))).collect(),
            key_parallel: limits.key_parallel.filter(|_| part.has(Part::Early)).map(u64::from),
            end_user: limits.end_user.filter(|_| part.has(Part::Late)).map_or(Vec::new(), rates),
            end_users: Vec::from_iter(
                limits
                    .end_users
                    .iter()
                    .filter(|_| part.has(Part::Late))
                    .map(|(name, rate)| (name.clone(), rates(*rate))),
            ),
        };
        let any = !told.global.is_empty()
            || told.key_parallel.is_some()
            || !told.end_user.is_empty()
            || !told.end_users.is_empty()
            || directory.is_some();
        let directory = directory.cloned();
        any.then(|| Self { told: Arc::new(told), directory, part })
    }
}

impl Rules for CallLimits {
    fn each(&self, facts: &Extensions, visit: &mut dyn FnMut(&Limit)) {
        let Self { told, directory, part } = self;
        told.global.iter().for_each(&mut *visit);
        let (mut parallel, mut end_user) = (told.key_parallel, true);
        if let Some(directory) = directory {
            directory.each_limit(facts, &mut |limit| {
                // Limits of their own count instead of those that the config has for all.
                match (limit.scope, limit.measure) {
                    (Scope::Key, Measure::Parallel) => parallel = None,
                    (Scope::EndUser, _) => end_user = false,
                    _ => {}
                }
                if part.has(part_of(limit)) {
                    visit(limit);
                }
            });
        }
        if let (Some(most), Some(principal)) = (parallel, facts.get::<Principal>()) {
            let subject = principal.key.clone();
            visit(&Limit { scope: Scope::Key, subject, measure: Measure::Parallel, most });
        }
        if end_user {
            told.each_of_end_user(facts, visit);
        }
    }
}

impl Told {
    fn each_of_end_user(&self, facts: &Extensions, visit: &mut dyn FnMut(&Limit)) {
        if self.end_user.is_empty() && self.end_users.is_empty() {
            return;
        }
        let Some(user) = facts.get::<Call>().and_then(|call| call.end_user.as_ref()) else {
            return;
        };
        for (measure, most) in self.of_end_user(user) {
            let (scope, subject) = (Scope::EndUser, user.clone());
            visit(&Limit { scope, subject, measure: *measure, most: *most });
        }
    }

    fn of_end_user(&self, user: &str) -> &[(Measure, u64)] {
        let own = self.end_users.iter().find(|(name, _)| *name == *user);
        own.map_or(&self.end_user, |(_, rates)| rates)
    }
}

fn rates(Rate { rpm, tpm }: Rate) -> Vec<(Measure, u64)> {
    let both = [(Measure::Requests, rpm), (Measure::Tokens, tpm)];
    both.into_iter().filter_map(|(measure, most)| Some((measure, most?))).collect()
}

fn global_limit(measure: Measure, most: u64) -> Limit {
    Limit { scope: Scope::Global, subject: "".into(), measure, most }
}

fn part_of(limit: &Limit) -> Part {
    let needs_body =
        matches!(limit.scope, Scope::EndUser | Scope::ModelPerKey | Scope::Model | Scope::Tag);
    if needs_body || limit.measure == Measure::Tokens { Part::Late } else { Part::Early }
}
