//! Whose key a call uses that names no model: accounts at providers.
use super::super::deployment::Deployment;
use super::super::leaf::{Leaf, own};
use super::endpoint::Endpoint;
use crate::config;
use crate::credentials::Credentials;
use crate::data;
use crate::providers::Dialect;
use crate::telemetry::{DeploymentLabels, Metrics};
use http::Uri;
use std::sync::Arc;

/// Accounts, by what they are for.
#[derive(Debug)]
pub(in crate::router) struct Accounts {
    files: Vec<Arc<Deployment>>,
    fine_tuning: Vec<Arc<Deployment>>,
    /// Deployments of the config, in its order, then keys of the environment.
    any: Vec<Arc<Deployment>>,
    roots: Vec<Root>,
    pub(in crate::router) endpoints: Vec<Arc<Endpoint>>,
}

/// The host of a provider, for its own paths.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) deployment: Arc<Deployment>,
    /// Sends below the host, or the folder in which the provider's versions lie.
    pub(super) leaf: Leaf,
    /// What the deployment's base has behind that: `/v1`.
    pub(super) version: String,
}

impl Accounts {
    pub(in crate::router) fn new(
        through: config::Through,
        deployments: &[Arc<Deployment>],
        credentials: &Credentials,
        metrics: &Metrics,
    ) -> Self {
        let account = |config| Arc::new(Deployment::account(config, credentials, metrics));
        let accounts = |list: Vec<_>| list.into_iter().map(account).collect::<Vec<_>>();
        let environment = accounts(through.environment);
        let lent = deployments.iter().filter(|one| one.config().use_in_pass_through);
        let roots = lent.chain(&environment);
        let endpoints = through.endpoints.into_iter();
        Self {
            roots: roots.filter_map(|deployment| Root::new(deployment, credentials)).collect(),
            any: deployments.iter().cloned().chain(environment).collect(),
            files: accounts(through.files),
            fine_tuning: accounts(through.fine_tuning),
            endpoints: endpoints
                .map(|one| Arc::new(Endpoint::new(one, credentials.forwarder())))
                .collect(),
        }
    }

    /// What metrics call everything that is not a deployment of the config.
    pub(in crate::router) fn labels(&self) -> impl Iterator<Item = &Arc<DeploymentLabels>> {
        let accounts = self.any.iter().chain(&self.files).chain(&self.fine_tuning);
        let endpoints = self.endpoints.iter().map(|endpoint| endpoint.labels());
        accounts.map(|account| account.labels()).chain(endpoints)
    }

    /// The account at `provider` for objects of this kind.
    pub(super) fn find(&self, kind: &str, provider: &str) -> Option<&Arc<Deployment>> {
        let own = match kind {
            "/files" | "/uploads" | "/batches" => &*self.files,
            "/fine_tuning/jobs" => &*self.fine_tuning,
            _ => &[],
        };
        let fits = |deployment: &&Arc<Deployment>| {
            deployment.config().provider.name == provider && is_upstream(deployment)
        };
        own.iter().chain(&self.any).find(fits)
    }

    /// Whose credential the own paths of `provider` use.
    pub(in crate::router) fn lender(&self, provider: &str) -> Option<&Arc<Deployment>> {
        self.root(provider).map(|root| &root.deployment).filter(|one| is_upstream(one))
    }

    /// The host whose own paths begin with `provider`.
    pub(super) fn root(&self, provider: &str) -> Option<&Root> {
        self.roots.iter().find(|root| {
            let name = root.deployment.config().provider.name;
            name == provider || name.strip_suffix("_chat") == Some(provider)
        })
    }
}

/// Whether OpenAI's paths of it end at an upstream.
pub(super) fn is_upstream(deployment: &Deployment) -> bool {
    matches!(deployment.leaf(Dialect::OpenAi), Some(Leaf::Upstream { .. }))
}

/// The variable that would hold a provider's key.
pub(super) fn variable(provider: &str) -> Option<&'static str> {
    let provider = data::provider(provider)?;
    provider.key_env.first().or(provider.base_env.first()).copied()
}

impl Root {
    fn new(deployment: &Arc<Deployment>, credentials: &Credentials) -> Option<Self> {
        let config = deployment.config();
        let base = config.api_base.as_ref()?.to_string();
        let (root, version) = split(base.trim_end_matches('/'));
        let url = root.parse::<Uri>().ok()?;
        let upstream = credentials.forwarder().upstream_over(&url, config.tls.as_ref());
        let credential = own(config, config.provider.auth, credentials);
        let leaf = Leaf::Upstream { upstream, credential };
        Some(Self { deployment: deployment.clone(), leaf, version: version.to_owned() })
    }
}

/// A base URL in two: where the provider's paths begin, and the version that they name themselves.
fn split(base: &str) -> (&str, &str) {
    let versions = ["/compatibility/v1", "/v1beta/openai", "/v1beta", "/v1alpha", "/v1", "/v2"];
    let found = versions.iter().find_map(|version| base.strip_suffix(version));
    let root = found.unwrap_or(base);
    (root, base.get(root.len()..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_base_ends_with_its_version() {
        for (base, root, version) in [
            ("https://api.openai.com/v1", "https://api.openai.com", "/v1"),
            ("https://api.anthropic.com", "https://api.anthropic.com", ""),
            ("http://h:1/gw/v1", "http://h:1/gw", "/v1"),
            ("https://g/v1beta", "https://g", "/v1beta"),
            ("https://c/compatibility/v1", "https://c", "/compatibility/v1"),
            ("https://h/apiv1x", "https://h/apiv1x", ""),
        ] {
            assert_eq!(split(base), (root, version));
        }
    }
}
