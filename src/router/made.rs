//! A request for its provider: the client's own, edited, or one in the provider's words.
use super::deployment::Deployment;
use super::error::RouteError;
use super::leaf::{Leaf, Sending};
use super::outgoing::{placed, target_at};
use super::translated::Expecting;
use super::translating::{Translating, fit_headers};
use super::{Rules, Settings};
use crate::config::Fit;
use crate::data::{Quirks, Wire};
use crate::forward::{Deadlines, Forwarder};
use crate::providers::openai::{EditPlan, edited};
use crate::providers::translate::{Protocol, Translation};
use crate::providers::vertex::{VERSION_JSON, betas};
use crate::providers::{Dialect, Operation, Prompt};
use bartizan_layers::body::Body;
use bartizan_layers::facts::UsageCell;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use std::sync::Arc;

/// A request for its provider.
pub(super) struct Made {
    uri: Uri,
    body: Body,
    pub(super) usage_is_ours: bool,
    /// What of it the provider is not told.
    pub(super) dropped: Option<HeaderValue>,
    translating: Option<(Translating, Translation)>,
    /// Whether it goes to Claude in Google's cloud, which does not take all betas.
    claude_in_cloud: bool,
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
        let config = deployment.config();
        let in_cloud = config.provider.wire == Wire::Vertex;
        let claude_in_cloud = in_cloud && deployment.protocol(model) == Protocol::Messages;
        if let Some(translation) = translation {
            let whom = (deployment, model);
            let made = Translating::new(translation, rules, whom, prompt, head)?;
            return Ok(Self {
                uri: placed(config, operation, model, made.path.clone())?,
                body: Body::Full(made.written.body.clone()),
                usage_is_ours: false,
                dropped: header_of(made.written.reply.dropped()),
                translating: Some((made, translation)),
                claude_in_cloud,
            });
        }
        let quirks = deployment.quirks(model);
        let plan = plan(&rules.settings, config, operation, model_json, &quirks);
        let edited = edited(operation, prompt, &plan)?;
        if !edited.lost.parts.is_empty() {
            let fit = config.fit.over(&rules.settings.fit);
            let fit = Fit { drop: edited.drop.or(fit.drop), ..fit };
            fit.judge(&edited.lost, Protocol::Chat, config.provider.name, model)?;
        }
        Ok(Self {
            uri: target_at(config, operation, (model, prompt.stream), &head.uri)?,
            body: edited.body,
            usage_is_ours: edited.usage_is_ours,
            dropped: header_of(edited.lost.told()),
            translating: None,
            claude_in_cloud,
        })
    }

    /// Takes what only the client's dialect knows out of the headers, but for the deployment's
    /// `own`, and puts in what the provider's needs.
    pub(super) fn fit(&self, headers: &mut HeaderMap, own: &[(HeaderName, HeaderValue)]) {
        if let Some((made, translation)) = &self.translating {
            fit_headers(headers, own, translation.provider, &made.written.headers);
        }
        if self.claude_in_cloud && !own.iter().any(|(name, _)| *name == BETA) {
            fit_betas(headers);
        }
    }

    /// Sends it to `leaf`, with the client's method and these headers.
    pub(super) fn send(
        self,
        leaf: &Leaf,
        head: &Parts,
        headers: HeaderMap,
        forwarder: &Forwarder,
        bound: Bound<'_>,
    ) -> Sending {
        let Bound { operation, prompt, deadlines, .. } = bound;
        let req = request(head, self.uri, headers, self.body);
        let Some((mut made, translation)) = self.translating else {
            return leaf.send(req, deadlines, operation, prompt);
        };
        let reply = made.written.reply.clone();
        let expecting = Expecting {
            reply,
            usage: bound.usage.clone(),
            stream: prompt.stream,
            provider: bound.deployment.config().provider.title,
            held: prompt.held.clone(),
            keeping: made.keeping.take(),
        };
        let asked = translation.of_built_in();
        let sending = made.send(req, (leaf, forwarder), deadlines, &asked, prompt);
        expecting.on(sending)
    }
}

const BETA: HeaderName = HeaderName::from_static("anthropic-beta");

/// Leaves out betas that Google's cloud does not take.
fn fit_betas(headers: &mut HeaderMap) {
    let told: Vec<_> = headers.get_all(BETA).iter().filter_map(|it| it.to_str().ok()).collect();
    let Some(taken) = betas(&told.join(",")) else { return };
    headers.remove(BETA);
    if let Some(taken) = HeaderValue::try_from(taken).ok().filter(|taken| !taken.is_empty()) {
        headers.insert(BETA, taken);
    }
}

/// The client's request to another place, with other headers and no facts.
fn request(head: &Parts, uri: Uri, headers: HeaderMap, body: Body) -> Request<Body> {
    let mut req = Request::new(body);
    (*req.method_mut(), *req.uri_mut()) = (head.method.clone(), uri);
    (*req.version_mut(), *req.headers_mut()) = (head.version, headers);
    req
}

/// Names as a header's value; none where nothing is named.
fn header_of(names: Option<String>) -> Option<HeaderValue> {
    names?.try_into().ok()
}

fn plan<'a>(
    settings: &Settings,
    config: &'a crate::config::Deployment,
    operation: &Operation,
    model: &'a Bytes,
    quirks: &'a Quirks,
) -> EditPlan<'a> {
    let claude_in_cloud =
        config.provider.wire == Wire::Vertex && operation.dialect() == Dialect::Anthropic;
    EditPlan {
        // There the path names it, but where tokens are counted.
        model: (!claude_in_cloud || *operation == Operation::CountTokens).then_some(model),
        version: claude_in_cloud.then_some(VERSION_JSON),
        defaults: &config.defaults,
        extra_body: &config.extra_body,
        stream_usage: settings.stream_usage && config.tells_usage_of_streams(),
        drop: &config.drop,
        keep_metadata: settings.forward_metadata,
        quirks,
        allowed: &config.fit.allowed,
    }
}
