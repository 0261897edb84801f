//! Limits that several processes share.
use super::headers::{Told, tell};
use super::{Exceeded, Grant, Limiter, MemoryGrant, MemoryLimiter, RateLimitError, Rules};
use crate::facts::{Estimate, Limit, Measure, Usage};
use crate::redis::{
    Count, Joining, Joint, Left, Level, Outage, Redis, Take, Ticket, Verdict, Window, tag,
};
use http::{Extensions, HeaderName, HeaderValue};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// LiteLLM's (contract 7.4).
const WINDOW: Duration = Duration::from_secs(60);
/// When to ask again where too many calls are open: nobody knows when one will end.
const SOON: Duration = Duration::from_secs(1);

/// Counts in Redis, shared by all who use the same: as [`MemoryLimiter`] does, by Redis' clock and
/// in one round trip for all limits of a call. Permits of a process that died expire.
///
/// While Redis is away it counts in this process's memory, and grants its share: a limit divided
/// by the number of nodes that were last seen, at least 1. It never fails.
#[derive(Clone, Debug)]
pub struct RedisLimiter<R> {
    redis: Redis,
    rules: R,
    window: Duration,
    local: MemoryLimiter<Arc<[Limit]>>,
    ledger: Option<Joining>,
}

impl<R> RedisLimiter<R> {
    /// Counts what the `rules` tell, in windows of 60 seconds.
    pub fn new(redis: &Redis, rules: R) -> Self {
        Self::with_window(redis, rules, WINDOW)
    }

    /// Counts what the `rules` tell, in windows of another length.
    pub fn with_window(redis: &Redis, rules: R, window: Duration) -> Self {
        let local = MemoryLimiter::with_window(Arc::from([]), window);
        Self { redis: redis.clone(), rules, window, local, ledger: None }
    }

    /// Makes the hold of a ledger in the same round trip: that of a cost layer below. What the
    /// ledger refuses, its layer then refuses, and the call takes nothing of the limits.
    #[must_use]
    pub fn with_ledger(self, ledger: Joining) -> Self {
        Self { ledger: Some(ledger), ..self }
    }

    /// A limiter that goes by other `rules` and shares this one's counts; it makes no holds.
    pub fn sharing<Q>(&self, rules: Q) -> RedisLimiter<Q> {
        let (redis, local) = (self.redis.clone(), self.local.clone());
        RedisLimiter { redis, rules, window: self.window, local, ledger: None }
    }

    fn level(&self, limit: &Limit, tokens: i64) -> Level {
        let most = i64::try_from(limit.most).unwrap_or(i64::MAX);
        let window = |name, take, settled| {
            Take::Window(Window { name, most, take, span: self.window, settled })
        };
        let take = match limit.measure {
            Measure::Requests => window("requests", 1, false),
            Measure::Tokens => window("tokens", tokens, true),
            Measure::Parallel => Take::Permit { most },
        };
        Level { tag: tag(limit.scope, &limit.subject), take }
    }
}

impl<R: Rules> Limiter for RedisLimiter<R> {
    type Grant = RedisGrant;
    type Future = RedisAdmit;

    fn admit(&self, facts: &Extensions) -> Self::Future {
        let estimate = facts.get::<Estimate>().copied();
        let tokens = estimate.map_or(0, |estimate| estimate.likely.tokens.max(0));
        let (mut limits, mut levels) = (Vec::new(), Vec::new());
        self.rules.each(facts, &mut |limit| {
            levels.push(self.level(limit, tokens));
            limits.push(limit.clone());
        });
        let held = self.ledger.as_ref().map(|ledger| ledger.levels(facts)).unwrap_or_default();
        let joins = !held.is_empty();
        levels.extend(held);
        let (redis, local) = (self.redis.clone(), self.local.clone());
        RedisAdmit(Box::pin(async move {
            if levels.is_empty() {
                return Ok(RedisGrant::default());
            }
            match redis.admit(levels).await {
                Ok(verdict) => conclude(verdict, limits, joins),
                Err(outage) => {
                    let limits = shares(limits, redis.nodes());
                    locally(&local, limits, estimate, joins.then_some(outage))
                }
            }
        }))
    }
}

