//! Whose key it is: the master key's, or one that was issued.
use super::digest::Digest;
use super::unseen::Unseen;
use super::{Caller, Directory, Key};
use crate::clock;
use crate::config::Secret;
use crate::store::Store;
use bartizan_layers::auth::{AuthError, Keys, Presented, digest};
use bartizan_layers::facts::{About, Principal};
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use subtle::ConstantTimeEq;

/// The master key and all keys that were issued. Clones share them.
///
/// A key is found by its digest. The master key's is compared in constant time; that of others
/// leads into a table, which tells nobody anything about a key that he does not have: to choose
/// where a digest falls, one has to have its key.
#[derive(Clone, Debug)]
pub struct Issued {
    master: Option<Arc<(Digest, Principal)>>,
    /// Everyone is this one, where no key is set.
    anyone: Option<Principal>,
    directory: Directory,
    /// Asked for keys that were never seen, where not all of them are held in memory.
    unseen: Option<Arc<Unseen>>,
}

impl Issued {
    /// The keys in `directory`, and the one that may do everything. Without that one, anyone may
    /// call.
    #[must_use]
    pub fn new(
        master: Option<&Secret<String>>,
        directory: Directory,
        store: Option<Store>,
    ) -> Self {
        // What LiteLLM calls the master key's user and alias (contract 4.1).
        let admin = |key: &str| Principal { admin: true, ..Principal::new(key, "default_user_id") };
        let anyone = master.is_none().then(|| admin("anonymous"));
        let master = master.map(|key| {
            Arc::new((digest(key.expose().as_bytes()), admin("litellm_proxy_master_key")))
        });
        let unseen = store.map(|store| Arc::new(Unseen::new(store, directory.clone())));
        Self { master, anyone, directory, unseen }
    }

    fn told(&self, presented: Presented<'_>) -> Result<Result<Principal, AuthError>, Digest> {
        let key = match (presented, &self.anyone) {
            (Presented::Key(key), anyone) if anyone.is_none() || key.starts_with(b"sk-") => key,
            (_, Some(anyone)) => return Ok(Ok(anyone.clone())),
            (Presented::Malformed, _) => return Ok(Err(AuthError::Malformed)),
            _ => return Ok(Err(AuthError::Missing)),
        };
        let digest = digest(key);
        if let Some(master) = &self.master
            && bool::from(master.0.ct_eq(&digest))
        {
            return Ok(Ok(master.1.clone()));
        }
        let revoked = self.directory.revoked();
        if let Some(error) = revoked.as_ref().and_then(|revoked| revoked.key(&digest)) {
            return Ok(Err(error));
        }
        match (self.directory.key(&digest), &self.anyone) {
            (Some(key), _) => Ok(self.principal(key)),
            (None, Some(anyone)) => Ok(Ok(anyone.clone())),
            (None, None) => match &self.unseen {
                Some(_) if self.directory.is_away() && !self.directory.is_complete() => {
                    Ok(Err(AuthError::Outage("the store is away".into())))
                }
                Some(unseen) if !self.directory.is_complete() && !unseen.misses(&digest) => {
                    Err(digest)
                }
                _ => Ok(Err(AuthError::Unknown)),
            },
        }
    }

    fn principal(&self, key: Arc<Key>) -> Result<Principal, AuthError> {
        if let Some(revoked) = self.directory.revoked() {
            revoked.check(&key)?;
        }
        of_caller(self.directory.caller(key))
    }
}

fn of_caller(caller: Caller) -> Result<Principal, AuthError> {
    caller.check(clock::now()).map_err(|denied| AuthError::Denied(denied.into()))?;
    let key = caller.key.holder.id.clone();
    let user = caller.key.user.clone().unwrap_or_else(|| "".into());
    let (team, admin) = (caller.key.team.clone(), caller.role() == super::Role::Admin);
    let about = About::new(Arc::new(caller));
    Ok(Principal { team, admin, about, ..Principal::new(key, user) })
}

impl Keys for Issued {
    type Future = Check;

    fn check(&self, presented: Presented<'_>) -> Check {
        match self.told(presented) {
            Ok(word) => Check(State::Told(ready(word))),
            Err(digest) => Check(State::Asking(Box::pin(self.clone().ask(digest)))),
        }
    }

    fn check_now(&self, presented: Presented<'_>) -> Option<Result<Principal, AuthError>> {
        self.told(presented).ok()
    }
}

impl Issued {
    /// Asks the store for a key that was never seen here.
    async fn ask(self, digest: Digest) -> Result<Principal, AuthError> {
        let Some(unseen) = &self.unseen else { return Err(AuthError::Unknown) };
        if !unseen.look_for(&digest).await.map_err(AuthError::Outage)? {
            return Err(AuthError::Unknown);
        }
        self.directory.key(&digest).map_or(Err(AuthError::Unknown), |key| self.principal(key))
    }
}

/// The future of [`Issued`].
pub struct Check(State);

type Asking = Pin<Box<dyn Future<Output = Result<Principal, AuthError>> + Send>>;

enum State {
    Told(Ready<Result<Principal, AuthError>>),
    Asking(Asking),
}

impl Future for Check {
    type Output = Result<Principal, AuthError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Told(word) => Pin::new(word).poll(cx),
            State::Asking(asking) => asking.as_mut().poll(cx),
        }
    }
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Check").finish_non_exhaustive()
    }
}
