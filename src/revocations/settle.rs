//! How the store hears of revocations, and other nodes do.
use super::{BOARD, Deed, Pending, Revocation, Revocations};
use crate::identity::{Setter, Tenant};
use crate::store::{Actor, Kind, StoreError};
use bartizan_layers::redis::Redis;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// How often the other nodes are listened to. A revocation is heard of within a second.
const LISTEN: Duration = Duration::from_millis(300);
/// So long may the store take for one.
const PATIENCE: Duration = Duration::from_secs(5);
/// So long is nothing looked for where there is nothing.
const IDLE: Duration = Duration::from_hours(1);
/// The pauses after a failure: the first one, and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

impl Revocations {
    /// Makes changes of them as soon as the store takes any, for good.
    pub async fn settle(self) {
        let mut pause = PAUSE.0;
        loop {
            let now = Instant::now();
            let next = self.pending().iter().filter_map(|it| it.due).min();
            let Some(due) = next.filter(|due| *due <= now) else {
                let until = next.unwrap_or(now + IDLE);
                // That time is up is as good a reason to look as a new one is.
                timeout_at(until, self.0.some.notified()).await.ok();
                continue;
            };
            let is_due = |it: &&Pending| it.due == Some(due);
            let first = self.pending().iter().find(is_due).map(|it| it.revocation.clone());
            let Some(first) = first else { continue };
            let made = timeout(PATIENCE, self.make(&first)).await;
            match made.map_err(|_| StoreError::late()).flatten() {
                Ok(()) => {
                    self.forget(&[first]).await;
                    pause = PAUSE.0;
                }
                Err(error) => {
                    tracing::debug!(%error, "The store does not hear of what was revoked");
                    // Not all nodes at once; and one that it refuses holds up no other.
                    let again = Instant::now() + pause.mul_f64(0.8 + 0.4 * fastrand::f64());
                    for pending in &mut *self.pending() {
                        if pending.revocation.name == first.name {
                            pending.due = Some(again);
                        }
                    }
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
            return self.look(revocation).await;
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
                    let [from, to] = [Tenant::key(id), Tenant::admin()];
                    change.work().carry_objects(from.name(), to.name()).await?;
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

    /// Hears what other nodes on the same Redis revoke, and tells them what this one does, for good.
    pub async fn listen(self, redis: Redis) {
        // The first one counts: there is one Redis.
        let redis = self.0.redis.get_or_init(|| redis);
        loop {
            if let Ok(texts) = redis.left(BOARD).await {
                let seen = texts.iter().filter_map(|text| serde_json::from_str(text).ok());
                let seen: Vec<Revocation> = seen.collect();
                self.adopt(seen.clone(), true).await;
                self.tell(&seen).await;
                self.drop_but(&seen).await;
            }
            sleep(LISTEN.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
        }
    }

    /// What another node has taken back, the store knows of: it says how things are.
    async fn drop_but(&self, seen: &[Revocation]) {
        let is_back = |it: &&Pending| it.heard && !seen.contains(&it.revocation);
        let first = self.pending().iter().find(is_back).map(|it| it.revocation.clone());
        // One at a time, and not for long: others may be waiting to be heard.
        if let Some(first) = first
            && timeout(LISTEN, self.look(&first)).await.is_ok_and(|seen| seen.is_ok())
        {
            self.forget(&[first]).await;
        }
    }

    /// Takes over how a thing is now.
    async fn look(
        &self,
        Revocation { kind, thing: id, .. }: &Revocation,
    ) -> Result<(), StoreError> {
        let Some(kind) = Kind::named(kind) else { return Ok(()) };
        let now = self.0.store.thing(kind, id).await?;
        self.0.directory.apply(kind, id, now.as_ref());
        Ok(())
    }
}
