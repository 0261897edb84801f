//! When a deployment rests: its breaker, as the config says.
use super::deployment::Deployment;
use crate::config::{self, AllowedFailsPolicy, Cooldown};
use crate::telemetry::{DeploymentLabels, Metrics};
use bartizan_layers::breaker::{AllowedFails, Gate, Policy, Rule, Trip};
use bartizan_layers::redis::Redis;
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;

/// The gate of a deployment: the one that it had under the config `before`, or a new one, which
/// rests as that did if it stands for the same calls. What opens it is counted and logged, and told to other nodes where there is
/// a Redis to do so.
pub(super) fn gate(
    config: &config::Deployment,
    (cooldown, redis): (&Cooldown, Option<&Redis>),
    labels: &Arc<DeploymentLabels>,
    metrics: &Arc<Metrics>,
    before: Option<&Deployment>,
) -> Gate {
    // What was wrong may have been mended.
    let before = before.filter(|before| calls_alike(config, before.config()));
    let own = &config.cooldown;
    let policy = Policy {
        cooldown: own.time,
        default_cooldown: cooldown.time,
        // LiteLLM takes a refused connection for a server's error (contract 4.4).
        network: true,
        ..Policy::new(rule(own, cooldown))
    };
    let unchanged = |one: &&Deployment| one.labels() == labels && *one.gate().policy() == policy;
    if let Some(same) = before.filter(unchanged) {
        return same.gate().clone();
    }
    let rest = before.and_then(|before| rest(before.gate(), &policy));
    let (labels, metrics) = (labels.clone(), metrics.clone());
    let told = move |trip: &Trip| {
        metrics.cooled_down(&labels, trip.status);
        let seconds = (trip.until - trip.since).as_secs_f64();
        let (deployment, status) = (&*labels.model_id, trip.status.as_u16());
        tracing::warn!(deployment, status, seconds, "A deployment rests after failures");
    };
    let gate = match redis {
        Some(redis) => Gate::shared(policy, redis, config.id.as_str(), told),
        None => Gate::telling(policy, told),
    };
    rest.inspect(|(left, status)| gate.trip(*left, *status));
    gate
}

/// Whether both make the same calls: failures of the one say something of the other.
fn calls_alike(one: &config::Deployment, other: &config::Deployment) -> bool {
    one.provider.name == other.provider.name
        && one.api_base == other.api_base
        && one.api_key == other.api_key
        && one.headers == other.headers
        && one.tls == other.tls
        && one.model == other.model
        && one.mock == other.mock
}

/// What is left of a rest, where another `policy` lets it go on, and the status that caused it.
fn rest(gate: &Gate, policy: &Policy) -> Option<(Duration, StatusCode)> {
    let (left, trip) = (gate.rests_for()?, gate.tripped()?);
    let most = policy.cooldown.unwrap_or(left);
    let rests = policy.rule != Rule::Never && !most.is_zero();
    rests.then(|| (left.min(most), trip.status))
}

fn rule(own: &config::OwnCooldown, cooldown: &Cooldown) -> Rule {
    if cooldown.disabled {
        return Rule::Never;
    }
    let any = own.allowed_fails.or(cooldown.allowed_fails);
    let policy = own.policy.as_ref().or(cooldown.policy.as_ref());
    if any.is_none() && policy.is_none() {
        return Rule::LiteLlm;
    }
    let any = any.unwrap_or(AllowedFails::default().any);
    Rule::AllowedFails(policy.map_or(AllowedFails::any(any), |policy| by_class(any, policy)))
}

fn by_class(any: u32, policy: &AllowedFailsPolicy) -> AllowedFails {
    let mut allowed = AllowedFails::any(any);
    allowed.bad_request = policy.bad_request;
    allowed.authentication = policy.authentication;
    allowed.timeout = policy.timeout;
    allowed.rate_limit = policy.rate_limit;
    allowed.content_policy = policy.content_policy;
    allowed.internal_server = policy.internal_server;
    allowed
}
