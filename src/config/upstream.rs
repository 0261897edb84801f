//! Where a deployment's calls go: base URL, credential, headers.
use super::fields::Check;
use super::problem::{Place, Problem};
use super::url::web_url;
use super::yaml::Node;
use super::{Deployment, Secret};
use crate::data::{self, Provider};
use http::{HeaderName, HeaderValue, Uri};
use std::borrow::Cow;

/// In which Snowflake wants to be told of which kind a token is.
const KIND: HeaderName = HeaderName::from_static("x-snowflake-authorization-token-type");

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
        if let Some(url) = self.base_told(provider) {
            return Some(Some(url));
        }
        let account = self.text(params, "account_id");
        match self.own_base(provider, account) {
            Ok(Some(url)) => return Some(Some(url)),
            Ok(None) => {
                let message =
                    format!("`api_base` is missing: {} has no address of its own", provider.name);
                let help = match provider.name.starts_with("azure") {
                    true => {
                        "add `api_base: https://RESOURCE.openai.azure.com`, or set AZURE_API_BASE"
                    }
                    false => "add `api_base: http://HOST:PORT/v1`",
                };
                self.error(at, message, help);
            }
            Err(name) => {
                let message = format!("the account in the address of {} is missing", provider.name);
                let help = format!("set {name} to its id, or add `account_id` or `api_base`");
                self.error(at, message, &help);
            }
        }
        None
    }

    /// The base URL of a variable, else the provider's own.
    pub(super) fn default_base(&mut self, provider: &'static Provider) -> Option<Uri> {
        self.base_told(provider).or_else(|| self.own_base(provider, None).ok()?)
    }

    /// The provider's own base URL, with an `account` in it, or the one of its variable.
    ///
    /// # Errors
    /// The name of that variable, if neither says one.
    pub(super) fn own_base(
        &self,
        provider: &Provider,
        account: Option<String>,
    ) -> Result<Option<Uri>, &'static str> {
        let base =
            provider.own_base(|name| account.or_else(|| Some(self.env.get(name)?.into())))?;
        Ok(base_url(&base, provider))
    }

    fn base_told(&mut self, provider: &'static Provider) -> Option<Uri> {
        let env = self.env;
        let mut told = provider.base_env.iter().filter_map(|name| Some((name, env.get(name)?)));
        let told = told.find_map(|(name, text)| self.base_of(name, text, provider));
        told.or_else(|| self.gemini_base(provider))
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

impl Deployment {
    /// What its provider calls a `model`.
    #[must_use]
    pub fn spelled<'m>(&self, model: &'m str) -> Cow<'m, str> {
        self.provider.spelled(model, self.api_base.as_ref())
    }

    /// With the header that says of which kind its token is, where the provider wants that. A
    /// programmatic access token is written `pat/TOKEN`, as for LiteLLM; else it is a JWT.
    pub(super) fn kind_told(mut self) -> Self {
        let Some(key) = self.api_key.as_ref().filter(|_| self.provider.name == "snowflake") else {
            return self;
        };
        let bare = key.expose().strip_prefix("pat/");
        if !self.headers.iter().any(|(name, _)| *name == KIND) {
            let kind = if bare.is_some() { "PROGRAMMATIC_ACCESS_TOKEN" } else { "KEYPAIR_JWT" };
            self.headers.push((KIND, HeaderValue::from_static(kind)));
        }
        if let Some(bare) = bare {
            self.api_key = Some(Secret::new(bare.to_owned()));
        }
        self
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
    let text = match text.is_empty() {
        true => text.into(),
        false => provider.placed(&text),
    };
    // A name and a password in a URL would be shown wherever the URL is.
    web_url(&text).filter(|url| url.query().is_none())
}
