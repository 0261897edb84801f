//! Reads the lines of a segment, and checks that they are what was written.
use super::chain::{self, Hex};
use super::segment::{Segment, follows};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// So many bytes are read at once, unless a line is longer.
const CHUNK: usize = 256 << 10;

/// Reads a segment from its beginning.
#[derive(Debug)]
pub(super) struct Reader {
    file: Arc<File>,
    /// So far it has been read.
    at: u64,
    /// What the next line follows: one hash, or after a damaged line the one that it has and the
    /// one that it should have.
    previous: [Option<Hex>; 2],
    buffer: Vec<u8>,
}

/// A record as it stands in a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its JSON.
    pub(super) payload: String,
    /// The hash of the line before it.
    pub(super) previous: Hex,
    /// Its own.
    pub(super) hash: Hex,
    /// Where it ends in its file; of one in memory, its number.
    pub(super) end: u64,
}

/// Lines that were read together.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The good ones.
    pub(super) good: Vec<Line>,
    /// How many are not what was written.
    pub(super) damaged: u64,
}

impl Reader {
    pub(super) fn new(segment: &Segment) -> Self {
        let file = segment.file.clone();
        Self { file, at: 0, previous: [None; 2], buffer: Vec::new() }
    }

    /// So far it has been read.
    pub(super) const fn at(&self) -> u64 {
        self.at
    }

    /// The next lines, up to `most`, of the first `len` bytes. What has no end there is left.
    pub(super) fn next(&mut self, len: u64, most: usize) -> io::Result<Lines> {
        let mut lines = Lines::default();
        while lines.good.len() < most && self.at < len {
            if !self.fill(len)? {
                break;
            }
            self.split(&mut lines, most);
        }
        Ok(lines)
    }

    /// Reads until there is a whole line. `false`: there is none.
    fn fill(&mut self, len: u64) -> io::Result<bool> {
        let mut size = CHUNK;
        loop {
            let left = usize::try_from(len.saturating_sub(self.at)).unwrap_or(usize::MAX);
            self.buffer.resize(size.min(left), 0);
            let read = self.file.read_at(&mut self.buffer, self.at)?;
            self.buffer.truncate(read);
            if memchr::memchr(b'\n', &self.buffer).is_some() {
                return Ok(true);
            }
            if size >= left || read < size {
                return Ok(false);
            }
            size *= 2;
        }
    }

    fn split(&mut self, lines: &mut Lines, most: usize) {
        let buffer = std::mem::take(&mut self.buffer);
        let mut rest = &*buffer;
        while lines.good.len() < most
            && let Some(end) = memchr::memchr(b'\n', rest)
        {
            let (line, after) = rest.split_at(end);
            self.at += end as u64 + 1;
            rest = after.get(1..).unwrap_or_default();
            match self.check(line) {
                Some(Some(line)) => lines.good.push(line),
                Some(None) => {}
                None => lines.damaged += 1,
            }
        }
        self.buffer = buffer;
    }

    /// The record of a line; `Some(None)` if it is the head of the file, `None` if it is not what
    /// was written.
    fn check(&mut self, line: &[u8]) -> Option<Option<Line>> {
        let Some((hash, payload)) = chain::parts(line) else {
            // What follows it may be told by the hash that it begins with.
            self.previous = [line.first_chunk().copied(), None];
            return None;
        };
        let is_first = self.at == line.len() as u64 + 1;
        let head = is_first.then(|| follows(payload)).flatten();
        if let Some(head) = head {
            self.previous = [Some(head), None];
        }
        let follows = |previous: &&Hex| chain::hash(previous, payload) == hash;
        let good = self.previous.iter().flatten().find(follows).copied();
        let text = std::str::from_utf8(payload).ok();
        let (Some(previous), Some(text)) = (good, text) else {
            // Either its hash is damaged, or what it is the hash of.
            let should = self.previous.iter().flatten().next();
            let should = should.map(|previous| chain::hash(previous, payload));
            self.previous = [Some(hash), should];
            return None;
        };
        self.previous = [Some(hash), None];
        let line = || Line { payload: text.to_owned(), previous, hash, end: self.at };
        Some(head.is_none().then(line))
    }
}
