//! What is known of a call when it is over.
use crate::end::End;
use crate::facts::{Bill, CacheStatus, Call, Estimate, NanoUsd, Principal, ServedBy, Usage};
use http::{Extensions, Response, StatusCode};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// What is known of a call when it is over.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CallRecord {
    /// Who called; `None` where nobody had to prove it.
    pub principal: Option<Principal>,
    /// The model group that was asked for; `None` where nobody read the request.
    pub group: Option<Arc<str>>,
    /// Whom the client said it calls for.
    pub end_user: Option<Arc<str>>,
    /// Whether a stream was asked for.
    pub stream: bool,
    /// What was expected before the call.
    pub estimate: Option<Estimate>,
    /// What all attempts used together.
    pub usage: Usage,
    /// What that costs.
    pub cost: NanoUsd,
    /// Whether some of it was counted by us, as a provider told nothing.
    pub estimated: bool,
    /// How many attempts reached for an upstream; none where the call was refused before.
    pub attempts: usize,
    /// The status of the answer; `None` where there was none, only an error.
    pub status: Option<StatusCode>,
    /// How the answer ended; without an answer, whether it failed or the client left first.
    pub end: End,
    /// What the cache did below this layer.
    pub cache: Option<CacheStatus>,
    /// The deployment that answered.
    pub served_by: Option<ServedBy>,
    /// When the call came.
    pub began: SystemTime,
    /// How long it took from then until the headers of the answer were there.
    pub headers_after: Option<Duration>,
    /// How long it took from then until its end.
    pub duration: Duration,
}

/// Takes the records of calls. Implemented by closures; `()` takes none.
pub trait Sink: Clone + Send + 'static {
    /// Whether it takes any: records are not made for one that does not.
    const RECORDS: bool = true;

    /// Takes one. Called from `Drop`: it must not block or panic.
    fn record(&self, record: CallRecord);
}

impl<F: Fn(CallRecord) + Clone + Send + 'static> Sink for F {
    fn record(&self, record: CallRecord) {
        self(record);
    }
}

impl Sink for () {
    const RECORDS: bool = false;

    fn record(&self, _record: CallRecord) {}
}

/// A record in the making, and who gets it. Without a sink it is empty and costs nothing.
#[derive(Debug)]
pub(super) struct Draft<K> {
    record: Option<Box<(CallRecord, Instant)>>,
    sink: K,
}

impl<K: Sink> Draft<K> {
    pub(super) fn new(facts: &Extensions, sink: &K) -> Self {
        let record = K::RECORDS.then(|| Box::new((CallRecord::begin(facts), Instant::now())));
        Self { record, sink: sink.clone() }
    }

    /// Notes what the headers of the answer say.
    pub(super) fn answered<B>(&mut self, rsp: &Response<B>) {
        if let Some((record, began)) = self.record.as_deref_mut() {
            record.status = Some(rsp.status());
            record.cache = rsp.extensions().get().copied();
            record.served_by = rsp.extensions().get().cloned();
            record.headers_after = Some(began.elapsed());
        }
    }

    /// Hands the record out, the first time.
    pub(super) fn finish(&mut self, end: End, bill: &Bill) {
        let Some(draft) = self.record.take() else { return };
        let (mut record, began) = *draft;
        (record.usage, record.cost) = bill.total().unwrap_or_default();
        record.estimated = bill.is_estimated();
        record.attempts = bill.attempts();
        record.end = end;
        record.duration = began.elapsed();
        self.sink.record(record);
    }
}

impl CallRecord {
    fn begin(facts: &Extensions) -> Self {
        let call = facts.get::<Call>();
        Self {
            principal: facts.get().cloned(),
            group: call.map(|call| call.group.clone()),
            end_user: call.and_then(|call| call.end_user.clone()),
            stream: call.is_some_and(|call| call.stream),
            estimate: facts.get().copied(),
            usage: Usage::default(),
            cost: NanoUsd(0),
            estimated: false,
            attempts: 0,
            status: None,
            end: End::Cancelled,
            cache: None,
            served_by: None,
            began: SystemTime::now(),
            headers_after: None,
            duration: Duration::ZERO,
        }
    }
}
