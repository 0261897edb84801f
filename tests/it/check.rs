//! `bartizan check`: what it says about each mistake, and that doing what it says mends it.
//!
//! Each folder of `tests/it/check` is a mistake: `config.yaml` has it, `output.txt` is what is said
//! about it, and `fixed.yaml` is the same config once that advice is followed. With
//! `BARTIZAN_UPDATE` set, a run writes what is said.
use crate::proxy::{self, Finished};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Fewer mistakes than these would be a lost folder.
const MISTAKES: usize = 100;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/check")
}

fn mistakes() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).expect("a readable folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn check(config: &str) -> Finished {
    let setup = proxy::bare().file("config.yaml", config);
    setup.arg("check").arg("config.yaml").finish()
}

/// Each problem without its place, as `error: …` or `warning: …`.
fn titles(output: &str) -> Vec<&str> {
    let is_title = |line: &&str| line.starts_with("error: ") || line.starts_with("warning: ");
    output.lines().filter(is_title).collect()
}

#[test]
fn each_mistake_is_told_with_its_place_and_its_mend() {
    let update = std::env::var_os("BARTIZAN_UPDATE").is_some();
    let all = mistakes();
    assert!(all.len() >= MISTAKES, "{} mistakes", all.len());
    let mut wrong = String::new();
    for path in all {
        let ran = check(&read(&path.join("config.yaml")));
        if update {
            std::fs::write(path.join("output.txt"), &ran.output).expect("a writable folder");
        }
        let (name, wanted) = (path.display(), read(&path.join("output.txt")));
        if ran.output != wanted {
            write!(wrong, "{name}: says\n{}instead of\n{wanted}", ran.output).unwrap();
        }
        let titles = titles(&ran.output);
        let fails = titles.iter().any(|title| title.starts_with("error: "));
        if titles.is_empty() || !ran.output.contains("= help: ") {
            writeln!(wrong, "{name}: nothing is said, or not what to do").unwrap();
        }
        if ran.status.code() != Some(i32::from(fails)) {
            writeln!(wrong, "{name}: ends with {}", ran.status).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_config_that_is_mended_as_told_passes() {
    let mut wrong = String::new();
    for path in mistakes() {
        let ran = check(&read(&path.join("fixed.yaml")));
        if ran.status.code() != Some(0) || !titles(&ran.output).is_empty() {
            write!(wrong, "{}: says\n{}", path.display(), ran.output).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_page_of_keys_is_what_the_program_prints() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/config-keys.md");
    let ran = proxy::bare().arg("schema").arg("--markdown").finish();
    assert!(ran.status.success(), "{}", ran.output);
    if std::env::var_os("BARTIZAN_UPDATE").is_some() {
        std::fs::write(&page, &ran.output).expect("a writable folder");
    }
    let hint = "docs/config-keys.md is old: `bartizan schema --markdown > docs/config-keys.md`";
    assert!(read(&page) == ran.output, "{hint}");
}
