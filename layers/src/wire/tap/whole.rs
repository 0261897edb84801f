//! What a whole JSON answer tells.
use super::Wire;
use super::key::behind_colon;
use super::learned::Learned;
use super::usage::usage_key;
use crate::wire::scan::value;
use bytes::Bytes;
use memchr::memmem;
use std::collections::VecDeque;
use std::iter;

/// Of a whole answer, at least this many of the last bytes are kept: 1 MiB.
const WHOLE_KEPT: usize = 1024 * 1024;

impl Learned {
    /// Takes in a whole answer, or the end of one that was too long to be kept.
    pub(super) fn whole(&mut self, body: &[u8]) {
        let key = usage_key(self.wire);
        if !body.trim_ascii_start().starts_with(b"{") {
            let quoted = format!("\"{key}\"");
            let Some(at) = memmem::rfind(body, quoted.as_bytes()) else { return };
            return self.used(value(behind_colon(&body[at + quoted.len()..])));
        }
        let (mut usage, mut failed) = (None, false);
        for (name, value) in value(body).members() {
            match &*name {
                name if name == key.as_bytes() => usage = Some(value),
                // Embeddings have it there.
                b"meta" if self.wire == Wire::Cohere => usage = Some(value),
                b"error" => {
                    failed |= !value.is_null();
                    self.ending(&name, value);
                }
                name => self.ending(name, value),
            }
        }
        if self.wire == Wire::Ollama {
            usage = Some(value(body));
        }
        if let Some(usage) = usage {
            self.used(usage);
        }
        // Some servers write `null`.
        if self.usage().is_none() {
            self.begun = !failed;
            for (name, value) in value(body).members() {
                self.written.whole(self.wire, &name, value);
            }
        }
        if self.wire == Wire::Responses {
            self.response(value(body));
        }
    }
}

/// The last frames of a whole answer. Most come in one, which needs no list.
#[derive(Debug, Default)]
pub(super) struct Kept {
    first: Bytes,
    more: VecDeque<Bytes>,
    len: usize,
}

impl Kept {
    pub(super) fn push(&mut self, frame: &Bytes) {
        if self.len == 0 {
            self.first = frame.clone();
        } else {
            self.more.push_back(frame.clone());
        }
        self.len += frame.len();
        while self.len - self.first.len() >= WHOLE_KEPT {
            self.len -= self.first.len();
            self.first = self.more.pop_front().unwrap_or_default();
        }
    }

    /// All of them in one piece.
    pub(super) fn join(self) -> Bytes {
        if self.more.is_empty() {
            return self.first;
        }
        let mut joined = Vec::with_capacity(self.len);
        for frame in iter::once(&self.first).chain(&self.more) {
            joined.extend_from_slice(frame);
        }
        joined.into()
    }
}
