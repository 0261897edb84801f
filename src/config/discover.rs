//! Zero config: deployments from the keys in the environment.
use super::fields::Check;
use super::upstream::base_url;
use super::yaml::Node;
use super::{ClientSide, Deployment, Fit, Members, OwnCooldown, Secret};
use crate::data::{self, Provider};
use http::Uri;
use serde_json::Map;
use std::net::Ipv6Addr;

/// Where Ollama is, for its server and for its clients.
const HOST: &str = "OLLAMA_HOST";

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
            let base = self.ollama(provider).or_else(|| self.default_base(provider));
            let Some(base) = base else { continue };
            let bare = !keys.contains(&names);
            keys.push(names);
            let prefixed = format!("{}/*", provider.name);
            let groups = [Some(prefixed), bare.then(|| "*".to_owned())];
            for group in groups.into_iter().flatten() {
                let prefixed = group != "*";
                let (base, azure) = self.resource(None, provider, base.clone());
                let one = Deployment {
                    id: format!("{}-{}", provider.name, if prefixed { "all" } else { "bare" }),
                    api_base: Some(base),
                    azure,
                    api_key: key.clone(),
                    headers: self.provider_headers(provider),
                    ..blank(&group, provider, "*")
                };
                found.push(one.kind_told());
            }
        }
        found.extend(data::provider("echo").map(|provider| Deployment {
            id: "echo".to_owned(),
            ..blank("echo", provider, "echo")
        }));
        found
    }

    /// The entry `model_name: "*"` with `model: "*"`: one for each provider whose key is in the
    /// environment, under the names that [`Check::discovered`] gives it. Those in `taken` have
    /// entries of their own.
    pub(super) fn everything(&mut self, entry: &Node, taken: &[&str]) -> Vec<Deployment> {
        let found = self.discovered().into_iter().filter(|one| one.api_base.is_some());
        let found: Vec<_> = found.filter(|one| !taken.contains(&&*one.group)).collect();
        if found.is_empty() {
            let message = "`*` leads to every provider whose key is in the environment: to none";
            let help = "set OPENAI_API_KEY or another provider's, or write `provider/*`";
            self.warn(entry, message.to_owned(), help);
        }
        let has_id = entry.get("model_info").is_some_and(|info| info.get("id").is_some());
        let mut made = Vec::new();
        for one in found {
            let mut own = entry.clone();
            own.set_text(&["model_name"], &one.group);
            let model = format!("{}/{}", one.provider.name, one.model);
            own.set_text(&["litellm_params", "model"], &model);
            let Some(deployment) = self.deployment(&own) else { continue };
            // An id of one's own is that of several deployments here.
            let id = if has_id { format!("{}-{}", deployment.id, one.id) } else { deployment.id };
            made.push(Deployment { id, discovered: true, ..deployment });
        }
        made
    }

    /// The provider's key, or nothing in place of one for a server of the user's own whose address
    /// is set.
    #[expect(clippy::option_option, reason = "the outer says whether the provider is there")]
    fn found_key(&mut self, provider: &Provider) -> Option<Option<Secret<String>>> {
        let key = provider.key_env.iter().find_map(|name| self.secret(name));
        let local = || {
            let placed = self.env.first(provider.base_env).is_some() || self.is_placed(provider);
            let local = if provider.key_optional { placed } else { self.is_elsewhere(provider) };
            local.then_some(None)
        };
        key.map(Some).or_else(local)
    }

    /// Whether a variable leads to a server that is neither a known provider's nor this proxy: a
    /// provider's would refuse every call without a key.
    fn is_elsewhere(&self, provider: &Provider) -> bool {
        let told = provider.base_env.iter().find_map(|name| self.env.get(name));
        let url = told.and_then(|text| base_url(text, provider));
        let foreign = |url: &Uri| url.host().and_then(data::provider_of_host).is_none();
        url.is_some_and(|url| foreign(&url) && !self.own.is_at(&url))
    }

    /// Whether Ollama's own variable says where it is. LiteLLM's comes first.
    fn is_placed(&self, provider: &Provider) -> bool {
        let is_ollama = provider.name == "ollama" || provider.name == "ollama_chat";
        is_ollama && self.env.first(provider.base_env).is_none() && self.env.get(HOST).is_some()
    }

    fn ollama(&mut self, provider: &Provider) -> Option<Uri> {
        let host = self.env.get(HOST).filter(|_| self.is_placed(provider))?;
        self.base_of(HOST, &ollama_url(host), provider)
    }
}

/// What Ollama makes of its variable: scheme and port may lack, and the address on which a server
/// listens to all is this machine to a client.
fn ollama_url(host: &str) -> String {
    let host = host.trim().trim_matches(['"', '\'']);
    let (scheme, rest) = host.split_once("://").unwrap_or(("http", host));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let bare = authority.parse::<Ipv6Addr>();
    let authority = bare.map_or_else(|_| authority.to_owned(), |ip| format!("[{ip}]"));
    let (name, port) = match authority.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, format!(":{port}")),
        _ if host.contains("://") => (authority.as_str(), String::new()),
        _ => (authority.as_str(), ":11434".to_owned()),
    };
    let name = match name {
        "" | "0.0.0.0" => "127.0.0.1",
        "[::]" => "[::1]",
        name => name,
    };
    format!("{scheme}://{name}{port}/{path}")
}

pub(super) fn blank(group: &str, provider: &'static Provider, model: &str) -> Deployment {
    let mut params = Map::new();
    params.insert("model".to_owned(), format!("{}/{model}", provider.name).into());
    Deployment {
        group: group.to_owned(),
        id: String::new(),
        provider,
        model: model.to_owned(),
        api_base: None,
        azure: None,
        api_key: None,
        login: None,
        tls: None,
        headers: Vec::new(),
        defaults: Members::default(),
        extra_body: Members::default(),
        timeout: None,
        stream_timeout: None,
        weight: None,
        rpm: None,
        tpm: None,
        max_parallel: None,
        num_retries: None,
        cooldown: OwnCooldown::default(),
        order: None,
        client_side: ClientSide::default(),
        price: None,
        image_price: None,
        cost_factor: 1.0,
        params,
        info: Map::new(),
        discovered: true,
        use_in_pass_through: false,
        tags: Vec::new(),
        drop: Vec::new(),
        fit: Fit::default(),
        responses: false,
        mock: None,
        budget: None,
        access_groups: Vec::new(),
        region: None,
    }
}
