//! Which groups take over when a group has failed.
use super::Members;
use super::entry::json_members;
use super::fields::Check;
use super::load::Sections;
use super::yaml::{Kind, Node};

/// The groups that take over, by what went wrong (contract 5.4). Each list is in the order of the
/// file; of two entries of one group the first counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallbacks {
    /// After any failure.
    pub general: Vec<Fallback>,
    /// After a request that was too long.
    pub context_window: Vec<Fallback>,
    /// After a provider's policy has refused.
    pub content_policy: Vec<Fallback>,
    /// For groups that `general` does not name: `default_fallbacks`, else those of `"*"`.
    pub default: Vec<FallbackTarget>,
    /// How many groups are tried, one after another. Default 5.
    pub max: u32,
}

impl Fallbacks {
    /// Whether there are none for any group.
    #[must_use]
    pub fn are_none(&self) -> bool {
        let lists = [&self.general, &self.context_window, &self.content_policy];
        self.default.is_empty() && lists.iter().all(|list| list.is_empty())
    }
}

impl Default for Fallbacks {
    fn default() -> Self {
        Self {
            general: Vec::new(),
            context_window: Vec::new(),
            content_policy: Vec::new(),
            default: Vec::new(),
            max: 5,
        }
    }
}

/// A group, and who takes over for it, in order.
pub type Fallback = (String, Vec<FallbackTarget>);

/// One that takes over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FallbackTarget {
    /// The model group.
    pub group: String,
    /// Members that its request gets in place of the client's, as JSON text.
    pub params: Members,
}

/// The name that stands for all groups.
const ALL: &str = "*";

impl Check<'_> {
    /// The fallbacks of both sections; of a key in both, the router's. What is wrong with them the
    /// table of keys has told.
    pub(super) fn fallbacks_of(&mut self, sections: &Sections<'_>) -> Fallbacks {
        let Sections { litellm, router, .. } = *sections;
        let default = told(router.get("default_fallbacks"), litellm.get("default_fallbacks"));
        let mut general = lists(told(router.get("fallbacks"), litellm.get("fallbacks")));
        let mut of_all = Vec::new();
        general.retain_mut(|(group, targets)| {
            let named = group != ALL;
            if !named {
                of_all = std::mem::take(targets);
            }
            named
        });
        let default = default.map(targets).filter(|targets| !targets.is_empty());
        Fallbacks {
            general,
            context_window: lists(told(
                router.get("context_window_fallbacks"),
                litellm.get("context_window_fallbacks"),
            )),
            content_policy: lists(told(
                router.get("content_policy_fallbacks"),
                litellm.get("content_policy_fallbacks"),
            )),
            default: default.unwrap_or(of_all),
            max: self.count(router, "max_fallbacks").unwrap_or(Fallbacks::default().max),
        }
    }
}

/// The first list that holds something: an empty one is none, as in LiteLLM.
fn told<'n>(one: Option<&'n Node>, other: Option<&'n Node>) -> Option<&'n Node> {
    one.filter(|list| !list.items().is_empty()).or(other)
}

/// `[{a: [b, c]}, {d: e}]`
fn lists(told: Option<&Node>) -> Vec<Fallback> {
    let maps = told.map(Node::items).unwrap_or_default();
    let mut all: Vec<Fallback> = Vec::new();
    for map in maps.iter().filter(|map| map.entries().count() == 1) {
        for (group, value) in map.entries() {
            let Some(group) = group.as_text() else { continue };
            all.push((group, targets(value)));
        }
    }
    all
}

/// A list of groups, or one alone.
fn targets(value: &Node) -> Vec<FallbackTarget> {
    match value.kind {
        Kind::List(_) => value.items().iter().filter_map(target).collect(),
        _ => target(value).into_iter().collect(),
    }
}

/// A name, or `{model: name, temperature: 0}`.
fn target(value: &Node) -> Option<FallbackTarget> {
    if let Some(group) = value.as_text() {
        return Some(FallbackTarget { group, params: Members::default() });
    }
    let group = value.get("model")?.as_text()?;
    let mut params = json_members(Some(value));
    params.retain(|(name, _)| name != "model");
    Some(FallbackTarget { group, params })
}
