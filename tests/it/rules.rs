//! The rules of the house, checked over the sources: size, pages, words, imports, links.
mod imports;
mod links;
mod public;
mod supply;

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file without its tests.
const LINES: usize = 300;
/// Lines of any file, tests and all.
const LINES_AT_ALL: usize = 500;
/// Of a hundred lines in `layers`, how many are documentation.
const DOC_PERCENT: usize = 15;
/// What is not ours, or is made by a build.
const NOT_OURS: &[&str] =
    &["target", ".git", "node_modules", "__pycache__", ".pytest_cache", "Cargo.lock"];

/// One file of the repository.
struct File {
    /// From the root of the repository, with `/` between its parts.
    name: String,
    text: String,
}

impl File {
    /// Whether it holds tests only.
    fn is_tests(&self) -> bool {
        let stem = self.name.rsplit('/').next().unwrap_or_default();
        self.name.starts_with("tests/")
            || self.name.contains("/tests/")
            || stem.starts_with("tests") && stem.ends_with(".rs")
            || stem == "loom.rs"
    }

    /// Whether a script in `tools/` made it; its page says so.
    fn is_generated(&self) -> bool {
        self.text
            .lines()
            .take(3)
            .any(|line| line.starts_with("//!") && line.contains("enerated by"))
    }

    /// Its lines up to its `mod tests`.
    fn code(&self) -> impl Iterator<Item = &str> {
        let end = ["\n#[cfg(test)]\nmod tests {", "\n#[cfg(all(test"];
        let end = end.iter().filter_map(|mark| self.text.find(mark)).min();
        self.text.get(..end.unwrap_or(self.text.len())).unwrap_or_default().lines()
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All text files below `folder` whose names end in `ending`, in order.
fn files(folder: &str, ending: &str) -> Vec<File> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    let name = |path: &Path| {
        let inside = path.strip_prefix(root()).expect("the walk starts at the root");
        inside.to_string_lossy().replace('\\', "/")
    };
    let file =
        |path: PathBuf| Some(File { name: name(&path), text: fs::read_to_string(path).ok()? });
    found.into_iter().filter_map(file).filter(|file| file.name.ends_with(ending)).collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.map(Result::unwrap) {
        let ours = !NOT_OURS.iter().any(|name| entry.file_name() == *name);
        match entry.file_type().unwrap() {
            kind if ours && kind.is_dir() => walk(&entry.path(), found),
            kind if ours && kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
}

/// The Rust files of both packages, without tests and benches.
fn sources() -> Vec<File> {
    let all = [files("src", ".rs"), files("layers/src", ".rs")].into_iter().flatten();
    all.filter(|file| !file.is_tests()).collect()
}

/// Every Rust file that we wrote.
fn rust() -> Vec<File> {
    files("", ".rs")
}

/// Fails with one line for each broken rule.
#[track_caller]
fn assert_kept(broken: impl IntoIterator<Item = String>) {
    let broken: Vec<_> = broken.into_iter().collect();
    assert!(broken.is_empty(), "\n  {}\n", broken.join("\n  "));
}

#[test]
fn the_walk_finds_the_sources() {
    let sources = sources();
    assert!(sources.iter().any(|file| file.name == "src/lib.rs"));
    assert!(sources.iter().any(|file| file.name == "layers/src/lib.rs"));
}

#[test]
fn a_file_without_its_tests_is_short() {
    let long = sources().into_iter().filter(|file| !file.is_generated());
    let long =
        long.map(|file| (file.code().count(), file.name)).filter(|(lines, _)| *lines > LINES);
    assert_kept(long.map(|(lines, name)| format!("{name}: {lines} lines of at most {LINES}")));
}

#[test]
fn no_file_is_very_long() {
    let long = rust().into_iter().filter(|file| !file.is_generated());
    let long = long.map(|file| (file.text.lines().count(), file.name));
    let long = long.filter(|(lines, _)| *lines > LINES_AT_ALL);
    assert_kept(
        long.map(|(lines, name)| format!("{name}: {lines} lines of at most {LINES_AT_ALL}")),
    );
}

#[test]
fn each_file_starts_with_a_page() {
    let bare = sources().into_iter().filter(|file| !file.text.starts_with("//! "));
    assert_kept(bare.map(|file| format!("{}: its first line is no `//!`", file.name)));
}

#[test]
fn a_room_that_is_a_folder_has_a_mod_file() {
    let sources = sources();
    let folder = |file: &File| Some(file.name.rsplit_once('/')?.0.to_owned());
    let mut folders: Vec<_> = sources.iter().filter_map(folder).collect();
    folders.dedup();
    let roots = ["src", "layers/src"];
    let bare = folders.into_iter().filter(|folder| !roots.contains(&folder.as_str()));
    let bare =
        bare.filter(|folder| !sources.iter().any(|file| file.name == format!("{folder}/mod.rs")));
    assert_kept(bare.map(|folder| format!("{folder}: no mod.rs")));
}

#[test]
fn no_module_is_named_after_nothing() {
    const NAMES: &[&str] =
        &["utils", "util", "common", "helpers", "helper", "types", "misc", "prelude"];
    let vague = rust().into_iter().filter(|file| {
        let name = file.name.trim_end_matches(".rs").trim_end_matches("/mod");
        name.split('/').any(|part| NAMES.contains(&part))
    });
    assert_kept(vague.map(|file| format!("{}: say what it holds", file.name)));
}

#[test]
fn nothing_is_left_undone_or_skipped() {
    const WORDS: &[&str] = &["todo!", "unimplemented!", "dbg!(", "#[ignore", "FIXME", "XXX"];
    assert_kept(mentions(&rust(), WORDS));
}

#[test]
fn nothing_depends_on_one_machine_or_names_a_registry() {
    const PLACES: &[&str] = &["/work/", "/root/", "/home/", "/Users/"];
    const HOSTS: &[&str] = &["crates.io", "pypi.org", "pythonhosted.org", "npmjs.", "yarnpkg.com"];
    assert_kept(mentions(&files("", ""), &[PLACES, HOSTS].concat()));
}

/// Where `words` stand, but for the files that spell the rules.
fn mentions(files: &[File], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !file.name.starts_with("tests/it/rules")) {
        for (at, line) in file.text.lines().enumerate() {
            let words = words.iter().filter(|word| line.contains(**word));
            found.extend(words.map(|word| format!("{}:{}: {word}", file.name, at + 1)));
        }
    }
    found
}

#[test]
fn the_layers_are_documented() {
    let files = files("layers/src", ".rs");
    let code: Vec<_> = files.iter().filter(|file| !file.is_tests()).flat_map(File::code).collect();
    let is_doc =
        |line: &&&str| ["///", "//!"].iter().any(|mark| line.trim_start().starts_with(mark));
    let percent = code.iter().filter(is_doc).count() * 100 / code.len();
    assert!(percent >= DOC_PERCENT, "{percent} % of the lines in layers/src are documentation");
}

#[test]
fn a_test_module_beside_the_code_is_cut_off_before_lines_are_counted() {
    let text = "//! A page.\nfn f() {}\n\n#[cfg(test)]\nmod tests {\n}\n".to_owned();
    let file = File { name: "src/a.rs".into(), text };
    assert_eq!(file.code().count(), 2);
}
