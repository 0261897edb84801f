//! The journal: what calls append to.
use super::chain::{self, GENESIS, Hex};
use super::reader::Line;
use super::segment::Segment;
use super::standing::Standing;
use crate::config::Fsync;
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A file that has grown to this size is followed by another.
pub(super) const SEGMENT: u64 = 16 << 20;
/// All files of one process may be so large together: no disk is filled by a store that is away.
pub(super) const FILES: u64 = 4 << 30;
/// Records for which there is no room may wait in memory, so many bytes of them.
pub(super) const WAITING: usize = 4 << 20;

/// How large things may grow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) segment: u64,
    pub(super) files: u64,
    pub(super) waiting: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { segment: SEGMENT, files: FILES, waiting: WAITING }
    }
}

/// The journal of this process.
#[derive(Debug)]
pub(super) struct Journal {
    /// What its files are called, and what the ids of its records begin with.
    pub(super) instance: Box<str>,
    /// `None`: in memory.
    pub(super) directory: Option<PathBuf>,
    fsync: Fsync,
    sizes: Sizes,
    writer: Mutex<Writer>,
    standing: Arc<Standing>,
}

#[derive(Debug)]
struct Writer {
    /// The last one is written to.
    segments: VecDeque<Segment>,
    /// The number of the next file.
    next: u32,
    /// Of the last record.
    hash: Hex,
    /// The last record is not in the last file: the next one begins another.
    apart: bool,
    /// What has no room in a file, in order.
    waiting: VecDeque<(u64, String)>,
    waiting_bytes: usize,
    /// Records in memory so far.
    numbers: u64,
    /// Whether something was written since it was last made sure to be on the disk.
    dirty: bool,
    /// A line in the making.
    line: Vec<u8>,
}

/// Records that waited in memory. They wait on if they are dropped without being stored.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    journal: &'a Journal,
    pub(super) lines: Vec<Line>,
    /// Whether they are in the store.
    pub(super) stored: bool,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.journal.taken(std::mem::take(&mut self.lines), self.stored);
    }
}

impl Journal {
    pub(super) fn new(
        directory: Option<PathBuf>,
        fsync: Fsync,
        sizes: Sizes,
        standing: Arc<Standing>,
    ) -> Self {
        let writer = Writer {
            segments: VecDeque::new(),
            next: 1,
            hash: GENESIS,
            apart: true,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            numbers: 0,
            dirty: false,
            line: Vec::new(),
        };
        let instance = format!("{:016x}", fastrand::u64(..)).into();
        Self { instance, directory, fsync, sizes, writer: Mutex::new(writer), standing }
    }

    /// Appends a record. Returns whether others can find it when this process is gone.
    pub(super) fn append(&self, payload: &[u8]) -> bool {
        let mut writer = self.writer();
        if writer.waiting.is_empty() && self.directory.is_some() {
            match self.write(&mut writer, payload) {
                Ok(()) => return true,
                Err(error) => self.standing.full(&error),
            }
        }
        self.wait(&mut writer, payload);
        false
    }

    /// Writes a line to the last file, or to a new one.
    fn write(&self, writer: &mut Writer, payload: &[u8]) -> io::Result<()> {
        self.make_room(writer)?;
        let mut line = std::mem::take(&mut writer.line);
        let hash = chain::line(&mut line, &writer.hash, payload);
        let written = self.put(writer, &line);
        writer.line = line;
        written?;
        writer.hash = hash;
        Ok(())
    }

    fn put(&self, writer: &mut Writer, line: &[u8]) -> io::Result<()> {
        let Some(segment) = writer.segments.back_mut() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if let Err(error) = segment.append(line) {
            // Perhaps a part of it stands there.
            writer.apart = true;
            return Err(error);
        }
        if self.fsync == Fsync::Each {
            segment.file.sync_data()?;
        } else {
            writer.dirty = true;
        }
        Ok(())
    }

