//! Which group answers a moderation that names no model (contract 3.1: it need not).
use super::deployment::Deployment;
use std::sync::Arc;

/// How OpenAI's models for it are called.
const FAMILIES: [&str; 2] = ["omni-moderation", "text-moderation"];

/// The group of the first deployment for moderations, else one that is named like a model for it,
/// else the `default` of all calls.
pub(super) fn model(deployments: &[Arc<Deployment>], default: Option<&str>) -> Option<Arc<str>> {
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
    told.or_else(named).map(|(_, group)| group).or(default).map(Into::into)
}
