//! More names for model groups: `model_group_alias`, and `model_alias_map`, which means the same.
use super::fields::Check;
use super::known;
use super::yaml::Node;
use super::{Alias, Routing, TagRules};
use std::collections::HashSet;

impl Check<'_> {
    /// `enable_tag_filtering` and what goes with it.
    pub(super) fn tag_rules(&mut self, router: &Node) -> Option<TagRules> {
        let match_any = self.flag(router, "tag_filtering_match_any").unwrap_or(true);
        let on = self.flag(router, "enable_tag_filtering").unwrap_or(false);
        on.then_some(TagRules { match_any })
    }

    /// The aliases of both sections; the router's come first.
    pub(super) fn aliases(&mut self, router: &Node, litellm: &Node) -> Vec<Alias> {
        let maps = [self.section(router, MAPS[0]), self.section(litellm, MAPS[1])];
        let mut aliases: Vec<Alias> = Vec::new();
        for (name, value) in maps.into_iter().flatten().flat_map(Node::entries) {
            let hidden = value.get("hidden").and_then(Node::as_bool).unwrap_or(false);
            let target = value.get("model").unwrap_or(value);
            let several: Vec<_> = target.items().iter().filter_map(Node::as_text).collect();
            let groups = target.as_text().map_or(several, |one| vec![one]);
            match name.as_text() {
                Some(name) if !groups.is_empty() => {
                    if !aliases.iter().any(|alias| alias.name == name) {
                        aliases.push(Alias { name, groups, hidden });
                    }
                }
                _ => {
                    let message =
                        "an alias leads to a model group, or to a list of them".to_owned();
                    self.error(value, message, "write `alias: group`, or `alias: [one, other]`");
                }
            }
        }
        aliases
    }

    /// Names what no alias can lead to.
    pub(super) fn alias_targets(&mut self, router: &Node, litellm: &Node, routing: &Routing) {
        let groups: HashSet<_> = routing.deployments.iter().map(|one| one.group.as_str()).collect();
        for alias in &routing.aliases {
            let maps = [router.get(MAPS[0]), litellm.get(MAPS[1])];
            let at = maps.into_iter().flatten().find_map(|map| map.get(&alias.name));
            let missing = alias.groups.iter().filter(|group| !groups.contains(group.as_str()));
            for group in missing {
                let served = groups.iter().any(|pattern| fits(pattern, group));
                if served && alias.groups.len() == 1 {
                    continue;
                }
                let near = known::nearest(group, groups.iter().copied());
                let help = match (served, near) {
                    (true, _) => "give it an entry of its own in `model_list`".to_owned(),
                    (_, Some(near)) => format!("did you mean `{near}`?"),
                    _ => "add it to `model_list`".to_owned(),
                };
                let why = if served { "only a wildcard serves" } else { "no model has" };
                let message = format!("the alias `{}` leads to `{group}`, which {why}", alias.name);
                self.warn(at.unwrap_or(router), message, &help);
            }
        }
    }
}

/// Where aliases stand, in the sections of the router and of LiteLLM.
const MAPS: [&str; 2] = ["model_group_alias", "model_alias_map"];

/// Whether a name is one of those that a pattern with `*` stands for.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|start| name.strip_prefix(start)) else {
        return false;
    };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}