    /// Begins another file where the last one is too large, or does not end with the last record.
    fn make_room(&self, writer: &mut Writer) -> io::Result<()> {
        let total: u64 = writer.segments.iter().map(|segment| segment.len).sum();
        if total >= self.sizes.files {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let large = writer.segments.back().is_some_and(|it| it.len >= self.sizes.segment);
        if !large && !writer.apart {
            return Ok(());
        }
        let directory = self.directory.as_deref().ok_or(io::ErrorKind::NotFound)?;
        let made = Segment::create(directory, &self.instance, writer.next, &writer.hash);
        let (segment, hash) = match made {
            Err(_) if !writer.apart => return Ok(()),
            made => made?,
        };
        if let Some(before) = writer.segments.back()
            && self.fsync == Fsync::Batch
        {
            before.file.sync_data()?;
        }
        writer.segments.push_back(segment);
        (writer.hash, writer.apart) = (hash, false);
        writer.next += 1;
        Ok(())
    }

    /// Keeps a record in memory, as long as there is room.
    fn wait(&self, writer: &mut Writer, payload: &[u8]) {
        if writer.waiting_bytes + payload.len() > self.sizes.waiting {
            self.standing.lost(1);
            return;
        }
        writer.numbers += 1;
        writer.waiting_bytes += payload.len();
        let payload = String::from_utf8_lossy(payload).into_owned();
        writer.waiting.push_back((writer.numbers, payload));
        self.standing.waiting(writer.waiting.len());
    }

    /// Writes what waits in memory, as far as there is room again.
    pub(super) fn retry(&self) {
        let mut writer = self.writer();
        while self.directory.is_some()
            && let Some((number, payload)) = writer.waiting.pop_front()
        {
            if self.write(&mut writer, payload.as_bytes()).is_err() {
                writer.waiting.push_front((number, payload));
                break;
            }
            writer.waiting_bytes = writer.waiting_bytes.saturating_sub(payload.len());
        }
        self.standing.waiting(writer.waiting.len());
    }

    /// The files, each with so many bytes as are whole lines now.
    pub(super) fn segments(&self) -> Vec<Segment> {
        self.writer().segments.iter().cloned().collect()
    }

    /// Lets go of a file that is drained, unless more is written to it.
    pub(super) fn drained(&self, name: &str, to: u64, ending: bool) -> Option<Segment> {
        let mut writer = self.writer();
        let at = writer.segments.iter().position(|segment| &*segment.name == name)?;
        let is_last = at + 1 == writer.segments.len();
        let is_done = writer.segments.get(at).is_some_and(|segment| segment.len <= to);
        if !is_done || is_last && !ending && !writer.apart {
            return None;
        }
        writer.apart |= is_last;
        writer.segments.remove(at)
    }

    /// Takes records that wait in memory, at most so many.
    pub(super) fn take_waiting(&self, most: usize) -> Taken<'_> {
        let mut writer = self.writer();
        let count = most.min(writer.waiting.len());
        let taken: Vec<_> = writer.waiting.drain(..count).collect();
        // They are no part of any file: the next record begins one that follows them.
        writer.apart |= !taken.is_empty();
        let mut previous = writer.hash;
        let chained = taken.into_iter().map(|(end, payload)| {
            let follows = previous;
            previous = chain::hash(&follows, payload.as_bytes());
            Line { payload, previous: follows, hash: previous, end }
        });
        let lines = chained.collect();
        writer.hash = previous;
        Taken { journal: self, lines, stored: false }
    }

    /// They are in the store; or are not, and wait on.
    fn taken(&self, lines: Vec<Line>, stored: bool) {
        let mut writer = self.writer();
        if stored {
            let bytes: usize = lines.iter().map(|line| line.payload.len()).sum();
            writer.waiting_bytes = writer.waiting_bytes.saturating_sub(bytes);
        } else {
            let back = lines.into_iter().rev().map(|line| (line.end, line.payload));
            back.for_each(|line| writer.waiting.push_front(line));
        }
        self.standing.waiting(writer.waiting.len());
    }

    /// Makes sure that what was written is on the disk, where that is wanted.
    pub(super) fn sync(&self) -> io::Result<()> {
        let file = {
            let mut writer = self.writer();
            let dirty = std::mem::take(&mut writer.dirty);
            let last = writer.segments.back().filter(|_| dirty && self.fsync == Fsync::Batch);
            last.map(|segment| segment.file.clone())
        };
        file.map_or(Ok(()), |file| file.sync_data())
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
