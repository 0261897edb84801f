//! Chooses one of a group's deployments for each attempt: of those that do not rest, one that was
//! not tried yet; then simple shuffle, the lowest order, then chance by weight (contract 5.1).
use super::allowance::over_budget;
use super::asked::Asked;
use super::attempt::{asked_mock, silence};
use super::attempts::Rehearsal;
use super::deployment::Deployment;
use super::error::{NoDeployment, RouteError};
use super::group::Found;
use super::room::{learning, takes_none, turn};
use super::sender::{Outgoing, Sent};
use super::{Shared, operation, tags};
use crate::identity::Region;
use crate::providers::Operation;
use crate::telemetry::Trail;
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::facts::Cause;
use bartizan_layers::retry::Tried;
use bartizan_layers::wire::estimate::Expected;
use bytes::Bytes;
use http::{Request, Response};
use std::future::ready;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tower_service::Service;

/// Sends each attempt to one deployment of the group that it names.
#[derive(Clone, Debug)]
pub(super) struct Pick(pub(super) Arc<Shared>);

impl Service<Request<Asked>> for Pick {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Sent;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<Asked>) -> Sent {
        send(&self.0, req).unwrap_or_else(|nobody| Sent::Refused(Some(nobody.into())))
    }
}

/// Sends a call to the deployment that is picked, or to the first of all that has room.
fn send(shared: &Arc<Shared>, req: Request<Asked>) -> Result<Sent, NoDeployment> {
    let found = match shared.found(req.body()) {
        Ok(found) => found,
        Err(nobody) => return mocked(shared, req.body()).ok_or_else(|| nobody.into()),
    };
    found.note(req.body().facts().get::<Trail>(), req.body().stream);
    let rehearsed = Rehearsal::of(&req);
    if let Some(cause) = rehearsed.filter(|cause| *cause != Cause::Timeout) {
        let retries = found.candidates(|_| true).find_map(|one| one.config().num_retries);
        return Err(NoDeployment::rehearsed(cause, retries));
    }
    let mut candidates = Vec::new();
    let picked = shared.one_of(&found, &req, &[], &mut candidates)?.clone();
    if rehearsed.is_some() {
        return Ok(silence(&shared.rules, picked, req.body()));
    }
    if picked.room().adaptive().is_some() || picked.room().is_shared() {
        candidates.insert(0, picked);
        return Ok(Sent::Queued(Box::pin(first_with_room(shared.clone(), req, candidates))));
    }
    let called = Called::of(&found, &picked, req.body());
    Ok(picked.room().send(&picked, shared, outgoing(req, called)))
}

/// The answer that a request brings for a model whose provider is not in this version.
#[cold]
fn mocked(shared: &Shared, asked: &Asked) -> Option<Sent> {
    let group = shared.groups.unserved(asked.model.as_deref()?)?;
    let facts = asked.facts();
    let mock = asked_mock(&shared.rules, facts, asked)?;
    if let Some(trail) = facts.get::<Trail>() {
        trail.set_requested(group.clone());
        trail.set_streamed(asked.stream);
    }
    let answer = mock.answer(&operation(facts), asked);
    Some(Sent::Queued(Box::pin(ready(Ok(answer)))))
}

/// Sends a call to the first of the `candidates` that has room in flight or, where the limits of
/// its provider turn out to leave none or it rests by then, to the next that would be picked.
async fn first_with_room(
    shared: Arc<Shared>,
    req: Request<Asked>,
    mut candidates: Vec<Arc<Deployment>>,
) -> Result<Response<Body>, BoxError> {
    let mut passed = Vec::new();
    loop {
        let (at, permit) = turn(&candidates).await?;
        let deployment = &candidates[at];
        let called = {
            let found = shared.found(req.body()).map_err(NoDeployment::from)?;
            Called::of(&found, deployment, req.body())
        };
        let again = Asked::again(&req);
        let sent = deployment.room().send(deployment, &shared, outgoing(again, called)).await;
        let error = match sent {
            Err(error) if takes_none(&error) => error,
            sent => return learning(permit, sent),
        };
        drop(permit);
        passed.push(deployment.labels().model_id.clone());
        candidates.clear();
        let found = shared.found(req.body()).map_err(NoDeployment::from)?;
        let Ok(next) = shared.one_of(&found, &req, &passed, &mut candidates) else {
            return Err(error);
        };
        candidates.insert(0, next.clone());
    }
}

/// What a deployment calls the model of a call.
struct Called {
    json: Bytes,
    model: Option<Box<str>>,
    expected: Expected,
}

impl Called {
    fn of(found: &Found<'_>, deployment: &Deployment, asked: &Asked) -> Self {
        Self {
            json: deployment.model_json(found.captures.as_deref(), found.name),
            model: found.captures.as_ref().map(|_| found.model(deployment).into()),
            expected: Expected { size: asked.size, typical: found.group.typical.clone() },
        }
    }
}

fn outgoing(req: Request<Asked>, Called { json, model, expected }: Called) -> Request<Outgoing> {
    req.map(|asked| Outgoing { asked, model_json: json, model, expected })
}

