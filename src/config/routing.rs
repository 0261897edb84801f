//! Which deployments there are, under which names, and how one of them is chosen.
use super::fields::{Check, described};
use super::known::is_later_provider;
use super::load::Sections;
use super::yaml::{Kind, Node};
use super::{
    Alias, Budget, ClientSide, Cooldown, Deployment, Fallbacks, Fit, Options, Retries, TagRules,
    Through,
};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// Deployments and the names that lead to them.
#[derive(Debug)]
pub struct Routing {
    /// All deployments, in the order of the file.
    pub deployments: Vec<Deployment>,
    /// `model_group_alias`: alias → groups (their union), and whether it is left out of lists.
    pub aliases: Vec<Alias>,
    /// The model of a request that names none (`completion_model`).
    pub default_model: Option<String>,
    /// Whether names that lead nowhere lead to the first deployment (`--model`). Default false.
    pub any_name: bool,
    /// Whether streams are asked for their usage (`always_include_stream_usage`). Default true.
    pub stream_usage: bool,
    /// How requests are fitted to providers that cannot take all of them (`drop_params`,
    /// `modify_params` of `litellm_settings`).
    pub fit: Fit,
    /// Whether a LiteLLM-only body field `metadata` is forwarded (`enable_preview_features`).
    pub forward_metadata: bool,
    /// What holds where a deployment says nothing.
    pub timeouts: Timeouts,
    /// How often a failed call is tried again.
    pub retries: Retries,
    /// Which groups take over when one has failed.
    pub fallbacks: Fallbacks,
    /// When deployments rest.
    pub cooldown: Cooldown,
    /// Whether deployments that a call does not fit, by its tokens or by their `rpm` and `tpm`, are
    /// left out (`enable_pre_call_checks`). Default false.
    pub pre_call_checks: bool,
    /// Whether it is learnt how many calls each deployment can have in flight
    /// (`adaptive_concurrency`). Default false.
    pub adaptive: bool,
    /// Calls in flight of a deployment that says nothing itself (`default_max_parallel_requests`).
    pub deployment_parallel: Option<u32>,
    /// What clients may bring to any deployment (`allow_client_side_credentials`).
    pub client_side: ClientSide,
    /// How deployments are chosen by the tags of a request; `None` looks at no tags.
    pub tags: Option<TagRules>,
    /// Whether requests may bring a `mock_response` (`allow_client_mock_response`). Default: as in
    /// the LiteLLM generation that is followed, only of old.
    pub client_mocks: bool,
    /// Names of entries whose provider is not in this version: nobody serves them, a mock may.
    pub unserved: Vec<String>,
    /// Whether `/v1/models` lists wildcards as they are, too (`return_wildcard_routes`).
    pub list_wildcards: bool,
    /// What calls to a provider may cost (`provider_budget_config`).
    pub provider_budgets: BTreeMap<String, Budget>,
    /// What calls whose body goes straight through need.
    pub through: Through,
}

impl Routing {
    /// Whether some deployment takes an upstream or a credential that a client brings.
    #[must_use]
    pub fn takes_elsewhere(&self) -> bool {
        let any = |allowed: ClientSide| allowed.base || allowed.key;
        any(self.client_side) || self.deployments.iter().any(|one| any(one.client_side))
    }
}

/// How long parts of an upstream call may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// A call that is not streamed, whole. Default 6,000 s.
    pub total: Duration,
    /// A stream's first byte and each gap between two; default as `total`.
    pub stream: Option<Duration>,
    /// How long the first content event may be held back before the status is sent on. 15 s.
    pub commit: Duration,
}

