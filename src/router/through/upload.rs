//! Forms with a file: the model's field is edited, all else streams through.
use super::super::answer::Answer;
use super::super::attempt::{Attempt, begin, deadlines};
use super::super::deployment::Deployment;
use super::super::error::RouteError;
use super::super::outgoing::{outgoing, placed, target};
use super::super::{Rules, Shared, pick, pictures};
use super::accounts::is_upstream;
use crate::identity::Region;
use crate::providers::{Contents, Operation, Passing, Pictured, Prompt, Resumed};
use crate::telemetry::Trail;
use bartizan_layers::BoxError;
use bartizan_layers::body::Body;
use bartizan_layers::facts::UsageCell;
use bartizan_layers::wire::text::Text;
use http::Request;
use http::request::Parts;
use std::sync::Arc;

/// Sends an upload to a deployment of the group that it names.
pub(super) fn call(
    shared: &Shared,
    mut parts: Parts,
    passing: Passing,
) -> Result<Answer, BoxError> {
    let operation = operation(&parts);
    let form = passing.form.as_ref().expect("intake reads the form of each upload");
    let route = operation.route();
    let found = shared.find(route, form.model.as_deref())?;
    found.note(parts.extensions.get(), form.stream);
    let region: Option<&Region> = parts.extensions.get();
    let fits = |deployment: &Deployment| is_upstream(deployment) && pick::is_in(region, deployment);
    let picked = pick::pick(found.candidates(fits));
    let deployment = picked.ok_or_else(|| found.not_spoken(route))?.clone();
    let model = found.model(&deployment);
    let bad = || RouteError::BadPath { route, model: (*model).into() };
    let naming = form.naming(&model).ok_or_else(bad)?;
    let uri = target(&operation, &model, &parts.uri)?;
    parts.uri = placed(deployment.config(), &operation, &model, uri)?;
    let (stream, held) = (form.stream, passing.held);
    let contents = Contents { stream, held, ..Contents::of(Text::default()) };
    let prompt = Prompt::new(contents, None);
    let body = Resumed::body(naming.into(), passing.body);
    let usage = deployment.usage_for(&operation, &model);
    let images = operation.makes_images().then(|| (form.pictured.clone(), (*model).into()));
    drop(model);
    Ok(send(&shared.rules, deployment, (usage, images), parts, body, prompt))
}

pub(super) fn operation(parts: &Parts) -> Operation {
    parts.extensions.get().cloned().expect("dispatch knows what each call is")
}

/// Sends a request with this body to a deployment's OpenAI-compatible endpoint.
pub(super) fn send(
    rules: &Rules,
    deployment: Arc<Deployment>,
    (usage, images): (UsageCell, Option<(Pictured, Box<str>)>),
    mut parts: Parts,
    body: Body,
    prompt: Prompt,
) -> Answer {
    let operation = operation(&parts);
    let config = deployment.config();
    let (headers, for_us) = outgoing(&parts.headers, &operation, rules, &config.headers);
    parts.headers = headers;
    let deadlines = deadlines(&rules.settings, config, &prompt, &for_us);
    let trail: Option<Trail> = parts.extensions.get().cloned();
    let sent = begin(&parts.extensions, deployment.labels(), None, &usage);
    let leaf = deployment.leaf(operation.dialect()).expect("it was picked because it has one");
    let mut sending = leaf.send(Request::from_parts(parts, body), deadlines, &operation, &prompt);
    if let Some(images) = images {
        sending = pictures::priced(sending, &deployment, images, &usage);
    }
    let attempt = Attempt {
        kept: false,
        limits: None,
        expected: None,
        usage_is_ours: false,
        is_translated: false,
        dropped: None,
        choices: 1,
        commit: rules.settings.timeouts.commit,
        deployment,
        operation,
        trail,
        usage,
        sent,
    };
    attempt.answer(sending, prompt)
}
