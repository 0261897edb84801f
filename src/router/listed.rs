//! The names that clients may ask for.
use super::Router;
use super::deployment::Deployment;
use super::stars::{capture, filled};
use crate::data::{self, Model, Picture};
use crate::identity::Names;
use bartizan_layers::auth::access::covers;
use bartizan_layers::facts::Price;
use std::collections::HashSet;
use std::sync::Arc;

/// The tag that Ollama puts behind a name that has none.
const LATEST: &str = ":latest";

/// One name of `/v1/models`.
#[derive(Clone, Debug)]
pub struct Listed {
    /// What clients ask for.
    pub name: String,
    /// What the catalogue knows of it.
    pub model: Option<Model>,
}

impl Router {
    /// All names, each once. A wildcard stands for what the catalogue knows of its provider, and
    /// for itself if `raw`.
    #[must_use]
    pub fn listed(&self, raw: bool) -> Vec<Listed> {
        let raw = raw || self.0.rules.settings.list_wildcards;
        let mut seen = HashSet::new();
        let mut all = Vec::new();
        for name in self.0.groups.listed() {
            match self.0.groups.pattern(name) {
                None => all.push(self.named(name)),
                Some(group) => {
                    all.extend(raw.then(|| Listed { name: name.to_string(), model: None }));
                    let members = group.deployments.iter();
                    all.extend(members.flat_map(|deployment| expanded(name, deployment)));
                }
            }
        }
        all.retain(|listed| seen.insert(listed.name.clone()));
        all
    }

    /// The access groups of all deployments, each once (`model_info.access_groups`).
    #[must_use]
    pub fn access_groups(&self) -> Vec<String> {
        let groups = self.0.deployments.iter().flat_map(|one| &one.config().access_groups);
        let mut seen = HashSet::new();
        groups.filter(|name| seen.insert(*name)).cloned().collect()
    }

    /// What a team calls the model of its own that goes by `name` in the config.
    #[must_use]
    pub fn name_in_team(&self, name: &str) -> Option<Box<str>> {
        self.told(name, "team_public_model_name")
    }

    /// A text in the `model_info` of a group's first deployment.
    fn told(&self, name: &str, field: &str) -> Option<Box<str>> {
        let found = self.0.groups.find(name)?;
        let info = &found.group.deployments.first()?.config().info;
        info.get(field)?.as_str().map(Into::into)
    }

    /// The names of all groups, wildcards as they are, and the deployments that answer to them.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &[Arc<Deployment>])> {
        let groups = &self.0.groups;
        groups.listed().iter().filter_map(|name| {
            let group = groups.pattern(name).or_else(|| Some(groups.find(name)?.group))?;
            Some((&**name, group.deployments.as_slice()))
        })
    }

    /// What the catalogue knows of the model that `name` leads to, and its provider's name; `None`
    /// if it leads nowhere.
    #[must_use]
    pub fn known(&self, name: &str) -> Option<(&'static str, Option<Model>)> {
        let listed = self.look_up(name)?;
        let found = self.0.groups.find(name)?;
        Some((found.group.deployments.first()?.config().provider.name, listed.model))
    }

    /// What a call by that name costs at the first deployment that takes it, or what the catalogue
    /// says of a model that leads nowhere.
    #[must_use]
    pub fn price(&self, name: &str) -> Option<Arc<Price>> {
        let found = self.0.groups.find(name);
        let own = found.and_then(|found| {
            let deployment = found.group.deployments.first()?;
            Some(deployment.price(&found.model(deployment)))
        });
        own.or_else(|| data::model(name).map(|model| Arc::new(model.price)))
    }

    /// What the deployment with that id charges for a model, if there is one; for an image, what
    /// one of the usual size costs.
    #[must_use]
    pub fn price_at(&self, deployment: &str, model: &str) -> Option<Arc<Price>> {
        let found = self.0.deployments.iter().find(|one| one.config().id == deployment)?;
        Some(found.price_of_images(model, &Picture::default()).into())
    }

    /// The name `id`, if a call may ask for it.
    #[must_use]
    pub fn look_up(&self, id: &str) -> Option<Listed> {
        self.0.groups.find(id).map(|found| match found.captures {
            None => self.named(id),
            Some(captures) => {
                let deployment = found.group.deployments.first();
                let name = found.name;
                let model =
                    deployment.and_then(|one| one.catalogued_as(&one.model(&captures, name)));
                Listed { name: id.to_owned(), model }
            }
        })
    }

    /// The name by which a model is known that Ollama's clients name with a tag, or without the one
    /// that it has: `llama3` and `llama3:latest` are the same there.
    #[must_use]
    pub fn untagged(&self, name: Box<str>) -> Box<str> {
        let groups = &self.0.groups;
        if groups.is_exact(&name) {
            return name;
        }
        match name.strip_suffix(LATEST) {
            Some(bare) if groups.find(bare).is_some() => bare.into(),
            Some(_) => name,
            None => {
                let tagged = format!("{name}{LATEST}");
                if groups.is_exact(&tagged) { tagged.into() } else { name }
            }
        }
    }

    fn named(&self, name: &str) -> Listed {
        let found = self.0.groups.find(name);
        let deployment = found.as_ref().and_then(|found| found.group.deployments.first());
        Listed { name: name.to_owned(), model: deployment.and_then(|one| one.catalogued()) }
    }
}

/// The catalogue's models of a wildcard deployment, under the names that its pattern gives them.
fn expanded(pattern: &str, deployment: &Deployment) -> Vec<Listed> {
    let config = deployment.config();
    let models = data::models_of(config.provider.name);
    let listed = models.filter_map(|bare| {
        let captures = capture(&config.model, bare)?;
        let name = filled(pattern, &captures, bare);
        if !deployment.serves(&name) {
            return None;
        }
        Some(Listed { name, model: deployment.catalogued_as(bare) })
    });
    listed.collect()
}

impl Names for Router {
    /// Whether a list that holds `name` allows the model `asked`: as one of its access groups, as a
    /// pattern for what its deployments have at their providers (`openai/*`), or as what its team
    /// calls it.
    fn belongs(&self, name: &str, asked: &str) -> bool {
        let Some(found) = self.0.groups.find(asked) else { return false };
        found.group.deployments.iter().any(|deployment| {
            let config = deployment.config();
            let at_provider = || format!("{}/{}", config.provider.name, config.model);
            config.access_groups.iter().any(|group| group == name)
                || name.contains('*') && covers(name, &at_provider())
        }) || self.name_in_team(asked).as_deref() == Some(name)
    }

    fn team_of(&self, model: &str) -> Option<Box<str>> {
        self.told(model, "team_id")
    }
}
