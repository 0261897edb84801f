//! A kept answer, and its bytes in a store outside this process.
use crate::facts::{NanoUsd, Unit, Usage};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The layout of [`Entry::to_bytes`]; any other is not read.
const VERSION: u8 = 1;

/// A kept answer. Clones share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry(Arc<Answer>);

/// What is kept of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether it came as a stream of events.
    pub stream: bool,
    /// Its headers, without those of the one call that made it, and with the
    /// [`HEADER`](super::HEADER) that its hits have.
    pub headers: HeaderMap,
    /// Its bytes.
    pub body: Bytes,
    /// The deployment that answered.
    pub served_by: Option<Arc<str>>,
    /// What the provider reported, and what it cost.
    pub bill: Option<(Usage, NanoUsd)>,
    /// When it was complete.
    pub stored: SystemTime,
}

impl Answer {
    /// Bytes that are complete now.
    #[must_use]
    pub fn new(stream: bool, headers: HeaderMap, body: Bytes) -> Self {
        Self { stream, headers, body, served_by: None, bill: None, stored: SystemTime::now() }
    }

    /// How long ago it was complete.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.stored.elapsed().unwrap_or_default()
    }

    /// The bytes of memory that it takes, nearly.
    #[must_use]
    pub fn size(&self) -> usize {
        let header = |(name, value): (&HeaderName, &HeaderValue)| {
            name.as_str().len() + value.len() + size_of::<(HeaderName, HeaderValue)>()
        };
        let headers: usize = self.headers.iter().map(header).sum();
        size_of::<Self>() + self.body.len() + headers
    }
}

impl From<Answer> for Entry {
    fn from(answer: Answer) -> Self {
        Self(Arc::new(answer))
    }
}

impl Deref for Entry {
    type Target = Answer;

    fn deref(&self) -> &Answer {
        &self.0
    }
}

impl Entry {
    /// Writes it for a store outside this process. Numbers are little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(self.size() + 256);
        out.put_u8(VERSION);
        out.put_u8(u8::from(self.stream));
        let stored = self.stored.duration_since(UNIX_EPOCH).unwrap_or_default();
        out.put_u64_le(u64::try_from(stored.as_millis()).unwrap_or(u64::MAX));
        put_bill(&mut out, self.bill.as_ref());
        put(&mut out, self.served_by.as_deref().unwrap_or_default().as_bytes());
        put_length(&mut out, self.headers.len());
        for (name, value) in &self.headers {
            put(&mut out, name.as_str().as_bytes());
            put(&mut out, value.as_bytes());
        }
        out.put(&*self.body);
        out.freeze()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; `None` for anything else, such as an entry
    /// of another version. The body shares `bytes`.
    #[must_use]
    pub fn from_bytes(mut bytes: Bytes) -> Option<Self> {
        if bytes.try_get_u8().ok()? != VERSION {
            return None;
        }
        let stream = flag(&mut bytes)?;
        let stored = Duration::from_millis(bytes.try_get_u64_le().ok()?);
        let stored = UNIX_EPOCH.checked_add(stored)?;
        let bill = take_bill(&mut bytes)?;
        let served_by = take(&mut bytes)?;
        let served_by = std::str::from_utf8(&served_by).ok()?;
        let served_by = (!served_by.is_empty()).then(|| served_by.into());
        let mut headers = HeaderMap::new();
        for _ in 0..bytes.try_get_u32_le().ok()? {
            let name = HeaderName::from_bytes(&take(&mut bytes)?).ok()?;
            let value = HeaderValue::from_maybe_shared(take(&mut bytes)?).ok()?;
            headers.try_append(name, value).ok()?;
        }
        Some(Answer { stream, headers, body: bytes, served_by, bill, stored }.into())
    }
}

fn put_bill(out: &mut BytesMut, bill: Option<&(Usage, NanoUsd)>) {
    out.put_u8(u8::from(bill.is_some()));
    let Some((usage, cost)) = bill else { return };
    out.put_i64_le(cost.0);
    put_length(out, Unit::COUNT);
    for unit in Unit::ALL {
        out.put_i64_le(usage[unit]);
    }
}

fn take_bill(bytes: &mut Bytes) -> Option<Option<(Usage, NanoUsd)>> {
    if !flag(bytes)? {
        return Some(None);
    }
    let cost = NanoUsd(bytes.try_get_i64_le().ok()?);
    if bytes.try_get_u32_le().ok()? as usize != Unit::COUNT {
        return None;
    }
    let mut usage = Usage::default();
    for unit in Unit::ALL {
        usage[unit] = bytes.try_get_i64_le().ok()?;
    }
    Some(Some((usage, cost)))
}

fn flag(bytes: &mut Bytes) -> Option<bool> {
    match bytes.try_get_u8().ok()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

fn put(out: &mut BytesMut, text: &[u8]) {
    put_length(out, text.len());
    out.put(text);
}

fn put_length(out: &mut BytesMut, length: usize) {
    out.put_u32_le(u32::try_from(length).expect("headers are far shorter than 4 GiB"));
}

fn take(bytes: &mut Bytes) -> Option<Bytes> {
    let length = bytes.try_get_u32_le().ok()? as usize;
    (length <= bytes.len()).then(|| bytes.split_to(length))
}
