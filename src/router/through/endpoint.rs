//! Paths of the config that lead to other servers (`pass_through_endpoints`).
use super::super::answer::Answer;
use super::super::attempt::begin;
use super::super::dress::Dresser;
use super::super::error::RouteError;
use super::super::leaf::Leaf;
use super::super::named::answer_headers;
use super::super::{Rules, Shared};
use super::raw::{self, Back};
use super::upload::operation;
use crate::config::PassThrough;
use crate::forward::{Deadlines, Forwarder, strip_request};
use crate::providers::{Operation, Prompt};
use crate::telemetry::DeploymentLabels;
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::facts::{NanoUsd, UsageCell};
use bartizan_layers::query;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Request, Uri, header};
use std::borrow::Cow;
use std::sync::Arc;

/// One of them, ready to be called. A request fact, written by dispatch.
#[derive(Debug)]
pub struct Endpoint {
    config: PassThrough,
    leaf: Leaf,
    dresser: Dresser,
    labels: Arc<DeploymentLabels>,
}

/// What a server needs to read a body and to choose an answer's form.
const OF_THE_BODY: [header::HeaderName; 4] =
    [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::ACCEPT, header::ACCEPT_ENCODING];

impl Endpoint {
    pub(super) fn new(config: PassThrough, forwarder: &Forwarder) -> Self {
        let labels = DeploymentLabels {
            model_id: config.path.as_str().into(),
            model_group: "".into(),
            model: "".into(),
            litellm_model_name: "".into(),
            api_provider: "pass_through",
            api_base: "".into(),
        };
        let upstream = forwarder.upstream(&host(&config.target).unwrap_or_default());
        Self {
            leaf: Leaf::Upstream { upstream, credential: None },
            dresser: Dresser::new(answer_headers(&labels)),
            labels: Arc::new(labels),
            config,
        }
    }

    /// What the config says of it.
    #[must_use]
    pub const fn config(&self) -> &PassThrough {
        &self.config
    }

    pub(super) const fn labels(&self) -> &Arc<DeploymentLabels> {
        &self.labels
    }

    pub(super) const fn dresser(&self) -> &Dresser {
        &self.dresser
    }

    /// Sends a call on.
    pub(super) fn call(
        self: Arc<Self>,
        shared: &Shared,
        mut parts: Parts,
        body: Body,
    ) -> Result<Answer, BoxError> {
        let operation = operation(&parts);
        parts.uri = self.below(&operation, &parts.uri)?;
        let deadlines = self.prepare(&shared.rules, &mut parts);
        let trail = raw::trail(&parts);
        let usage = UsageCell::default();
        if self.config.nanos_per_request > 0 {
            usage.charge(NanoUsd(self.config.nanos_per_request));
        }
        let sent = begin(&parts.extensions, &self.labels, None, &usage);
        let req = Request::from_parts(parts, body);
        let sending = self.leaf.send(req, deadlines, &operation, &Prompt::of(Bytes::new()));
        Ok(raw::answer(sending, Back::Endpoint(self), trail, sent))
    }

    fn prepare(&self, rules: &Rules, parts: &mut Parts) -> Deadlines {
        if !self.config.forward_headers {
            let mut kept = HeaderMap::new();
            for name in OF_THE_BODY {
                if let Some(value) = parts.headers.remove(&name) {
                    kept.insert(name, value);
                }
            }
            parts.headers = kept;
        }
        raw::keeping_encoding(&mut parts.headers, |headers| {
            strip_request(headers, rules.key_header.as_ref())
        });
        for (name, value) in &self.config.headers {
            parts.headers.insert(name, value.clone());
        }
        parts.headers.insert(&rules.hop.0, rules.hop.1.clone());
        let total = rules.settings.timeouts.total;
        Deadlines { first_byte: total, idle: total, total: None }
    }

    /// The target's path, the rest of the client's, and a query.
    fn below(&self, operation: &Operation, uri: &Uri) -> Result<Uri, RouteError> {
        let target = &self.config.target;
        let rest = match operation {
            Operation::Raw(raw) => &*raw.path,
            _ => "",
        };
        let path =
            if rest.is_empty() { target.path() } else { target.path().trim_end_matches('/') };
        let theirs = uri.query().filter(|query| !query.is_empty());
        let query = match (theirs, target.query()) {
            (Some(theirs), Some(own)) if self.config.merge_query_params => {
                format!("{own}&{theirs}").into()
            }
            (theirs, own) => Cow::Borrowed(theirs.or(own).unwrap_or_default()),
        };
        Uri::try_from(query::target(&format!("{path}{rest}"), &query))
            .map_err(|_| RouteError::BadPath { route: operation.route(), model: rest.into() })
    }
}

/// Scheme and host: the path is made for each call.
fn host(target: &Uri) -> Option<Uri> {
    let (scheme, authority) = (target.scheme_str()?, target.authority()?);
    Uri::builder().scheme(scheme).authority(authority.as_str()).path_and_query("/").build().ok()
}
