//! OpenAI's realtime WebSocket: a tunnel to the deployment of the model that the query names.
mod carry;
mod handshake;
mod query;

use self::carry::Realtime;
use self::handshake::{Refusal, SWITCH, WEBSOCKET, outgoing};
use self::query::Asked;
use super::answer::{Answer, told};
use super::attempt::begin;
use super::deployment::Deployment;
use super::error::RouteError;
use super::failed::{UpstreamCause, UpstreamFailure, failure, failure_of};
use super::leaf::Leaf;
use super::outgoing::placed;
use super::{Router, Shared, pick};
use crate::data::Wire;
use crate::forward::{Line, Upgrade, strip_hop_by_hop};
use crate::identity::Region;
use crate::providers::{Dialect, Operation, PathModel, Problem};
use crate::telemetry::{RequestId, Trail};
use crate::tunnel::{Open, Tunnel};
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::facts::UsageCell;
use bartizan_layers::wire::tap::Session;
use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, response};
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The path as error messages name it.
const ROUTE: &str = Operation::Realtime.route();

/// Answers a call for a WebSocket.
pub(super) fn answer(router: &Router, parts: Parts, has_body: bool) -> Answer {
    let trail: Option<Trail> = parts.extensions.get().cloned();
    match prepare(router, parts, has_body) {
        Ok(call) => Box::pin(call.answer()),
        Err(Stop::Refused(refusal)) => Box::pin(ready(Ok(refused(trail.as_ref(), &refusal)))),
        Err(Stop::Route(error)) => Box::pin(ready(Err(error.into()))),
    }
}

/// Why no upstream is asked.
enum Stop {
    Refused(Refusal),
    Route(RouteError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem.into())
    }
}

impl From<RouteError> for Stop {
    fn from(error: RouteError) -> Self {
        Self::Route(error)
    }
}

/// A call whose deployment is picked.
struct Call {
    deployment: Arc<Deployment>,
    request: Request<()>,
    session: Session,
    first_byte: Duration,
    usage: UsageCell,
    trail: Option<Trail>,
    sent: Instant,
}

fn prepare(router: &Router, mut parts: Parts, has_body: bool) -> Result<Call, Stop> {
    handshake::check(&parts, has_body)?;
    let query = parts.uri.query().map(str::to_owned);
    let asked = Asked::of(query.as_deref())?;
    let named = parts.extensions.remove::<PathModel>().map(|PathModel(model)| model);
    let named = named.or(asked.model);
    // OpenAI takes no model for a transcription: whether one is sent is the client's choice.
    let is_silent = named.is_none() && asked.transcribes;
    let shared = &*router.0;
    let name = named.or_else(|| shared.default_model.clone());
    let trail: Option<Trail> = parts.extensions.get().cloned();
    let (deployment, model) =
        pick(shared, name.as_deref(), trail.as_ref(), parts.extensions.get())?;
    let config = deployment.config();
    let query = query::outgoing(query.as_deref(), (!is_silent).then_some(&model));
    let bad = |_| RouteError::BadPath { route: ROUTE, model: model.as_str().into() };
    let mut request = Request::new(());
    let uri = Uri::try_from(format!("/realtime?{query}")).map_err(bad)?;
    *request.uri_mut() = placed(config, &Operation::Realtime, &model, uri)?;
    *request.headers_mut() = parts.headers;
    outgoing(request.headers_mut(), &shared.rules, &config.headers);
    let limits = shared.rules.settings.timeouts;
    let first_byte = config.stream_timeout.or(config.timeout).or(limits.stream);
    let usage = deployment.usage(&model);
    let sent = begin(&parts.extensions, deployment.labels(), Some(model.into()), &usage);
    Ok(Call {
        first_byte: first_byte.unwrap_or(limits.total),
        session: if asked.transcribes { Session::Transcription } else { Session::Conversation },
        deployment,
        request,
        usage,
        trail,
        sent,
    })
}

/// A deployment for the model `name`, and what its provider calls the model.
fn pick(
    shared: &Shared,
    name: Option<&str>,
    trail: Option<&Trail>,
    region: Option<&Region>,
) -> Result<(Arc<Deployment>, String), RouteError> {
    let found = shared.find(ROUTE, name)?;
    found.note(trail, true);
    let fits =
        |deployment: &Deployment| has_realtime(deployment) && pick::is_in(region, deployment);
    let picked = pick::pick(found.candidates(fits));
    let deployment = picked.ok_or_else(|| found.not_spoken(ROUTE))?.clone();
    let model = found.model(&deployment).into_owned();
    Ok((deployment, model))
}

