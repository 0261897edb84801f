//! What calls are counted in: limits, budgets and kept answers. It outlives every config: a reload
//! gives nobody a fresh budget.
mod kept;
mod limits;
mod money;

pub use self::kept::Retold;
pub use self::limits::CallLimits;

use self::limits::Part;
use crate::config::{Budgets, Caching, Limits};
use bartizan_layers::cache::{CacheLayer, MemoryStore};
use bartizan_layers::cost::{CostLayer, MemoryLedger};
use bartizan_layers::facts::Limit;
use bartizan_layers::ratelimit::{MemoryLimiter, RateLimitLayer};
use std::sync::{Arc, Mutex, PoisonError};

/// All counts of this process. Clones share them.
#[derive(Clone, Debug)]
pub struct State {
    limiter: MemoryLimiter<Arc<[Limit]>>,
    ledger: MemoryLedger,
    kept: Arc<Mutex<Option<(usize, MemoryStore)>>>,
}

/// The layers that hold calls against what a config allows; `None` where it allows everything.
#[derive(Clone, Debug)]
pub struct Holding {
    /// Before the body is read.
    pub early: Option<RateLimitLayer<MemoryLimiter<CallLimits>>>,
    /// Once it is known what is asked for.
    pub late: Option<RateLimitLayer<MemoryLimiter<CallLimits>>>,
    /// Money.
    pub cost: Option<CostLayer<MemoryLedger>>,
    /// Kept answers.
    pub cache: Option<CacheLayer<MemoryStore, Retold>>,
}

impl Default for State {
    fn default() -> Self {
        let nothing: Arc<[Limit]> = Arc::from([]);
        Self {
            limiter: MemoryLimiter::new(nothing),
            ledger: MemoryLedger::with(Arc::from([])),
            kept: Arc::default(),
        }
    }
}

impl State {
    /// The layers of one config.
    #[must_use]
    pub fn holding(
        &self,
        limits: &Limits,
        budgets: &Budgets,
        caching: Option<&Caching>,
    ) -> Holding {
        let limited = |part| {
            let rules = CallLimits::new(limits, part)?;
            Some(RateLimitLayer::new(self.limiter.sharing(rules)))
        };
        Holding {
            early: limited(Part::Early),
            late: limited(Part::Late),
            cost: money::layer(&self.ledger, budgets),
            cache: caching.map(|caching| kept::layer(self.store(caching), caching)),
        }
    }

    /// The answers that are kept, as long as they may take the same room.
    fn store(&self, caching: &Caching) -> MemoryStore {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((room, store)) if *room == caching.max_bytes => store.clone(),
            _ => {
                let store = MemoryStore::with_capacity(caching.max_bytes);
                *kept = Some((caching.max_bytes, store.clone()));
                store
            }
        }
    }
}

impl Holding {
    /// Whether some layer wants to know what a call is likely to take.
    #[must_use]
    pub const fn estimates(&self) -> bool {
        self.late.is_some() || self.cost.is_some()
    }
}
