//! How a deployment of Azure logs in where it has no key.
use super::fields::Check;
use super::url::web_url;
use super::yaml::Node;
use super::{EntraApp, EntraLogin, EntraWay, Login, Secret};
use crate::data::Provider;
use http::{HeaderValue, Uri};

const SCOPE: &str = "https://cognitiveservices.azure.com/.default";
const AUTHORITY: &str = "https://login.microsoftonline.com";
const METADATA: &str = "http://169.254.169.254";

/// What an application is known by, and the variables that say it where the config does not.
const APP: [(&str, &str); 3] = [
    ("tenant_id", "AZURE_TENANT_ID"),
    ("client_id", "AZURE_CLIENT_ID"),
    ("client_secret", "AZURE_CLIENT_SECRET"),
];

impl Check<'_> {
    /// What a deployment of Azure has in place of a key: what it says itself, else, where there is
    /// no key either, what the environment says.
    pub(super) fn entra(&mut self, params: &Node, provider: &Provider) -> Option<Login> {
        let is_told = |key: &str| params.get(key).is_some_and(|value| !value.is_null());
        if is_told("api_key") {
            return None;
        }
        if let Some(token) = self.text(params, "azure_ad_token") {
            return self.static_token(params, token);
        }
        if APP.iter().any(|(key, _)| is_told(key)) && !self.is_of_machine() {
            return self.application(params);
        }
        if provider.key_env.iter().any(|name| self.quiet_secret(name).is_some()) {
            return None;
        }
        if let Some(token) = self.secret("AZURE_AD_TOKEN") {
            return self.static_token(params, token.expose().clone());
        }
        let way = match self.quiet_secret("AZURE_CLIENT_SECRET").is_some() || self.is_federated() {
            true if !self.is_of_machine() => return self.application(params),
            _ => self.identity(params)?,
        };
        Some(self.login_for(params, way))
    }

    fn is_federated(&self) -> bool {
        self.env.get("AZURE_FEDERATED_TOKEN_FILE").is_some()
    }

    /// Whether LiteLLM's variable asks for the identity of the machine.
    fn is_of_machine(&self) -> bool {
        self.env.get("AZURE_CREDENTIAL") == Some("ManagedIdentityCredential")
    }

    fn login_for(&mut self, params: &Node, way: EntraWay) -> Login {
        let scope = self.text(params, "azure_scope");
        let scope = scope.or_else(|| self.env.get("AZURE_SCOPE").map(str::to_owned));
        Login::Entra(EntraLogin { scope: scope.unwrap_or_else(|| SCOPE.to_owned()), way })
    }

    /// A token that somebody else fetched, and fetches anew.
    fn static_token(&mut self, params: &Node, token: String) -> Option<Login> {
        let at = params.get("azure_ad_token").unwrap_or(params);
        if token.starts_with("oidc/") {
            let message =
                "`azure_ad_token` names a provider of tokens, which is not in this version";
            let help = "set AZURE_FEDERATED_TOKEN_FILE, `tenant_id` and `client_id` instead";
            self.error(at, message.to_owned(), help);
            return None;
        }
        if HeaderValue::from_str(&token).is_err() {
            let message = "the token holds characters that no header can carry".to_owned();
            self.error(at, message, "copy the token again, without line breaks");
            return None;
        }
        Some(Login::Bearer(Secret::new(token)))
    }

    /// An application, with its secret or with somebody who vouches for it.
    fn application(&mut self, params: &Node) -> Option<Login> {
        let told = APP.map(|(key, name)| {
            let own = self.text(params, key).map(|text| text.trim().to_owned());
            own.or_else(|| Some(self.secret(name)?.expose().clone()))
        });
        let file = self.env.get("AZURE_FEDERATED_TOKEN_FILE").map(str::to_owned);
        let missing: Vec<_> = APP.iter().zip(&told).filter(|(_, told)| told.is_none()).collect();
        let missing = missing.into_iter().map(|(names, _)| *names);
        let missing = missing.filter(|(key, _)| *key != "client_secret" || file.is_none());
        let missing: Vec<_> = missing.collect();
        if !missing.is_empty() {
            let keys: Vec<_> = missing.iter().map(|(key, _)| format!("`{key}`")).collect();
            let names: Vec<_> = missing.iter().map(|(_, name)| *name).collect();
            let message = format!("the login to Azure lacks {}", keys.join(" and "));
            let help = format!("add it, or set {}", names.join(" and "));
            self.error(params, message, &help);
            return None;
        }
        let [tenant, client, secret] = told;
        let app = EntraApp { authority: self.authority(params)?, tenant: tenant?, client: client? };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        if !app.tenant.bytes().all(plain) || app.tenant.starts_with('.') {
            let at = params.get("tenant_id").unwrap_or(params);
            let message = "`tenant_id` is not a tenant of Entra".to_owned();
            self.error(at, message, "write its id, or its domain: `contoso.onmicrosoft.com`");
            return None;
        }
        let way = match (secret, file) {
            (Some(secret), _) => EntraWay::Secret { app, secret: Secret::new(secret) },
            (None, file) => EntraWay::Federated { app, file: file?.into() },
        };
        Some(self.login_for(params, way))
    }

    /// Whose server gives tokens to applications.
    fn authority(&mut self, params: &Node) -> Option<String> {
        let told = self.env.get("AZURE_AUTHORITY_HOST").unwrap_or(AUTHORITY);
        let told = told.trim().trim_end_matches('/');
        let url = if told.contains("://") { told.to_owned() } else { format!("https://{told}") };
        if web_url(&url).is_none() {
            self.bad_variable(params, "AZURE_AUTHORITY_HOST");
            return None;
        }
        Some(url)
    }

    /// The identity of an app's service, else of a machine where LiteLLM is told to look for it.
    fn identity(&mut self, params: &Node) -> Option<EntraWay> {
        let client = self.text(params, "client_id");
        let client = client.or_else(|| self.env.get("AZURE_CLIENT_ID").map(str::to_owned));
        let header = self.secret("IDENTITY_HEADER");
        if let Some((endpoint, header)) = self.env.get("IDENTITY_ENDPOINT").zip(header) {
            let Some(endpoint) = web_url(endpoint) else {
                self.bad_variable(params, "IDENTITY_ENDPOINT");
                return None;
            };
            return Some(EntraWay::Service { endpoint, header, client });
        }
        if !self.is_of_machine() {
            return None;
        }
        let host = self.env.get("AZURE_POD_IDENTITY_AUTHORITY_HOST").unwrap_or(METADATA);
        let host: Option<Uri> = web_url(host);
        if host.is_none() {
            self.bad_variable(params, "AZURE_POD_IDENTITY_AUTHORITY_HOST");
        }
        Some(EntraWay::Machine { host: host?, client })
    }

    fn bad_variable(&mut self, params: &Node, name: &str) {
        let help = "write it as https://HOST, or unset it";
        self.error(params, format!("the variable {name} is not a URL"), help);
    }
}