/// Only OpenAI's own wire has it, as far as anyone knows before asking.
fn has_realtime(deployment: &Deployment) -> bool {
    let is_openai = deployment.config().provider.wire == Wire::OpenAi;
    is_openai && matches!(deployment.leaf(Dialect::OpenAi), Some(Leaf::Upstream { .. }))
}

/// The answer to a request that could never become a WebSocket.
fn refused(trail: Option<&Trail>, refusal: &Refusal) -> Response<Body> {
    let problem = &refusal.problem;
    let mut rsp = Response::new(Body::from(Dialect::OpenAi.error_body(problem)));
    *rsp.status_mut() = problem.status;
    let headers = rsp.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.extend(refusal.headers());
    if let Some(trail) = trail {
        trail.set_failure(failure(problem));
        headers.insert(RequestId::HEADER, trail.id().header().clone());
    }
    rsp
}

impl Call {
    async fn answer(mut self) -> Result<Response<Body>, BoxError> {
        let Some(Leaf::Upstream { upstream, credential, .. }) =
            self.deployment.leaf(Dialect::OpenAi)
        else {
            unreachable!("it was picked because it has an upstream")
        };
        let mut request = std::mem::take(&mut self.request);
        if let Some(credential) = credential {
            let proved = credential.prove(request.map(|()| Body::empty())).await;
            request = proved.map_err(|error| self.failure(error.into()))?.map(drop);
        }
        match upstream.upgrade(request, self.first_byte).await {
            Ok(Upgrade::Switched(parts, line)) => self.switched(parts, line),
            Ok(Upgrade::Refused(rsp)) => self.passed_on(rsp),
            Err(error) => Err(self.failure(error.into()).into()),
        }
    }

    fn switched(self, mut parts: response::Parts, line: Line) -> Result<Response<Body>, BoxError> {
        let is_websocket = parts
            .headers
            .get(UPGRADE)
            .is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"websocket"));
        if !is_websocket {
            return Err(self.failure(UpstreamCause::Unasked(parts.status)).into());
        }
        parts.headers.remove(SEC_WEBSOCKET_EXTENSIONS);
        // What is between the client and the upstream is told once, and not again as a provider's.
        let theirs = [SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL]
            .map(|name| (parts.headers.remove(&name), name));
        // Whoever waits for the end of the answer waits for that of the tunnel.
        let mut rsp = Response::new(Body::stream(Open));
        *rsp.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        *rsp.headers_mut() = self.dressed(parts.headers);
        let theirs = theirs.into_iter().filter_map(|(value, name)| Some((name, value?)));
        rsp.headers_mut().extend(theirs);
        rsp.headers_mut().insert(CONNECTION, SWITCH);
        rsp.headers_mut().insert(UPGRADE, WEBSOCKET);
        rsp.extensions_mut().insert(Tunnel::new(Realtime {
            line,
            session: self.session,
            usage: self.usage,
            trail: self.trail,
            observed: self.deployment.observed().clone(),
        }));
        Ok(rsp)
    }

    /// The upstream's own refusal. An answer that is neither a refusal nor a WebSocket is of no use.
    fn passed_on(self, rsp: Response<Bytes>) -> Result<Response<Body>, BoxError> {
        let (parts, body) = rsp.into_parts();
        let status = parts.status;
        if !status.is_client_error() && !status.is_server_error() {
            return Err(self.failure(UpstreamCause::Unasked(status)).into());
        }
        if let Some(trail) = &self.trail {
            trail.set_failure(failure_of(status));
        }
        let mut rsp = Response::new(Body::from(body));
        *rsp.status_mut() = status;
        *rsp.headers_mut() = self.dressed(parts.headers);
        rsp.headers_mut().remove(CONTENT_LENGTH);
        Ok(rsp)
    }

    fn dressed(&self, mut theirs: HeaderMap) -> HeaderMap {
        strip_hop_by_hop(&mut theirs);
        self.deployment.dresser().dress(&theirs, told(self.trail.as_ref(), self.sent), None)
    }

    fn failure(&self, cause: UpstreamCause) -> UpstreamFailure {
        UpstreamFailure::new(self.deployment.config().provider.title, cause)
    }
}
