//! Who calls Google's cloud, and where its models are.
mod base;
mod found;
mod read;
#[cfg(test)]
mod tests;

pub use self::read::NotALogin;

use super::Secret;
use aws_lc_rs::rsa::KeyPair;
use http::{HeaderName, HeaderValue, Uri};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use std::path::PathBuf;

/// Who calls Google's cloud.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GoogleLogin {
    /// Who it is.
    pub identity: GoogleIdentity,
    /// The service account in whose name it calls, if not in its own.
    pub acting: Option<Acting>,
    /// The project that its file names.
    pub project: Option<String>,
}

/// How it is proved who calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GoogleIdentity {
    /// A service account's key signs an assertion.
    Account(ServiceAccount),
    /// A person's refresh token, as `gcloud auth application-default login` leaves it.
    User(AuthorizedUser),
    /// The token of another issuer is exchanged (workload identity federation).
    Federated(Box<ExternalAccount>),
    /// The machine that this runs on vouches: the base URL of its metadata server.
    Machine(Uri),
}

/// A service account and its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServiceAccount {
    /// Its name: an e-mail address.
    pub email: String,
    /// Which of its keys this is.
    pub key_id: Option<String>,
    /// The key: PEM.
    pub key: Secret<String>,
    /// Where assertions become tokens.
    pub token_uri: Uri,
}

/// A person who let a client of Google's act for them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AuthorizedUser {
    /// The client.
    pub client_id: String,
    /// What the client knows.
    pub client_secret: Secret<String>,
    /// What the person gave it.
    pub refresh_token: Secret<String>,
    /// Where that becomes tokens.
    pub token_uri: Uri,
}

/// A workload that another issuer vouches for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExternalAccount {
    /// The pool and the provider in which Google knows the issuer.
    pub audience: String,
    /// What kind of token the issuer gives.
    pub subject_token_type: String,
    /// Where the issuer's token is.
    pub source: TokenSource,
    /// Where it is exchanged.
    pub token_url: Uri,
    /// The client that asks, for pools of people: its id and secret.
    pub client: Option<(String, Secret<String>)>,
    /// The project that pays for calls of people from a pool.
    pub user_project: Option<String>,
}

/// Where the token of an issuer is, and what it is wrapped in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenSource {
    /// Where it is.
    pub place: TokenPlace,
    /// The member of a JSON object that it is; `None` is the whole text.
    pub member: Option<String>,
}

/// Where the token of an issuer is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TokenPlace {
    /// In a file, which is read anew each time.
    File(PathBuf),
    /// At an address, asked with these headers.
    Url(Uri, Vec<(HeaderName, HeaderValue)>),
}

/// A service account that somebody else acts as.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Acting {
    /// Where its tokens are asked for (`…:generateAccessToken`).
    pub url: Uri,
    /// The accounts between, each of which may act as the next.
    pub delegates: Vec<String>,
    /// How long its tokens are good for, in seconds. Default 3600.
    pub lifetime: u32,
}

impl ServiceAccount {
    /// The key, ready to sign; `None` if it is no RSA key.
    #[must_use]
    pub fn key_pair(&self) -> Option<KeyPair> {
        match PrivateKeyDer::from_pem_slice(self.key.expose().as_bytes()).ok()? {
            PrivateKeyDer::Pkcs8(key) => KeyPair::from_pkcs8(key.secret_pkcs8_der()).ok(),
            PrivateKeyDer::Pkcs1(key) => KeyPair::from_der(key.secret_pkcs1_der()).ok(),
            _ => None,
        }
    }
}
