//! Where a deployment's calls go: base URL, credential, headers.
use super::Secret;
use super::fields::Check;
use super::problem::{Place, Problem};
use super::url::web_url;
use super::yaml::Node;
use crate::data::{self, Provider};
use http::{HeaderName, HeaderValue, Uri};

impl Check<'_> {
    /// The base URL; `Some(None)` is the built-in model.
    pub(super) fn api_base(
        &mut self,
        params: &Node,
        provider: &'static Provider,
    ) -> Option<Option<Uri>> {
        if provider.name == "echo" {
            return Some(None);
        }
        let key = if params.get("api_base").is_some() { "api_base" } else { "base_url" };
        let at = params.get(key).unwrap_or(params);
        if let Some(text) = self.text(params, key) {
            let Some(url) = base_url(&text, provider) else {
                let help = "write it as http://HOST:PORT/PATH or https://HOST/PATH, without a name \
                            or password: they belong in `api_key` or `extra_headers`";
                self.error(at, format!("`{key}` is not a URL of a provider"), help);
                return None;
            };
            if self.own.is_at(&url) {
                let message = format!("`{key}` leads back to this proxy");
                self.error(at, message, "set it to the provider's own URL, or leave it out");
                return None;
            }
            return Some(Some(url));
        }
        let url = self.default_base(provider);
        if url.is_none() {
            let message =
                format!("`api_base` is missing: {} has no address of its own", provider.name);
            let help = match provider.name.starts_with("azure") {
                true => "add `api_base: https://RESOURCE.openai.azure.com`, or set AZURE_API_BASE",
                false => "add `api_base: http://HOST:PORT/v1`",
            };
            self.error(at, message, help);
        }
        url.map(Some)
    }

    /// The base URL of a variable, else the provider's own.
    pub(super) fn default_base(&mut self, provider: &'static Provider) -> Option<Uri> {
        let env = self.env;
        let mut told = provider.base_env.iter().filter_map(|name| Some((name, env.get(name)?)));
        let told = told.find_map(|(name, text)| self.base_of(name, text, provider));
        let told = told.or_else(|| self.gemini_base(provider));
        told.or_else(|| base_url(provider.base, provider))
    }

    /// Google's own variable, which its clients read without the version that we need.
    fn gemini_base(&mut self, provider: &'static Provider) -> Option<Uri> {
        const NAME: &str = "GOOGLE_GEMINI_BASE_URL";
        let text = self.env.get(NAME).filter(|_| provider.name == "gemini")?;
        let bare = text.trim().trim_end_matches('/');
        let version = if bare.ends_with("/v1beta") { "" } else { "/v1beta" };
        self.base_of(NAME, &format!("{bare}{version}"), provider)
    }

    /// The base URL that a variable names, unless it is our own address, or no URL.
    pub(super) fn base_of(&mut self, name: &str, text: &str, provider: &Provider) -> Option<Uri> {
        let url = base_url(text, provider);
        let Some(own) = url.as_ref().filter(|url| self.own.is_at(url)).map(|_| provider.name)
        else {
            if url.is_none() {
                let message = format!("the variable {name} is not a URL, so it does not count");
                let help = "write it as http://HOST:PORT/PATH or https://HOST/PATH, or unset it";
                self.problems.add_once(Problem::warning(message, Place::default()).help(help));
            }
            return url;
        };
        let notice = format!(
            "{name} leads to this proxy itself (the env swap) and is not used as the address of \
             {own}"
        );
        if !self.problems.notices.contains(&notice) {
            self.problems.notice(notice);
        }
        None
    }

    pub(super) fn api_key(&mut self, params: &Node, provider: &Provider) -> Option<Secret<String>> {
        let own = self.text(params, "api_key").map(|key| Secret::new(key.trim().to_owned()));
        let key = own.or_else(|| provider.key_env.iter().find_map(|name| self.secret(name)));
        let fits = |key: &Secret<String>| HeaderValue::from_str(key.expose()).is_ok();
        let is_absent = |name: &str| params.get(name).is_none();
        match &key {
            None if !provider.key_optional
                && is_absent("api_key")
                && is_absent("mock_response") =>
            {
                let names = provider.key_env.join(" or ");
                let message = format!("no key for {}: calls will be refused there", provider.name);
                self.warn(params, message, &format!("add `api_key`, or set {names}"));
            }
            Some(key) if !fits(key) => {
                let at = params.get("api_key").unwrap_or(params);
                let message = "the key holds characters that no header can carry".to_owned();
                self.error(at, message, "copy the key again, without line breaks");
            }
            _ => {}
        }
        key.filter(fits)
    }

    /// The headers that every call to the provider carries, some of them as variables say.
    pub(super) fn provider_headers(&self, provider: &Provider) -> Vec<(HeaderName, HeaderValue)> {
        let fixed = provider.headers.iter().map(|(name, value)| (name, Some(*value)));
        let told = provider.env_headers.iter().map(|(name, from)| (name, self.env.get(from)));
        fixed.chain(told).filter_map(|(name, value)| header(name, value?)).collect()
    }

    pub(super) fn headers(
        &mut self,
        params: &Node,
        provider: &Provider,
    ) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = self.provider_headers(provider);
        if let Some(organization) = self.text(params, "organization") {
            headers.extend(header("openai-organization", &organization));
        }
        let told = ["headers", "extra_headers"].map(|key| self.section(params, key));
        for (name, value) in told.into_iter().flatten().flat_map(Node::entries) {
            let pair = name.as_text().zip(value.as_text());
            match pair.and_then(|(name, value)| header(&name, &value)) {
                Some((name, mut value)) => {
                    // What a header's name does not tell: its value may be a key.
                    value.set_sensitive(true);
                    headers.push((name, value));
                }
                None if value.is_null() => {}
                None => {
                    let help = "use letters, digits and dashes in names, and one line of text";
                    self.error(name, "this is not a valid header".to_owned(), help);
                }
            }
        }
        headers
    }
}

pub(super) fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
}

/// A base URL without a slash at its end. For a provider whose OpenAI-compatible endpoint lies
/// below its base (Ollama), the base may be written with and without that path.
pub(super) fn base_url(text: &str, provider: &Provider) -> Option<Uri> {
    let text = text.trim();
    // Azure's pages show addresses with the version behind them.
    let is_azure = provider.name.starts_with("azure");
    let text = if is_azure { text.split('?').next().unwrap_or_default() } else { text };
    let text = text.trim_end_matches('/');
    let text = match provider.openai_base.and_then(|base| base.strip_prefix(provider.base)) {
        Some(path) if provider.wire == data::Wire::OpenAi && !text.ends_with(path) => {
            format!("{text}{path}")
        }
        _ => text.to_owned(),
    };
    // A name and a password in a URL would be shown wherever the URL is.
    web_url(&text).filter(|url| url.query().is_none())
}