impl Check<'_> {
    pub(super) fn strategy(&mut self, router: &Node) {
        let told = router.get("routing_strategy");
        let is_known = told.is_some_and(|told| !self.wrong.contains(&told.place));
        let strategy = self.text(router, "routing_strategy").filter(|_| is_known);
        if let Some(other) = strategy.filter(|strategy| strategy != "simple-shuffle") {
            self.later.insert(format!(
                "router_settings.routing_strategy: {other} (simple-shuffle is used)"
            ));
        }
    }

    pub(super) fn routing(&mut self, sections: &Sections<'_>, options: &Options) -> Routing {
        let Sections { general, litellm, router, .. } = *sections;
        let total =
            self.seconds(router, "timeout").or_else(|| self.seconds(litellm, "request_timeout"));
        let total = options.request_timeout().or(total);
        let total = total.or_else(|| options.default_timeout(self.env));
        let stream_usage = self.flag(general, "always_include_stream_usage");
        let stream_usage =
            stream_usage.or_else(|| self.flag(litellm, "always_include_stream_usage"));
        Routing {
            deployments: self.deployments(sections, options),
            unserved: unserved(sections.root),
            aliases: self.aliases(router, litellm),
            default_model: options.model.clone(),
            any_name: options.model.is_some(),
            stream_usage: stream_usage.unwrap_or(true),
            fit: Fit {
                drop: self.flag(litellm, "drop_params"),
                modify: self.flag(litellm, "modify_params").unwrap_or(false),
                ..Fit::default()
            },
            forward_metadata: self.flag(litellm, "enable_preview_features").unwrap_or(false),
            timeouts: Timeouts {
                total: total.unwrap_or(Duration::from_secs(6000)),
                stream: self.seconds(router, "stream_timeout"),
                commit: Duration::from_secs(15),
            },
            retries: self.retries(sections),
            fallbacks: self.fallbacks_of(sections),
            cooldown: self.cooldown(sections),
            pre_call_checks: self.flag(router, "enable_pre_call_checks").unwrap_or(false),
            adaptive: self.flag(router, "adaptive_concurrency").unwrap_or(false),
            deployment_parallel: self.count(router, "default_max_parallel_requests"),
            client_side: self
                .flag(general, "allow_client_side_credentials")
                .map(|both| ClientSide { base: both, key: both })
                .unwrap_or_default(),
            tags: self.tag_rules(router),
            client_mocks: false,
            list_wildcards: self.flag(general, "return_wildcard_routes").unwrap_or(false),
            provider_budgets: self.provider_budgets(router),
            through: Through::default(),
        }
    }

    fn deployments(&mut self, sections: &Sections<'_>, options: &Options) -> Vec<Deployment> {
        if let Some(model) = &options.model {
            return self.single(model, options);
        }
        self.without_model(options);
        if !sections.is_written {
            return self.discovered();
        }
        let list = sections.root.get("model_list").filter(|list| !list.is_null());
        let Some(list) = list else {
            self.problems.notice("no model_list: models come from the keys in the environment");
            return self.discovered();
        };
        if !matches!(list.kind, Kind::List(_)) {
            let message = format!("`model_list` must be a list, not {}", described(list));
            self.error(list, message, "begin each model with `- model_name: NAME`");
        }
        let mut ids = HashSet::new();
        let mut deployments = self.listed(list, &mut ids);
        if self.flag(sections.general, "infer_model_from_keys").unwrap_or(false) {
            let found = self.discovered().into_iter().filter(|one| one.api_base.is_some());
            deployments.extend(found.filter(|one| ids.insert(one.id.clone())));
        }
        deployments
    }

    /// The entries of `model_list` that can be used, each with an id that none before has.
    fn listed(&mut self, list: &Node, ids: &mut HashSet<String>) -> Vec<Deployment> {
        let names = list.items().iter().filter_map(|entry| entry.get("model_name")?.text());
        let taken: Vec<_> = names.filter(|name| *name != "*").collect();
        let mut deployments = Vec::new();
        for entry in list.items() {
            let made = match is_everything(entry) {
                true => self.everything(entry, &taken),
                false => self.deployment(entry).into_iter().collect(),
            };
            for mut deployment in made {
                if ids.contains(&deployment.id)
                    && let Some(id) = self.id_of_unset(entry, &deployment.group)
                {
                    deployment.id = id;
                }
                if ids.insert(deployment.id.clone()) {
                    deployments.push(deployment);
                } else {
                    self.stands_twice(entry, &deployment);
                }
            }
        }
        deployments
    }

    fn stands_twice(&mut self, entry: &Node, deployment: &Deployment) {
        let own = entry.get("model_info").and_then(|info| info.get("id"));
        let message = match own.is_some_and(|id| !id.is_null()) {
            true => format!("the id `{}` stands twice", deployment.id),
            false => format!("this is the same as another entry of `{}`", deployment.group),
        };
        let help = "give each deployment its own `model_info.id`, or remove one";
        self.warn(entry, message, help);
    }
}

/// The names of entries of `model_list` whose provider is not in this version.
fn unserved(root: &Node) -> Vec<String> {
    let entries = root.get("model_list").map(Node::items).unwrap_or_default().iter();
    let is_later = |entry: &&Node| {
        let told = |key| entry.get("litellm_params")?.get(key)?.text();
        let prefix = || Some(told("model")?.split_once('/')?.0);
        told("custom_llm_provider").or_else(prefix).is_some_and(is_later_provider)
    };
    let names = entries.filter(is_later).filter_map(|entry| entry.get("model_name")?.text());
    names.map(str::to_owned).collect()
}

/// Whether an entry stands for all models of all providers (contract 2.4, 6).
fn is_everything(entry: &Node) -> bool {
    let params = entry.get("litellm_params");
    let told = |key| params.and_then(|params| params.get(key));
    entry.get("model_name").and_then(Node::text) == Some("*")
        && told("model").and_then(Node::text) == Some("*")
        && told("custom_llm_provider").is_none_or(Node::is_null)
}
