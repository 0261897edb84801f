//! Whether a journal is as it was written.
use super::reader::Reader;
use super::segment::Segment;
use std::io;
use std::path::Path;

/// What a journal holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Records that are as they were written.
    pub records: u64,
    /// Lines that are not.
    pub damaged: u64,
    /// Bytes at the end that are no whole line.
    pub torn: u64,
}

/// Checks each line of a file against those before it.
///
/// # Errors
///
/// When the file cannot be read.
pub fn verify(file: &Path) -> io::Result<Verified> {
    let segment = Segment::to_read(file)?;
    let mut reader = Reader::new(&segment);
    let mut found = Verified::default();
    loop {
        let before = reader.at();
        let lines = reader.next(segment.len, 1000)?;
        found.records += lines.good.len() as u64;
        found.damaged += lines.damaged;
        if reader.at() == before {
            found.torn = segment.len - before;
            return Ok(found);
        }
    }
}
