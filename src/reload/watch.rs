//! Hints that something in some directories has changed.
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use tokio::signal::unix::Signal;

/// Watches directories, where the system can. Where it cannot, a warning says so once, and files
/// are only looked at from time to time.
#[derive(Debug)]
pub(super) struct Watch {
    system: Option<System>,
    directories: BTreeMap<PathBuf, Id>,
    warned: bool,
}

impl Watch {
    /// Starts to watch `directories`; without any, nothing is started. Needs a runtime.
    pub(super) fn new(directories: BTreeSet<PathBuf>) -> Self {
        let mut watch = Self { system: None, directories: BTreeMap::new(), warned: false };
        watch.follow(directories);
        watch
    }

    /// Watches these directories and no others. Those that are watched already are asked for again:
    /// one may have been removed and made anew.
    pub(super) fn follow(&mut self, directories: BTreeSet<PathBuf>) {
        if self.system.is_none() && !directories.is_empty() && !self.warned {
            match System::new() {
                Ok(system) => self.system = Some(system),
                Err(error) => self.warn(&error),
            }
        }
        let Some(system) = &self.system else { return };
        for (_, id) in self.directories.extract_if(.., |path, _| !directories.contains(path)) {
            system.leave(id);
        }
        let mut failed = None;
        for directory in directories {
            match system.watch(&directory) {
                Ok(id) => drop(self.directories.insert(directory, id)),
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            self.warn(&error);
        }
    }

    /// Waits until something has happened since the last time.
    pub(super) async fn hint(&self) {
        match &self.system {
            Some(system) => system.hint().await,
            None => std::future::pending().await,
        }
    }

    fn warn(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.warned, true) {
            tracing::warn!(
                %error,
                "Changes of the config are not told by the system; its files are looked at every \
                 {} seconds",
                super::POLL.as_secs()
            );
        }
    }
}

#[cfg(target_os = "linux")]
use self::inotify::{Id, System};
#[cfg(not(target_os = "linux"))]
use self::silent::{Id, System};

/// inotify(7), read by the runtime itself: no thread waits for it.
#[cfg(target_os = "linux")]
mod inotify {
    use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init, remove_watch};
    use std::io;
    use std::mem::MaybeUninit;
    use std::os::fd::OwnedFd;
    use std::path::Path;
    use tokio::io::unix::AsyncFd;

    pub(super) type Id = i32;

    #[derive(Debug)]
    pub(super) struct System(AsyncFd<OwnedFd>);

    impl System {
        // Deprecated because other types may close their descriptor while it is registered.
        #[allow(deprecated, reason = "an `OwnedFd` is open for as long as it lives")]
        pub(super) fn new() -> io::Result<Self> {
            let fd = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
            Ok(Self(AsyncFd::new(fd)?))
        }

        /// Reading a file is no change of it; our own reading would never end.
        pub(super) fn watch(&self, directory: &Path) -> io::Result<Id> {
            let changes = WatchFlags::CREATE
                | WatchFlags::DELETE
                | WatchFlags::MOVE
                | WatchFlags::MODIFY
                | WatchFlags::CLOSE_WRITE
                | WatchFlags::ATTRIB
                | WatchFlags::DELETE_SELF
                | WatchFlags::MOVE_SELF;
            Ok(add_watch(&self.0, directory, changes | WatchFlags::ONLYDIR)?)
        }

        /// It fails where the directory is gone, and the watch with it.
        pub(super) fn leave(&self, id: Id) {
            remove_watch(&self.0, id).ok();
        }

        pub(super) async fn hint(&self) {
            loop {
                let Ok(mut ready) = self.0.readable().await else {
                    return std::future::pending().await;
                };
                if ready.try_io(|fd| drained(fd.get_ref())).is_ok() {
                    return;
                }
            }
        }
    }

    /// Takes all events, of which there must be one: what they say is found out by looking.
    fn drained(fd: &OwnedFd) -> io::Result<()> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(fd, &mut buffer);
        events.next()?;
        while events.next().is_ok() {}
        Ok(())
    }
}

/// A system that tells nothing.
#[cfg(not(target_os = "linux"))]
mod silent {
    use std::io;
    use std::path::Path;

    pub(super) type Id = ();

    #[derive(Debug)]
    pub(super) enum System {}

    impl System {
        pub(super) fn new() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(super) fn watch(&self, _directory: &Path) -> io::Result<Id> {
            match *self {}
        }

        pub(super) fn leave(&self, (): Id) {
            match *self {}
        }

        pub(super) async fn hint(&self) {
            match *self {}
        }
    }
}

/// Waits for the next SIGHUP; forever where none is noted.
pub(super) async fn hangup(hangups: &mut Option<Signal>) {
    match hangups {
        Some(hangups) => {
            hangups.recv().await;
        }
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::Watch;
    use std::fs;
    use std::time::Duration;
    use tokio::time::timeout;

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn a_file_that_is_written_gives_a_hint() {
        let home = tempfile::tempdir().unwrap();
        let watch = Watch::new([home.path().to_owned()].into());
        fs::write(home.path().join("config.yaml"), "a").unwrap();
        timeout(PATIENCE, watch.hint()).await.unwrap();
    }

    #[tokio::test]
    async fn a_directory_that_was_made_anew_is_watched_again() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("etc");
        fs::create_dir(&dir).unwrap();
        let mut watch = Watch::new([dir.clone()].into());
        fs::remove_dir(&dir).unwrap();
        timeout(PATIENCE, watch.hint()).await.unwrap();
        fs::create_dir(&dir).unwrap();
        watch.follow([dir.clone()].into());
        fs::write(dir.join("config.yaml"), "a").unwrap();
        timeout(PATIENCE, watch.hint()).await.unwrap();
    }

    #[tokio::test]
    async fn a_directory_that_does_not_exist_costs_a_warning_only() {
        let mut watch = Watch::new(["/nowhere/at/all".into()].into());
        watch.follow(["/nowhere/else".into()].into());
        assert!(watch.warned);
    }
}
