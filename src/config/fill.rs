//! What a model entry gets from elsewhere in the config: a named credential, the parameters of all
//! deployments, a price by name.
use super::fields::Check;
use super::keys::{self, Standing};
use super::known;
use super::load::Sections;
use super::problem::Problem;
use super::yaml::{Kind, Node};
use bartizan_layers::facts::Price;
use std::borrow::Cow;

/// Where that stands.
#[derive(Debug, Default)]
pub(super) struct Fill<'a> {
    /// `credential_list`: names and values.
    credentials: Vec<(String, &'a Node)>,
    /// `router_settings.default_litellm_params`.
    defaults: Option<&'a Node>,
    /// `general_settings.cost_per_token`: picodollars by model group or model.
    costs: Vec<(String, i64)>,
    /// `cost_discount_config` and `cost_margin_config`: what costs are multiplied with, by provider.
    discounts: Vec<(String, f64)>,
    margins: Vec<(String, f64)>,
}

impl<'a> Check<'a> {
    pub(super) fn fill(&mut self, sections: &Sections<'a>) {
        let Sections { root, general, litellm, router, .. } = *sections;
        let defaults = self.section(router, "default_litellm_params");
        let credentials = self.credentials(root);
        let costs = self.section(general, "cost_per_token").map(|map| self.costs(map));
        let costs = costs.unwrap_or_default();
        let discounts = self.factors(litellm, "cost_discount_config", |share| 1.0 - share.min(1.0));
        let margins = self.factors(litellm, "cost_margin_config", |share| 1.0 + share);
        self.fill = Fill { credentials, defaults, costs, discounts, margins };
    }

    fn credentials(&mut self, root: &'a Node) -> Vec<(String, &'a Node)> {
        let Some(list) = root.get("credential_list").filter(|list| !list.is_null()) else {
            return Vec::new();
        };
        let help = "write `- credential_name: NAME` and `credential_values: {api_key: …}` below it";
        if !matches!(list.kind, Kind::List(_)) {
            self.error(list, "`credential_list` must be a list".to_owned(), help);
        }
        let mut all: Vec<(String, &Node)> = Vec::new();
        for entry in list.items() {
            let name = self.text(entry, "credential_name");
            let values = self.section(entry, "credential_values");
            let Some((name, values)) = name.zip(values) else {
                let message = "a credential has a `credential_name` and `credential_values`";
                self.error(entry, message.to_owned(), help);
                continue;
            };
            if all.iter().any(|(known, _)| *known == name) {
                let message = format!("the credential `{name}` stands twice: the first one counts");
                self.warn(entry, message, "give each its own name");
                continue;
            }
            all.push((name, values));
        }
        all
    }

    /// Shares by provider, `0.05` for five of a hundred, as what they make of a cost.
    fn factors(&mut self, litellm: &Node, key: &str, factor: fn(f64) -> f64) -> Vec<(String, f64)> {
        let Some(map) = self.section(litellm, key) else { return Vec::new() };
        let mut factors = Vec::new();
        for (name, value) in map.entries() {
            let Some(name) = name.as_text() else { continue };
            let share = match value.kind {
                Kind::Map(_) => self.number(value, "percentage"),
                _ => self.number(map, &name),
            };
            if let Some(fixed) = value.get("fixed_amount").filter(|fixed| !fixed.is_null()) {
                let message = "`fixed_amount` has no effect in this version".to_owned();
                self.warn(fixed, message, "write a `percentage`, as a share of 1");
            }
            factors.extend(share.map(|share| (name, factor(share))));
        }
        factors
    }

    /// What the costs of a provider are multiplied with.
    pub(super) fn cost_factor(&self, provider: &str) -> f64 {
        let of = |all: &[(String, f64)], name: &str| {
            all.iter().find(|(known, _)| known == name).map(|(_, factor)| *factor)
        };
        let discount = of(&self.fill.discounts, provider).unwrap_or(1.0);
        let margin = of(&self.fill.margins, provider).or_else(|| of(&self.fill.margins, "global"));
        discount * margin.unwrap_or(1.0)
    }

    fn costs(&mut self, map: &Node) -> Vec<(String, i64)> {
        let names = map.entries().filter_map(|(name, _)| name.as_text());
        let costs = names.filter_map(|name| {
            let dollars = self.number(map, &name)?;
            Some((name, super::price::picodollars(dollars)))
        });
        costs.collect()
    }

    /// The parameters of a deployment with those that it has from its credential and from the
    /// defaults; its own come first. Nothing, and an error, if there is no such credential.
    pub(super) fn filled<'n>(&mut self, params: &'n Node) -> Option<Cow<'n, Node>> {
        let mut filled = Cow::Borrowed(params);
        if let Some(name) = self.text(params, "litellm_credential_name") {
            let found = self.fill.credentials.iter().find(|(known, _)| *known == name);
            let Some((_, values)) = found else {
                self.no_credential(params, &name);
                return None;
            };
            let fits = |key: &str| {
                let found = keys::find("litellm_params", key);
                found.is_some_and(|key| key.standing != Standing::Sent)
            };
            add(&mut filled, values, fits);
        }
        if let Some(defaults) = self.fill.defaults {
            add(&mut filled, defaults, |key| key != "model");
        }
        Some(filled)
    }

    fn no_credential(&mut self, params: &Node, name: &str) {
        let names = self.fill.credentials.iter().map(|(name, _)| name.as_str());
        let help = match known::nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "add it to `credential_list`".to_owned(),
        };
        let at = params.get("litellm_credential_name").unwrap_or(params).place;
        let message = format!("no credential is named `{name}`");
        self.problems.add(Problem::error(message, at).help(help));
    }

    /// The price that `cost_per_token` has for a group, or for a model with or without its provider.
    pub(super) fn cost_of(&self, names: &[&str]) -> Option<Price> {
        let costs = &self.fill.costs;
        let cost = |name: &&str| costs.iter().find(|(known, _)| known == name);
        names.iter().find_map(cost).map(|(_, cost)| super::price::flat(*cost))
    }
}

/// Adds the values that lack.
fn add(params: &mut Cow<'_, Node>, values: &Node, fits: impl Fn(&str) -> bool) {
    for (key, value) in values.entries() {
        let name = key.as_text().unwrap_or_default();
        let has = |name: &str| params.get(name).is_some_and(|value| !value.is_null());
        let is_base = |name: &str| matches!(name, "api_base" | "base_url");
        let there = has(&name) || is_base(&name) && (has("api_base") || has("base_url"));
        if there || value.is_null() || !fits(&name) {
            continue;
        }
        if let Kind::Map(entries) = &mut params.to_mut().kind {
            entries.retain(|(other, _)| other.as_text().as_ref() != Some(&name));
            entries.push((key.clone(), value.clone()));
        }
    }
}
