//! What a person says was spent, on its way to Redis.
use crate::clock;
use bartizan_layers::cost::{Budget, RedisLedger};
use bartizan_layers::facts::NanoUsd;
use bartizan_layers::redis::Redis;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;

/// The pause after Redis was away.
const PAUSE: Duration = Duration::from_secs(1);

/// Amounts that Redis has not taken yet, the last of each budget. Clones are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Respent(Arc<Shared>);

/// By scope and subject.
type Waiting = HashMap<(&'static str, Arc<str>), (Budget, NanoUsd)>;

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    some: Notify,
}

impl Respent {
    /// Has Redis count from there on.
    pub(super) fn set(&self, budget: &Budget, spent: NanoUsd) {
        let whose = (budget.scope.name(), budget.subject.clone());
        self.waiting().insert(whose, (budget.clone(), spent));
        self.0.some.notify_one();
    }

    /// Takes amounts there, for good.
    pub(super) async fn run(self, redis: Redis) {
        let ledger = RedisLedger::with(&redis, Arc::from([])).zone(clock::zone());
        loop {
            let taken = std::mem::take(&mut *self.waiting());
            let mut is_away = false;
            for (whose, (budget, spent)) in taken {
                if ledger.set_spent(&budget, spent).await.is_err() {
                    is_away = true;
                    // What was set meanwhile is newer.
                    self.waiting().entry(whose).or_insert((budget, spent));
                }
            }
            if is_away {
                sleep(PAUSE).await;
            } else {
                self.0.some.notified().await;
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
