//! Logins: what a deployment has in place of a key, and turns into credentials that expire.
use super::aws::AwsLogin;
use super::fields::Check;
use super::yaml::Node;
use super::{GoogleLogin, Secret};
use crate::data::Provider;
use http::Uri;
use std::path::PathBuf;

/// What a deployment has in place of a key. Equal logins share what they are turned into.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Login {
    /// A token that somebody else fetched, sent as it is.
    Bearer(Secret<String>),
    /// Microsoft Entra ID, for Azure.
    Entra(EntraLogin),
    /// Google, for its cloud.
    Google(GoogleLogin),
    /// An identity at AWS, whose requests are signed.
    Aws(Box<AwsLogin>),
}

/// A key, or what is in its place; of a provider that needs none, neither.
type Proof = (Option<Secret<String>>, Option<Login>);

impl Check<'_> {
    /// A deployment's key, or what it has in place of one. Nothing, and an error, where it cannot
    /// log in: with a key of the environment it would call with another account's.
    pub(super) fn proof(&mut self, params: &Node, provider: &Provider) -> Option<Proof> {
        let errors = self.errors();
        let login = match provider.name {
            "azure" | "azure_ai" | "azure_text" => self.entra(params, provider),
            _ => None,
        };
        if self.errors() > errors {
            return None;
        }
        let key = login.is_none().then(|| self.api_key(params, provider)).flatten();
        Some((key, login))
    }
}

/// Whom Entra ID knows, and for what it gives a token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntraLogin {
    /// What the token is good for: `https://cognitiveservices.azure.com/.default`.
    pub scope: String,
    /// How it is asked for.
    pub way: EntraWay,
}

/// How Entra ID is asked for a token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EntraWay {
    /// An application with a secret.
    Secret {
        /// The application.
        app: EntraApp,
        /// Its `client_secret`.
        secret: Secret<String>,
    },
    /// An application for which somebody else vouches: the workload identity of Kubernetes.
    Federated {
        /// The application.
        app: EntraApp,
        /// Where the other's token lies (`AZURE_FEDERATED_TOKEN_FILE`). It changes, and is read
        /// whenever a token is asked for.
        file: PathBuf,
    },
    /// The managed identity of an App Service or of what is built like it.
    Service {
        /// Its own server (`IDENTITY_ENDPOINT`).
        endpoint: Uri,
        /// What that wants to see (`IDENTITY_HEADER`).
        header: Secret<String>,
        /// Which of several identities; `None` is the machine's own.
        client: Option<String>,
    },
    /// The managed identity of a virtual machine.
    Machine {
        /// The metadata server. Default `http://169.254.169.254`.
        host: Uri,
        /// Which of several identities; `None` is the machine's own.
        client: Option<String>,
    },
}

/// An application of Entra ID.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EntraApp {
    /// Whose server gives tokens (`AZURE_AUTHORITY_HOST`), without a slash at its end. Default
    /// `https://login.microsoftonline.com`.
    pub authority: String,
    /// Its directory (`tenant_id`).
    pub tenant: String,
    /// Its id (`client_id`).
    pub client: String,
}
