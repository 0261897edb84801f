//! Model name → group → deployment, and the way of a call through its deployment.
mod allowance;
mod answer;
mod appraise;
mod asked;
mod attempt;
mod attempts;
mod catalogued;
mod cooldown;
mod counted;
mod deployment;
mod dress;
mod error;
mod failed;
mod group;
mod keeping;
mod leaf;
mod listed;
mod made;
mod moderation;
mod named;
mod outgoing;
mod pick;
mod pictures;
mod probe;
mod realtime;
mod room;
mod rules;
mod sender;
mod several;
mod stars;
mod stream;
mod tags;
mod through;
mod translated;
mod translating;
mod way;
mod whole;

pub use self::allowance::Allowance;
pub use self::answer::dollars;
pub use self::attempts::{Rehearsal, tell_error, tell_fallbacks};
pub use self::deployment::Deployment;
pub use self::error::{NoDeployment, RouteError};
pub use self::failed::{UpstreamCause, UpstreamFailure, failure, failure_of};
pub use self::listed::Listed;
pub use self::probe::Probe;
pub use self::through::{Endpoint, Through};

use self::allowance::Allowances;
use self::answer::Answer;
use self::asked::Asked;
use self::attempts::Attempts;
use self::group::{Found, Groups};
use self::moderation::Moderator;
use self::pick::Pick;
use self::room::Rooms;
use self::rules::{Rules, Settings};
use self::through::Accounts;
use crate::config::{Retries, Routing};
use crate::conversations::Conversations;
use crate::credentials::Credentials;
use crate::providers::{Operation, Prompt};
use crate::state::State;
use crate::telemetry::{Live, Metrics, UpstreamConnections};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::breaker;
use bartizan_layers::fallback::{FallbackLayer, Plan};
use bartizan_layers::retry::{Backoff, RetryLayer};
use http::{Extensions, HeaderName, HeaderValue, Request, Response};
use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Sends calls to the deployments of the group that they name. Clones share everything.
#[derive(Clone, Debug)]
pub struct Router(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    groups: Groups,
    deployments: Vec<Arc<Deployment>>,
    accounts: Accounts,
    allowances: Allowances,
    rules: Rules,
    plan: Arc<Plan>,
    /// Whether a name that is not listed may lead somewhere, or go on to another.
    is_open: bool,
    backoff: Backoff,
    /// What calls without a model ask for.
    default_model: Option<Box<str>>,
    /// Who answers moderations that name no model.
    moderator: Moderator,
}

