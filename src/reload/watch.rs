//! Hints that something in some directories has changed.
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Notify;

/// Watches directories, where the system can. Where it cannot, a warning says so once, and files
/// are only looked at from time to time.
#[derive(Debug)]
pub(super) struct Watch {
    watcher: Option<RecommendedWatcher>,
    directories: BTreeSet<PathBuf>,
    hints: Arc<Notify>,
    warned: bool,
}

impl Watch {
    /// Starts to watch `directories`; without any, nothing is started.
    pub(super) fn new(directories: BTreeSet<PathBuf>) -> Self {
        let (hints, directories_now) = (Arc::<Notify>::default(), BTreeSet::new());
        let mut watch = Self { watcher: None, directories: directories_now, hints, warned: false };
        watch.follow(directories);
        watch
    }

    /// Watches these directories and no others. Those that are watched already are asked for again:
    /// one may have been removed and made anew.
    pub(super) fn follow(&mut self, directories: BTreeSet<PathBuf>) {
        if self.watcher.is_none() && !directories.is_empty() && !self.warned {
            self.start();
        }
        let Some(watcher) = &mut self.watcher else { return };
        for old in self.directories.difference(&directories) {
            // It fails where the directory is gone, and the watch with it.
            drop(watcher.unwatch(old));
        }
        let mut failed = None;
        for directory in &directories {
            failed = watcher.watch(directory, RecursiveMode::NonRecursive).err().or(failed);
        }
        self.directories = directories;
        if let Some(error) = failed {
            self.warn(&error);
        }
    }

    /// Waits until something has happened since the last time.
    pub(super) async fn hint(&self) {
        self.hints.notified().await;
    }

    fn start(&mut self) {
        let hints = self.hints.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.map_or(true, |event| may_change(&event.kind)) {
                hints.notify_one();
            }
        });
        match watcher {
            Ok(watcher) => self.watcher = Some(watcher),
            Err(error) => self.warn(&error),
        }
    }

    fn warn(&mut self, error: &notify::Error) {
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

/// Reading a file is no change of it; our own reading would never end.
const fn may_change(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(access) => matches!(access, AccessKind::Close(AccessMode::Write)),
        _ => true,
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
