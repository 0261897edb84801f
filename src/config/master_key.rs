//! The key that is made when none is set, and the state directory that keeps it.
use super::env::Env;
use super::{Access, Secret};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rustix::rand::{GetRandomFlags, getrandom};
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The file's name in the state directory.
const FILE: &str = "master_key";

/// Where state is kept: as told, else `$XDG_STATE_HOME/bartizan`, else
/// `~/.local/state/bartizan`.
#[must_use]
pub fn state_dir(told: Option<&Path>, env: &Env) -> Option<PathBuf> {
    let told = told.map(Path::to_owned).or_else(|| env.get("BARTIZAN_STATE_DIR").map(Into::into));
    let xdg = || env.get("XDG_STATE_HOME").map(|dir| Path::new(dir).join("bartizan"));
    let home = || env.get("HOME").map(|dir| Path::new(dir).join(".local/state/bartizan"));
    told.or_else(xdg).or_else(home)
}

/// The key that was generated before, if there is one.
#[must_use]
pub fn stored(dir: &Path) -> Option<Secret<String>> {
    read(&dir.join(FILE)).ok()
}

/// Takes the generated key into use: the stored one, or a new one. Where it cannot be stored, it
/// lives as long as the process, and a warning says so.
pub(super) fn generated(dir: Option<&Path>, warn: impl FnOnce(String)) -> io::Result<Access> {
    let (key, path) = match dir.map(stored_or_new) {
        Some(Ok((key, path))) => (key, Some(path)),
        Some(Err(error)) => {
            warn(format!(
                "the state directory cannot be used ({error}): the key changes with each start"
            ));
            (key_of_process()?, None)
        }
        None => {
            warn(
                "no state directory (set --state-dir): the key changes with each start".to_owned(),
            );
            (key_of_process()?, None)
        }
    };
    Ok(Access { master_key: Some(key), generated_at: path, ..Access::default() })
}

/// A key that lives as long as the process: a config that is read again must not change it.
fn key_of_process() -> io::Result<Secret<String>> {
    static KEY: OnceLock<Secret<String>> = OnceLock::new();
    match KEY.get() {
        Some(key) => Ok(key.clone()),
        None => new_key().map(|key| KEY.get_or_init(|| key).clone()),
    }
}

/// The same, where that is what is wanted.
pub(super) fn of_one_run() -> io::Result<Access> {
    Ok(Access { master_key: Some(key_of_process()?), ..Access::default() })
}

/// Two processes that start at once agree: whoever creates the file first has made the key.
fn stored_or_new(dir: &Path) -> io::Result<(Secret<String>, PathBuf)> {
    let path = dir.join(FILE);
    if let Ok(key) = read(&path) {
        return Ok((key, path));
    }
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let key = new_key()?;
    let draft = dir.join(format!(".{FILE}.{:x}", fastrand::u64(..)));
    let written = write(&draft, &key).and_then(|()| std::fs::hard_link(&draft, &path));
    // Gone in any case; a leftover would only be overwritten.
    drop(std::fs::remove_file(&draft));
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok((read(&path)?, path)),
        written => written.map(|()| (key, path)),
    }
}

fn write(path: &Path, key: &Secret<String>) -> io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    writeln!(file, "{}", key.expose())?;
    file.sync_all()
}

fn read(path: &Path) -> io::Result<Secret<String>> {
    let text = std::fs::read_to_string(path)?;
    match text.trim() {
        "" => Err(io::Error::new(io::ErrorKind::InvalidData, "the file is empty")),
        key => Ok(Secret::new(key.to_owned())),
    }
}

/// 192 random bits of the operating system.
fn new_key() -> io::Result<Secret<String>> {
    let mut bits = [0; 24];
    // Straight from the kernel: a library's own generator would first take its time to be seeded.
    if getrandom(&mut bits, GetRandomFlags::empty())? < bits.len() {
        return Err(io::Error::other("the system gives too few random bits"));
    }
    Ok(Secret::new(format!("sk-{}", URL_SAFE_NO_PAD.encode(bits))))
}

#[cfg(test)]
mod tests {
    use super::{generated, stored};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_the_same_at_every_start_and_only_its_owner_reads_it() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("a/b");
        let key = || generated(Some(&dir), |warning| panic!("{warning}")).unwrap();
        let first = key();
        assert_eq!(first.master_key, key().master_key);
        assert_eq!(stored(&dir), first.master_key);
        let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(first.generated_at.unwrap()), 0o600);
        assert_eq!(mode(dir.clone()), 0o700);
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn processes_that_start_at_once_agree_on_the_key() {
        let home = tempfile::tempdir().unwrap();
        let start = || generated(Some(home.path()), |warning| panic!("{warning}")).unwrap();
        let keys: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().master_key).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn without_a_directory_the_key_lives_in_memory_with_a_warning() {
        let mut warned = None;
        let access = generated(Some("/proc/nowhere".as_ref()), |text| warned = Some(text)).unwrap();
        assert!(access.master_key.is_some() && access.generated_at.is_none());
        assert!(warned.unwrap().contains("changes with each start"));
        let again = generated(None, drop).unwrap();
        assert_eq!(access.master_key, again.master_key, "read again, the key is the same");
    }
}
