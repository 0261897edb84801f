//! One try at one deployment: the request that it gets. The way back is in `answer`.
use super::asked::Asked;
use super::counted;
use super::deployment::Deployment;
use super::error::RouteError;
use super::failed::UpstreamFailure;
use super::leaf::{Leaf, Sending, leaf_elsewhere};
use super::made::{Bound, Made};
use super::outgoing::{as_json, outgoing};
use super::pictures;
use super::sender::{Outgoing, Sent, failed};
use super::{Rules, Settings, operation};
use crate::forward::{Deadlines, ForwardError, strip_request};
use crate::identity::Caller;
use crate::providers::echo::Mock;
use crate::providers::translate::{Protocol, Translation};
use crate::providers::{Dialect, Elsewhere, Operation, Prompt};
use crate::telemetry::{DeploymentLabels, Served, Trail};
use bartizan_layers::facts::{Bill, CacheKey, Principal, UsageCell};
use bartizan_layers::ratelimit::LimitHeaders;
use bartizan_layers::wire::estimate::Expected;
use bartizan_layers::wire::scan::scan;
use http::{Extensions, HeaderName, HeaderValue, Request};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A call that was sent to a deployment.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) deployment: Arc<Deployment>,
    pub(super) operation: Operation,
    pub(super) trail: Option<Trail>,
    pub(super) usage: UsageCell,
    pub(super) usage_is_ours: bool,
    /// Whether the answer is translated, so that its usage is told before it is read.
    pub(super) is_translated: bool,
    /// What of the request the provider was not told.
    pub(super) dropped: Option<HeaderValue>,
    pub(super) choices: u32,
    /// Whether the answer may be kept in a cache.
    pub(super) kept: bool,
    /// What the answer tells of limits.
    pub(super) limits: Option<LimitHeaders>,
    /// How large the prompt is, where that was looked at.
    pub(super) expected: Option<Expected>,
    pub(super) commit: Duration,
    pub(super) sent: Instant,
}

impl Attempt {
    /// Edits the request for `deployment` and sends it.
    pub(super) fn send(
        rules: &Rules,
        deployment: Arc<Deployment>,
        req: Request<Outgoing>,
    ) -> Result<(Self, Sending, Prompt), RouteError> {
        let Outgoing { asked, model_json, model: own_model, expected } = req.into_body();
        let (head, prompt) = asked.into_parts();
        let facts = &head.extensions;
        let operation = operation(facts);
        let trail: Option<Trail> = facts.get().cloned();
        let kept = facts.get::<CacheKey>().is_some();
        let limits = facts.get().cloned();
        let config = deployment.config();
        let model = own_model.as_deref().unwrap_or(&config.model);
        let way = deployment.way(&operation, model).expect("it was picked because it has one");
        let mock = asked_mock(rules, facts, &prompt).map(|mock| Leaf::Mock(mock.into()));
        let translation = if mock.is_none() { way.translation() } else { to_mock(&operation) };
        let names = (model, &model_json);
        let made = Made::new(rules, &deployment, (&operation, translation), names, &prompt, &head)?;
        let elsewhere = prompt.elsewhere.as_deref();
        let spoken = (operation.dialect(), translation);
        let brought =
            elsewhere.map(|it| brought(rules, &deployment, &operation, spoken, it)).transpose()?;
        // What the config adds may be as secret as its key.
        let theirs = elsewhere.is_some_and(|elsewhere| elsewhere.base.is_some());
        let own = if theirs { &[] } else { &*config.headers };
        let usage = deployment.usage_for(&operation, model);
        let images = operation.makes_images();
        let images = images.then(|| (pictures::asked(&prompt, config), model.into()));
        let (mut headers, for_us) = outgoing(&head.headers, &operation, rules, own);
        as_json(&mut headers);
        made.fit(&mut headers, own);
        let deadlines = deadlines(&rules.settings, config, &prompt, &for_us);
        let sent = begin(facts, deployment.labels(), own_model.clone(), &usage);
        let leaf = mock.as_ref().or(brought.as_ref()).or(way.leaf());
        let (usage_is_ours, dropped) = (made.usage_is_ours, made.dropped.clone());
        let bound = Bound {
            deployment: &deployment,
            operation: &operation,
            prompt: &prompt,
            usage: &usage,
            deadlines,
        };
        let mut sending = match leaf {
            Some(leaf) => made.send(leaf, &head, headers, rules.forwarder(), bound),
            None => counted::count(model, &expected, &head, headers, own, bound),
        };
        if let Some(images) = images {
            sending = pictures::priced(sending, &deployment, images, &usage);
        }
        let attempt = Self {
            usage_is_ours,
            is_translated: translation.is_some(),
            dropped,
            choices: prompt.choices,
            kept,
            limits,
            expected: Some(expected),
            commit: rules.settings.timeouts.commit,
            deployment,
            operation,
            trail,
            usage,
            sent,
        };
        Ok((attempt, sending, prompt))
    }
}

