//! What holds for the attempts of a call: how often, where else, and what is told of each.
use super::asked::Asked;
use super::deployment::Deployment;
use super::error::{NoDeployment, RouteError};
use super::named::answer_headers;
use super::pick::is_fresh;
use super::{Shared, tags};
use crate::config::{Alias, Fallback, FallbackTarget, Fallbacks as Lists, Members};
use crate::providers::Class;
use crate::telemetry::{Failure as Told, Trail};
use bartizan_layers::BoxError;
use bartizan_layers::cause::cause_ref;
use bartizan_layers::facts::{Attempt, Cause, Fault};
use bartizan_layers::fallback::{self, FellBack, Plan, Target};
use bartizan_layers::retry::{
    self, AttemptFailed, Failure, Fallbacks, Group, Retries, RetryOverride, Rules, Tried,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

/// A request fact: the group that is named fails like this, so that its fallbacks can be tried
/// out (`mock_testing_fallbacks` and the like).
#[derive(Clone, Copy, Debug)]
pub struct Rehearsal(pub Cause);

impl Rehearsal {
    /// How the first group fails; groups after it do not, and a limit is over at its first retry.
    pub(super) fn of(req: &Request<Asked>) -> Option<Cause> {
        let Self(cause) = req.body().facts().get()?;
        let is_early = |attempt: &Attempt| {
            attempt.fallbacks == 0 && (*cause != Cause::RateLimit || attempt.retries == 0)
        };
        let first = req.extensions().get::<Attempt>().is_none_or(is_early);
        first.then_some(*cause)
    }
}

/// Knows the groups. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Attempts(pub(super) Arc<Shared>);

impl retry::Policy<Asked> for Attempts {
    fn rules<'a>(&'a self, req: &'a Request<Asked>) -> Cow<'a, Rules> {
        match self.0.found(req.body()) {
            Ok(found) => Cow::Borrowed(&found.group.retry),
            Err(_) => Cow::Owned(Rules { retries: 0, ..Rules::default() }),
        }
    }

    fn group(&self, req: &Request<Asked>) -> Group {
        let Ok(found) = self.0.found(req.body()) else { return Group::single() };
        let tried = req.extensions().get::<Tried>();
        let all = found.candidates(|_| true);
        let is_awake = |deployment: &&Arc<Deployment>| {
            deployment.gate().admits() && deployment.room().is_paid()
        };
        let deployments = all.clone().count();
        let mut group = Group { fallbacks: self.fallbacks(req), deployments, ..Group::default() };
        let mut count = |deployment: &Arc<Deployment>| {
            group.healthy += 1;
            group.untried += usize::from(is_fresh(tried, deployment));
        };
        match self.0.rules.settings.tags {
            None => all.filter(is_awake).for_each(&mut count),
            Some(rules) => {
                let allowed = tags::allowed(rules, all, is_awake, req).unwrap_or_default();
                allowed.into_iter().filter(is_awake).for_each(&mut count);
            }
        }
        group
    }

    fn copy(&self, req: &Request<Asked>) -> Option<Request<Asked>> {
        Some(Asked::again(req))
    }

    fn failure<R>(&self, outcome: Result<&Response<R>, &BoxError>) -> Option<Failure> {
        let nobody = outcome.err().and_then(|error| cause_ref::<NoDeployment>(&**error));
        let failure = Failure::of(outcome);
        match nobody.map(|it| &it.why) {
            Some(RouteError::Rehearsed { status, retries, .. }) => {
                // It stands for a group that has given up, unless it is a limit.
                let is_limit = *status == StatusCode::TOO_MANY_REQUESTS;
                failure.filter(|_| is_limit).map(|it| Failure { retries: *retries, ..it })
            }
            _ => failure,
        }
    }

    fn retrying(&self, next: &Request<Asked>, failed: &Failure) {
        let Some(trail) = next.body().facts().get::<Trail>() else { return };
        trail.retrying(told(&failed.fault));
        let facts = next.extensions();
        if let Some(Attempt { retries, fallbacks: 0 }) = facts.get() {
            let asked = facts.get().map(|RetryOverride(asked)| *asked);
            let most = retry::Policy::rules(self, next).count(asked, failed, &self.group(next));
            trail.set_retries(*retries, most);
        }
    }
}

impl Attempts {
    /// Which special fallbacks wait for the group of `req`.
    fn fallbacks(&self, req: &Request<Asked>) -> Fallbacks {
        let asked = req.extensions().get::<fallback::FallbackOverride>();
        if asked.is_some_and(|asked| asked.disabled) {
            return Fallbacks::default();
        }
        let name = req.body().model.as_deref().unwrap_or_default();
        let is_there = |own: Option<&Arc<[Target]>>| own.is_some_and(|targets| !targets.is_empty());
        let asked_for = |own: fn(&fallback::FallbackOverride) -> &Option<Arc<[Target]>>| {
            asked.and_then(|asked| own(asked).as_ref())
        };
        // The general lists are for what another attempt may mend, too.
        let plan = &self.0.plan;
        let long = plan.for_long_prompts(name).filter(|_| plan.has_context());
        let refused = plan.for_refusals(name).filter(|_| plan.has_content());
        Fallbacks {
            context: is_there(asked_for(|asked| &asked.context).or(long)),
            content: is_there(asked_for(|asked| &asked.content).or(refused)),
        }
    }
}

impl fallback::Policy<Asked> for Attempts {
    fn plan(&self, _req: &Request<Asked>) -> Arc<Plan> {
        self.0.plan.clone()
    }

    fn copy(&self, req: &Request<Asked>) -> Option<Request<Asked>> {
        Some(Asked::again(req))
    }

    /// None for a call that brings its own upstream or key: these are for the group that it names,
    /// and no other provider may see them.
    fn group<'a>(&self, req: &'a Request<Asked>) -> Option<&'a str> {
        let asked = req.body();
        asked.model.as_deref().filter(|_| asked.elsewhere.is_none())
    }

    fn redirect(&self, mut req: Request<Asked>, target: &Target) -> Option<Request<Asked>> {
        self.0.groups.find(&target.group)?;
        let prompt = req.body_mut();
        prompt.model = Some((&*target.group).into());
        if let Some(params) = &target.params {
            prompt.forced = params.clone().downcast::<Members>().ok();
        }
        Some(req)
    }

    fn falling_back(&self, next: &Request<Asked>, target: &Target, failed: &Fault) {
        let found = self.0.groups.find(&target.group);
        if let (Some(trail), Some(found)) = (next.body().facts().get::<Trail>(), found) {
            // A client may have named it: as it stands in the config, there are only so many.
            trail.falling_back(found.group.name.clone(), told(failed));
        }
    }
}

