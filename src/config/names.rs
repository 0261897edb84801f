//! Names of model groups in a config: whether what is named exists.
use super::aliases::MAPS;
use super::fields::Check;
use super::known;
use super::problem::{Place, Problem};
use super::yaml::Node;
use super::{Alias, Routing};

/// A model group that a key names.
#[derive(Debug)]
pub(super) struct Named {
    /// The key's full name.
    pub(super) by: String,
    pub(super) group: String,
    pub(super) place: Place,
}

impl Check<'_> {
    /// Whether aliases and fallbacks lead to groups that exist.
    pub(super) fn targets(&mut self, root: &Node, sections: [&Node; 2], routing: &Routing) {
        let groups = groups(root, routing);
        for alias in &routing.aliases {
            let maps = sections.into_iter().zip(MAPS).filter_map(|(section, map)| section.get(map));
            let at = maps.filter_map(|map| map.get(&alias.name)).next().unwrap_or(root);
            self.alias(at, alias, &routing.aliases, &groups);
        }
        let aliases = routing.aliases.iter().map(|alias| alias.name.as_str());
        let names: Vec<_> = aliases.chain(groups.iter().map(String::as_str)).collect();
        let models: Vec<_> = routing.deployments.iter().map(model_of).collect();
        for named in std::mem::take(&mut self.groups) {
            let is_model = models.contains(&named.group);
            if named.group == "*" || is_model || names.iter().any(|name| covers(name, &named.group))
            {
                continue;
            }
            let help = mend(&named.group, &names);
            let message = format!("`{}` names `{}`, which no model has", named.by, named.group);
            self.tell(Problem::warning(message, named.place).help(help));
        }
    }

    fn alias(&mut self, at: &Node, alias: &Alias, all: &[Alias], groups: &[String]) {
        let Alias { name, .. } = alias;
        for target in alias.groups.iter().filter(|target| !groups.contains(target)) {
            let served = groups.iter().any(|group| covers(group, target));
            if served && alias.groups.len() == 1 {
                continue;
            }
            let next = all.iter().find(|other| other.name == *target);
            let (message, help) = match next {
                Some(_) if circle(name, all) => (
                    format!("the alias `{name}` leads back to itself, by way of `{target}`"),
                    "let it lead to a model group".to_owned(),
                ),
                Some(next) => (
                    format!("the alias `{name}` leads to `{target}`, which is an alias too"),
                    format!("write `{name}: {}`", next.groups.join(", ")),
                ),
                None if served => (
                    format!("the alias `{name}` leads to `{target}`, which only a wildcard serves"),
                    "give it an entry of its own in `model_list`".to_owned(),
                ),
                None => {
                    let names: Vec<_> = groups.iter().map(String::as_str).collect();
                    let message =
                        format!("the alias `{name}` leads to `{target}`, which no model has");
                    (message, mend(target, &names))
                }
            };
            self.warn(at, message, &help);
        }
    }
}

/// Every group that the file names, also of entries that cannot be built; without a list of
/// models, those that were found.
fn groups(root: &Node, routing: &Routing) -> Vec<String> {
    let list = root.get("model_list").map(Node::items).unwrap_or_default();
    let told = list.iter().filter_map(|entry| entry.get("model_name").and_then(Node::as_text));
    let found = routing.deployments.iter().map(|one| one.group.clone());
    let mut groups: Vec<_> = found.collect();
    groups.extend(told);
    groups
}

fn model_of(deployment: &super::Deployment) -> String {
    format!("{}/{}", deployment.provider.name, deployment.model)
}

/// Whether a name, which may hold `*`, stands for a group.
fn covers(name: &str, group: &str) -> bool {
    let mut parts = name.split('*');
    let Some(mut rest) = parts.next().and_then(|start| group.strip_prefix(start)) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
        last = Some(part);
    }
    last.map_or(rest.is_empty(), |end| group.ends_with(end))
}

/// Whether whoever follows an alias comes back to it.
fn circle(name: &str, all: &[Alias]) -> bool {
    let mut seen: Vec<&str> = Vec::new();
    let mut next = vec![name];
    while let Some(one) = next.pop() {
        let alias = all.iter().find(|alias| alias.name == one);
        for target in alias.into_iter().flat_map(|alias| &alias.groups) {
            if target == name {
                return true;
            }
            if !seen.contains(&target.as_str()) {
                seen.push(target);
                next.push(target);
            }
        }
    }
    false
}

fn mend(group: &str, names: &[&str]) -> String {
    let near = known::nearest(group, names.iter().copied());
    // Versions of a model are near to each other without being slips.
    let is_slip =
        |near: &&str| strsim::damerau_levenshtein(group, near) <= (group.len() / 5).max(1);
    match near.filter(is_slip) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "add it to `model_list`".to_owned(),
    }
}
