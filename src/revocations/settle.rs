//! How the store hears of revocations, and other nodes do.
use super::{BOARD, Deed, Revocation, Revocations};
use crate::identity::Setter;
use crate::store::{Actor, Kind, StoreError};
use bartizan_layers::redis::Redis;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How often the other nodes are listened to. A revocation is heard of within a second.
const LISTEN: Duration = Duration::from_millis(300);
/// So long may the store take for one.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pauses after a failure: the first one, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

impl Revocations {
    /// Makes changes of them as soon as the store takes any, for good.
    pub async fn settle(self) {
        let mut pause = PAUSE.0;
        loop {
            let first = self.pending().first().map(|pending| pending.revocation.clone());
            let Some(first) = first else {
                self.0.some.notified().await;
                continue;
            };
            let made = timeout(PATIENCE, self.make(&first)).await;
            match made.map_err(|_| StoreError::late()).flatten() {
                Ok(()) => {
                    self.forget(&[first]).await;
                    pause = PAUSE.0;
                }
                Err(error) => {
                    tracing::debug!(%error, "The store does not hear of what was revoked");
                    // Not all nodes at once; and one that it refuses holds up no other.
                    self.pending().rotate_left(1);
                    sleep(pause.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
                    pause = (pause * 2).min(PAUSE.1);
                }
            }
        }
    }

    /// Makes a change of one, unless another node has done so.
    async fn make(&self, revocation: &Revocation) -> Result<(), StoreError> {
        let Revocation { name, thing: id, user, key, .. } = revocation;
        let Some(kind) = Kind::named(&revocation.kind) else { return Ok(()) };
        let actor = Actor { user: user.clone(), key: key.clone() };
        let mut change = self.0.store.change(actor).await?;
        let is_new = change.once(name).await?;
        let before = change.work().thing(kind, id).await?;
        let Some(before) = before.filter(|_| is_new) else {
            drop(change);
            let now = self.0.store.thing(kind, id).await?;
            self.0.directory.apply(kind, id, now.as_ref());
            return Ok(());
        };
        match revocation.deed {
            Deed::Block => {
                let mut doc = before.doc.clone();
                doc.insert("blocked".to_owned(), true.into());
                doc.insert("updated_by".to_owned(), user.as_str().into());
                change.update(&before, doc).await?;
            }
            Deed::Delete => {
                change.delete(kind, id).await?;
                if kind == Kind::Key {
                    change.work().forget_key(id).await?;
                }
            }
        }
        for (kind, id, thing) in change.commit().await? {
            if thing.is_none() {
                self.0.directory.forget_spent(kind, &id, Setter::Here);
            }
            self.0.directory.apply(kind, &id, thing.as_ref());
        }
        tracing::info!(kind = kind.name(), id, "The store has heard of what was revoked");
        Ok(())
    }

    /// Hears what other nodes on the same Redis revoke, and tells them what they have not heard,
    /// for good.
    pub async fn listen(self, redis: Redis) {
        // The first one counts: there is one Redis.
        let redis = self.0.redis.get_or_init(|| redis);
        loop {
            if let Ok(texts) = redis.left(BOARD).await {
                let heard = texts.iter().filter_map(|text| serde_json::from_str(text).ok());
                self.adopt(heard.collect(), true).await;
                self.tell().await;
            }
            sleep(LISTEN.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
        }
    }
}