impl Shared {
    /// The deployment that is picked of those that were not `passed` over. Where calls wait for
    /// room, `others` are all that would do as well.
    fn one_of<'a>(
        &self,
        found: &Found<'a>,
        req: &Request<Asked>,
        passed: &[Arc<str>],
        others: &mut Vec<Arc<Deployment>>,
    ) -> Result<&'a Arc<Deployment>, RouteError> {
        let asked = req.body();
        let operation = operation(asked.facts());
        let input = asked.size.input(&found.group.typical);
        let region: Option<&Region> = asked.facts().get();
        let speaking = found.candidates(|deployment| {
            let model = &deployment.config().model;
            deployment.way(&operation, model).is_some() && is_in(region, deployment)
        });
        if let (Some(Region(region)), None) = (region, speaking.clone().next()) {
            return Err(RouteError::Elsewhere { model: found.name.into(), region: region.clone() });
        }
        let is_awake = |deployment: &&Arc<Deployment>| {
            deployment.gate().admits()
                && deployment.room().is_paid()
                && deployment.room().is_free()
                && deployment.room().fits(input)
                && !passed.contains(&deployment.labels().model_id)
        };
        let tried = req.extensions().get::<Tried>();
        let picked = match self.rules.settings.tags {
            None => pick_fresh(speaking.clone().filter(is_awake), tried)
                .ok_or_else(|| nobody(found, &operation, speaking.clone(), input))?,
            Some(rules) => {
                let allowed = tags::allowed(rules, speaking.clone(), is_awake, req)?;
                let allowed = allowed.iter().copied();
                pick_fresh(allowed.clone().filter(is_awake), tried)
                    .ok_or_else(|| nobody(found, &operation, allowed, input))?
            }
        };
        // Calls wait in the queue of one group. Which others the tags allow is not known here.
        if picked.room().adaptive().is_some() && self.rules.settings.tags.is_none() {
            let is_other = |one: &&Arc<Deployment>| {
                one.config().group == picked.config().group
                    && !Arc::ptr_eq(one, picked)
                    && is_fresh(tried, one) == is_fresh(tried, picked)
            };
            others.extend(speaking.filter(is_awake).filter(is_other).cloned());
        }
        Ok(picked)
    }
}

/// Whether a deployment is where the models of a call must be.
pub(super) fn is_in(region: Option<&Region>, deployment: &Deployment) -> bool {
    region.is_none_or(|region| region.allows(deployment.config().region.as_deref()))
}

/// Why there is nobody to send a call to.
#[cold]
fn nobody<'a>(
    found: &Found<'_>,
    operation: &Operation,
    speaking: impl Iterator<Item = &'a Arc<Deployment>> + Clone,
    input: i64,
) -> RouteError {
    let model = || found.name.into();
    if speaking.clone().next().is_none() {
        return found.not_spoken(operation.route());
    }
    if !speaking.clone().any(|deployment| deployment.room().fits(input)) {
        return RouteError::TooLong { model: model(), tokens: input };
    }
    // One that is being probed may be back at any moment.
    let soon = Duration::from_secs(1);
    let awake = speaking.clone().filter(|deployment| deployment.gate().admits());
    if awake.clone().next().is_some() {
        let mut paid = awake.clone().filter(|deployment| deployment.room().is_paid()).peekable();
        if paid.peek().is_none() {
            return over_budget(awake);
        }
        let full = paid.filter_map(|deployment| deployment.room().reached());
        let (measure, wait) = full.min_by_key(|(_, wait)| *wait).unzip();
        return RouteError::Full { model: model(), wait: wait.unwrap_or(soon), measure };
    }
    let wait = speaking.clone().map(|one| one.gate().rests_for().unwrap_or(soon)).min();
    let resting = speaking.map(|one| one.labels().model_id.clone()).collect();
    RouteError::Resting { model: model(), resting, wait: wait.unwrap_or(soon) }
}

/// Picks one of those that are `awake`: of those that were not tried yet, if there are any.
fn pick_fresh<'a>(
    awake: impl Iterator<Item = &'a Arc<Deployment>> + Clone,
    tried: Option<&Tried>,
) -> Option<&'a Arc<Deployment>> {
    pick(awake.clone().filter(|one| is_fresh(tried, one))).or_else(|| pick(awake))
}

/// Whether a call has not `tried` a deployment yet.
pub(super) fn is_fresh(tried: Option<&Tried>, deployment: &Deployment) -> bool {
    tried.is_none_or(|tried| !tried.contains(&deployment.config().id))
}

/// Picks one of `candidates`; `None` if there are none.
///
/// Only those of the lowest `order` count. If any of them has a `weight`, chance goes by weights
/// (none is 0); else by `rpm`, else by `tpm`, else all are alike.
pub(super) fn pick<'a>(
    candidates: impl Iterator<Item = &'a Arc<Deployment>> + Clone,
) -> Option<&'a Arc<Deployment>> {
    let order = |deployment: &Arc<Deployment>| deployment.config().order.unwrap_or(0);
    let lowest = candidates.clone().map(order).min()?;
    let among = candidates.filter(|deployment| order(deployment) == lowest);
    let mut few = among.clone();
    let (Some(first), None) = (few.next(), few.next()) else {
        return among_several(&among);
    };
    Some(first)
}

fn among_several<'a>(
    among: &(impl Iterator<Item = &'a Arc<Deployment>> + Clone),
) -> Option<&'a Arc<Deployment>> {
    let by: [fn(&Deployment) -> Option<f64>; 3] = [
        |deployment| deployment.config().weight,
        |deployment| deployment.config().rpm.map(|rpm| rpm as f64),
        |deployment| deployment.config().tpm.map(|tpm| tpm as f64),
    ];
    for weight in by {
        let weight = |deployment: &Arc<Deployment>| weight(deployment).unwrap_or(0.0).max(0.0);
        let total: f64 = among.clone().map(weight).sum();
        if total > 0.0 {
            let mut left = fastrand::f64() * total;
            let mut weighed = among.clone().filter(|deployment| weight(deployment) > 0.0);
            let chosen = weighed.find(|deployment| {
                left -= weight(deployment);
                left < 0.0
            });
            // Rounding may leave a rest after the last one.
            return chosen.or_else(|| among.clone().filter(|one| weight(one) > 0.0).last());
        }
    }
    let count = among.clone().count();
    among.clone().nth(fastrand::usize(..count.max(1)))
}
