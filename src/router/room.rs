//! Whether a deployment has room for one more call: the provider's limits, the calls that it can
//! have in flight as learnt, and the longest prompt of its model.
use super::Shared;
use super::allowance::{self, Allowance, Allowances};
use super::deployment::Deployment;
use super::error::{NoDeployment, RouteError};
use super::sender::{Outgoing, Sent};
use crate::config;
use crate::data::Model;
use crate::state::{self, Place, State};
use bartizan_layers::BoxError;
use bartizan_layers::adaptive::{AdaptiveLimit, Bounds, Group, Permit, Waiting};
use bartizan_layers::body::Body;
use bartizan_layers::cause::cause_ref;
use bartizan_layers::end::EndBody;
use bartizan_layers::facts::{Limit, Measure, Scope};
use bartizan_layers::ratelimit::{Exceeded, RateLimitError, RateLimitLayer};
use http::{Request, Response};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

/// The room of one deployment.
#[derive(Debug, Default)]
pub(super) struct Room {
    quota: Option<Quota>,
    /// How many calls it can have in flight, as learnt, and who waits for one.
    adaptive: Option<(Group, AdaptiveLimit)>,
    /// The most calls in flight.
    parallel: Option<u32>,
    longest: Option<i64>,
    /// What its calls may cost.
    allowances: Box<[Allowance]>,
}

/// What a provider grants a deployment.
#[derive(Debug)]
struct Quota {
    limits: Arc<[Limit]>,
    counts: state::Quota,
    layer: RateLimitLayer<state::Quota>,
    /// Where it is shared: until when a window is known to be full.
    full: Mutex<Option<(Instant, Measure)>>,
}

/// What a config says of the room of all deployments.
#[derive(Debug)]
pub(super) struct Rooms<'a> {
    state: &'a State,
    /// Calls in flight of a deployment that says nothing itself.
    pub(super) parallel: Option<u32>,
    /// Whether `rpm`, `tpm` and the longest prompt are looked at (`enable_pre_call_checks`).
    pub(super) checks: bool,
    /// Whether it is learnt how many calls each deployment can have in flight.
    pub(super) adaptive: bool,
    groups: HashMap<String, Group>,
    pub(super) allowances: Allowances,
}

impl<'a> Rooms<'a> {
    /// Calls go on to wait in the queues of those who were there `before`.
    pub(super) fn new(
        state: &'a State,
        routing: &config::Routing,
        before: &[Arc<Deployment>],
    ) -> Self {
        let known = before.iter().filter_map(|one| {
            let (group, _) = one.room().adaptive()?;
            Some((one.config().group.clone(), group.clone()))
        });
        Self {
            state,
            parallel: routing.deployment_parallel,
            checks: routing.pre_call_checks,
            adaptive: routing.adaptive,
            groups: known.collect(),
            allowances: Allowances::new(state, routing),
        }
    }

    /// That of one deployment, whose model is `known` to the catalogue, and which may have been
    /// there `before`.
    pub(super) fn of(
        &mut self,
        config: &config::Deployment,
        known: Option<&Model>,
        before: Option<&Deployment>,
    ) -> Room {
        let limit = |measure, most| {
            let (scope, subject) = (Scope::Deployment, config.id.as_str().into());
            Limit { scope, subject, measure, most }
        };
        let checked = |most: Option<u64>| most.filter(|_| self.checks);
        let parallel = config.max_parallel.or(self.parallel);
        // Where calls wait for what is learnt, they wait for that too, unless others take of it.
        let refused = parallel.filter(|_| !self.adaptive || self.state.redis().is_some());
        let limits = [
            (Measure::Requests, checked(config.rpm)),
            (Measure::Tokens, checked(config.tpm)),
            (Measure::Parallel, refused.map(u64::from)),
        ];
        let limits = limits.into_iter().filter_map(|(measure, most)| Some(limit(measure, most?)));
        let limits: Arc<[Limit]> = limits.collect();
        let quota = (!limits.is_empty()).then(|| {
            let counts = self.state.quota(limits.clone());
            let layer = RateLimitLayer::new(counts.clone()).without_headers().one_attempt();
            Quota { limits, counts, layer, full: Mutex::default() }
        });
        let own = config.info.get("max_input_tokens").and_then(serde_json::Value::as_i64);
        let longest = own.or_else(|| known?.max_input_tokens.map(i64::from));
        let before = before.filter(|before| before.config().group == config.group);
        let before = before.filter(|before| before.room().parallel == parallel);
        let learnt = before.and_then(|before| before.room().adaptive.clone());
        let adaptive =
            self.adaptive.then(|| learnt.unwrap_or_else(|| self.unlearnt(config, parallel)));
        let allowances = self.allowances.of(&config.id, config.provider.name);
        let longest = longest.filter(|_| self.checks);
        Room { quota, adaptive, parallel, longest, allowances }
    }
}

impl Rooms<'_> {
    fn unlearnt(
        &mut self,
        config: &config::Deployment,
        parallel: Option<u32>,
    ) -> (Group, AdaptiveLimit) {
        let group = self.groups.entry(config.group.clone());
        let group = group.or_insert_with(|| Group::new(Waiting::default())).clone();
        let mut bounds = Bounds::default();
        bounds.max = bounds.max.min(parallel.unwrap_or(u32::MAX)).max(bounds.min);
        bounds.initial = bounds.initial.min(bounds.max);
        let limit = group.limit(bounds);
        (group, limit)
    }
}

