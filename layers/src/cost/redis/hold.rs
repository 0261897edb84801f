//! Money held in Redis, and the wait for it.
use crate::cost::{CostError, Hold};
use crate::facts::NanoUsd;
use crate::redis::{Level, Redis, Ticket};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// The future of [`RedisLedger`](super::RedisLedger).
#[must_use = "futures do nothing unless polled"]
pub struct RedisHolding(pub(super) Holding);

pub(super) enum Holding {
    Known(Option<Result<RedisHold, CostError>>),
    Asked(Pin<Box<dyn Future<Output = Result<RedisHold, CostError>> + Send>>),
}

impl RedisHolding {
    pub(super) fn ready(result: Result<RedisHold, CostError>) -> Self {
        Self(Holding::Known(Some(result)))
    }
}

impl Future for RedisHolding {
    type Output = Result<RedisHold, CostError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Holding::Known(result) => Poll::Ready(result.take().expect("polled once when ready")),
            Holding::Asked(asked) => asked.as_mut().poll(cx),
        }
    }
}

impl fmt::Debug for RedisHolding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisHolding").finish_non_exhaustive()
    }
}

/// Money held in a [`RedisLedger`](super::RedisLedger).
#[derive(Debug)]
pub struct RedisHold(pub(super) Held);

#[derive(Debug)]
pub(super) enum Held {
    Nothing,
    Ticket(Arc<Ticket>),
    /// Redis was away.
    Later(Redis, Vec<Level>),
}

impl RedisHold {
    /// Its name: by it a journal can settle it again, and it counts once.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match &self.0 {
            Held::Ticket(ticket) => Some(ticket.id()),
            Held::Nothing | Held::Later(..) => None,
        }
    }
}

impl Hold for RedisHold {
    fn settle(self, cost: NanoUsd) {
        match self.0 {
            Held::Nothing => {}
            Held::Ticket(ticket) => ticket.spent(cost.0),
            Held::Later(redis, levels) => {
                levels.into_iter().for_each(|level| redis.charge(level, cost.0));
            }
        }
    }
}
