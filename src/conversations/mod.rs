//! Conversations of `/v1/responses` with models whose providers keep none: what was asked and
//! answered is kept in the store, so that a later call can go on from it by
//! `previous_response_id`.
//!
//! Each response is kept once, with what was new in its request and the id of the response that it
//! goes on from. What is older than [`ConversationSettings::keep`], and what is beyond what the
//! place has room for, goes, oldest first.
#[cfg(test)]
mod tests;

use crate::clock;
use crate::config::ConversationSettings;
use crate::identity::Tenant;
use crate::store::{Store, StoreError};
use crate::tasks::Tasks;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

pub use crate::store::Turn;

/// The longest conversation that is read, in bytes: what a request may have, more or less.
const LONGEST: u64 = 64 << 20;
/// What responses may take of a process's memory, where nothing is kept on disk.
const IN_MEMORY: u64 = 64 << 20;
/// What they may take of a state directory.
const ON_DISK: u64 = 1 << 30;
/// The end of an answer waits no longer until it is kept; it may yet be.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often old responses are looked for.
const SWEEP: Duration = Duration::from_hours(1);

/// A request fact: the call goes on from responses that are kept here, and its body has their items
/// in it.
#[derive(Clone, Debug)]
pub struct Continued {
    /// The response that it goes on from, if it names one.
    pub previous: Option<Arc<str>>,
    /// The items that are new: a JSON array.
    pub input: Arc<str>,
}

/// Why a conversation cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConversationError {
    /// The store cannot tell now.
    #[error("what was kept of the conversation cannot be read now")]
    Store(#[from] StoreError),
    /// Something before that response is not kept any more.
    #[error("the beginning of the conversation is not kept any more")]
    Cut,
    /// It is too long to be read, in bytes.
    #[error("the conversation has {0} bytes")]
    TooLong(u64),
    /// There is no memory for it now.
    #[error("there is no memory for the conversation")]
    NoRoom,
}

/// Keeps responses and finds them again. Clones are one.
#[derive(Clone, Debug)]
pub struct Conversations(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Store,
    keep: Duration,
    tasks: Tasks,
    /// Bytes that came since the room was last looked at.
    added: AtomicU64,
}

impl Conversations {
    /// Keeps them in `store`; `None` where the settings say that none is kept.
    #[must_use]
    pub fn new(store: Store, settings: &ConversationSettings, tasks: Tasks) -> Option<Self> {
        let keep = settings.keep?;
        Some(Self(Arc::new(Shared { store, keep, tasks, added: AtomicU64::default() })))
    }

    /// The response with this id, and all before it, oldest first; `None` if it is not kept here.
    /// Before so many bytes are read, `fits` is asked whether there is memory for them.
    ///
    /// # Errors
    ///
    /// When the store is away, or the conversation is not whole, too long, or does not fit.
    pub async fn past(
        &self,
        id: &str,
        fits: impl FnOnce(usize) -> bool,
    ) -> Result<Option<Vec<Turn>>, ConversationError> {
        let links = self.0.store.links(id).await?;
        let Some(first) = links.last() else { return Ok(None) };
        if first.previous.is_some() {
            return Err(ConversationError::Cut);
        }
        let bytes = links.iter().map(|link| link.bytes).sum();
        if bytes > LONGEST {
            return Err(ConversationError::TooLong(bytes));
        }
        if !usize::try_from(bytes).is_ok_and(fits) {
            return Err(ConversationError::NoRoom);
        }
        let ids: Vec<_> = links.iter().rev().map(|link| &*link.id).collect();
        let mut turns = self.0.store.turns(&ids).await?;
        let place = |turn: &Turn| ids.iter().position(|id| **id == *turn.id);
        turns.sort_by_cached_key(place);
        // One may have gone meanwhile.
        if turns.len() < ids.len() {
            return Err(ConversationError::Cut);
        }
        Ok(Some(turns))
    }

    /// Those of these responses that are kept.
    ///
    /// # Errors
    ///
    /// When the store is away.
    pub async fn find(&self, ids: &[&str]) -> Result<Vec<Turn>, ConversationError> {
        Ok(self.0.store.turns(ids).await?)
    }

    /// The first of these responses that is somebody else's than `tenant`'s.
    ///
    /// # Errors
    ///
    /// When the store is away.
    pub async fn foreign<'a>(
        &self,
        turns: &'a [Turn],
        tenant: &Tenant,
    ) -> Result<Option<&'a str>, ConversationError> {
        let ids: Vec<_> = turns.iter().map(|turn| &*turn.id).collect();
        if tenant.is_admin() || ids.is_empty() {
            return Ok(None);
        }
        let owners = self.0.store.owners_of(&ids).await?;
        let is_own = |id: &str| owners.iter().any(|(of, owner)| of == id && owner == tenant.name());
        Ok(ids.into_iter().find(|id| !is_own(id)))
    }

    /// Keeps a response of `tenant`'s, also if nobody waits for it any more. Where that is not
    /// possible a warning says so: no call can go on from it then.
    pub async fn keep(&self, turn: Turn, tenant: Option<Tenant>) {
        let (done, waiting) = oneshot::channel();
        let all = self.clone();
        self.0.tasks.spawn(async move {
            if let Err(error) = all.write(turn, tenant.as_ref()).await {
                tracing::warn!(%error, "A response is not kept: no call can go on from it");
            }
            // Whoever waited may be gone.
            done.send(()).unwrap_or_default();
        });
        drop(timeout(PATIENCE, waiting).await);
    }

    async fn write(&self, turn: Turn, tenant: Option<&Tenant>) -> Result<(), StoreError> {
        let bytes = (turn.input.len() + turn.response.len()) as u64;
        let mut work = self.0.store.work().await?;
        if let Some(tenant) = tenant {
            // Nobody else may see it, from its first moment on.
            work.own(&turn.id, tenant.name()).await?;
        }
        work.keep_turn(turn).await?;
        if let Some(most) = self.most()
            && self.0.added.fetch_add(bytes, Relaxed) + bytes > most / 16
        {
            self.0.added.store(0, Relaxed);
            work.forget_turns_beyond(most).await?;
        }
        work.commit().await
    }

    /// Forgets a response; tells whether it was kept.
    ///
    /// # Errors
    ///
    /// When the store is away.
    pub async fn forget(&self, id: &str) -> Result<bool, ConversationError> {
        let mut work = self.0.store.work().await?;
        let done = work.forget_turn(id).await?;
        work.commit().await?;
        Ok(done)
    }

    /// Forgets what is old, for good.
    pub async fn run(self) {
        loop {
            if let Err(error) = self.sweep().await {
                tracing::debug!(%error, "Old responses stay");
            }
            sleep(SWEEP).await;
        }
    }

    async fn sweep(&self) -> Result<(), StoreError> {
        let keep = i64::try_from(self.0.keep.as_millis()).unwrap_or(i64::MAX);
        let mut work = self.0.store.work().await?;
        work.forget_old_turns(clock::now().saturating_sub(keep)).await?;
        if let Some(most) = self.most() {
            work.forget_turns_beyond(most).await?;
        }
        work.commit().await
    }

    /// What there is room for, in bytes; a Postgres is its operator's matter.
    fn most(&self) -> Option<u64> {
        match (self.0.store.is_postgres(), self.0.store.is_memory()) {
            (true, _) => None,
            (_, true) => Some(IN_MEMORY),
            (_, false) => Some(ON_DISK),
        }
    }
}
