//! Answers that wait to be written to the cache.
use ::redis::Pipeline;
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// Bytes that wait at most: what comes beyond is forgotten.
const MOST: usize = 8 << 20;
/// Bytes in one pipeline, unless one answer alone has more.
const PIPE: usize = 1 << 20;

/// One key to be written.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) key: String,
    pub(crate) value: Bytes,
    pub(crate) ttl: Option<Duration>,
}

/// In order, and bounded in bytes.
#[derive(Debug, Default)]
pub(super) struct Writes {
    queue: VecDeque<Write>,
    bytes: usize,
}

impl Writes {
    pub(super) fn push(&mut self, write: Write) {
        if self.bytes + write.size() <= MOST {
            self.bytes += write.size();
            self.queue.push_back(write);
        }
    }

    /// What fits in one pipeline, or `one` alone; `None` when nothing waits.
    pub(super) fn take(&mut self, one: bool) -> Option<Pipeline> {
        let mut pipe = Pipeline::new();
        let mut bytes = 0;
        while let Some(write) = self.queue.front() {
            bytes += write.size();
            if !pipe.is_empty() && (one || bytes > PIPE) {
                break;
            }
            let set = pipe.cmd("SET").arg(&write.key).arg(&*write.value);
            if let Some(ttl) = write.ttl {
                set.arg("PX").arg(super::level::millis(ttl).max(1));
            }
            self.bytes -= write.size();
            self.queue.pop_front();
        }
        (!pipe.is_empty()).then_some(pipe)
    }
}

impl Write {
    fn size(&self) -> usize {
        self.key.len() + self.value.len()
    }
}