impl Router {
    /// Prepares all deployments. Those that the router `before` had still rest as they did, and
    /// are sent as many calls at once.
    #[must_use]
    pub fn new(
        mut routing: Routing,
        credentials: Credentials,
        metrics: &Arc<Metrics>,
        (state, conversations): (&State, Option<Conversations>),
        hop: (HeaderName, HeaderValue),
        key_header: Option<HeaderName>,
        before: Option<&Self>,
    ) -> Self {
        let before = before.map(Self::deployments).unwrap_or_default();
        let known = before.iter().map(|one| (one.config().id.as_str(), &**one));
        let known: HashMap<_, _> = known.collect();
        let (redis, mut rooms) = (state.redis(), Rooms::new(state, &routing, before));
        let configs = std::mem::take(&mut routing.deployments).into_iter();
        let deployments: Vec<_> = configs
            .map(|config| {
                let before = known.get(config.id.as_str()).copied();
                Arc::new(Deployment::new(
                    config,
                    (&routing.cooldown, redis),
                    &mut rooms,
                    &credentials,
                    metrics,
                    before,
                ))
            })
            .collect();
        tell_sizes(&deployments);
        let through = std::mem::take(&mut routing.through);
        let accounts = Accounts::new(through, &deployments, &credentials, metrics);
        let settings = Settings {
            fit: std::mem::take(&mut routing.fit),
            stream_usage: routing.stream_usage,
            forward_metadata: routing.forward_metadata,
            timeouts: routing.timeouts,
            client_side: routing.client_side,
            tags: routing.tags,
            client_mocks: routing.client_mocks,
            list_wildcards: routing.list_wildcards,
        };
        let groups = Groups::new(&routing, &deployments);
        let is_open = groups.has_wildcards() || !routing.fallbacks.are_none();
        let default = routing.default_model.as_deref();
        let moderator = Moderator::new(&deployments, &groups, &accounts, default);
        Self(Arc::new(Shared {
            groups,
            moderator,
            is_open,
            deployments,
            accounts,
            allowances: rooms.allowances,
            plan: Arc::new(attempts::plan(&routing.fallbacks, &routing.aliases)),
            backoff: backoff(&routing.retries),
            rules: Rules { settings, credentials, conversations, hop, key_header },
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

    /// Notes for a scrape how the deployments stand.
    pub fn tell_states(&self, metrics: &Metrics) {
        for deployment in &self.0.deployments {
            let state = match deployment.gate().state() {
                breaker::State::Closed => 0.0,
                breaker::State::HalfOpen => 1.0,
                breaker::State::Open => 2.0,
            };
            metrics.deployment_state(deployment.labels(), state);
        }
    }

    /// The connections to all upstreams, as they stand now.
    #[must_use]
    pub fn connections(&self) -> UpstreamConnections {
        let origins = self.0.rules.forwarder().stats();
        UpstreamConnections {
            open: origins.iter().map(|origin| origin.open).sum(),
            idle: origins.iter().map(|origin| origin.idle).sum(),
        }
    }

    /// Makes one call: in the group that it names, and where that fails, in those that may answer
    /// in its place; there at one deployment after the other.
    fn one(&self, req: Request<Prompt>) -> Answer {
        let attempts = Attempts(self.0.clone());
        let retry = RetryLayer::new(attempts.clone()).backoff(self.0.backoff);
        let retry = retry.layer(Pick(self.0.clone()));
        let call = FallbackLayer::new(attempts).layer(retry).call(Asked::request(req));
        Box::pin(async move {
            let mut answered = call.await?;
            attempts::tell(&mut answered);
            Ok(answered)
        })
    }
}

/// Tells each deployment how many its group has.
fn tell_sizes(deployments: &[Arc<Deployment>]) {
    for deployment in deployments {
        let group = &deployment.config().group;
        let others = deployments.iter().filter(|other| other.config().group == *group);
        deployment.gate().set_group_size(others.count());
    }
}

/// The pauses between attempts that a config wants.
fn backoff(retries: &Retries) -> Backoff {
    Backoff {
        base_delay: retries.base_delay,
        max_delay: retries.max_delay,
        min_delay: retries.retry_after,
        max_retry_after: retries.max_retry_after,
        ..Backoff::default()
    }
}

/// What a call does. Without the fact it is one of Anthropic's, whose requests are not edited.
fn operation(facts: &Extensions) -> Operation {
    facts.get().cloned().unwrap_or(Operation::Messages)
}

impl Shared {
    /// What a call finds.
    fn found<'a>(&'a self, asked: &'a Asked) -> Result<Found<'a>, RouteError> {
        self.found_for(asked.facts().get(), asked.model.as_deref())
    }

    /// What a call to `route` finds that asks for `model`.
    fn find<'a>(
        &'a self,
        route: &'static str,
        model: Option<&'a str>,
    ) -> Result<Found<'a>, RouteError> {
        model.and_then(|name| self.groups.find(name)).ok_or_else(|| RouteError::UnknownModel {
            route,
            model: model.map(Into::into),
            wildcards: self.is_open,
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
        if req.body().model.as_deref().is_some_and(|model| model.contains(','))
            && let Some(answer) = self.several(&req)
        {
            return answer;
        }
        self.one(req)
    }
}
