//! Where an Azure resource takes calls, and in which version of its API.
use super::fields::Check;
use super::yaml::Node;
use crate::data::Provider;
use http::Uri;

/// How the paths of an Azure resource are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzureAt {
    /// Which of its APIs is called.
    pub api: AzureApi,
    /// `api_version`, where the config, the address or a variable says one.
    pub version: Option<String>,
    /// The model of OpenAI's that a deployment is like whose name does not tell, by LiteLLM's
    /// prefixes: `azure/o_series/NAME`, `azure/gpt5_series/NAME`.
    pub like: Option<&'static str>,
}

/// An API of an Azure resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AzureApi {
    /// Of Azure OpenAI: a path for each deployment. The address may name the deployment; else its
    /// name is the model's.
    Deployments(Option<String>),
    /// `/openai/v1`: OpenAI's own paths, with the deployment as the model.
    V1,
    /// `/models`: those of Foundry, with the deployment as the model.
    Models,
    /// `/anthropic`: Claude in Foundry.
    Anthropic,
    /// OpenAI's paths below the address, with a bearer key: a model with a host of its own.
    Plain,
}

/// LiteLLM's prefixes for models whose names do not tell what they are.
const SERIES: [(&str, &str); 2] = [("o_series/", "o3"), ("gpt5_series/", "gpt-5")];

impl AzureAt {
    /// What the address `base` of an account or of a discovered provider stands for, and the
    /// resource's own address; `None` for providers that are not Azure.
    pub(super) fn of(provider: &Provider, model: &str, base: &Uri) -> Option<(Uri, Self)> {
        let is_foundry = match provider.name {
            "azure" | "azure_text" => false,
            "azure_ai" => true,
            _ => return None,
        };
        let (root, api) = api(base, is_foundry, model);
        let root = format!("{}://{}{root}", base.scheme()?, base.authority()?).parse().ok()?;
        Some((root, Self { api, version: None, like: None }))
    }

    /// Whether a stream may be asked for its usage, which versions before this one refuse.
    #[must_use]
    pub fn tells_usage_of_streams(&self) -> bool {
        const SINCE: &str = "2024-09-01";
        let deployments = matches!(self.api, AzureApi::Deployments(_));
        let dated = self.version.as_deref().filter(|version| version.starts_with("20"));
        !deployments || dated.is_none_or(|version| version >= SINCE)
    }
}

/// The path of a resource in an address, and the API that is behind it: what people copy from
/// Azure's pages goes on to the deployment, or to the very path of a call.
fn api<'a>(base: &'a Uri, is_foundry: bool, model: &str) -> (&'a str, AzureApi) {
    let path = base.path().trim_end_matches('/');
    let before =
        |end: &str| path.split_once(end).map(|(root, rest)| (root.trim_end_matches('/'), rest));
    let is_claude = || model.starts_with("claude") || model == "*" && path.contains("/anthropic");
    if is_foundry && is_claude() {
        return (before("/anthropic").map_or(path, |(root, _)| root), AzureApi::Anthropic);
    }
    if let Some((root, rest)) = before("/openai/deployments/") {
        let name = rest.split('/').next().unwrap_or_default();
        return (root, AzureApi::Deployments(Some(name.to_owned())));
    }
    if let Some((root, _)) = before("/openai/v1") {
        return (root, AzureApi::V1);
    }
    if let Some((root, _)) = before("/models").filter(|_| is_foundry) {
        return (root, AzureApi::Models);
    }
    let root = before("/openai").map_or(path, |(root, _)| root);
    let host = base.host().unwrap_or_default();
    let is_resource = |end: &str| host.ends_with(end);
    match is_foundry {
        true if is_resource(".services.ai.azure.com") => (root, AzureApi::Models),
        true if !is_resource(".openai.azure.com")
            && !is_resource(".cognitiveservices.azure.com") =>
        {
            (path, AzureApi::Plain)
        }
        _ => (root, AzureApi::Deployments(None)),
    }
}

