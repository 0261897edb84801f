//! What proves to providers who is calling: keys that are sent as they are, and what is fetched,
//! expires and is fetched anew.
//!
//! [`Kept`] holds one thing that expires, [`Credentials`] has one of them for each login, however
//! many deployments use it, and [`Credential`] is what a deployment puts on its requests. A login
//! itself is data of the config; how it is turned into a token stands in a file of its own.
//!
//! # Errors
//! [`CredentialError`] names who was asked and what it said, and holds no secret.
mod aws;
mod entra;
mod error;
mod google;
mod kept;
mod oauth;
#[cfg(test)]
mod tests;

pub use self::aws::Signer;
pub use self::error::CredentialError;
pub use self::kept::{Fresh, Kept};
pub use self::oauth::Token;

use self::aws::Keys;
use crate::config::Login;
use crate::config::aws::AwsIdentity;
use crate::forward::Forwarder;
use crate::tasks::Tasks;
use bartizan_layers::body::Body;
use http::{HeaderName, HeaderValue, Request, header};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio_util::sync::CancellationToken;

/// What a deployment proves its requests with. Clones share what is fetched.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A header that is always the same.
    Header(HeaderName, HeaderValue),
    /// A token that expires, in `authorization`.
    Token(Arc<Kept<Token>>),
    /// A signature over the whole request.
    Signature(Arc<Signer>),
}

impl Credential {
    /// A bearer token that is always the same. The config's check has seen whether a header can
    /// carry it.
    fn bearer(token: &str) -> Self {
        let none = || HeaderValue::from_static("Bearer");
        let value = Token::bearer(token).map_or_else(none, |token| token.header().clone());
        Self::Header(header::AUTHORIZATION, value)
    }

    /// Puts on the head of a request what there is already. False, if there is something to wait
    /// for: then it takes [`Credential::prove`].
    pub fn put_on<B>(&self, request: &mut Request<B>) -> bool {
        let (name, value) = match self {
            Self::Header(name, value) => (name.clone(), value.clone()),
            Self::Token(kept) => match kept.held() {
                Some(token) => (header::AUTHORIZATION, token.header().clone()),
                None => return false,
            },
            Self::Signature(_) => return false,
        };
        request.headers_mut().insert(name, value);
        true
    }

    /// The request with what proves it.
    ///
    /// # Errors
    /// When the login is wrong, or whoever turns it into a credential cannot be asked.
    pub async fn prove(
        &self,
        mut request: Request<Body>,
    ) -> Result<Request<Body>, CredentialError> {
        if self.put_on(&mut request) {
            return Ok(request);
        }
        match self {
            Self::Header(..) => {}
            Self::Token(kept) => {
                let value = kept.get().await?.header().clone();
                request.headers_mut().insert(header::AUTHORIZATION, value);
            }
            Self::Signature(signer) => return signer.sign(request).await,
        }
        Ok(request)
    }
}

/// The credentials of all logins, and the forwarder that fetches them. Clones are the same.
#[derive(Clone, Debug)]
pub struct Credentials(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    forwarder: Forwarder,
    tasks: Tasks,
    stop: CancellationToken,
    tokens: Shelf<Login, Token>,
    keys: Shelf<AwsIdentity, Keys>,
}

/// What is kept for each login, as long as a deployment uses it.
type Shelf<L, T> = Mutex<HashMap<L, Weak<Kept<T>>>>;

impl Credentials {
    /// None yet. They are fetched with `forwarder` on `tasks`, until `stop` is cancelled.
    #[must_use]
    pub fn new(forwarder: Forwarder, tasks: Tasks, stop: CancellationToken) -> Self {
        let (tokens, keys) = (Shelf::default(), Shelf::default());
        Self(Arc::new(Shared { forwarder, tasks, stop, tokens, keys }))
    }

    /// The forwarder that fetches them, which is the one of all calls.
    #[must_use]
    pub fn forwarder(&self) -> &Forwarder {
        &self.0.forwarder
    }

    /// What a deployment with this login sends. Logins that are equal share it, also over a
    /// change of the config.
    #[must_use]
    pub fn of(&self, login: &Login) -> Credential {
        match login {
            Login::Bearer(token) => Credential::bearer(token.expose()),
            Login::Entra(entra) => {
                let entra = Arc::new(entra.clone());
                Credential::Token(self.kept(&self.0.tokens, login, move |forwarder| {
                    entra::token(forwarder, entra.clone())
                }))
            }
            Login::Google(google) => {
                let google = Arc::new(google.clone());
                Credential::Token(self.kept(&self.0.tokens, login, move |forwarder| {
                    google::token(forwarder, google.clone())
                }))
            }
            Login::Aws(login) => {
                let identity = Arc::new(login.identity.clone());
                let keys = self.kept(&self.0.keys, &login.identity, move |forwarder| {
                    aws::keys(forwarder, identity.clone())
                });
                Credential::Signature(Arc::new(Signer::new(keys, login)))
            }
        }
    }

    /// What stands on `shelf` for a login, or something new that `fetch` gets.
    fn kept<L, T, F>(
        &self,
        shelf: &Shelf<L, T>,
        login: &L,
        fetch: impl Fn(Forwarder) -> F + Send + Sync + 'static,
    ) -> Arc<Kept<T>>
    where
        L: Clone + Eq + Hash,
        T: Clone + Send + Sync + 'static,
        F: Future<Output = Result<Fresh<T>, CredentialError>> + Send + 'static,
    {
        let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = shelf.get(login).and_then(Weak::upgrade) {
            return kept;
        }
        shelf.retain(|_, kept| kept.strong_count() > 0);
        let forwarder = self.0.forwarder.clone();
        let fetch = move || fetch(forwarder.clone());
        let kept = Arc::new(Kept::new(self.0.tasks.clone(), self.0.stop.clone(), fetch));
        shelf.insert(login.clone(), Arc::downgrade(&kept));
        kept
    }
}