/// What stands between the client of an `operation` and an answer that its request fixes.
fn to_mock(operation: &Operation) -> Option<Translation> {
    Protocol::of(operation).and_then(Translation::to_built_in)
}

/// Notes that the call with these facts goes out now, who answers it, and where that stands on its
/// bill; with the model, where the deployment's own name for it is a pattern.
pub(super) fn begin(
    facts: &Extensions,
    labels: &Arc<DeploymentLabels>,
    model: Option<Box<str>>,
    usage: &UsageCell,
) -> Instant {
    let sent = Instant::now();
    if let Some(bill) = facts.get::<Bill>() {
        bill.add(usage.clone());
    }
    if let Some(trail) = facts.get::<Trail>() {
        trail.set_served(Served { deployment: labels.clone(), model, usage: usage.clone() });
        trail.set_sent(sent);
    }
    sent
}

/// The leaf of a call that brings its own upstream or credential. Where it brings an upstream
/// alone, no credential is sent: the deployment's belongs to its own upstream.
fn brought(
    rules: &Rules,
    deployment: &Deployment,
    operation: &Operation,
    spoken: (Dialect, Option<Translation>),
    elsewhere: &Elsewhere,
) -> Result<Leaf, RouteError> {
    let config = deployment.config();
    let (anywhere, here) = (rules.settings.client_side, config.client_side);
    let refused = |name| Err(RouteError::NotAllowed { route: operation.route(), name });
    if ![anywhere, here].iter().any(|may| may.base || may.key) {
        return refused("api_version");
    }
    if elsewhere.base.is_some() && !anywhere.base && !here.base {
        return refused("api_base");
    }
    if elsewhere.key.is_some() && !anywhere.key && !here.key {
        return refused("api_key");
    }
    let leaf = leaf_elsewhere(config, &rules.credentials, spoken, elsewhere);
    let model = config.model.as_str();
    leaf.ok_or_else(|| RouteError::NotSpoken { route: operation.route(), model: model.into() })
}

/// What the request wants to be answered instead of its deployment's answer, where the config or
/// its key allows that.
pub(super) fn asked_mock(rules: &Rules, facts: &Extensions, prompt: &Prompt) -> Option<Mock> {
    let caller = || facts.get::<Principal>()?.about.get::<Caller>();
    if !rules.settings.client_mocks && !caller().is_some_and(Caller::may_mock) {
        return None;
    }
    let whole = prompt.text.whole();
    let object = scan(&whole).ok()?;
    let told = object.get("mock_response").ok()??.value().as_str()?;
    Some(Mock::new(&told, prompt.model.as_deref().unwrap_or_default()))
}

/// What the client gets of a deployment that says nothing, for as long as the call may take. It is
/// not sent there, and says nothing of how the deployment is.
pub(super) fn silence(rules: &Rules, deployment: Arc<Deployment>, asked: &Asked) -> Sent {
    let (_, for_us) = strip_request(asked.headers(), rules.key_header.as_ref());
    let config = deployment.config();
    let after = deadlines(&rules.settings, config, asked, &for_us).first_byte;
    let cause = ForwardError::FirstByteTimeout(after).into();
    let failure = UpstreamFailure::new(config.provider.title, cause);
    Sent::Queued(Box::pin(async move {
        sleep(after).await;
        Err(failed(failure.into(), &deployment))
    }))
}

/// How long the parts of a call may take (contract 5.5).
pub(super) fn deadlines(
    settings: &Settings,
    config: &crate::config::Deployment,
    prompt: &Prompt,
    for_us: &[(HeaderName, HeaderValue)],
) -> Deadlines {
    let header = |wanted| {
        let (_, value) = for_us.iter().find(|(name, _)| name == wanted)?;
        let seconds = value.to_str().ok()?.parse().ok()?;
        Duration::try_from_secs_f64(seconds).ok().filter(|duration| !duration.is_zero())
    };
    let total = prompt.timeout.or_else(|| header("x-litellm-timeout")).or(config.timeout);
    let total = total.unwrap_or(settings.timeouts.total);
    if !prompt.stream {
        return Deadlines { first_byte: total, idle: total, total: Some(total) };
    }
    let stream = prompt.stream_timeout.or_else(|| header("x-litellm-stream-timeout"));
    let stream = stream.or(config.stream_timeout).or(settings.timeouts.stream).unwrap_or(total);
    Deadlines { first_byte: stream, idle: stream, total: None }
}