impl Check<'_> {
    /// Where a deployment of Azure is: its resource's address and its paths. Its model loses
    /// LiteLLM's prefixes.
    pub(super) fn azure(
        &mut self,
        params: &Node,
        provider: &Provider,
        (model, info): (&mut String, &Node),
        base: &mut Option<Uri>,
    ) -> Option<AzureAt> {
        let known = info.get("base_model").or_else(|| params.get("base_model"));
        let known = known.and_then(Node::as_text).unwrap_or_else(|| model.clone());
        let known = known.rsplit('/').next().unwrap_or_default();
        let (root, mut at) = AzureAt::of(provider, known, base.as_ref()?)?;
        *base = Some(root);
        for (prefix, like) in SERIES {
            if let Some(bare) = model.strip_prefix(prefix) {
                at.like = Some(like);
                *model = bare.to_owned();
            }
        }
        at.version = self.api_version(params).or_else(|| self.version_told(provider));
        let is_v1 = |version: &str| matches!(version, "v1" | "preview" | "latest");
        if at.api == AzureApi::Deployments(None) && at.version.as_deref().is_some_and(is_v1) {
            at.api = AzureApi::V1;
        }
        Some(at)
    }

    /// The same of an account, or of a provider that was found in the environment.
    pub(super) fn resource(
        &mut self,
        entry: Option<&Node>,
        provider: &Provider,
        base: Uri,
    ) -> (Uri, Option<AzureAt>) {
        let Some((root, at)) = AzureAt::of(provider, "*", &base) else { return (base, None) };
        let told = entry.and_then(|entry| self.api_version(entry));
        let version = told.or_else(|| self.version_told(provider));
        (root, Some(AzureAt { version, ..at }))
    }

    /// The version that a variable says.
    fn version_told(&self, provider: &Provider) -> Option<String> {
        let names: &[&str] = match provider.name {
            "azure_ai" => &["AZURE_AI_API_VERSION"],
            _ => &["AZURE_API_VERSION", "AZURE_OPENAI_API_VERSION", "AZURE_DEFAULT_API_VERSION"],
        };
        let (_, version) = self.env.first(names)?;
        Some(version.to_owned()).filter(|version| is_version(version))
    }

    /// `api_version`, or the one in the address.
    fn api_version(&mut self, params: &Node) -> Option<String> {
        let told = self.text(params, "api_version").or_else(|| {
            let base = params.get("api_base").or_else(|| params.get("base_url"))?.as_text()?;
            let (_, query) = base.split_once('?')?;
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(name, _)| *name == "api-version").map(|(_, value)| value.to_owned())
        });
        let version = told?;
        if is_version(&version) {
            return Some(version);
        }
        let at = params.get("api_version").unwrap_or(params);
        let message = "`api_version` is not a version of Azure's API".to_owned();
        self.error(at, message, "write it as `2025-04-01-preview`, or leave it out");
        None
    }
}

fn is_version(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::{AzureApi, AzureAt};
    use crate::data::provider;

    fn of(name: &str, model: &str, base: &str) -> (String, AzureApi) {
        let row = provider(name).unwrap();
        let (root, at) = AzureAt::of(row, model, &base.parse().unwrap()).unwrap();
        (root.to_string().trim_end_matches('/').to_owned(), at.api)
    }

    #[test]
    fn an_address_may_go_on_to_what_is_called() {
        use AzureApi::{Deployments, V1};
        for (path, api) in [
            ("", Deployments(None)),
            ("/", Deployments(None)),
            ("/openai", Deployments(None)),
            ("/openai/responses", Deployments(None)),
            ("/openai/deployments/d", Deployments(Some("d".to_owned()))),
            ("/openai/deployments/d/chat/completions", Deployments(Some("d".to_owned()))),
            ("/openai/v1", V1),
            ("/openai/v1/", V1),
            ("/openai/v1/responses", V1),
        ] {
            for root in ["https://r.openai.azure.com", "http://127.0.0.1:1/gateway"] {
                let base = format!("{root}{path}");
                assert_eq!(of("azure", "d", &base), (root.to_owned(), api.clone()), "{base}");
            }
        }
    }

    #[test]
    fn foundry_has_an_api_for_each_kind_of_model() {
        let root = "https://r.services.ai.azure.com";
        for (path, model, api) in [
            ("", "grok-4", AzureApi::Models),
            ("/models", "grok-4", AzureApi::Models),
            ("/models/chat/completions", "grok-4", AzureApi::Models),
            ("/openai/v1", "gpt-5", AzureApi::V1),
            ("", "claude-opus-4-5", AzureApi::Anthropic),
            ("/anthropic/v1/messages", "claude-opus-4-5", AzureApi::Anthropic),
        ] {
            assert_eq!(of("azure_ai", model, &format!("{root}{path}")), (root.to_owned(), api));
        }
        let own = "https://llama.eastus.models.ai.azure.com/v1";
        assert_eq!(of("azure_ai", "llama", own), (own.to_owned(), AzureApi::Plain));
        let openai = "https://r.openai.azure.com";
        let deployments = (openai.to_owned(), AzureApi::Deployments(None));
        assert_eq!(of("azure_ai", "gpt-5", openai), deployments);
        assert!(AzureAt::of(provider("openai").unwrap(), "m", &own.parse().unwrap()).is_none());
    }
}
