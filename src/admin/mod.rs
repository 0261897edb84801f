//! The proxy's own routes: health, metrics, models (contract 3.2).
mod elsewhere;
mod groups;
mod health;
mod home;
mod last_reload;
mod managed;
mod models;
mod ollama;
mod openapi;
mod ops;
mod routes;
mod schemas;

pub use self::last_reload::LastReload;

use crate::config::Compat;
use crate::edge::{AdminRoute, Page, answer, problem};
use crate::identity::{Allowed, Caller, Denied, Directory, Issued, RouteKind};
use crate::ledger::Standing;
use crate::providers::{Dialect, Problem};
use crate::router::{self, Router};
use crate::server::Draining;
use crate::telemetry::{self, Metrics};
use bartizan_layers::auth::{AuthError, Keys, presented};
use bartizan_layers::body::Body;
use bartizan_layers::facts::Principal;
use bartizan_layers::query::{decoded, parameters};
use bartizan_layers::redis::Redis;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header, request};
use http_body_util::{BodyExt, Limited};
use serde_json::Value;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::Instant;
use tower::ServiceExt;
use tower_service::Service;

/// What the routes show and ask. Shared by both listeners.
#[derive(Debug)]
pub struct Handles {
    /// Deployments and names.
    pub router: Router,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whether the process is on its way out.
    pub draining: Draining,
    /// Which LiteLLM generation to follow.
    pub compat: Compat,
    /// When the process was ready.
    pub started: Instant,
    /// What became of the last change of the config.
    pub last_reload: Arc<LastReload>,
    /// The path that clients may put before all others; empty for none.
    pub root_path: String,
    /// The Redis that is shared with other processes.
    pub redis: Option<Redis>,
    /// How the records of calls are kept; `None` where they are not.
    pub journal: Option<Arc<Standing>>,
    /// The config as JSON, secrets hidden.
    pub config: Bytes,
    /// Everyone with a key of their own.
    pub directory: Option<Directory>,
    /// The management API; `None` where nothing is kept.
    pub manage: Option<axum::Router>,
}

/// The largest body of the management API in bytes: nothing there is long.
const LARGEST: usize = 4 << 20;

/// Answers the proxy's own routes.
#[derive(Clone, Debug)]
pub struct Admin {
    handles: Arc<Handles>,
    /// None on the ops listener.
    keys: Option<Issued>,
    key_header: Option<HeaderName>,
    metrics_need_key: bool,
}

impl Admin {
    /// Shows `handles` to those whom `keys` know: on the calls listener.
    #[must_use]
    pub const fn new(handles: Arc<Handles>, keys: Issued) -> Self {
        Self { handles, keys: Some(keys), key_header: None, metrics_need_key: true }
    }

    /// Answers the kubelet and Prometheus, without a key: on the ops listener.
    #[must_use]
    pub const fn ops(handles: Arc<Handles>) -> Self {
        Self { handles, keys: None, key_header: None, metrics_need_key: false }
    }

    /// Takes the key from this header alone, where one is given.
    #[must_use]
    pub fn key_header(self, key_header: Option<HeaderName>) -> Self {
        Self { key_header, ..self }
    }

    /// Whether `/metrics` needs a key here. Default true.
    #[must_use]
    pub fn metrics_need_key(self, metrics_need_key: bool) -> Self {
        Self { metrics_need_key, ..self }
    }

