//! The file in the state directory that they are kept in.
use super::Revocation;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// The file: a BLAKE3 in hexadecimal, a blank, and a JSON array of which it is the hash.
const FILE: &str = "revoked.json";
/// Whoever changes it holds this one.
const LOCK: &str = "revoked.lock";

/// What is there. A file that is not as it was written is put aside, with a word in the log.
pub(super) fn read(directory: &Path) -> Vec<Revocation> {
    let path = directory.join(FILE);
    let error = match found(&path) {
        Ok(found) => return found,
        Err(error) => error,
    };
    let aside = directory.join(format!("{FILE}.damaged"));
    if error.kind() == io::ErrorKind::InvalidData && std::fs::rename(&path, &aside).is_ok() {
        let aside = aside.display();
        tracing::error!("What was revoked cannot be read: revoke it again. The file is {aside}");
    } else {
        tracing::error!(%error, "What was revoked cannot be read from {}", path.display());
    }
    Vec::new()
}

fn found(path: &Path) -> io::Result<Vec<Revocation>> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    let broken = || io::Error::from(io::ErrorKind::InvalidData);
    let (hash, list) = text.trim_end().split_once(' ').ok_or_else(broken)?;
    if blake3::hash(list.as_bytes()).to_hex().as_str() != hash {
        return Err(broken());
    }
    serde_json::from_str(list).map_err(io::Error::from)
}

/// Adds some to it, or takes some out of it. Whoever reads it sees it as it was before or as it is
/// afterwards.
pub(super) fn edit(directory: &Path, some: &[Revocation], gone: bool) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let mut options = OpenOptions::new();
    let lock = options.write(true).create(true).mode(0o600).open(directory.join(LOCK))?;
    // Another process on the same directory holds it for milliseconds.
    lock.lock()?;
    let path = directory.join(FILE);
    // One that is damaged was put aside when this process began.
    let mut list = found(&path).unwrap_or_default();
    list.retain(|it| !some.iter().any(|other| other.name == it.name));
    if !gone {
        list.extend_from_slice(some);
    }
    if list.is_empty() {
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    let list = serde_json::to_string(&list)?;
    let draft = directory.join(format!(".{FILE}"));
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    writeln!(file, "{} {list}", blake3::hash(list.as_bytes()).to_hex())?;
    file.sync_all()?;
    std::fs::rename(&draft, &path)?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::{FILE, edit, read};
    use crate::revocations::{Deed, Revocation};
    use crate::store::{Actor, Kind};
    use std::os::unix::fs::PermissionsExt;

    fn revocation(thing: &str) -> Revocation {
        let by = Actor { user: "ann".into(), key: "k".into() };
        Revocation::new(Kind::Key, thing, Deed::Block, &by)
    }

    #[test]
    fn what_was_revoked_is_found_again_until_it_is_taken_out() {
        let home = tempfile::tempdir().unwrap();
        let state = home.path().join("state");
        let (one, two) = (revocation("a"), revocation("b"));
        assert_eq!(read(&state), []);
        edit(&state, std::slice::from_ref(&one), false).unwrap();
        edit(&state, &[two.clone(), one.clone()], false).unwrap();
        assert_eq!(read(&state), [two.clone(), one.clone()]);
        let mode = std::fs::metadata(state.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        edit(&state, std::slice::from_ref(&two), true).unwrap();
        assert_eq!(read(&state), std::slice::from_ref(&one));
        edit(&state, &[one], true).unwrap();
        assert!(!state.join(FILE).exists());
    }

    #[test]
    fn a_damaged_file_is_put_aside() {
        let home = tempfile::tempdir().unwrap();
        edit(home.path(), &[revocation("a")], false).unwrap();
        let path = home.path().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        for damaged in [text.replace("block", "Block"), String::new(), "x".to_owned()] {
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(read(home.path()), []);
            assert!(!path.exists() && home.path().join("revoked.json.damaged").exists());
        }
    }
}
