//! The files of journals: `<instance>-<number>.jsonl`, each locked by the process that writes it or
//! takes it over.
use super::chain::{self, Hex};
use serde_json::{Value, json};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How the names of files end.
const ENDING: &str = ".jsonl";

/// A file that this process holds.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// The file's name.
    pub(super) name: Arc<str>,
    path: PathBuf,
    /// Locked until the last clone is dropped.
    pub(super) file: Arc<File>,
    /// So many bytes of it are whole lines.
    pub(super) len: u64,
}

/// The place of journals, made if it is not there.
pub(super) fn place(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

impl Segment {
    /// Makes a file that goes on after a line with the hash `previous`; returns its own as well.
    pub(super) fn create(
        directory: &Path,
        instance: &str,
        number: u32,
        previous: &Hex,
    ) -> io::Result<(Self, Hex)> {
        let name = format!("{instance}-{number:06}{ENDING}");
        let (draft, path) = (directory.join(format!(".{name}")), directory.join(&name));
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .append(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&draft)?;
        file.set_len(0)?;
        // Before it has a name that others look for: they take over what nobody holds.
        file.try_lock()?;
        let mut line = Vec::new();
        let head = json!({
            "journal": instance, "segment": number, "previous": chain::text(previous), "format": 1,
        });
        let hash = chain::line(&mut line, previous, head.to_string().as_bytes());
        file.write_all(&line)?;
        std::fs::rename(&draft, &path)?;
        let len = line.len() as u64;
        Ok((Self { name: name.into(), path, file: Arc::new(file), len }, hash))
    }

    /// The files in `directory` that nobody holds, in order; from now on they are ours.
    pub(super) fn left_behind(directory: &Path) -> io::Result<Vec<Self>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            if let Some(segment) = Self::take_over(path)? {
                found.push(segment);
            }
        }
        found.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    fn take_over(path: PathBuf) -> io::Result<Option<Self>> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with('.') || !name.ends_with(ENDING) {
            return Ok(None);
        }
        let file = match OpenOptions::new().read(true).append(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        // Whoever holds it lives; who has deleted it meanwhile has taken it over.
        if file.try_lock().is_err() || file.metadata()?.nlink() == 0 {
            return Ok(None);
        }
        let len = file.metadata()?.len();
        Ok(Some(Self { name: name.into(), path, file: Arc::new(file), len }))
    }

    /// Appends a line, with one call of the system. Where not all of it can be written, nothing is.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let written = (&*self.file).write(line);
        match written {
            Ok(bytes) if bytes == line.len() => {
                self.len += bytes as u64;
                Ok(())
            }
            Ok(_) => {
                self.file.set_len(self.len)?;
                Err(io::ErrorKind::StorageFull.into())
            }
            Err(error) => Err(error),
        }
    }

    /// Deletes it: all of it is in the store.
    pub(super) fn delete(&self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }

    /// Keeps it under a name that nobody takes over, for people to look at.
    pub(super) fn set_aside(&self) -> io::Result<()> {
        std::fs::rename(&self.path, self.path.with_extension("damaged"))
    }
}

/// What the first line of a file says that it follows.
pub(super) fn follows(payload: &[u8]) -> Option<Hex> {
    let head: Value = serde_json::from_slice(payload).ok()?;
    head.get("journal")?;
    chain::parse(head.get("previous")?.as_str()?)
}
