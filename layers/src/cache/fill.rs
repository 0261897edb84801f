//! Collects an answer while it passes, and decides at its end whether it is kept.
use super::flight::Lead;
use super::{Answer, Entry, HEADER, Key, Store};
use crate::end::End;
use crate::facts::{Finish, ServedBy, UsageCell};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, response};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What answers that are being collected may hold together.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<AtomicUsize>);

impl Room {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    fn take(&self, bytes: usize) -> bool {
        let less = |left: usize| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

/// An answer that is being collected. Dropped, it leaves the lead of its flight to the next.
#[derive(Debug)]
pub(super) struct Fill<T: Store> {
    store: T,
    key: Key,
    ttl: Option<Duration>,
    keep_tool_calls: bool,
    lead: Option<Lead>,
    answer: Answer,
    cell: Option<UsageCell>,
    frames: Frames,
}

/// What a call brings to the collecting of its answer.
#[derive(Debug)]
pub(super) struct Order<T> {
    pub(super) store: T,
    pub(super) key: Key,
    pub(super) ttl: Option<Duration>,
    pub(super) keep_tool_calls: bool,
    pub(super) lead: Option<Lead>,
    pub(super) room: Room,
    pub(super) max_entry: usize,
}

impl<T: Store> Fill<T> {
    /// Begins to collect the answer with this `head`. One that cannot be kept ends its flight at
    /// once.
    pub(super) fn begin(order: Order<T>, head: &response::Parts) -> Option<Box<Self>> {
        let Order { store, key, ttl, keep_tool_calls, lead, room, max_entry } = order;
        if head.status != StatusCode::OK || is_encoded(&head.headers) {
            land(lead);
            return None;
        }
        let answer = Answer {
            stream: is_stream(&head.headers),
            headers: kept(&head.headers),
            body: Bytes::new(),
            served_by: head.extensions.get().map(|ServedBy(id)| Arc::clone(id)),
            bill: None,
            stored: UNIX_EPOCH,
        };
        let cell = head.extensions.get().cloned();
        let frames = Frames::new(max_entry, room);
        Some(Box::new(Self { store, key, ttl, keep_tool_calls, lead, answer, cell, frames }))
    }

    /// Collects a frame; `false` when there is no room for it.
    pub(super) fn push(&mut self, frame: &Bytes) -> bool {
        self.frames.push(frame)
    }

    /// The answer is too large: nobody waits for it any longer.
    pub(super) fn give_up(mut self) {
        land(self.lead.take());
    }

    pub(super) fn end(mut self, end: End) {
        match end {
            End::Complete if self.is_keepable() => self.keep(),
            End::Complete | End::Failed => land(self.lead.take()),
            // The answer may have been a good one: the next call tries.
            End::Cancelled => {}
        }
    }

    fn keep(mut self) {
        self.answer.body = self.frames.join();
        self.answer.bill = self.cell.as_ref().and_then(UsageCell::bill);
        self.answer.stored = SystemTime::now();
        self.answer.headers.insert(HEADER, self.key.header());
        let entry = Entry::from(self.answer);
        // First into the store: a call that finds the flight over looks there.
        self.store.put(self.key, entry.clone(), self.ttl);
        if let Some(lead) = self.lead.take() {
            lead.land(Some(entry));
        }
    }

    fn is_keepable(&self) -> bool {
        if self.frames.bytes == 0 {
            return false;
        }
        let Some(cell) = &self.cell else { return true };
        let finished = match cell.finished() {
            Some(Finish::Stop) => true,
            Some(Finish::ToolCalls) => self.keep_tool_calls,
            Some(Finish::Length | Finish::ContentFilter | Finish::Other) => false,
            // Embeddings do not say; a stream that does not was cut.
            None => !self.answer.stream,
        };
        finished && cell.fault().is_none()
    }
}

fn land(lead: Option<Lead>) {
    if let Some(lead) = lead {
        lead.land(None);
    }
}

#[derive(Debug)]
struct Frames {
    /// Most answers are one frame.
    first: Bytes,
    more: Vec<Bytes>,
    bytes: usize,
    most: usize,
    room: Room,
}

impl Frames {
    const fn new(most: usize, room: Room) -> Self {
        Self { first: Bytes::new(), more: Vec::new(), bytes: 0, most, room }
    }

    fn push(&mut self, frame: &Bytes) -> bool {
        let fits = self.bytes + frame.len() <= self.most && self.room.take(frame.len());
        if fits {
            if self.bytes == 0 {
                self.first = frame.clone();
            } else {
                self.more.push(frame.clone());
            }
            self.bytes += frame.len();
        }
        fits
    }

    /// A copy, because a frame holds all of the buffer that it was read into.
    fn join(&self) -> Bytes {
        let mut all = Vec::with_capacity(self.bytes);
        all.extend_from_slice(&self.first);
        self.more.iter().for_each(|frame| all.extend_from_slice(frame));
        all.into()
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.room.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

const EVENTS: &[u8] = b"text/event-stream";

/// Whether an answer is a stream of events.
fn is_stream(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    value.get(..EVENTS.len()).is_some_and(|start| start.eq_ignore_ascii_case(EVENTS))
}

/// Not every client can read what one of them could.
fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_ENCODING).is_some_and(|value| value != "identity")
}

/// The headers that go with the answer: not those of a connection (RFC 9110 7.6.1), nor of the one
/// call that made it.
fn kept(headers: &HeaderMap) -> HeaderMap {
    // One more comes with the key.
    let mut kept = HeaderMap::with_capacity(headers.len() + 1);
    for (name, value) in headers.iter().filter(|(name, _)| is_kept(name)) {
        kept.append(name, value.clone());
    }
    kept
}

fn is_kept(name: &HeaderName) -> bool {
    const OF_ONE_CALL: [&str; 20] = [
        "age",
        "alt-svc",
        "cf-ray",
        "connection",
        "content-length",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "request-id",
        "retry-after",
        "retry-after-ms",
        "server-timing",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-request-id",
        "traceparent",
        "tracestate",
    ];
    let name = name.as_str();
    let name = name.strip_prefix("llm_provider-").unwrap_or(name);
    let limits = name.starts_with("x-ratelimit-") || name.starts_with("anthropic-ratelimit-");
    // Who answered stays true.
    let of_call = name.strip_prefix("x-litellm-");
    let of_call = of_call.is_some_and(|what| !what.starts_with("model-") && what != "version");
    !limits && !of_call && !OF_ONE_CALL.contains(&name)
}
