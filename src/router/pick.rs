//! Chooses one of a group's deployments for each attempt: of those that do not rest, one that was
//! not tried yet; then simple shuffle, the lowest order, then chance by weight (contract 5.1).
use super::asked::Asked;
use super::attempts::Rehearsal;
use super::deployment::Deployment;
use super::error::{NoDeployment, RouteError};
use super::group::Found;
use super::room::{is_full, queued};
use super::sender::{Outgoing, Sent};
use super::{Shared, operation, tags};
use crate::providers::Operation;
use crate::telemetry::Trail;
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::retry::Tried;
use bartizan_layers::wire::estimate::Expected;
use bytes::Bytes;
use http::{Request, Response};
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
        if let Some(error) = Rehearsal::of(&req) {
            return Sent::Refused(Some(error.into()));
        }
        send(&self.0, req)
            .unwrap_or_else(|error| Sent::Refused(Some(NoDeployment::from(error).into())))
    }
}

/// Sends a call to the deployment that is picked, or to the first of all that has room.
fn send(shared: &Arc<Shared>, req: Request<Asked>) -> Result<Sent, RouteError> {
    let found = shared.found(req.body())?;
    found.note(req.body().facts().get::<Trail>(), req.body().stream);
    let mut candidates = Vec::new();
    let picked = shared.one_of(&found, &req, &mut candidates)?.clone();
    let Some((queue, _)) = picked.room().adaptive() else {
        if picked.room().is_shared() {
            return Ok(Sent::Queued(Box::pin(first_with_room(shared.clone(), req, picked))));
        }
        let called = Called::of(&found, &picked, req.body());
        return Ok(picked.room().send(&picked, shared, outgoing(req, called)));
    };
    let shared = shared.clone();
    Ok(queued(queue, candidates, move |deployment| {
        let found = shared.found(req.body());
        match found.map(|found| Called::of(&found, deployment, req.body())) {
            Ok(called) => deployment.room().send(deployment, &shared, outgoing(req, called)),
            Err(error) => Sent::Refused(Some(NoDeployment::from(error).into())),
        }
    }))
}

/// Sends a call to the deployment that was `picked` or, where other processes have taken all of its
/// limits, to the next that would be picked.
async fn first_with_room(
    shared: Arc<Shared>,
    mut req: Request<Asked>,
    mut picked: Arc<Deployment>,
) -> Result<Response<Body>, BoxError> {
    let mut full = Vec::new();
    loop {
        let called = {
            let found = shared.found(req.body()).map_err(NoDeployment::from)?;
            Called::of(&found, &picked, req.body())
        };
        let sent = picked.room().send(&picked, &shared, outgoing(req.clone(), called)).await;
        let Err(error) = sent else { return sent };
        if !is_full(&error) {
            return Err(error);
        }
        let id = picked.labels().model_id.clone();
        req.extensions_mut().get_or_insert_default::<Tried>().add(&id);
        full.push(id);
        let found = shared.found(req.body()).map_err(NoDeployment::from)?;
        picked = match shared.one_of(&found, &req, &mut Vec::new()) {
            Ok(next) if !full.contains(&next.labels().model_id) => next.clone(),
            _ => return Err(error),
        };
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
    /// The deployment that is picked. Where calls wait for room, `candidates` are it and all that
    /// would do as well.
    fn one_of<'a>(
        &self,
        found: &Found<'a>,
        req: &Request<Asked>,
        candidates: &mut Vec<Arc<Deployment>>,
    ) -> Result<&'a Arc<Deployment>, RouteError> {
        let asked = req.body();
        let operation = operation(asked.facts());
        let dialect = operation.dialect();
        let input = asked.size.input(&found.group.typical);
        let speaking = found.candidates(|deployment| deployment.leaf(dialect).is_some());
        let awake = speaking.clone().filter(|deployment| {
            deployment.gate().admits()
                && deployment.room().is_free()
                && deployment.room().fits(input)
        });
        let tried = req.extensions().get::<Tried>();
        let is_fresh = |deployment: &&Arc<Deployment>| {
            tried.is_none_or(|tried| !tried.contains(&deployment.config().id))
        };
        let fresh = awake.clone().filter(is_fresh);
        let any_fresh = tried.is_none() || fresh.clone().next().is_some();
        let picked = match (self.rules.settings.tags, any_fresh) {
            (None, true) => pick(fresh.clone()),
            (None, false) => pick(awake.clone()),
            (Some(rules), true) => tags::pick(rules, fresh.clone(), req)?,
            (Some(rules), false) => tags::pick(rules, awake.clone(), req)?,
        };
        let picked = picked.ok_or_else(|| nobody(found, &operation, speaking, input))?;
        if picked.room().adaptive().is_some() {
            candidates.push(picked.clone());
            // Calls wait in the queue of one group. Which others the tags allow is not known here.
            let others = |one: &&Arc<Deployment>| {
                self.rules.settings.tags.is_none()
                    && one.config().group == picked.config().group
                    && !Arc::ptr_eq(one, picked)
            };
            match any_fresh {
                true => candidates.extend(fresh.filter(others).cloned()),
                false => candidates.extend(awake.filter(others).cloned()),
            }
        }
        Ok(picked)
    }
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
    let mut awake = speaking.clone().filter(|deployment| deployment.gate().admits()).peekable();
    if awake.peek().is_some() {
        let measure = awake.find_map(|deployment| deployment.room().reached());
        return RouteError::Full { model: model(), wait: soon, measure };
    }
    let wait = speaking.clone().map(|one| one.gate().rests_for().unwrap_or(soon)).min();
    let resting = speaking.map(|one| one.labels().model_id.clone()).collect();
    RouteError::Resting { model: model(), resting, wait: wait.unwrap_or(soon) }
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
