//! A request for its provider: the client's own, edited, or one in the provider's words.
use super::deployment::Deployment;
use super::error::RouteError;
use super::leaf::{Leaf, Sending};
use super::outgoing::target;
use super::translated::Expecting;
use super::translating::{Translating, fit_headers};
use super::{Rules, Settings};
use crate::forward::{Deadlines, Forwarder};
use crate::providers::openai::{EditPlan, edited};
use crate::providers::translate::Translation;
use crate::providers::{Operation, Prompt};
use bartizan_layers::body::Body;
use bartizan_layers::facts::UsageCell;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use std::sync::Arc;

/// What of a request its provider could not be told, as a header.
#[derive(Clone, Debug)]
pub(super) struct Dropped(pub(super) Option<HeaderValue>);

/// A request for its provider.
pub(super) struct Made {
    uri: Uri,
    body: Body,
    pub(super) usage_is_ours: bool,
    translating: Option<(Translating, Translation)>,
}

/// What a request is sent with.
#[derive(Clone, Copy)]
pub(super) struct Bound<'a> {
    pub(super) deployment: &'a Arc<Deployment>,
    pub(super) operation: &'a Operation,
    pub(super) prompt: &'a Prompt,
    pub(super) usage: &'a UsageCell,
    pub(super) deadlines: Deadlines,
}

impl Made {
    /// For the model of this name, as it is and as JSON text.
    pub(super) fn new(
        rules: &Rules,
        deployment: &Arc<Deployment>,
        (operation, translation): (&Operation, Option<Translation>),
        (model, model_json): (&str, &Bytes),
        prompt: &Prompt,
        head: &Parts,
    ) -> Result<Self, RouteError> {
        if let Some(translation) = translation {
            let whom = (deployment, model);
            let made = Translating::new(translation, rules, whom, prompt, head)?;
            return Ok(Self {
                uri: made.path.clone(),
                body: Body::Full(made.written.body.clone()),
                usage_is_ours: false,
                translating: Some((made, translation)),
            });
        }
        let plan = plan(&rules.settings, deployment.config(), model_json);
        let edited = edited(operation, prompt, &plan)
            .map_err(|twice| RouteError::Duplicate(twice.to_string()))?;
        Ok(Self {
            uri: target(operation, model, &head.uri)?,
            body: edited.body,
            usage_is_ours: edited.usage_is_ours,
            translating: None,
        })
    }

    /// Takes what only the client's dialect knows out of the headers, but for the deployment's
    /// `own`, and puts in what the provider's needs.
    pub(super) fn fit(&self, headers: &mut HeaderMap, own: &[(HeaderName, HeaderValue)]) {
        if let Some((made, translation)) = &self.translating {
            fit_headers(headers, own, translation.provider, &made.written.headers);
        }
    }

    /// Sends it to `leaf`, with the client's method and these headers. Of a translated request it
    /// is told what was lost.
    pub(super) fn send(
        self,
        leaf: &Leaf,
        head: &Parts,
        headers: HeaderMap,
        forwarder: &Forwarder,
        bound: Bound<'_>,
    ) -> (Sending, Option<Dropped>) {
        let Bound { operation, prompt, deadlines, .. } = bound;
        let req = request(head, self.uri, headers, self.body);
        let Some((mut made, _)) = self.translating else {
            return (leaf.send(req, deadlines, operation, prompt), None);
        };
        let reply = made.written.reply.clone();
        let names = reply.dropped().and_then(|names| names.try_into().ok());
        let expecting = Expecting {
            reply,
            usage: bound.usage.clone(),
            stream: prompt.stream,
            provider: bound.deployment.config().provider.title,
            held: prompt.held.clone(),
            keeping: made.keeping.take(),
        };
        let sending = made.send(req, (leaf, forwarder), deadlines, operation, prompt);
        (expecting.on(sending), Some(Dropped(names)))
    }
}

/// The client's request to another place, with other headers and no facts.
fn request(head: &Parts, uri: Uri, headers: HeaderMap, body: Body) -> Request<Body> {
    let mut req = Request::new(body);
    (*req.method_mut(), *req.uri_mut()) = (head.method.clone(), uri);
    (*req.version_mut(), *req.headers_mut()) = (head.version, headers);
    req
}

fn plan<'a>(
    settings: &Settings,
    config: &'a crate::config::Deployment,
    model: &'a Bytes,
) -> EditPlan<'a> {
    EditPlan {
        model,
        defaults: &config.defaults,
        extra_body: &config.extra_body,
        stream_usage: settings.stream_usage && config.provider.stream_usage,
        drop: &config.drop,
        keep_metadata: settings.forward_metadata,
    }
}
