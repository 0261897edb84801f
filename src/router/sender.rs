//! The inner stack of a deployment: its breaker, and the call itself.
use super::Shared;
use super::answer::Answer;
use super::asked::Asked;
use super::attempt::Attempt;
use super::deployment::Deployment;
use super::error::{NoDeployment, RouteError};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::breaker::{Breaker, BreakerError, BreakerFuture};
use bartizan_layers::cause::cause_ref;
use bartizan_layers::facts::{ServedBy, UsageCell};
use bartizan_layers::retry::{AttemptFailed, DeploymentRetries};
use bartizan_layers::wire::estimate::Expected;
use bytes::Bytes;
use http::{Request, Response};
use pin_project::pin_project;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tower_layer::Layer;
use tower_service::Service;

/// A call on its way to a deployment.
#[derive(Debug)]
pub(super) struct Outgoing {
    /// What the client asked for.
    pub(super) asked: Asked,
    /// What the deployment calls the model, as JSON text.
    pub(super) model_json: Bytes,
    /// The same as it is, where it is not the deployment's own.
    pub(super) model: Option<Box<str>>,
    /// How large the prompt is.
    pub(super) expected: Expected,
}

/// Sends calls to one deployment.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) deployment: Arc<Deployment>,
    pub(super) shared: Arc<Shared>,
}

impl Service<Request<Outgoing>> for Sender {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Answer;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<Outgoing>) -> Answer {
        match Attempt::send(&self.shared.rules, self.deployment.clone(), req) {
            Ok((attempt, sending, prompt)) => attempt.answer(sending, prompt),
            // The request's mistake: nothing to try again, and nothing against the deployment.
            Err(error) => Box::pin(ready(Err(NoDeployment::from(error).into()))),
        }
    }
}

/// The answer of a deployment, or why none was asked.
#[pin_project(project = SentProj)]
pub(super) enum Sent {
    /// On its way.
    Calling(#[pin] BreakerFuture<Answer>, Arc<Deployment>),
    /// In a queue for one, or within the limits of its provider.
    Queued(Answer),
    /// No deployment takes the call.
    Refused(Option<BoxError>),
}

impl Sent {
    /// Sends a call to `deployment`.
    pub(super) fn calling(
        deployment: &Arc<Deployment>,
        shared: &Arc<Shared>,
        req: Request<Outgoing>,
    ) -> Self {
        let mut sender = Sender { deployment: deployment.clone(), shared: shared.clone() };
        if req.body().asked.elsewhere.is_some() {
            // What a client brings itself says nothing of the deployment.
            return Self::Queued(sender.call(req));
        }
        let mut stack: Breaker<Sender> = deployment.breaker().layer(sender);
        Self::Calling(stack.call(req), deployment.clone())
    }
}

impl Future for Sent {
    type Output = Result<Response<Body>, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            SentProj::Calling(call, deployment) => {
                let answered = ready!(call.poll(cx));
                Poll::Ready(match answered {
                    Ok(rsp) => Ok(named(rsp.map(Body::from), deployment)),
                    Err(error) => Err(failed(error, deployment)),
                })
            }
            SentProj::Queued(answer) => answer.as_mut().poll(cx),
            SentProj::Refused(error) => {
                Poll::Ready(Err(error.take().expect("a call is refused once")))
            }
        }
    }
}

/// Leaves word of the deployment in its answer, for those who look for another one.
fn named(mut rsp: Response<Body>, deployment: &Deployment) -> Response<Body> {
    let done = rsp.status().is_success();
    let facts = rsp.extensions_mut();
    // Nobody looks for another one, and no cache keeps it.
    if done && facts.get::<UsageCell>().is_none() {
        return rsp;
    }
    facts.insert(ServedBy(deployment.labels().model_id.clone()));
    if let Some(retries) = deployment.config().num_retries {
        facts.insert(DeploymentRetries(retries));
    }
    rsp
}

/// Leaves word of the deployment in its error.
#[cold]
pub(super) fn failed(error: BoxError, deployment: &Deployment) -> BoxError {
    let source = match cause_ref::<BreakerError>(&*error) {
        Some(_) => NoDeployment::from(resting(deployment)).into(),
        None => error,
    };
    let (id, retries) = (deployment.labels().model_id.clone(), deployment.config().num_retries);
    AttemptFailed { deployment: id, retries, source }.into()
}

/// It was awake when it was picked, and is no longer: it began to rest while the call waited for
/// room, or another call finds out whether it is well.
fn resting(deployment: &Deployment) -> RouteError {
    let soon = Duration::from_secs(1);
    RouteError::Resting {
        model: deployment.config().group.as_str().into(),
        resting: vec![deployment.labels().model_id.clone()],
        wait: deployment.gate().rests_for().unwrap_or(soon),
    }
}