fn conclude(
    verdict: Verdict,
    limits: Vec<Limit>,
    joins: bool,
) -> Result<RedisGrant, RateLimitError> {
    let (ticket, joint) = match verdict {
        Verdict::Admitted(ticket) => (Some(ticket.clone()), joins.then(|| Joint::Held(ticket))),
        Verdict::Refused(level, count) => match limits.get(level) {
            Some(limit) => return Err(exceeded(limit, count)),
            None => (None, Some(Joint::Refused(level - limits.len(), count))),
        },
    };
    let shared = ticket.map(|ticket| Taken::Shared(ticket, limits));
    Ok(RedisGrant { taken: shared.unwrap_or_default(), joint })
}

fn exceeded(limit: &Limit, count: Count) -> RateLimitError {
    let reset = match limit.measure {
        Measure::Parallel => SOON,
        Measure::Requests | Measure::Tokens => {
            Duration::from_millis(u64::try_from(count.left).unwrap_or(0))
        }
    };
    let exceeded = Exceeded { limit: limit.clone(), remaining: 0, reset };
    RateLimitError::Exceeded(Box::new(exceeded))
}

/// This node's share of each limit.
fn shares(mut limits: Vec<Limit>, nodes: u64) -> Arc<[Limit]> {
    for limit in &mut limits {
        limit.most = (limit.most / nodes.max(1)).max(limit.most.min(1));
    }
    limits.into()
}

fn locally(
    local: &MemoryLimiter<Arc<[Limit]>>,
    limits: Arc<[Limit]>,
    estimate: Option<Estimate>,
    outage: Option<Outage>,
) -> Result<RedisGrant, RateLimitError> {
    let mut facts = Extensions::new();
    if let Some(estimate) = estimate {
        facts.insert(estimate);
    }
    let grant = local.sharing(limits).admit(&facts).into_inner()?;
    Ok(RedisGrant { taken: Taken::Local(grant), joint: outage.map(Joint::Outage) })
}

/// The future of [`RedisLimiter`].
#[must_use = "futures do nothing unless polled"]
pub struct RedisAdmit(Pin<Box<dyn Future<Output = Result<RedisGrant, RateLimitError>> + Send>>);

impl Future for RedisAdmit {
    type Output = Result<RedisGrant, RateLimitError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for RedisAdmit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisAdmit").finish_non_exhaustive()
    }
}

/// Shares of the limits in a [`RedisLimiter`].
#[derive(Debug, Default)]
pub struct RedisGrant {
    taken: Taken,
    joint: Option<Joint>,
}

#[derive(Debug, Default)]
enum Taken {
    #[default]
    Nothing,
    Shared(Arc<Ticket>, Vec<Limit>),
    Local(MemoryGrant),
}

impl Grant for RedisGrant {
    fn leave(&mut self, facts: &mut Extensions) {
        if let Some(joint) = self.joint.take() {
            facts.insert(Left::new(joint));
        }
    }

    fn wants_usage(&self) -> bool {
        match &self.taken {
            Taken::Nothing => false,
            Taken::Shared(_, limits) => limits.iter().any(|limit| limit.measure == Measure::Tokens),
            Taken::Local(grant) => grant.wants_usage(),
        }
    }

    fn headers(&self, set: &mut dyn FnMut(&HeaderName, HeaderValue)) {
        match &self.taken {
            Taken::Nothing => {}
            Taken::Shared(ticket, limits) => {
                let told = limits.iter().enumerate().map(|(level, limit)| {
                    let taken = ticket.count(level).map_or(0, |count| count.taken);
                    let taken = u64::try_from(taken).unwrap_or(0);
                    let Limit { scope, measure, most, .. } = *limit;
                    Told { scope, measure, most, remaining: most.saturating_sub(taken) }
                });
                tell(told, set);
            }
            Taken::Local(grant) => grant.headers(set),
        }
    }

    fn settle(self, used: Option<&Usage>) {
        match self.taken {
            Taken::Nothing => {}
            Taken::Shared(ticket, _) => ticket.used(used.map(|used| used.total().max(0))),
            Taken::Local(grant) => grant.settle(used),
        }
    }
}
