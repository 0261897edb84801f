//! Zero config: deployments from the keys in the environment.
use super::fields::Check;
use super::{Deployment, Secret};
use crate::data::{self, Provider};
use serde_json::Map;

impl Check<'_> {
    /// For each provider whose key is set: all of its models as `provider/model`, and under the
    /// bare names that the catalogue knows. The built-in model `echo` is always there.
    pub(super) fn discovered(&mut self) -> Vec<Deployment> {
        let mut found = Vec::new();
        let mut keys = Vec::new();
        for provider in data::providers() {
            let Some(key) = self.found_key(provider) else { continue };
            // Two rows for one key (`ollama`, `ollama_chat`) are one provider under two names.
            let names = provider.key_env.first().or(provider.base_env.first());
            let Some(base) = self.default_base(provider) else { continue };
            let bare = !keys.contains(&names);
            keys.push(names);
            let prefixed = format!("{}/*", provider.name);
            let groups = [Some(prefixed), bare.then(|| "*".to_owned())];
            for group in groups.into_iter().flatten() {
                let prefixed = group != "*";
                found.push(Deployment {
                    id: format!("{}-{}", provider.name, if prefixed { "all" } else { "bare" }),
                    api_base: Some(base.clone()),
                    api_key: key.clone(),
                    ..blank(&group, provider, "*")
                });
            }
        }
        found.extend(data::provider("echo").map(|provider| Deployment {
            id: "echo".to_owned(),
            ..blank("echo", provider, "echo")
        }));
        found
    }

    /// The provider's key, or nothing in place of one for a local server whose address is set.
    #[expect(clippy::option_option, reason = "the outer says whether the provider is there")]
    fn found_key(&self, provider: &Provider) -> Option<Option<Secret<String>>> {
        let key = provider.key_env.iter().find_map(|name| self.env.secret(name));
        let local = || {
            let placed = provider.key_optional && self.env.first(provider.base_env).is_some();
            placed.then_some(None)
        };
        key.map(Some).or_else(local)
    }
}

fn blank(group: &str, provider: &'static Provider, model: &str) -> Deployment {
    let mut params = Map::new();
    params.insert("model".to_owned(), format!("{}/{model}", provider.name).into());
    Deployment {
        group: group.to_owned(),
        id: String::new(),
        provider,
        model: model.to_owned(),
        api_base: None,
        api_key: None,
        headers: Vec::new(),
        defaults: Vec::new(),
        extra_body: Vec::new(),
        timeout: None,
        stream_timeout: None,
        weight: None,
        rpm: None,
        tpm: None,
        order: None,
        price: None,
        params,
        info: Map::new(),
        discovered: true,
    }
}
