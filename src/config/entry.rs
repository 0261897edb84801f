//! One entry of `model_list` → one deployment.
use super::fields::Check;
use super::keys::{self, Standing};
use super::known::{self, is_later_provider};
use super::problem::Problems;
use super::show::without_secrets;
use super::site::Site;
use super::yaml::{Kind, Node};
use super::{Deployment, Members};
use crate::data::{self, Provider};
use bytes::Bytes;
use http::Uri;
use sha2::{Digest, Sha256};

impl Check<'_> {
    /// The id of an entry that is like another one only because variables are not set: made of
    /// their names. Nothing, if it has none, or an id of its own.
    pub(super) fn id_of_unset(&self, entry: &Node, group: &str) -> Option<String> {
        let own = entry.get("model_info").and_then(|info| info.get("id"));
        let params = entry.get("litellm_params").filter(|_| own.is_none_or(Node::is_null))?;
        let mut params = params.clone();
        let Kind::Map(entries) = &mut params.kind else { return None };
        let mut unset = false;
        for (_, value) in entries {
            if let Some(written) = reference_of(value, &self.problems) {
                value.kind = Kind::Text(written.to_owned());
                unset = true;
            }
        }
        unset.then(|| stable_id(group, &params))
    }

    /// The deployment of an entry; nothing, and an error, if it cannot be built.
    pub(super) fn deployment(&mut self, entry: &Node) -> Option<Deployment> {
        if !matches!(entry.kind, Kind::Map(_)) {
            let help = "write `- model_name: NAME` and `litellm_params:` below it";
            self.error(entry, "an entry of `model_list` must be a map of keys".into(), help);
            return None;
        }
        self.keys(entry, "model_list[]", "model_list[]");
        let group = self.required(entry, entry, "model_name", "the name that clients ask for")?;
        let written = self.required_map(entry, "litellm_params")?;
        let filled = self.filled(written);
        let params = filled.as_deref().unwrap_or(written);
        let deployment = self.placed(entry, group, written, params);
        // Without its credential it would call with another account's.
        deployment.filter(|_| filled.is_some())
    }

    /// The deployment of an entry with all of its parameters; those that were `written` there are
    /// what people get to see.
    fn placed(
        &mut self,
        entry: &Node,
        group: String,
        written: &Node,
        params: &Node,
    ) -> Option<Deployment> {
        let model = self.required(params, params, "model", "provider/model, as openai/gpt-4o")?;
        let (provider, model) = self.provider(params, &model)?;
        let nothing = Node { kind: Kind::Map(Vec::new()), place: entry.place };
        let info = self.section(entry, "model_info").or_else(|| self.section(params, "model_info"));
        let info = info.unwrap_or(&nothing);
        if !self.is_active(info, &group) {
            return None;
        }
        let Site { model, responses, base: api_base, azure, login, api_key } =
            self.site(params, provider, (model, info))?;
        let tls = self.deployment_tls(params, api_base.as_ref())?;
        let drop = self.dropped(params);
        let [defaults, extra_body] = self.members(params, &drop);
        let full = format!("{}/{model}", provider.name);
        let price = self.price(params, info).or_else(|| self.cost_of(&[&group, &model, &full]));
        let timeout = self.seconds(params, "timeout");
        let retries = self.count(params, "num_retries");
        let deployment = Deployment {
            id: self.text(info, "id").unwrap_or_else(|| stable_id(&group, written)),
            provider,
            model,
            responses,
            api_base,
            azure,
            api_key,
            login,
            tls,
            headers: self.headers(params, provider),
            defaults,
            extra_body,
            timeout: timeout.or_else(|| self.seconds(params, "request_timeout")),
            stream_timeout: self.seconds(params, "stream_timeout"),
            weight: self.number(params, "weight"),
            rpm: self.whole(params, "rpm").or_else(|| self.whole(entry, "rpm")),
            tpm: self.whole(params, "tpm").or_else(|| self.whole(entry, "tpm")),
            max_parallel: self.count(params, "max_parallel_requests"),
            num_retries: retries.or_else(|| self.count(params, "max_retries")),
            cooldown: self.own_cooldown(params, info),
            order: self.whole(params, "order").and_then(|order| i64::try_from(order).ok()),
            client_side: self.client_side(params),
            price,
            image_price: self.image_price(params, info),
            cost_factor: self.cost_factor(provider.name),
            params: without_secrets(written),
            info: without_secrets(info),
            group,
            discovered: false,
            use_in_pass_through: self.flag(params, "use_in_pass_through").unwrap_or(false),
            tags: self.texts(params, "tags"),
            drop,
            fit: self.fit(params),
            mock: mock(params),
            budget: self.own_budget(params),
            access_groups: self.texts(info, "access_groups"),
            region: self.text(params, "region_name"),
        };
        Some(deployment.kind_told())
    }

    /// What requests get where they do not bring their own, and what they get in any case.
    fn members(&mut self, params: &Node, drop: &[String]) -> [Members; 2] {
        let extra_body = json_members(self.section(params, "extra_body"));
        let mut all = [parameters(params), extra_body];
        for members in &mut all {
            members.retain(|(name, _)| !drop.contains(name));
        }
        all
    }

    pub(super) fn required(
        &mut self,
        at: &Node,
        map: &Node,
        key: &str,
        what: &str,
    ) -> Option<String> {
        let text = self.text(map, key);
        if text.is_none() && map.get(key).is_none_or(Node::is_null) {
            self.error(at, format!("`{key}` is missing"), &format!("add `{key}`: {what}"));
        }
        text
    }

    fn required_map<'n>(&mut self, entry: &'n Node, key: &str) -> Option<&'n Node> {
        if entry.get(key).is_none_or(Node::is_null) {
            let help = format!("add `{key}:` with at least `model:` below it");
            self.error(entry, format!("`{key}` is missing"), &help);
        }
        self.section(entry, key)
    }

    /// Who serves a model: the prefix, a known name, or a known host (contract 2.3).
    fn provider(&mut self, params: &Node, model: &str) -> Option<(&'static Provider, String)> {
        if let Some(name) = self.text(params, "custom_llm_provider") {
            let prefix = format!("{name}/");
            let bare = model.strip_prefix(&prefix).unwrap_or(model).to_owned();
            return self.known_provider(params, "custom_llm_provider", &name, bare);
        }
        if let Some((prefix, bare)) = model.split_once('/')
            && let Some(provider) = self.row(prefix)
        {
            return Some((provider, bare.to_owned()));
        }
        let host = params.get("api_base").or_else(|| params.get("base_url"));
        let host = host.and_then(Node::text).and_then(|url| url.parse::<Uri>().ok());
        let by_host = host.as_ref().and_then(Uri::host).and_then(data::provider_of_host);
        let by_name = data::provider_of_model(model);
        match by_name.or(by_host).and_then(data::provider) {
            Some(provider) => Some((provider, model.to_owned())),
            None => {
                let prefix = model.split_once('/').map_or("", |(prefix, _)| prefix);
                let at = params.get("model").unwrap_or(params);
                if let Some(name) = by_name.or(Some(prefix).filter(|name| is_later_provider(name)))
                {
                    self.later_provider(at, name, model);
                    return None;
                }
                let near = known::nearest(prefix, self.row_names());
                let help = match near {
                    Some(near) => format!("did you mean `{near}/…`?"),
                    None => "write it as `provider/model`, as in `openai/gpt-4o`".into(),
                };
                self.error(at, format!("no provider is known for the model `{model}`"), &help);
                None
            }
        }
    }

    fn later_provider(&mut self, at: &Node, name: &str, model: &str) {
        let message = format!("the provider `{name}` of `{model}` is not in this version");
        let help = "remove the entry, or, where it has an address that speaks OpenAI's protocol, \
                    write `openai/MODEL` and `api_base`";
        self.error(at, message, help);
    }

    fn known_provider(
        &mut self,
        params: &Node,
        key: &str,
        name: &str,
        bare: String,
    ) -> Option<(&'static Provider, String)> {
        let found = self.row(name);
        if found.is_none() && is_later_provider(name) {
            self.later_provider(params.get(key).unwrap_or(params), name, &bare);
        } else if found.is_none() {
            let near = known::nearest(name, self.row_names());
            let help = near.map_or("see docs/compatibility.md for the providers".into(), |near| {
                format!("did you mean `{near}`?")
            });
            let at = params.get(key).unwrap_or(params);
            self.error(at, format!("unknown provider `{name}`"), &help);
        }
        found.map(|provider| (provider, bare))
    }
}