/// A failure as records and metrics tell it.
fn told(fault: &Fault) -> Told {
    Told { status: fault.status.as_u16(), class: Class::of(fault.status).name() }
}

const RETRIES: HeaderName = HeaderName::from_static("x-litellm-attempted-retries");
const MOST_RETRIES: HeaderName = HeaderName::from_static("x-litellm-max-retries");
const GROUP: HeaderName = HeaderName::from_static("x-litellm-model-group");
const FALLBACKS: HeaderName = HeaderName::from_static("x-litellm-attempted-fallbacks");

/// Tells in an answer's headers how many attempts it took; those of a deployment say none.
pub(super) fn tell<B>(answer: &mut Response<B>) {
    let facts = answer.extensions();
    let retries = facts.get().map(|Retries { done, most }| (*done, *most));
    let fallbacks = facts.get().map(|FellBack { fallbacks, .. }| *fallbacks);
    if let Some((done, most)) = retries {
        answer.headers_mut().insert(RETRIES, done.into());
        answer.headers_mut().insert(MOST_RETRIES, most.into());
    }
    if let Some(fallbacks) = fallbacks {
        answer.headers_mut().insert(FALLBACKS, fallbacks.into());
    }
}

/// Tells in the headers of an `error` that was made here who failed, and how many attempts it took.
#[cold]
pub fn tell_error(error: &(dyn Error + 'static), trail: &Trail, headers: &mut HeaderMap) {
    let tried = trail.attempted();
    let Some(group) = tried.group else { return };
    let failed = cause_ref::<AttemptFailed>(error);
    match failed.and_then(|failed| trail.tried(&failed.deployment)) {
        Some(deployment) => headers.extend(answer_headers(&deployment)),
        None => headers.extend(HeaderValue::from_str(&group).map(|group| (GROUP, group))),
    }
    headers.insert(RETRIES, tried.retries.into());
    if tried.retries > 0 {
        headers.insert(MOST_RETRIES, tried.most.into());
    }
    headers.insert(FALLBACKS, tried.fallbacks.into());
}

/// Tells in the headers of a deployment's error how many groups did no better.
#[cold]
pub fn tell_fallbacks(trail: &Trail, headers: &mut HeaderMap) {
    let fallbacks = trail.attempted().fallbacks;
    if fallbacks > 0 {
        headers.insert(FALLBACKS, fallbacks.into());
    }
}

/// The plan that a config makes. An alias of one group has the lists of that group, where it has
/// none of its own.
pub(super) fn plan(lists: &Lists, aliases: &[Alias]) -> Plan {
    let targets = |targets: &[FallbackTarget]| targets.iter().map(target).collect::<Arc<[_]>>();
    let mut plan = Plan::default().depth(lists.max as usize).any(targets(&lists.default));
    for (group, list) in named(&lists.general, aliases) {
        plan = plan.general(group, targets(list));
    }
    for (group, list) in named(&lists.context_window, aliases) {
        plan = plan.context(group, targets(list));
    }
    for (group, list) in named(&lists.content_policy, aliases) {
        plan = plan.content(group, targets(list));
    }
    plan
}

/// The lists by the name that leads to them; of a name that comes twice the last one counts.
fn named<'a>(
    lists: &'a [Fallback],
    aliases: &'a [Alias],
) -> impl Iterator<Item = (&'a str, &'a [FallbackTarget])> {
    // The first entry of a group counts.
    let own = lists.iter().rev().map(|(group, list)| (group.as_str(), list.as_slice()));
    let of_alias = |alias: &'a Alias| {
        let list = lists.iter().find(|(group, _)| alias.only() == Some(group))?;
        Some((alias.name.as_str(), list.1.as_slice()))
    };
    aliases.iter().filter_map(of_alias).chain(own)
}

fn target(told: &FallbackTarget) -> Target {
    let target = Target::new(told.group.as_str());
    if told.params.is_empty() { target } else { target.with_params(told.params.clone()) }
}
