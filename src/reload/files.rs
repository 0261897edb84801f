//! The files that a config was read from, and whether they are still the same.
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Files, and what they were when they were looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Files(Vec<(PathBuf, Option<Stamp>)>);

/// What differs when a file was changed, replaced, or reached through another symlink. Times are in
/// nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Files {
    /// Looks at `paths`. One that cannot be read is another than one that can.
    pub(super) fn look(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let paths: BTreeSet<_> = paths.into_iter().collect();
        Self(paths.into_iter().map(|path| (path.clone(), stamp(&path))).collect())
    }

    /// Looks at the same files again.
    pub(super) fn look_again(&self) -> Self {
        Self::look(self.0.iter().map(|(path, _)| path.clone()))
    }

    /// These files, with the older stamps of `before` where it has the same ones: what changed
    /// since then was not read.
    pub(super) fn since(mut self, before: &Self) -> Self {
        for (path, stamp) in &mut self.0 {
            if let Some((_, old)) = before.0.iter().find(|(known, _)| known == path) {
                *stamp = *old;
            }
        }
        self
    }

    /// The directories where a change of these files shows: where they stand, where symlinks lead,
    /// also to what is gone, and where a symlink on the way to them stands.
    pub(super) fn directories(&self) -> BTreeSet<PathBuf> {
        let places = self.0.iter().flat_map(|(path, _)| {
            let target = std::fs::read_link(path).ok();
            let target = target.and_then(|target| Some(path.parent()?.join(target)));
            let way = path.ancestors().filter(|part| part.is_symlink()).map(Path::to_owned);
            let ends = [Some(path.clone()), std::fs::canonicalize(path).ok(), target];
            ends.into_iter().flatten().chain(way).collect::<Vec<_>>()
        });
        places.filter_map(|path| directory(&path)).collect()
    }
}

fn directory(path: &Path) -> Option<PathBuf> {
    let parent = path.parent()?;
    Some(if parent.as_os_str().is_empty() { ".".into() } else { parent.to_owned() })
}

fn stamp(path: &Path) -> Option<Stamp> {
    let file = std::fs::metadata(path).ok()?;
    Some(Stamp {
        device: file.dev(),
        inode: file.ino(),
        size: file.size(),
        modified: (file.mtime(), file.mtime_nsec()),
        changed: (file.ctime(), file.ctime_nsec()),
    })
}

#[cfg(test)]
mod tests {
    use super::Files;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_file_that_was_written_replaced_or_removed_is_another() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.yaml");
        let look = || Files::look([path.clone()]);
        let missing = look();
        fs::write(&path, "a").unwrap();
        let first = look();
        assert_ne!(missing, first);
        assert_eq!(first, first.look_again());
        fs::write(&path, "ab").unwrap();
        let written = look();
        assert_ne!(first, written);
        let draft = home.path().join("draft");
        fs::write(&draft, "ab").unwrap();
        fs::rename(&draft, &path).unwrap();
        assert_ne!(written, look());
        fs::remove_file(&path).unwrap();
        assert_eq!(missing, look());
    }

    #[test]
    fn a_swapped_symlink_to_a_directory_is_seen() {
        let home = tempfile::tempdir().unwrap();
        for version in ["one", "two"] {
            fs::create_dir(home.path().join(version)).unwrap();
            fs::write(home.path().join(version).join("config.yaml"), "same").unwrap();
        }
        let (data, path) = (home.path().join("..data"), home.path().join("config.yaml"));
        symlink("one", &data).unwrap();
        symlink("..data/config.yaml", &path).unwrap();
        let first = Files::look([path]);
        let root = fs::canonicalize(home.path()).unwrap();
        let watched: Vec<_> = first.directories().into_iter().collect();
        assert!(watched.contains(&home.path().to_owned()) && watched.contains(&root.join("one")));
        symlink("two", home.path().join("draft")).unwrap();
        fs::rename(home.path().join("draft"), &data).unwrap();
        assert_ne!(first, first.look_again());
        assert!(first.directories().contains(&root.join("two")));
    }

    #[test]
    fn a_symlink_on_the_way_and_one_to_what_is_gone_are_watched_where_they_stand_and_lead() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("one")).unwrap();
        symlink("one", home.path().join("current")).unwrap();
        let way = Files::look([home.path().join("current/config.yaml")]).directories();
        assert!(way.contains(home.path()), "{way:?}");
        symlink("one/gone.yaml", home.path().join("link.yaml")).unwrap();
        let gone = Files::look([home.path().join("link.yaml")]).directories();
        assert!(gone.contains(&home.path().join("one")), "{gone:?}");
    }

    #[test]
    fn what_changed_while_it_was_read_is_still_news() {
        let home = tempfile::tempdir().unwrap();
        let (one, two) = (home.path().join("one"), home.path().join("two"));
        fs::write(&one, "1").unwrap();
        let before = Files::look([one.clone()]);
        fs::write(&one, "22").unwrap();
        let known = Files::look([one, two]).since(&before);
        assert_ne!(known, known.look_again());
    }
}
