//! Where a request goes, and what its head says there.
use super::Rules;
use super::error::RouteError;
use crate::config;
use crate::data::Wire;
use crate::forward::strip_request;
use crate::providers::vertex::{Action, Place};
use crate::providers::{Dialect, Operation, azure, is_of_type};
use bartizan_layers::query::{self, decoded, without};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use std::borrow::Cow;

/// The path below the upstream's base URL. The client's query goes along, but for Gemini's `key`.
pub(super) fn target(operation: &Operation, model: &str, uri: &Uri) -> Result<Uri, RouteError> {
    let query = uri.query().map(|query| match operation {
        Operation::Gemini(_) => without_key(query).into(),
        _ => Cow::Borrowed(query),
    });
    let query = query.filter(|query| !query.is_empty());
    let bad = || RouteError::BadPath { route: operation.route(), model: model.into() };
    if matches!(operation, Operation::Gemini(_)) && !is_segments(model) {
        return Err(bad());
    }
    operation.path(model, query.as_deref()).map_err(|_| bad())
}

/// As [`target`], for a prompt to a deployment whose paths are not its dialect's: Azure's, and those
/// of Google's cloud, which depend on who made the model.
pub(super) fn target_at(
    config: &config::Deployment,
    operation: &Operation,
    (model, stream): (&str, bool),
    uri: &Uri,
) -> Result<Uri, RouteError> {
    if config.provider.wire != Wire::Vertex {
        return placed(config, operation, model, target(operation, model, uri)?);
    }
    let bad = || RouteError::BadPath { route: operation.route(), model: model.into() };
    let action = Action::of(operation, stream).filter(|_| is_segments(model));
    let Some(path) = action.and_then(|action| Place::of(model).path(action)) else {
        // Who counts in other words than the client's has a path of its own.
        let counts = operation.counts_tokens().then(|| target(operation, model, uri));
        return counts.unwrap_or_else(|| Err(bad()));
    };
    // What other clients ask in a query says nothing there.
    let query = uri.query().filter(|_| matches!(operation, Operation::Gemini(_)));
    let uri = query::target(&path, &without_key(query.unwrap_or_default()));
    Uri::try_from(uri).map_err(|_| bad())
}

/// A path of OpenAI's as a deployment has it for its `model`: Azure and some others have their own.
pub(super) fn placed(
    config: &config::Deployment,
    operation: &Operation,
    model: &str,
    uri: Uri,
) -> Result<Uri, RouteError> {
    let Some(at) = &config.azure else { return Ok(config.provider.path(uri)) };
    let bad = || RouteError::BadPath { route: operation.route(), model: model.into() };
    azure::path(at, model, &uri).ok_or_else(bad)
}

/// Whether a model's name can stand in a path and stays below it: plain characters, no `..`.
pub(super) fn is_segments(model: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~:@".contains(&byte);
    let segment = |text: &str| !matches!(text, "" | "." | "..") && text.bytes().all(plain);
    model.split('/').all(segment)
}

/// `query` without the client's own key, which Gemini takes there.
pub(super) fn without_key(query: &str) -> String {
    let is_key = |name: &str| name.eq_ignore_ascii_case("key");
    let encoded = |name: &str| name.contains('%') && decoded(name).is_some_and(|it| is_key(&it));
    without(query, |it| is_key(it.name) || encoded(it.name))
}

/// Anthropic refuses requests without it (contract 10.1).
pub(super) const VERSION: HeaderName = HeaderName::from_static("anthropic-version");

/// The headers that go upstream: the client's own, but for what belongs to one hop, names or
/// proves an account, or is meant for this proxy; and the deployment's. Returns those for us.
pub(super) fn outgoing(
    client: &HeaderMap,
    operation: &Operation,
    rules: &Rules,
    own: &[(HeaderName, HeaderValue)],
) -> (HeaderMap, Vec<(HeaderName, HeaderValue)>) {
    let (mut headers, for_us) = strip_request(client, rules.key_header.as_ref());
    for (name, value) in own {
        headers.insert(name, value.clone());
    }
    if operation.dialect() == Dialect::Anthropic && !headers.contains_key(VERSION) {
        headers.insert(VERSION, HeaderValue::from_static("2023-06-01"));
    }
    headers.insert(&rules.hop.0, rules.hop.1.clone());
    (headers, for_us)
}

/// `curl -d` calls every body a form.
pub(super) fn as_json(headers: &mut HeaderMap) {
    const JSON: &str = "application/json";
    if !is_of_type(headers, JSON) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    }
}
