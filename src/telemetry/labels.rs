//! Which value a label has for a call, and which calls have all values in common.
use super::book::Outcome;
use super::events::Failure;
use super::series::{Alike, DeploymentLabels};
use super::trail::Trail;
use crate::identity::{Caller, Holder};
use std::sync::Arc;

/// What LiteLLM prints where a value is not known.
pub(super) const NONE: &str = "None";
/// What stands for a model that the config does not know, so that clients cannot make series.
pub(super) const OTHER: &str = "other";

pub(super) fn alike(trail: &Trail, outcome: &Outcome<'_>) -> Alike {
    let address = |text: &Arc<str>| text.as_ptr() as usize;
    let caller = outcome.learned.principal.as_ref().and_then(|it| it.about.get::<Caller>());
    let place =
        |holder: &Option<Arc<Holder>>| holder.as_ref().map_or(0, |it| Arc::as_ptr(it) as usize);
    Alike {
        above: caller
            .map_or([0; 3], |caller| [&caller.user, &caller.team, &caller.organization].map(place)),
        key: outcome.learned.principal.as_ref().map_or(0, |principal| address(&principal.key)),
        requested: outcome.learned.requested.as_ref().map_or(0, address),
        deployment: outcome.deployment().map_or(0, |labels| Arc::as_ptr(labels) as usize),
        route: trail.route().as_ptr() as usize,
        status: outcome.status,
        failure: outcome.failure.map(|failure| (failure.status, failure.class.as_ptr() as usize)),
        failed_at: outcome.failed_at,
        cached: outcome.cached,
    }
}

pub(super) fn of_call<'a>(outcome: &'a Outcome<'_>, label: &str) -> &'a str {
    match label {
        "hashed_api_key" => {
            outcome.learned.principal.as_ref().map_or(NONE, |principal| &principal.key)
        }
        "team" => {
            let principal = outcome.learned.principal.as_ref();
            principal.and_then(|it| it.team.as_deref()).unwrap_or(NONE)
        }
        "api_key_alias" | "team_alias" | "user_email" | "org_id" | "org_alias" => {
            named(outcome, label).unwrap_or(NONE)
        }
        "user" => outcome.learned.principal.as_ref().map_or(NONE, |principal| &principal.user),
        "requested_model" => outcome.learned.requested.as_ref().map_or(OTHER, AsRef::as_ref),
        label => outcome.deployment().map_or(NONE, |labels| of_deployment(labels, label)),
    }
}

/// What people call those who stand above a call.
fn named<'a>(outcome: &'a Outcome<'_>, label: &str) -> Option<&'a str> {
    let caller = outcome.learned.principal.as_ref()?.about.get::<Caller>()?;
    match label {
        "api_key_alias" => caller.key.holder.alias.as_deref(),
        "team_alias" => caller.team.as_ref()?.alias.as_deref(),
        "user_email" => caller.user.as_ref()?.alias.as_deref(),
        "org_id" => caller.organization.as_ref().map(|it| &*it.id),
        _ => caller.organization.as_ref()?.alias.as_deref(),
    }
}

/// How a call failed, with whose failure it is where that is a provider's: `Openai.RateLimitError`.
pub(super) fn class_of(failure: Failure, provider: Option<&str>) -> String {
    let mut letters = provider.unwrap_or_default().chars();
    match letters.next() {
        Some(first) => {
            format!("{}{}.{}", first.to_ascii_uppercase(), letters.as_str(), failure.class)
        }
        None => failure.class.to_owned(),
    }
}

pub(super) fn of_deployment<'a>(deployment: &'a DeploymentLabels, label: &str) -> &'a str {
    match label {
        "model" => &deployment.model,
        "model_id" => &deployment.model_id,
        "model_group" => &deployment.model_group,
        "litellm_model_name" => &deployment.litellm_model_name,
        "api_provider" => deployment.api_provider,
        "api_base" => &deployment.api_base,
        // Addresses and user agents of clients, and end users, would make a series each.
        _ => NONE,
    }
}
