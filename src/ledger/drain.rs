//! Takes records over into the store.
use super::journal::Journal;
use super::reader::{Line, Lines, Reader};
use super::record::Record;
use super::rows::{Sums, insert};
use super::segment::Segment;
use super::standing::Standing;
use crate::clock;
use crate::store::{Arg, Store, StoreError, Work};
use std::collections::HashMap;
use std::collections::HashSet;
use std::io;
use std::sync::Arc;

/// So many records are taken over at once.
pub(super) const BATCH: usize = 256;

/// Takes records over into the store, in batches, each exactly once: a batch and how far the
/// journal was read are written together or not at all.
#[derive(Debug)]
pub(super) struct Drain {
    store: Store,
    journal: Arc<Journal>,
    standing: Arc<Standing>,
    /// Whether each call has a row of its own.
    rows: bool,
    readers: HashMap<Arc<str>, Reader>,
    /// What other processes have left behind.
    left: Vec<Segment>,
}

/// Why a journal is not drained.
#[derive(Debug, thiserror::Error)]
pub enum DrainError {
    /// The store cannot take anything now.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be read.
    #[error("the journal cannot be read")]
    Journal(#[from] io::Error),
}

impl Drain {
    pub(super) fn new(
        store: Store,
        journal: Arc<Journal>,
        standing: Arc<Standing>,
        rows: bool,
    ) -> Self {
        let (readers, left) = (HashMap::new(), Vec::new());
        Self { store, journal, standing, rows, readers, left }
    }

    /// Looks for journals of processes that are gone.
    pub(super) fn look(&mut self) {
        let Some(directory) = &self.journal.directory else { return };
        match Segment::left_behind(directory) {
            Ok(found) => self.left.extend(found),
            Err(error) => {
                let path = directory.display();
                tracing::warn!(%error, "Journals of earlier processes cannot be read in {path}");
            }
        }
    }

    /// Takes over all that is there now. With `ending`, files that are drained are deleted also
    /// where more could be written to them.
    pub(super) async fn drain(&mut self, ending: bool) -> Result<(), DrainError> {
        let done = self.drain_all(ending).await;
        if let Err(DrainError::Store(error)) = &done {
            self.standing.away(error);
            self.journal.retry();
        } else {
            self.standing.back();
        }
        done
    }

    async fn drain_all(&mut self, ending: bool) -> Result<(), DrainError> {
        if let Err(error) = self.journal.sync() {
            self.standing.full(&error);
        }
        while let Some(segment) = self.left.first().cloned() {
            let clean = self.segment(&segment).await?;
            self.left.remove(0);
            self.forget(&segment, clean).await?;
        }
        for segment in self.journal.segments() {
            let clean = self.segment(&segment).await?;
            if let Some(done) = self.journal.drained(&segment.name, segment.len, ending) {
                self.forget(&done, clean).await?;
            }
        }
        self.waiting().await
    }

    /// Drains one file up to its length. `false`: something in it was damaged.
    async fn segment(&mut self, segment: &Segment) -> Result<bool, DrainError> {
        let mut clean = true;
        // Only a reader of which all is in the store comes back. After a failure, or where nobody
        // waits for this any more, the file is read again from its beginning; what is in the store
        // stays there once.
        let reader = self.readers.remove(&segment.name);
        let mut reader = reader.unwrap_or_else(|| Reader::new(segment));
        loop {
            let before = reader.at();
            let lines = reader.next(segment.len, BATCH)?;
            let to = reader.at();
            if to == before {
                self.readers.insert(segment.name.clone(), reader);
                return Ok(clean);
            }
            clean &= lines.damaged == 0;
            self.take_over(&segment.name, &lines.good, to).await?;
            self.damaged(segment, &lines);
        }
    }

    fn damaged(&self, segment: &Segment, lines: &Lines) {
        if lines.damaged > 0 {
            self.standing.lost(lines.damaged);
            let (file, count) = (&segment.name, lines.damaged);
            tracing::error!(file = &**file, count, "Lines of the journal are damaged");
        }
    }

    /// A file is drained: it goes, unless people should look at it.
    async fn forget(&mut self, segment: &Segment, clean: bool) -> Result<(), DrainError> {
        self.readers.remove(&segment.name);
        if clean {
            segment.delete()?;
        } else {
            segment.set_aside()?;
        }
        let mut work = self.store.work().await?;
        let sql = "DELETE FROM journals WHERE name = $1";
        work.execute(sql, &[(*segment.name).into()]).await?;
        Ok(work.commit().await?)
    }

    /// Takes over what waits in memory.
    async fn waiting(&mut self) -> Result<(), DrainError> {
        loop {
            let mut taken = self.journal.take_waiting(BATCH);
            let Some(to) = taken.lines.last().map(|line| line.end) else { return Ok(()) };
            let name = format!("{}-memory", self.journal.instance);
            self.take_over(&name, &taken.lines, to).await?;
            taken.stored = true;
        }
    }

    /// Writes a batch of the journal `name`, that was read up to `to`, and remembers that.
    async fn take_over(&self, name: &str, lines: &[Line], to: u64) -> Result<(), StoreError> {
        let mut work = self.store.work().await?;
        // Whoever commits this batch too, late, is waited for: it counts once.
        let sql = "INSERT INTO journals (name, drained, at) VALUES ($1, 0, $2) \
            ON CONFLICT (name) DO UPDATE SET at = excluded.at RETURNING drained";
        let drained = work.fetch(sql, &[name.into(), clock::now().into()]).await?;
        let drained = drained.first().map_or(0, |row| row.int(0));
        let fresh = lines.iter().filter(|line| count(line.end) > drained);
        let calls: Vec<_> = fresh.filter_map(|line| self.read(line)).collect();
        self.write(&mut work, calls).await?;
        let sql = "UPDATE journals SET drained = $2 WHERE name = $1";
        work.execute(sql, &[name.into(), count(to).max(drained).into()]).await?;
        work.commit().await
    }

    async fn write(
        &self,
        work: &mut Work,
        mut calls: Vec<(Record, &Line)>,
    ) -> Result<(), StoreError> {
        if self.rows {
            let new: HashSet<_> = insert(work, &calls).await?.into_iter().collect();
            calls.retain(|(record, _)| new.contains(&*record.id));
        }
        let mut sums = Sums::default();
        calls.iter().for_each(|(record, _)| sums.add(record));
        sums.store(work, clock::now() / 1000).await
    }

    fn read<'a>(&self, line: &'a Line) -> Option<(Record, &'a Line)> {
        match Record::read(&line.payload) {
            Ok(record) => Some((record, line)),
            Err(error) => {
                // Its hash is right: another version wrote it.
                self.standing.lost(1);
                tracing::error!(%error, "A record of the journal cannot be read");
                None
            }
        }
    }
}

/// Removes rows of calls that began before that time, a part at a time.
pub(super) async fn sweep(store: &Store, before: i64) -> Result<u64, StoreError> {
    let mut all = 0;
    loop {
        let mut work = store.work().await?;
        let sql = "DELETE FROM calls WHERE id IN \
            (SELECT id FROM calls WHERE started < $1 ORDER BY started LIMIT 1000)";
        let removed = work.execute(sql, &[Arg::from(before)]).await?;
        work.commit().await?;
        all += removed;
        if removed < 1000 {
            return Ok(all);
        }
    }
}

fn count(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
