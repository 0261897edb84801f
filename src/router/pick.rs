//! Chooses one of a group's deployments for each attempt: of those that do not rest, one that was
//! not tried yet; then simple shuffle, the lowest order, then chance by weight (contract 5.1).
use super::attempts::Rehearsal;
use super::deployment::Deployment;
use super::error::{NoDeployment, RouteError};
use super::group::Found;
use super::sender::{Outgoing, Sent};
use super::{Shared, operation, tags};
use crate::providers::{Operation, Prompt};
use crate::telemetry::Trail;
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::retry::Tried;
use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tower_service::Service;

/// Sends each attempt to one deployment of the group that it names.
#[derive(Clone, Debug)]
pub(super) struct Pick(pub(super) Arc<Shared>);

impl Service<Request<Prompt>> for Pick {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Sent;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<Prompt>) -> Sent {
        let (parts, prompt) = req.into_parts();
        if let Some(error) = Rehearsal::of(&parts.extensions) {
            return Sent::Refused(Some(error.into()));
        }
        match self.0.picked(&parts, &prompt) {
            Ok(Picked { deployment, model_json, model, input }) => {
                let outgoing = Outgoing { prompt, model_json, model, input };
                Sent::calling(&deployment, &self.0, Request::from_parts(parts, outgoing))
            }
            Err(error) => Sent::Refused(Some(NoDeployment::from(error).into())),
        }
    }
}

/// A deployment, and what goes there.
struct Picked {
    deployment: Arc<Deployment>,
    model_json: Bytes,
    model: Option<Box<str>>,
    input: i64,
}

impl Shared {
    fn picked(&self, parts: &Parts, prompt: &Prompt) -> Result<Picked, RouteError> {
        let found = self.found(&parts.extensions, prompt)?;
        found.note(parts.extensions.get::<Trail>(), prompt.stream);
        let operation = operation(&parts.extensions);
        let deployment = self.one_of(&found, &operation, parts, prompt)?;
        let model = found.captures.as_ref().map(|_| found.model(deployment).into());
        let model_json = deployment.model_json(found.captures.as_deref(), found.name);
        let input = prompt.size.input(&found.group.typical);
        Ok(Picked { deployment: deployment.clone(), model_json, model, input })
    }

    fn one_of<'a>(
        &self,
        found: &Found<'a>,
        operation: &Operation,
        parts: &Parts,
        prompt: &Prompt,
    ) -> Result<&'a Arc<Deployment>, RouteError> {
        let dialect = operation.dialect();
        let speaking = found.candidates(|deployment| deployment.leaf(dialect).is_some());
        let awake = speaking.clone().filter(|deployment| deployment.gate().admits());
        let tried = parts.extensions.get::<Tried>();
        let is_fresh = |deployment: &&Arc<Deployment>| {
            tried.is_none_or(|tried| !tried.contains(&deployment.config().id))
        };
        let fresh = awake.clone().filter(is_fresh);
        let any_fresh = tried.is_none() || fresh.clone().next().is_some();
        let picked = match (self.rules.settings.tags, any_fresh) {
            (None, true) => pick(fresh),
            (None, false) => pick(awake),
            (Some(rules), true) => tags::pick(rules, fresh, parts, prompt)?,
            (Some(rules), false) => tags::pick(rules, awake, parts, prompt)?,
        };
        picked.ok_or_else(|| nobody(found, operation, speaking))
    }
}

/// Why there is nobody to send a call to.
#[cold]
fn nobody<'a>(
    found: &Found<'_>,
    operation: &Operation,
    speaking: impl Iterator<Item = &'a Arc<Deployment>>,
) -> RouteError {
    let (mut resting, mut wait) = (Vec::new(), None);
    for deployment in speaking {
        resting.push(deployment.labels().model_id.clone());
        // One that is being probed may be back at any moment.
        let rest = deployment.gate().rests_for().unwrap_or(Duration::from_secs(1));
        wait = Some(wait.map_or(rest, |wait: Duration| wait.min(rest)));
    }
    match wait {
        Some(wait) => RouteError::Resting { model: found.name.into(), resting, wait },
        None => found.not_spoken(operation.route()),
    }
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
