//! More names for model groups: `model_group_alias`, and `model_alias_map`, which means the same.
use super::fields::Check;
use super::yaml::Node;

/// `enable_tag_filtering`.
#[derive(Clone, Copy, Debug)]
pub struct TagRules {
    /// Whether one tag in common is enough (`tag_filtering_match_any`, default true); else a
    /// deployment must have all tags of the request.
    pub match_any: bool,
}

/// One more name for some groups.
#[derive(Clone, Debug)]
pub struct Alias {
    /// What clients ask for.
    pub name: String,
    /// The groups that answer, as one.
    pub groups: Vec<String>,
    /// Whether `/v1/models` leaves it out.
    pub hidden: bool,
}

impl Alias {
    /// The group that it stands for, if it is one alone.
    #[must_use]
    pub fn only(&self) -> Option<&String> {
        self.groups.first().filter(|_| self.groups.len() == 1)
    }
}

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
}

/// Where aliases stand, in the sections of the router and of LiteLLM.
pub(super) const MAPS: [&str; 2] = ["model_group_alias", "model_alias_map"];
