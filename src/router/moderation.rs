//! Who answers a moderation that names no model (contract 3.1: it need not).
use super::Shared;
use super::deployment::Deployment;
use super::error::RouteError;
use super::group::{Found, Group, Groups};
use super::through::Accounts;
use crate::providers::{Dialect, Operation};
use std::sync::Arc;

/// How OpenAI's models for it are called.
const FAMILIES: [&str; 2] = ["omni-moderation", "text-moderation"];

/// The one that OpenAI takes where a request names none.
pub(super) const DEFAULT: &str = "omni-moderation-latest";

/// Who answers.
#[derive(Debug)]
pub(super) enum Moderator {
    /// What answers to this name.
    Named(Arc<str>),
    /// OpenAI, with the account of its own paths.
    Account(Group),
    /// Nobody.
    Nobody,
}

impl Moderator {
    /// The group of the first deployment for moderations, else one that is named like a model for
    /// it, else what serves OpenAI's default, else the `default` of all calls, else OpenAI.
    pub(super) fn new(
        deployments: &[Arc<Deployment>],
        groups: &Groups,
        accounts: &Accounts,
        default: Option<&str>,
    ) -> Self {
        let name = meant(deployments).or_else(|| is_served(groups).then_some(DEFAULT)).or(default);
        if let Some(name) = name {
            return Self::Named(name.into());
        }
        let account = accounts.lender("openai");
        account.map_or(Self::Nobody, |account| Self::Account(Group::of(DEFAULT, account)))
    }

    /// What a moderation finds.
    pub(super) fn find<'a>(&'a self, shared: &'a Shared) -> Result<Found<'a>, RouteError> {
        match self {
            Self::Named(name) => shared.find(Operation::Moderations.route(), Some(name)),
            Self::Account(group) => Ok(Found::whole(group, DEFAULT)),
            Self::Nobody => Err(RouteError::NoModeration),
        }
    }
}

/// The group that is there for it.
fn meant(deployments: &[Arc<Deployment>]) -> Option<&str> {
    let plain = || {
        let all = deployments.iter().filter(|one| !one.config().group.contains('*'));
        all.map(|one| (one, one.config().group.as_str()))
    };
    let told = plain().find(|(one, _)| one.mode() == Some("moderation"));
    let named = || {
        plain().find(|(one, group)| {
            FAMILIES.iter().any(|name| group.contains(name) || one.config().model.contains(name))
        })
    };
    told.or_else(named).map(|(_, group)| group)
}

/// Whether OpenAI's default leads to OpenAI, by a wildcard.
fn is_served(groups: &Groups) -> bool {
    let openai = |one: &Deployment| {
        one.config().provider.name == "openai" && one.leaf(Dialect::OpenAi).is_some()
    };
    groups.find(DEFAULT).is_some_and(|found| found.candidates(openai).next().is_some())
}