/// What the deployment answers itself; a list is the vector of its embeddings.
fn mock(params: &Node) -> Option<String> {
    let told = params.get("mock_response").filter(|told| !told.is_null())?;
    Some(told.as_text().unwrap_or_else(|| told.to_json().to_string()))
}

/// The parameters that requests get where they do not bring their own.
fn parameters(params: &Node) -> Members {
    let mut all = json_members(Some(params));
    all.retain(|(name, _)| match keys::find("litellm_params", name) {
        Some(key) => key.standing == Standing::Sent,
        None => !super::price::is_price(name) && !known::is_secret(name),
    });
    all
}

pub(super) fn json_members(map: Option<&Node>) -> Members {
    let entries = map.into_iter().flat_map(Node::entries);
    let present = entries.filter(|(_, value)| !value.is_null());
    let member = |(name, value): &(Node, Node)| {
        // What no JSON can say (`.inf`) is as if it were absent.
        let json = Some(value.to_json()).filter(|json| !json.is_null())?;
        Some((name.as_text()?, Bytes::from(json.to_string())))
    };
    Members(present.filter_map(member).collect())
}

/// Whose value is null because its variable is not set: what is written in its place.
fn reference_of<'p>(value: &Node, problems: &'p Problems) -> Option<&'p str> {
    let (_, text) = problems.files.get(value.place.file).filter(|_| value.is_null())?;
    let written = text.expose().get(value.place.start..)?.get(..value.place.len)?;
    written.contains("os.environ/").then_some(written)
}

/// LiteLLM's id: the SHA-256 of the name and of each parameter's key and value, so that it is the
/// same after a restart, and another one when the key changes (contract 2.2).
fn stable_id(group: &str, params: &Node) -> String {
    let mut hash = Sha256::new();
    hash.update(group);
    for (key, value) in params.entries() {
        hash.update(key.as_text().unwrap_or_default());
        hash.update(value.as_text().unwrap_or_else(|| value.to_json().to_string()));
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
