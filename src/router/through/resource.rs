//! Objects that live in an account at a provider. Their ids mean something in that account only,
//! so which account is used depends on nothing but the request.
use super::super::Shared;
use super::super::answer::Answer;
use super::super::deployment::Deployment;
use super::super::error::RouteError;
use super::super::outgoing::placed;
use super::accounts::{is_upstream, variable};
use super::{query, upload};
use crate::providers::{Contents, Passing, Prompt, Resource, Selected};
use bartizan_layers::BoxError;
use bartizan_layers::facts::UsageCell;
use bartizan_layers::query::target;
use bartizan_layers::wire::text::Text;
use http::request::Parts;
use http::{HeaderMap, Uri};
use std::sync::Arc;

/// What a query may select an account by.
const SELECTORS: [&str; 3] = ["custom_llm_provider", "model", "target_model_names"];

/// Sends the call to the account that it selects.
pub(super) fn call(
    shared: &Shared,
    asked: &Resource,
    mut parts: Parts,
    passing: Passing,
) -> Result<Answer, BoxError> {
    let (rest, selected) = selected(asked, &parts, passing.selected);
    let deployment = account(shared, asked, selected)?;
    let bad = |_| RouteError::BadPath { route: asked.kind, model: asked.path.clone() };
    let uri = Uri::try_from(target(&asked.path, &rest)).map_err(bad)?;
    parts.uri = placed(deployment.config(), &upload::operation(&parts), "", uri)?;
    for name in PROVIDER_HEADERS {
        parts.headers.remove(name);
    }
    let contents = Contents { held: passing.held, ..Contents::of(Text::default()) };
    let prompt = Prompt::new(contents, None);
    let usage = UsageCell::default();
    Ok(upload::send(&shared.rules, deployment, (usage, None), parts, passing.body, prompt))
}

const PROVIDER_HEADERS: [&str; 2] = ["custom-llm-provider", "custom_llm_provider"];

/// What is left of the query, and what the request selects: its path, its query, its headers, its
/// body.
fn selected(asked: &Resource, parts: &Parts, of_body: Selected) -> (String, Selected) {
    let (rest, found) = query::split(parts.uri.query().unwrap_or_default(), &SELECTORS);
    let mut selected = Selected { provider: asked.provider.clone(), model: None };
    for (at, value) in found {
        selected.note(SELECTORS[at], &value);
    }
    let header = |headers: &HeaderMap, name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).map(Box::from)
    };
    let named = || PROVIDER_HEADERS.iter().find_map(|name| header(&parts.headers, name));
    selected.provider = selected.provider.or_else(named).or(of_body.provider);
    let told = header(&parts.headers, "x-litellm-model");
    selected.model = told.or(selected.model).or(of_body.model);
    (rest, selected)
}

fn account(
    shared: &Shared,
    asked: &Resource,
    selected: Selected,
) -> Result<Arc<Deployment>, RouteError> {
    let route = asked.kind;
    if let Some(name) = selected.model {
        let found = shared.find(route, Some(&name))?;
        // Always the same one: another one may know nothing of the object.
        let lowest = |one: &&Arc<Deployment>| one.config().order.unwrap_or(0);
        let first = found.candidates(is_upstream).min_by_key(lowest).cloned();
        return first.ok_or_else(|| found.not_spoken(route));
    }
    let provider = selected.provider.unwrap_or_else(|| "openai".into());
    shared.accounts.find(route, &provider).cloned().ok_or_else(|| RouteError::NoAccount {
        route,
        variable: variable(&provider),
        provider,
    })
}
