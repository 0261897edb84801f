//! Providers' own paths: everything as the client and the provider say it, but for the key.
use super::super::answer::{Answer, told};
use super::super::attempt::deadlines;
use super::super::deployment::Deployment;
use super::super::dress::Dresser;
use super::super::error::RouteError;
use super::super::failed::{UpstreamFailure, failure_of};
use super::super::leaf::Sending;
use super::super::outgoing::{outgoing, without_key};
use super::super::{Rules, Shared};
use super::accounts::{Root, variable};
use super::overheard::{Listener, Overheard};
use super::upload::operation;
use crate::forward::{Deadlines, strip_hop_by_hop};
use crate::providers::{Prompt, Raw};
use crate::telemetry::Trail;
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::query::target;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri, header};
use std::borrow::Cow;
use std::sync::Arc;
use tokio::time::Instant;

/// Sends the call to the host of its provider.
pub(super) fn call(
    shared: &Shared,
    asked: &Raw,
    mut parts: Parts,
    body: Body,
) -> Result<Answer, BoxError> {
    let provider = asked.provider;
    let missing = || RouteError::NoAccount {
        route: provider,
        provider: provider.into(),
        variable: variable(provider),
    };
    let root = shared.accounts.root(provider).ok_or_else(missing)?;
    parts.uri = below(root, asked, &parts.uri)?;
    let config = root.deployment.config();
    let deadlines = prepare(&shared.rules, &mut parts, config, &config.headers);
    let listener = Listener::new(root.deployment.clone(), &parts.extensions, asked);
    let operation = operation(&parts);
    let trail = trail(&parts);
    // Who answers, and at which price, the listener may learn from the answer alone.
    let sent = Instant::now();
    trail.iter().for_each(|trail| trail.set_sent(sent));
    let req = Request::from_parts(parts, body);
    let sending = root.leaf.send(req, deadlines, &operation, &Prompt::of(Bytes::new()));
    let back = Back::Provider(root.deployment.clone(), Box::new(listener));
    Ok(answer(sending, back, trail, sent))
}

/// The path below the provider's host. OpenAI's may leave out its version, as LiteLLM's may.
fn below(root: &Root, asked: &Raw, uri: &Uri) -> Result<Uri, RouteError> {
    let versioned = asked.path.starts_with("/v1/") || &*asked.path == "/v1";
    let version = match asked.provider {
        "openai" if !versioned => &*root.version,
        _ => "",
    };
    let query = uri.query().unwrap_or_default();
    let query = match asked.provider {
        "gemini" => without_key(query).into(),
        _ => Cow::Borrowed(query),
    };
    let path = &asked.path;
    Uri::try_from(target(&format!("{version}{path}"), &query))
        .map_err(|_| RouteError::BadPath { route: asked.provider, model: path.clone() })
}

/// Makes `edit`, but for the encoding that the client asks for: the answer is not ours to read, so
/// that stays its choice.
pub(super) fn keeping_encoding<T>(
    headers: &mut HeaderMap,
    edit: impl FnOnce(&HeaderMap) -> (HeaderMap, T),
) -> T {
    let wanted = headers.get(header::ACCEPT_ENCODING).cloned();
    let (edited, told) = edit(headers);
    *headers = edited;
    match wanted {
        Some(wanted) => headers.insert(header::ACCEPT_ENCODING, wanted),
        None => headers.remove(header::ACCEPT_ENCODING),
    };
    told
}

/// Makes the request's headers, and says how long the call may take.
fn prepare(
    rules: &Rules,
    parts: &mut Parts,
    config: &crate::config::Deployment,
    own: &[(HeaderName, HeaderValue)],
) -> Deadlines {
    let operation = operation(parts);
    let for_us =
        keeping_encoding(&mut parts.headers, |headers| outgoing(headers, &operation, rules, own));
    let whole = deadlines(&rules.settings, config, &Prompt::of(Bytes::new()), &for_us);
    // It may be a stream, which takes as long as it takes.
    Deadlines { total: None, ..whole }
}

pub(super) fn trail(parts: &Parts) -> Option<Trail> {
    parts.extensions.get().cloned()
}

/// Whose answer it is.
pub(super) enum Back {
    Provider(Arc<Deployment>, Box<Listener>),
    Endpoint(Arc<super::Endpoint>),
}

impl Back {
    fn title(&self) -> &'static str {
        match self {
            Self::Provider(deployment, _) => deployment.config().provider.title,
            Self::Endpoint(_) => "PassThrough",
        }
    }

    fn dresser(&self) -> &Dresser {
        match self {
            Self::Provider(deployment, _) => deployment.dresser(),
            Self::Endpoint(endpoint) => endpoint.dresser(),
        }
    }
}

/// Hands the answer on as it is, but for its headers.
pub(super) fn answer(sending: Sending, back: Back, trail: Option<Trail>, sent: Instant) -> Answer {
    Box::pin(async move {
        let failure = |cause| UpstreamFailure::new(back.title(), cause);
        let rsp = sending.await.map_err(failure)?;
        let (mut parts, body) = rsp.into_parts();
        if let Some(trail) = &trail
            && (parts.status.is_client_error() || parts.status.is_server_error())
        {
            trail.set_failure(failure_of(parts.status));
        }
        strip_hop_by_hop(&mut parts.headers);
        let told = told(trail.as_ref(), sent);
        let headers = back.dresser().dress(&parts.headers, told, None);
        let body = match back {
            Back::Provider(_, listener) => {
                Body::stream(Overheard::new(body, listener.hear(&parts)))
            }
            Back::Endpoint(_) => Body::stream(body),
        };
        parts.headers = headers;
        Ok(Response::from_parts(parts, body))
    })
}