    async fn answer(self, req: Request<Page>) -> Response<Body> {
        let Some(keys) = &self.keys else { return ops::page(&self.handles, &req.body().route) };
        let presented = presented(&req, self.key_header.as_ref());
        let known = keys.check(presented).await;
        let (parts, Page { route, body }) = req.into_parts();
        let known = known.and_then(|who| permitted(who, &route, parts.uri.path()));
        let handles = &*self.handles;
        match (&route, known) {
            (AdminRoute::Liveness, _) => health::liveness(),
            (AdminRoute::Readiness, _) => health::readiness(handles),
            (AdminRoute::Health, Err(AuthError::Missing)) => health::summary(handles),
            (AdminRoute::Metrics, _) if !self.metrics_need_key => metrics(handles),
            (AdminRoute::OpenApi, _) => openapi::document(handles, self.metrics_need_key),
            (AdminRoute::Home, _) => home::page(handles),
            (AdminRoute::Routes, _) => routes::list(handles),
            (_, Err(error)) => {
                answer(route.dialect(), &problem(&error, handles.compat, "max_tokens"))
            }
            (AdminRoute::Health, Ok(who)) => health::probed(handles, &parts, &who).await,
            (AdminRoute::Metrics, Ok(_)) => metrics(handles),
            (AdminRoute::Models, Ok(who)) => models::list(handles, &parts, &who),
            (AdminRoute::Model(id), Ok(who)) => models::one(handles, id, &who),
            (AdminRoute::OllamaModels, Ok(who)) => ollama::list(handles, &who),
            (AdminRoute::OllamaLoaded, Ok(_)) => ollama::loaded(),
            (AdminRoute::OllamaModel, Ok(who)) => ollama::show(handles, &who, body).await,
            (AdminRoute::OllamaVersion, Ok(_)) => ollama::version(),
            (AdminRoute::ModelInfo, Ok(who)) => models::info(handles, &parts, &who),
            (AdminRoute::ModelPages, Ok(who)) => models::paged(handles, &parts, &who),
            (AdminRoute::GroupInfo, Ok(who)) => groups::info(handles, &parts, &who),
            (AdminRoute::SupportedParams, Ok(_)) => groups::supported(handles, &parts),
            (AdminRoute::Config, Ok(_)) => with_type("application/json", handles.config.clone()),
            (AdminRoute::Manage, Ok(who)) => manage(handles, who, parts, body).await,
            (AdminRoute::Test, Ok(_)) => json(&serde_json::json!({"route": "/test"})),
        }
    }
}

impl Handles {
    /// Whether `who` may ask for a model: of others nothing is shown.
    fn shows(&self, who: &Principal, model: &str) -> bool {
        let (Some(caller), Some(directory)) = (who.about.get::<Caller>(), &self.directory) else {
            return true;
        };
        caller.role().sees_all()
            || Allowed::new(directory.clone(), self.router.clone()).model(caller, model).is_ok()
    }
}

impl Service<Request<Page>> for Admin {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, req: Request<Page>) -> Self::Future {
        let admin = self.clone();
        Box::pin(async move { Ok(admin.answer(req).await) })
    }
}

/// Lets those on who may see a page. What tells of the whole proxy is for its admins.
fn permitted(who: Principal, route: &AdminRoute, path: &str) -> Result<Principal, AuthError> {
    let Some(caller) = who.about.get::<Caller>() else { return Ok(who) };
    let kind = match route {
        AdminRoute::Manage => RouteKind::Manage,
        _ => RouteKind::Info,
    };
    let permitted = match route {
        AdminRoute::Config if !caller.role().sees_all() => {
            Err(Denied::Route { allowed: "[]".into(), route: path.into() })
        }
        _ => caller.may_call(path, kind),
    };
    permitted.map(|()| who).map_err(|denied| AuthError::Denied(denied.into()))
}

/// Hands a request on to the management API, with the word of who asks.
async fn manage(
    handles: &Handles,
    who: Principal,
    mut parts: request::Parts,
    body: Body,
) -> Response<Body> {
    let Some(manage) = &handles.manage else {
        let message = "Nothing is kept here: this proxy lives as long as its command.";
        return answer(Dialect::OpenAi, &Problem::new(StatusCode::BAD_REQUEST, message));
    };
    parts.extensions.insert(who);
    // Of what nobody reads, the connection would end, and with it the next request.
    let Ok(body) = Limited::new(body, LARGEST).collect().await else {
        let message = format!("The request body is larger than {LARGEST} bytes.");
        return answer(Dialect::OpenAi, &Problem::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    };
    let req = Request::from_parts(parts, Body::Full(body.to_bytes()));
    let Ok(rsp) = manage.clone().oneshot(req).await;
    rsp.map(Body::stream)
}

fn metrics(handles: &Handles) -> Response<Body> {
    handles.router.tell_states(&handles.metrics);
    let mut text = handles.metrics.encode(handles.router.connections());
    if let Some(directory) = &handles.directory {
        telemetry::budgets(directory, &mut text);
    }
    let left = |budget: &router::Allowance| budget.budget().max - budget.spent();
    let providers = handles.router.provider_budgets().iter();
    telemetry::provider_budgets(providers.map(|(name, it)| (&**name, left(it))), &mut text);
    with_type("text/plain; version=0.0.4; charset=utf-8", text.into())
}

fn json(value: &Value) -> Response<Body> {
    with_type("application/json", value.to_string().into())
}

fn with_type(content_type: &'static str, body: Bytes) -> Response<Body> {
    let mut rsp = Response::new(Body::Full(body));
    rsp.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    rsp
}

/// The value of a query parameter, decoded.
fn query(parts: &request::Parts, name: &str) -> Option<String> {
    let found = parameters(parts.uri.query()?).find(|it| it.name == name && it.whole != name)?;
    decoded(found.value)
}
