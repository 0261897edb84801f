//! Model name → group → deployment, and the way of a call through its deployment.
mod answer;
mod attempt;
mod deployment;
mod dress;
mod error;
mod group;
mod images;
mod leaf;
mod listed;
mod moderation;
mod pick;
mod probe;
mod realtime;
mod several;
mod stream;
mod tags;
mod through;
mod whole;

pub use self::deployment::Deployment;
pub use self::error::{RouteError, UpstreamCause, UpstreamFailure, failure};
pub use self::listed::Listed;
pub use self::probe::Probe;
pub use self::through::{Endpoint, Through};

use self::answer::Answer;
use self::attempt::Attempt;
use self::group::{Found, Groups};
use self::leaf::Sending;
use self::moderation::Moderator;
use self::through::Accounts;
use crate::config::{ClientSide, Routing, TagRules};
use crate::forward::Forwarder;
use crate::providers::{Operation, Prompt};
use crate::telemetry::{Live, Metrics, UpstreamConnections};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Request, Response};
use std::future::ready;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_service::Service;

/// Sends calls to the deployments of the group that they name. Clones share everything.
#[derive(Clone, Debug)]
pub struct Router(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    groups: Groups,
    deployments: Vec<Arc<Deployment>>,
    accounts: Accounts,
    rules: Rules,
    /// What calls without a model ask for.
    default_model: Option<Box<str>>,
    /// Who answers moderations that name no model.
    moderator: Moderator,
}

/// What holds for the calls of all deployments.
#[derive(Debug)]
struct Rules {
    settings: Settings,
    forwarder: Forwarder,
    /// The header that names this process to the next hop.
    hop: (HeaderName, HeaderValue),
    /// The header that carries the client's key where the config names one.
    key_header: Option<HeaderName>,
}

/// The parts of [`Routing`] that are not deployments.
#[derive(Clone, Copy, Debug)]
struct Settings {
    stream_usage: bool,
    forward_metadata: bool,
    timeouts: crate::config::Timeouts,
    client_side: ClientSide,
    tags: Option<TagRules>,
    client_mocks: bool,
    list_wildcards: bool,
}

impl Router {
    /// Prepares all deployments.
    #[must_use]
    pub fn new(
        mut routing: Routing,
        forwarder: Forwarder,
        metrics: &Metrics,
        hop: (HeaderName, HeaderValue),
        key_header: Option<HeaderName>,
    ) -> Self {
        let configs = std::mem::take(&mut routing.deployments).into_iter();
        let deployments: Vec<_> =
            configs.map(|config| Arc::new(Deployment::new(config, &forwarder, metrics))).collect();
        let through = std::mem::take(&mut routing.through);
        let accounts = Accounts::new(through, &deployments, &forwarder, metrics);
        let settings = Settings {
            stream_usage: routing.stream_usage,
            forward_metadata: routing.forward_metadata,
            timeouts: routing.timeouts,
            client_side: routing.client_side,
            tags: routing.tags,
            client_mocks: routing.client_mocks,
            list_wildcards: routing.list_wildcards,
        };
        let groups = Groups::new(&routing, &deployments);
        let default = routing.default_model.as_deref();
        let moderator = Moderator::new(&deployments, &groups, &accounts, default);
        Self(Arc::new(Shared {
            groups,
            moderator,
            deployments,
            accounts,
            rules: Rules { settings, forwarder, hop, key_header },
            default_model: routing.default_model.as_deref().map(Into::into),
        }))
    }

    /// All deployments, in the order of the config.
    #[must_use]
    pub fn deployments(&self) -> &[Arc<Deployment>] {
        &self.0.deployments
    }

    /// What metrics may still count: the deployments and the names.
    #[must_use]
    pub fn live(&self) -> Live {
        let mut live = Live::default();
        self.0.deployments.iter().for_each(|deployment| live.deployment(deployment.labels()));
        self.0.accounts.labels().for_each(|labels| live.deployment(labels));
        self.0.groups.names().for_each(|name| live.name(name));
        live.name(moderation::DEFAULT);
        live
    }

    /// The service of calls whose body goes straight through.
    #[must_use]
    pub fn through(&self) -> Through {
        Through::new(self.clone())
    }

    /// The paths of the config that lead to other servers.
    #[must_use]
    pub fn endpoints(&self) -> &[Arc<Endpoint>] {
        &self.0.accounts.endpoints
    }

    /// The connections to all upstreams, as they stand now.
    #[must_use]
    pub fn connections(&self) -> UpstreamConnections {
        let origins = self.0.rules.forwarder.stats();
        UpstreamConnections {
            open: origins.iter().map(|origin| origin.open).sum(),
            idle: origins.iter().map(|origin| origin.idle).sum(),
        }
    }

    fn one(&self, parts: Parts, prompt: Prompt) -> Answer {
        match self.send(parts, &prompt) {
            Ok((attempt, sending)) => attempt.answer(sending, prompt),
            Err(error) => Box::pin(ready(Err(error.into()))),
        }
    }

    /// Finds the deployment of a call, and sends it the request that it gets.
    fn send(&self, parts: Parts, prompt: &Prompt) -> Result<(Attempt, Sending), RouteError> {
        let operation: Operation = parts.extensions.get().cloned().unwrap_or(Operation::Messages);
        let route = operation.route();
        let found = match (prompt.model.as_deref(), &operation) {
            (None, Operation::Moderations) => self.0.moderator.find(&self.0)?,
            (name, _) => self.0.find(route, name)?,
        };
        let trail = parts.extensions.get().cloned();
        found.note(trail.as_ref(), prompt.stream);
        let dialect = operation.dialect();
        let speaking = found.candidates(|deployment| deployment.leaf(dialect).is_some());
        let picked = match self.0.rules.settings.tags {
            None => pick::pick(speaking),
            Some(rules) => tags::pick(rules, speaking, &parts, prompt)?,
        };
        let deployment = picked.ok_or_else(|| found.not_spoken(route))?.clone();
        Attempt::send(&self.0.rules, deployment, &found, (operation, trail), parts, prompt)
    }
}

impl Shared {
    /// What a call to `route` finds that asks for `model`.
    fn find<'a>(
        &'a self,
        route: &'static str,
        model: Option<&'a str>,
    ) -> Result<Found<'a>, RouteError> {
        model.and_then(|name| self.groups.find(name)).ok_or_else(|| RouteError::UnknownModel {
            route,
            model: model.map(Into::into),
            wildcards: self.groups.has_wildcards(),
        })
    }
}

impl Service<Request<Prompt>> for Router {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Answer;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<Prompt>) -> Self::Future {
        let (parts, prompt) = req.into_parts();
        if prompt.model.as_deref().is_some_and(|model| model.contains(','))
            && let Some(answer) = self.several(&parts, &prompt)
        {
            return answer;
        }
        self.one(parts, prompt)
    }
}
