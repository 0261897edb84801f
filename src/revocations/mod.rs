//! What is revoked while the store is away: in force at once, here and on every node on the same
//! Redis, and a change like any other as soon as the store takes it.
//!
//! A revocation has a name. Whoever reaches the store first makes the change, under that name in
//! the audit log; the others find it there. Until then it stands in a file of the state directory,
//! and is in force again after a restart.
mod file;
mod settle;

use crate::clock;
use crate::identity::{Directory, Revoked};
use crate::store::{Actor, Kind, Store};
use bartizan_layers::redis::Redis;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Where nodes on one Redis leave them for each other.
const BOARD: &str = "revoked";

/// What becomes of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// It may do nothing until somebody unblocks it.
    Block,
    /// It is gone for good.
    Delete,
}

/// One thing that is revoked.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Revocation {
    /// The name of the change in the audit log.
    name: String,
    /// What kind of thing, as the store spells it.
    kind: String,
    /// Which: of a key the digest.
    thing: String,
    deed: Deed,
    /// Who wants it so.
    user: String,
    key: String,
    /// Since when, in milliseconds since 1970.
    at: i64,
}

impl Revocation {
    /// A new one.
    #[must_use]
    pub fn new(kind: Kind, thing: &str, deed: Deed, by: &Actor) -> Self {
        Self {
            name: format!("{:032x}", fastrand::u128(..)),
            kind: kind.name().to_owned(),
            thing: thing.to_owned(),
            deed,
            user: by.user.clone(),
            key: by.key.clone(),
            at: clock::now(),
        }
    }
}

/// Revocations that the store has not heard of yet. Clones are one.
#[derive(Clone, Debug)]
pub struct Revocations(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Store,
    directory: Directory,
    /// Where they are kept; `None` where nothing outlives the process.
    place: Option<PathBuf>,
    pending: Mutex<Vec<Pending>>,
    some: Notify,
    redis: OnceLock<Redis>,
}

#[derive(Clone, Debug)]
struct Pending {
    revocation: Revocation,
    /// Whether it was heard from another node.
    heard: bool,
    /// From when on the store is told. Nothing: somebody here is still telling it.
    due: Option<Instant>,
}

/// So long have the one who revokes something, and its node, to tell the store before others do.
const GRACE: Duration = Duration::from_secs(5);

/// Revocations that somebody is telling the store of. Dropped, that is left to
/// [`Revocations::settle`].
#[derive(Debug)]
pub struct Telling {
    revocations: Revocations,
    those: Vec<Revocation>,
}

impl Telling {
    /// The store has said something: what it says counts.
    pub async fn told(mut self) {
        let those = std::mem::take(&mut self.those);
        self.revocations.forget(&those).await;
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        let now = Instant::now();
        for pending in &mut *self.revocations.pending() {
            if self.those.iter().any(|it| it.name == pending.revocation.name) {
                pending.due = Some(now);
            }
        }
        self.revocations.0.some.notify_one();
    }
}

impl Revocations {
    /// Takes over what an earlier process has left in the state directory.
    #[must_use]
    pub fn open(place: Option<&Path>, store: Store, directory: Directory) -> Self {
        let (left, due) = (place.map(file::read).unwrap_or_default(), Some(Instant::now()));
        let pending = left.into_iter().map(|it| Pending { revocation: it, heard: false, due });
        let this = Self(Arc::new(Shared {
            store,
            directory,
            place: place.map(Path::to_owned),
            pending: Mutex::new(pending.collect()),
            some: Notify::new(),
            redis: OnceLock::new(),
        }));
        this.enforce();
        this
    }

    /// Has these in force from now on, here and, where a Redis is shared, on the other nodes
    /// within half a second. The store is told by the caller, or by nobody before what is returned
    /// is dropped.
    pub async fn add(&self, revocations: Vec<Revocation>) -> Telling {
        let telling = Telling { revocations: self.clone(), those: revocations.clone() };
        self.adopt(revocations, false).await;
        self.tell(&[]).await;
        telling
    }

    /// Forgets what the store has heard of, or what it says is no matter.
    async fn forget(&self, revocations: &[Revocation]) {
        let is_meant = |it: &Revocation| revocations.iter().any(|gone| gone.name == it.name);
        self.pending().retain(|pending| !is_meant(&pending.revocation));
        self.enforce();
        self.keep(revocations.to_vec(), true).await;
        for revocation in revocations {
            if let (Some(redis), Some(text)) = (self.0.redis.get(), text(revocation)) {
                // What stays there is taken away by the next one who finds it settled.
                redis.take_away(BOARD, &text).await.ok();
            }
        }
    }

    async fn adopt(&self, mut revocations: Vec<Revocation>, heard: bool) {
        {
            let due = heard.then(|| Instant::now() + GRACE);
            let mut pending = self.pending();
            revocations.retain(|new| !pending.iter().any(|it| it.revocation.name == new.name));
            let new = revocations.iter().cloned();
            pending.extend(new.map(|revocation| Pending { revocation, heard, due }));
        }
        if !revocations.is_empty() {
            self.enforce();
            self.keep(revocations, false).await;
            self.0.some.notify_one();
        }
    }

    /// Tells the other nodes what this one has revoked, unless they have it before their eyes.
    async fn tell(&self, seen: &[Revocation]) {
        let Some(redis) = self.0.redis.get() else { return };
        let own: Vec<_> = self.pending().iter().filter(|it| !it.heard).cloned().collect();
        for Pending { revocation, .. } in own {
            if !seen.contains(&revocation)
                && let Some(text) = text(&revocation)
            {
                // Where Redis is away it is told again and again.
                redis.leave(BOARD, &text).await.ok();
            }
        }
    }

    /// Puts them into the file, or takes them out of it.
    async fn keep(&self, revocations: Vec<Revocation>, gone: bool) {
        let Some(place) = self.0.place.clone() else { return };
        let kept = tokio::task::spawn_blocking(move || file::edit(&place, &revocations, gone));
        let kept = kept.await.map_err(std::io::Error::other).flatten();
        if let Err(error) = kept {
            tracing::error!(
                %error,
                "What was revoked cannot be written to the state directory: until the store has \
                 heard of it, it is in force while this process runs"
            );
        }
    }

    fn enforce(&self) {
        let mut revoked = Revoked::default();
        // Others must not come between what is pending and what is in force.
        let pending = self.pending();
        for Pending { revocation, .. } in &*pending {
            if let Some(kind) = Kind::named(&revocation.kind) {
                revoked.add(kind, &revocation.thing, revocation.deed == Deed::Delete);
            }
        }
        self.0.directory.set_revoked(revoked);
    }

    fn pending(&self) -> MutexGuard<'_, Vec<Pending>> {
        self.0.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn text(revocation: &Revocation) -> Option<String> {
    serde_json::to_string(revocation).ok()
}
