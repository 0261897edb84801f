//! What calls are counted in: limits, budgets and kept answers. It outlives every config: a reload
//! gives nobody a fresh budget.
mod kept;
mod limits;
mod money;
mod place;
mod redis;
mod respent;

pub use self::kept::Kept;
pub use self::limits::CallLimits;
pub use self::money::{Money, proxy_money};
pub use self::place::{Place, Waiting};

use self::limits::Part;
use self::money::CallBudgets;
use self::respent::Respent;
use crate::clock;
use crate::config::{Budgets, Caching, Limits, RedisSettings};
use crate::identity::{Directory, Setter};
use bartizan_layers::cache::{CacheLayer, MemoryStore};
use bartizan_layers::cost::{CostLayer, MemoryLedger};
use bartizan_layers::facts::Limit;
use bartizan_layers::ratelimit::{MemoryLimiter, RateLimitLayer, RedisLimiter};
use bartizan_layers::redis::{Redis, Settler};
use bartizan_layers::retold::Retold;
use std::sync::{Arc, Mutex, PoisonError};

/// All counts of this process, and those that it shares. Clones are the same.
#[derive(Clone, Debug)]
pub struct State {
    limiter: MemoryLimiter<Arc<[Limit]>>,
    ledger: MemoryLedger,
    /// The same counts where they are shared, for deployments.
    quotas: Option<RedisLimiter<Arc<[Limit]>>>,
    kept: Arc<Mutex<Option<(usize, MemoryStore)>>>,
    redis: Option<Redis>,
    respent: Respent,
    /// Whose limits and budgets count; nobody's but those of the config beside a command.
    directory: Option<Directory>,
}

/// Counts the calls to a deployment in one of both places.
pub type Quota = Place<MemoryLimiter<Arc<[Limit]>>, RedisLimiter<Arc<[Limit]>>>;

/// Counts calls in one of both places.
pub type Counted = Place<MemoryLimiter<CallLimits>, RedisLimiter<CallLimits>>;

/// The layers that hold calls against what a config allows; `None` where it allows everything.
#[derive(Clone, Debug)]
pub struct Holding {
    /// Before the body is read. Shared limits are all held at once, when it has been.
    pub early: Option<RateLimitLayer<MemoryLimiter<CallLimits>>>,
    /// Once it is known what is asked for.
    pub late: Option<RateLimitLayer<Counted>>,
    /// Money.
    pub cost: Option<CostLayer<Money>>,
    /// The same for calls whose body nobody reads.
    pub through: Option<CostLayer<Money>>,
    /// Whether all calls are held for what they are likely to take: the config bounds that.
    pub estimates: bool,
    /// Kept answers.
    pub cache: Option<CacheLayer<Kept, Retold>>,
}

impl State {
    /// Empty counts, and what has to run beside them if some are shared.
    #[must_use]
    pub fn new(
        shared: Option<&RedisSettings>,
        directory: Option<Directory>,
    ) -> (Self, Option<Settler>) {
        let nothing: Arc<[Limit]> = Arc::from([]);
        let (redis, settler) = shared.map(redis::settings).map(Redis::connect).unzip();
        let settler = settler.map(|settler| settler.tell(redis::note));
        let ledger = MemoryLedger::with(Arc::from([])).zone(clock::zone());
        let ledger = directory.clone().into_iter().fold(ledger, MemoryLedger::seed);
        let respent = Respent::default();
        if let Some(directory) = &directory {
            let (own, shared) = (ledger.clone(), redis.as_ref().map(|_| respent.clone()));
            directory.on_spent(move |budget, spent, setter| {
                own.set_spent(budget, spent, None);
                if let Some(shared) = shared.as_ref().filter(|_| setter == Setter::Here) {
                    shared.set(budget, spent);
                }
            });
        }
        let state = Self {
            quotas: redis.as_ref().map(|redis| RedisLimiter::new(redis, nothing.clone())),
            limiter: MemoryLimiter::new(nothing),
            ledger,
            kept: Arc::default(),
            redis,
            respent,
            directory,
        };
        (state, settler)
    }

    /// The Redis that is shared with other processes.
    #[must_use]
    pub const fn redis(&self) -> Option<&Redis> {
        self.redis.as_ref()
    }

    /// Who is known; `None` beside a command.
    #[must_use]
    pub const fn directory(&self) -> Option<&Directory> {
        self.directory.as_ref()
    }

    /// Takes what persons say was spent to the Redis that is shared, for good.
    pub fn respending(&self) -> Option<impl Future<Output = ()> + Send + use<>> {
        self.redis.clone().map(|redis| self.respent.clone().run(redis))
    }

    /// Counts calls to a deployment, within its provider's `limits`.
    #[must_use]
    pub fn quota(&self, limits: Arc<[Limit]>) -> Quota {
        match &self.quotas {
            None => Place::Local(self.limiter.sharing(limits)),
            Some(shared) => Place::Shared(shared.sharing(limits)),
        }
    }

    /// The layers of one config.
    #[must_use]
    pub fn holding(
        &self,
        limits: &Limits,
        budgets: &Budgets,
        caching: Option<&Caching>,
    ) -> Holding {
        let (money, directory) = (self.money(budgets), self.directory.as_ref());
        let (early, late) = match &self.redis {
            None => {
                let limited =
                    |part| Some(self.limiter.sharing(CallLimits::new(limits, directory, part)?));
                (limited(Part::Early), limited(Part::Late).map(Place::Local))
            }
            Some(redis) => {
                let limited = CallLimits::new(limits, directory, Part::All);
                let limited = limited.map(|rules| RedisLimiter::new(redis, rules));
                let joined = limited.map(|limiter| match &money {
                    Some(Place::Shared(ledger)) => {
                        limiter.with_ledger(ledger.joining(money::admission(budgets)))
                    }
                    _ => limiter,
                });
                (None, joined.map(Place::Shared))
            }
        };
        Holding {
            estimates: budgets.proxy.is_some()
                || CallLimits::new(limits, None, Part::Late).is_some(),
            early: early.map(|it| RateLimitLayer::new(it).tell_early()),
            late: late.map(|it| RateLimitLayer::new(it).tell_early()),
            through: money.clone().map(|ledger| money::through(ledger, budgets)),
            cost: money.map(|ledger| money::layer(ledger, budgets)),
            cache: caching.map(|caching| kept::layer(self.store(caching), caching)),
        }
    }

    fn money(&self, budgets: &Budgets) -> Option<Money> {
        let calls = CallBudgets::new(budgets, self.directory.as_ref())?;
        Some(match self.redis.as_ref().filter(|_| !budgets.alone) {
            None => Place::Local(self.ledger.sharing(calls)),
            Some(redis) => Place::Shared(money::shared(redis, calls, budgets)),
        })
    }

    /// The answers that are kept; those in memory, as long as they may take the same room.
    fn store(&self, caching: &Caching) -> Kept {
        if let Some(shared) = kept::shared(self.redis.as_ref(), caching) {
            return Place::Shared(shared);
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        Place::Local(match &*kept {
            Some((room, store)) if *room == caching.max_bytes => store.clone(),
            _ => {
                let store = MemoryStore::with_capacity(caching.max_bytes);
                *kept = Some((caching.max_bytes, store.clone()));
                store
            }
        })
    }
}
