//! Model name → deployments: ids, aliases, exact names, wildcards (contract 2.4).
use super::deployment::Deployment;
use super::error::RouteError;
use super::stars::{capture, specificity};
use crate::config::{Alias, Routing};
use crate::data;
use crate::telemetry::Trail;
use bartizan_layers::retry::{ByClass, RetryBudget, Rules};
use bartizan_layers::wire::estimate::Typical;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// Deployments that answer to one name.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The name as the config spells it; metrics call it the requested model.
    pub name: Arc<str>,
    /// At least one, but for an alias of a name that only a wildcard serves.
    pub deployments: Vec<Arc<Deployment>>,
    /// The name that such an alias stands for.
    stands_for: Option<Box<str>>,
    /// What holds for its retries.
    pub retry: Rules,
    /// What its calls usually take.
    pub typical: Typical,
}

impl Group {
    /// One deployment under a `name`.
    pub(super) fn of(name: &str, deployment: &Arc<Deployment>) -> Self {
        Self { deployments: vec![deployment.clone()], ..empty(name) }
    }
}

/// A group, and what the name's wildcards stand for.
#[derive(Debug)]
pub(super) struct Found<'a> {
    /// The group.
    pub group: &'a Group,
    /// The text of each `*`, in order; `None` for a name without wildcards.
    pub captures: Option<Vec<&'a str>>,
    /// The name that was found: what was asked for, or what that is an alias of.
    pub name: &'a str,
}

impl<'a> Found<'a> {
    /// `name` at the deployments of `group`, whatever their own models.
    pub(super) fn whole(group: &'a Group, name: &'a str) -> Self {
        Self { group, captures: Some(vec![name]), name }
    }

    /// What `deployment` calls the model, its stars filled in.
    pub(super) fn model<'d>(&self, deployment: &'d Deployment) -> Cow<'d, str> {
        match &self.captures {
            Some(captures) => deployment.model(captures, self.name).into(),
            None => Cow::Borrowed(&deployment.config().model),
        }
    }

    /// The deployments that take the name and fit.
    pub(super) fn candidates<F: Fn(&Deployment) -> bool + Clone>(
        &self,
        fits: F,
    ) -> impl Iterator<Item = &'a Arc<Deployment>> + Clone + use<'a, F> {
        let (all, name) = (self.group.deployments.iter(), self.name);
        all.filter(move |deployment| deployment.serves(name) && fits(deployment))
    }

    /// Notes what is asked for.
    pub(super) fn note(&self, trail: Option<&Trail>, streamed: bool) {
        if let Some(trail) = trail {
            trail.set_requested(self.group.name.clone());
            trail.set_streamed(streamed);
        }
    }

    /// Why none of its deployments takes a call to `route`.
    pub(super) fn not_spoken(&self, route: &'static str) -> RouteError {
        RouteError::NotSpoken { route, model: self.name.into() }
    }
}

/// The names are the config's: no client can make them collide.
type Named = HashMap<String, Group, foldhash::fast::RandomState>;

/// All names that lead to a deployment.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// Under an id, an alias or a group's own name; where two are the same, the first of these.
    named: Named,
    /// Most specific first.
    patterns: Vec<Group>,
    by_model: Named,
    /// What answers to all other names.
    any: Option<Group>,
    listed: Vec<Arc<str>>,
    /// Names and patterns of providers that are not in this version.
    unserved: Vec<Arc<str>>,
}

impl Groups {
    /// Sorts deployments into groups.
    #[must_use]
    pub(super) fn new(routing: &Routing, deployments: &[Arc<Deployment>]) -> Self {
        let mut groups = Self::default();
        let mut ids = Named::default();
        for deployment in deployments {
            let config = deployment.config();
            let id = ids.entry(config.id.clone());
            join(id.or_insert_with(|| empty(&config.group)), deployment);
            groups.add(deployment);
        }
        let first = deployments.first().filter(|_| routing.any_name);
        groups.any = first.map(|one| Group::of(&one.config().group, one));
        groups.patterns.sort_by_key(|group| std::cmp::Reverse(specificity(&group.name)));
        let aliases = routing.aliases.iter();
        let aliases = aliases.filter_map(|alias| Some((alias, groups.alias(alias)?)));
        let aliases: Vec<_> = aliases.collect();
        for (alias, group) in aliases {
            if !alias.hidden {
                groups.list(&group.name.clone());
            }
            groups.named.insert(alias.name.clone(), group);
        }
        groups.named.extend(ids);
        groups.unserved = routing.unserved.iter().map(|name| name.as_str().into()).collect();
        groups.all_mut().for_each(|group| group.retry = rules(group, routing));
        groups
    }