impl Room {
    /// Whether the provider's limits leave room.
    pub(super) fn is_free(&self) -> bool {
        self.reached().is_none()
    }

    /// Whether its calls have not yet cost what they may.
    pub(super) fn is_paid(&self) -> bool {
        allowance::is_left(&self.allowances)
    }

    /// What its calls may cost.
    pub(super) fn allowances(&self) -> &[Allowance] {
        &self.allowances
    }

    /// What the provider's limits leave nothing of, as far as is known here, and how long.
    pub(super) fn reached(&self) -> Option<(Measure, Duration)> {
        self.quota.as_ref()?.reached()
    }

    /// Whether only an attempt tells if there is room, since others take of it too.
    pub(super) fn is_shared(&self) -> bool {
        self.quota.as_ref().is_some_and(|quota| matches!(quota.counts, Place::Shared(_)))
    }

    /// Whether what its calls use is counted.
    pub(super) fn counts_tokens(&self) -> bool {
        let mut limits = self.quota.iter().flat_map(|quota| quota.limits.iter());
        limits.any(|limit| limit.measure == Measure::Tokens)
    }

    /// Whether a prompt of so many tokens is not too long.
    pub(super) fn fits(&self, tokens: i64) -> bool {
        self.longest.is_none_or(|longest| tokens <= longest)
    }

    /// Who waits for the deployment, if calls do.
    pub(super) const fn adaptive(&self) -> Option<&(Group, AdaptiveLimit)> {
        self.adaptive.as_ref()
    }

    /// Sends a call to `deployment` within its provider's limits, if it has any.
    pub(super) fn send(
        &self,
        deployment: &Arc<Deployment>,
        shared: &Arc<Shared>,
        mut req: Request<Outgoing>,
    ) -> Sent {
        let Some(quota) = &self.quota else { return Sent::calling(deployment, shared, req) };
        let (own, shared) = (deployment.clone(), shared.clone());
        // What the call is likely to take is one of its facts.
        *req.extensions_mut() = req.body().asked.facts().clone();
        let send = tower::service_fn(move |req| Sent::calling(&own, &shared, req));
        let call = quota.layer.layer(send).call(req);
        let deployment = deployment.clone();
        Sent::Queued(Box::pin(async move {
            let answered: Result<_, BoxError> = call.await;
            answered.map(|rsp| rsp.map(Body::from)).map_err(|error| match cause_ref(&*error) {
                Some(RateLimitError::Exceeded(exceeded)) => {
                    deployment.room().note(exceeded);
                    let model = &deployment.labels().model_group;
                    full(model, exceeded.reset, exceeded.limit.measure)
                }
                _ => error,
            })
        }))
    }

    /// Notes that a window is full for everyone. A permit may be free again at any moment.
    fn note(&self, exceeded: &Exceeded) {
        let measure = exceeded.limit.measure;
        if let Some(quota) = &self.quota
            && measure != Measure::Parallel
        {
            let until = Instant::now().checked_add(exceeded.reset);
            *quota.full() = until.map(|until| (until, measure));
        }
    }
}

impl Quota {
    fn reached(&self) -> Option<(Measure, Duration)> {
        match &self.counts {
            Place::Local(counts) => {
                let reached = |limit: &Limit| Some((limit.measure, counts.reached(limit)?));
                self.limits.iter().filter_map(reached).max_by_key(|(_, wait)| *wait)
            }
            Place::Shared(_) => {
                let (until, measure) = (*self.full())?;
                let wait = until.checked_duration_since(Instant::now())?;
                Some((measure, wait)).filter(|_| !wait.is_zero())
            }
        }
    }

    fn full(&self) -> MutexGuard<'_, Option<(Instant, Measure)>> {
        self.full.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a deployment took no call: it has as many as it may, or rests since it was picked.
pub(super) fn takes_none(error: &BoxError) -> bool {
    let nobody = cause_ref::<NoDeployment>(&**error).map(|nobody| &nobody.why);
    matches!(nobody, Some(RouteError::Full { .. } | RouteError::Resting { .. }))
}

/// Waits, where calls do, until one of the `candidates` has room in flight: which, and the permit.
/// They belong to the group of the first.
pub(super) async fn turn(
    candidates: &[Arc<Deployment>],
) -> Result<(usize, Option<Permit>), BoxError> {
    let Some((queue, _)) = candidates[0].room().adaptive() else { return Ok((0, None)) };
    let limits = candidates.iter().filter_map(|one| one.room().adaptive());
    let acquired = queue.acquire(limits.map(|(_, limit)| limit)).await;
    let (at, permit) =
        acquired.map_err(|_| full(&candidates[0].labels().model_group, SOON, Measure::Parallel))?;
    Ok((at, Some(permit)))
}

/// What was `answered` to a call with a `permit`, which learns of it and is held until the body ends.
pub(super) fn learning(
    permit: Option<Permit>,
    answered: Result<Response<Body>, BoxError>,
) -> Result<Response<Body>, BoxError> {
    let Some(mut permit) = permit else { return answered };
    permit.judge(answered.as_ref());
    Ok(answered?.map(|body| EndBody::new(body, permit).into()))
}

/// When to ask again where nobody knows when there will be room.
const SOON: Duration = Duration::from_secs(1);

#[cold]
fn full(model: &str, wait: Duration, measure: Measure) -> BoxError {
    let measure = Some(measure);
    NoDeployment::from(RouteError::Full { model: model.into(), wait, measure }).into()
}
