//! Holds budget before a call, settles it when the response body ends, and records the call.
//!
//! The layer parses nothing. It leaves a [`Bill`] among the request's facts, to which whoever
//! sends an attempt adds a line; a service that knows nothing of bills may leave a [`UsageCell`]
//! in its response instead. What a call may cost comes from the [`Estimate`] that ingest made, and
//! [`Admission`] says how much of it has to fit. [`Settle`] reads the bill once: when the body is
//! complete, has failed, or the client leaves. Attempts that were made before an upstream error,
//! or before the client left without having seen headers, are charged too, if they used anything.
//! All other holds go back whole. A call that a layer further out answers or refuses, such as a hit
//! of a cache, is not seen here, and has no record.
//!
//! It belongs outside of retry, fallback and whatever else sends an attempt again: a call has one
//! hold and one bill, however many attempts it takes. Around a single deployment, for a budget of
//! its own, it is told to look at [one attempt](CostLayer::one_attempt).
//!
//! # Errors
//!
//! [`CostError`], before the inner service is called. Inner errors pass through untouched.
//!
//! # Outages
//!
//! While the ledger does not answer, calls are refused, unless the layer is told to
//! [admit](CostLayer::admit_on_outage) them: then they are not charged, but recorded.
//!
//! # Example
//!
//! ```
//! use bartizan_layers::{cost::{CostLayer, MemoryLedger}, facts::NanoUsd};
//! # use {bytes::Bytes, http::{Request, Response}, http_body_util::Empty};
//! use tower::{BoxError, ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), BoxError> {
//! let five_dollars_a_day = MemoryLedger::daily(NanoUsd::from_dollars(5.0));
//! let service = ServiceBuilder::new()
//!     .layer(CostLayer::new(five_dollars_a_day).sink(|call| println!("{call:?}")))
//!     .service_fn(async |_: Request<()>| Ok::<_, BoxError>(Response::new(Empty::<Bytes>::new())));
//!
//! let response = service.oneshot(Request::new(())).await?;
//! # let _ = response;
//! # Ok(())
//! # }
//! ```
//!
//! [`Estimate`]: crate::facts::Estimate
//! [`UsageCell`]: crate::facts::UsageCell
mod books;
mod budget;
mod future;
mod memory;
mod policy;
mod record;
#[cfg(feature = "redis")]
mod redis;
#[cfg(test)]
mod tests;
mod window;

pub use self::budget::{Account, Budget, Budgets, Seed};
pub use self::future::{CostFuture, Settle};
pub use self::memory::{MemoryHold, MemoryLedger};
pub use self::policy::{Admission, CostError, Exhausted, Hold, Ledger};
pub use self::record::{CallRecord, Sink};
#[cfg(feature = "redis")]
pub use self::redis::{RedisHold, RedisHolding, RedisLedger, Suspect};
pub use self::window::{BudgetWindow, WindowError, Zone};

use crate::{BoxError, end::EndBody, facts::Bill};
use http::{Request, Response};
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Wraps services in [`Cost`]. See the [module docs](self) for an example.
#[derive(Clone, Debug)]
pub struct CostLayer<L, K = ()> {
    ledger: L,
    sink: K,
    admission: Admission,
    admit_on_outage: bool,
    one_attempt: bool,
}

impl<L> CostLayer<L> {
    /// Charges `ledger`, admits by [`Admission::Likely`] and records nothing. While the ledger is
    /// unreachable, calls are refused.
    pub const fn new(ledger: L) -> Self {
        let (admission, sink) = (Admission::Likely, ());
        Self { ledger, sink, admission, admit_on_outage: false, one_attempt: false }
    }
}

impl<L, K> CostLayer<L, K> {
    /// Lets calls through, uncharged, while the ledger is unreachable.
    #[must_use]
    pub fn admit_on_outage(self) -> Self {
        Self { admit_on_outage: true, ..self }
    }

    /// Charges what the [`UsageCell`](crate::facts::UsageCell) of the response tells, and leaves
    /// the bill of the call to a layer further out.
    #[must_use]
    pub fn one_attempt(self) -> Self {
        Self { one_attempt: true, ..self }
    }

    /// How much of its estimate a call needs to find free.
    #[must_use]
    pub fn admission(self, admission: Admission) -> Self {
        Self { admission, ..self }
    }

    /// Never lets a budget be overspent: [`Admission::Most`].
    #[must_use]
    pub fn strict(self) -> Self {
        self.admission(Admission::Most)
    }

    /// Hands a [`CallRecord`] of each call to `sink`.
    #[must_use]
    pub fn sink<N: Sink>(self, sink: N) -> CostLayer<L, N> {
        let Self { ledger, admission, admit_on_outage, one_attempt, .. } = self;
        CostLayer { ledger, sink, admission, admit_on_outage, one_attempt }
    }
}

impl<L: Clone, K: Clone, S> Layer<S> for CostLayer<L, K> {
    type Service = Cost<L, S, K>;

    fn layer(&self, inner: S) -> Self::Service {
        Cost { inner, options: self.clone() }
    }
}

/// Middleware that holds and settles the money of each call. Made by [`CostLayer`].
#[derive(Clone, Debug)]
pub struct Cost<L, S, K = ()> {
    inner: S,
    options: CostLayer<L, K>,
}

impl<L, S, K, B, R> Service<Request<B>> for Cost<L, S, K>
where
    L: Ledger,
    K: Sink,
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: http_body::Body,
{
    type Response = Response<EndBody<R, Settle<L::Hold, K>>>;
    type Error = BoxError;
    type Future = CostFuture<L, S, B, K>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut req: Request<B>) -> Self::Future {
        let CostLayer { ledger, sink, admission, admit_on_outage, one_attempt } = &self.options;
        let facts = req.extensions_mut();
        let bill = if *one_attempt { Bill::default() } else { Bill::of(facts) };
        let settle = Settle::new(bill, facts, sink);
        if let Some(held) = ledger.hold_now(facts, *admission) {
            return CostFuture::held(held, &mut self.inner, req, settle, *admit_on_outage);
        }
        let hold = ledger.hold(facts, *admission);
        // The clone is not ready: it stays behind, and the ready service makes the call.
        let unready = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, unready);
        CostFuture::waiting(hold, ready, req, settle, *admit_on_outage)
    }
}