    /// What an alias leads to: groups of their own names, or one name that a wildcard serves.
    fn alias(&self, alias: &Alias) -> Option<Group> {
        let own = |name: &String| self.named.get(name).or_else(|| self.pattern(name));
        let members = alias.groups.iter().filter_map(own);
        let deployments: Vec<_> = members.flat_map(|group| group.deployments.clone()).collect();
        let served = |name: &&String| self.matching(name).is_some();
        let stands_for = match &*alias.groups {
            [one] if deployments.is_empty() => Some(one).filter(served),
            _ => None,
        };
        let stands_for = stands_for.map(|name| name.as_str().into());
        let leads = !deployments.is_empty() || stands_for.is_some();
        leads.then(|| Group { deployments, stands_for, ..empty(&alias.name) })
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Group> {
        let named = [&mut self.named, &mut self.by_model].into_iter().flat_map(HashMap::values_mut);
        named.chain(&mut self.patterns).chain(&mut self.any)
    }

    fn add(&mut self, deployment: &Arc<Deployment>) {
        let config = deployment.config();
        let name = config.group.as_str();
        if name.contains('*') {
            match self.patterns.iter_mut().find(|group| *group.name == *name) {
                Some(group) => join(group, deployment),
                None => self.patterns.push(Group::of(name, deployment)),
            }
        } else {
            join(self.named.entry(name.to_owned()).or_insert_with(|| empty(name)), deployment);
        }
        // As its model is called in full, and as it is written.
        let full = format!("{}/{}", config.provider.name, config.model);
        let written = config.params.get("model").and_then(|model| model.as_str());
        let written = written.filter(|written| *written != full);
        for model in written.into_iter().chain([&*full]) {
            join(self.by_model.entry(model.to_owned()).or_insert_with(|| empty(model)), deployment);
        }
        self.list(&name.into());
    }

    fn list(&mut self, name: &Arc<str>) {
        if !self.listed.contains(name) {
            self.listed.push(name.clone());
        }
    }

    /// The names that `/v1/models` lists, wildcards as they are.
    #[must_use]
    pub(super) fn listed(&self) -> &[Arc<str>] {
        &self.listed
    }

    /// The names of all groups.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let named = [&self.named, &self.by_model].into_iter().flat_map(HashMap::values);
        let unserved = self.unserved.iter().map(|name| &**name);
        named.chain(&self.patterns).map(|group| &*group.name).chain(unserved)
    }

    /// What the config calls `name`, where its provider is not in this version.
    pub(super) fn unserved(&self, name: &str) -> Option<&Arc<str>> {
        self.unserved.iter().find(|unserved| capture(unserved, name).is_some())
    }

    /// The deployments that a pattern of [`Groups::listed`] stands for.
    pub(super) fn pattern(&self, name: &str) -> Option<&Group> {
        self.patterns.iter().find(|group| *group.name == *name)
    }

    /// Whether a name that is not listed may still lead somewhere.
    #[must_use]
    pub(super) fn has_wildcards(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// Whether `name` as a whole is one that the config spells.
    #[must_use]
    pub(super) fn is_exact(&self, name: &str) -> bool {
        self.named.contains_key(name)
    }

    /// The deployments that answer to `name`, by the first of: id, alias, exact name, wildcard,
    /// `provider/model`, the wildcard of the provider that the name implies, any name.
    #[must_use]
    pub(super) fn find<'a>(&'a self, name: &'a str) -> Option<Found<'a>> {
        let plain = self.named.get(name);
        let found = |group| Found { group, captures: None, name };
        if let Some(name) = plain.and_then(|group| group.stands_for.as_deref()) {
            return self.matching(name);
        }
        plain.map(found).or_else(|| self.matching(name)).or_else(|| {
            let by_model = self.by_model.get(name).filter(|group| !group.name.contains('*'));
            by_model
                .map(found)
                .or_else(|| self.implied(name))
                .or_else(|| self.any.as_ref().map(found))
        })
    }

    /// The pattern for a provider (`openai/*`) that a bare name implies (`gpt-4o`).
    fn implied<'a>(&'a self, name: &'a str) -> Option<Found<'a>> {
        let provider = data::provider_of_model(name).filter(|_| !self.patterns.is_empty())?;
        self.patterns.iter().find_map(|group| {
            let bare = group.name.strip_prefix(provider)?.strip_prefix('/')?;
            Some(Found { group, captures: Some(capture(bare, name)?), name })
        })
    }

    fn matching<'a>(&'a self, name: &'a str) -> Option<Found<'a>> {
        self.patterns.iter().find_map(|group| {
            let captures = capture(&group.name, name)?;
            let serves = group.deployments.iter().any(|deployment| deployment.serves(name));
            serves.then_some(Found { group, captures: Some(captures), name })
        })
    }
}

fn empty(name: &str) -> Group {
    Group {
        name: name.into(),
        deployments: Vec::new(),
        stands_for: None,
        retry: Rules::default(),
        typical: Typical::default(),
    }
}

fn join(group: &mut Group, deployment: &Arc<Deployment>) {
    group.deployments.push(deployment.clone());
}

/// What holds for the retries of a group.
fn rules(group: &Group, Routing { retries, aliases, .. }: &Routing) -> Rules {
    let own = group.deployments.iter().filter_map(|deployment| deployment.config().num_retries);
    let policy = |name: &str| retries.groups.get(name);
    let alias = || aliases.iter().find(|alias| alias.name == *group.name)?.only();
    let policy = policy(&group.name).or_else(|| policy(alias()?)).unwrap_or(&retries.policy);
    let by_class = ByClass {
        bad_request: policy.bad_request,
        authentication: policy.authentication,
        timeout: policy.timeout,
        rate_limit: policy.rate_limit,
        content_policy: policy.content_policy,
        internal_server: policy.internal_server,
    };
    Rules {
        retries: retries.num_retries,
        by_class,
        deployments: own.max().unwrap_or(0),
        budget: Some(RetryBudget::new(RETRY_PERCENT, RETRIES_PER_SECOND)),
        ..Rules::default()
    }
}

/// How many retries a hundred calls of a group may lead to.
const RETRY_PERCENT: u32 = 20;
/// How many it may have besides: enough for whoever has few calls, too few for a storm.
const RETRIES_PER_SECOND: u32 = 50;
