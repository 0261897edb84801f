//! What the documents point at exists.
use super::{File, assert_kept, files, root, sources};
use std::fs;
use std::path::Path;

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for file in documents() {
        let folder = Path::new(&file.name).parent().unwrap_or(Path::new(""));
        let dead = links(&file.text).filter(|link| !root().join(folder).join(link).exists());
        broken.extend(dead.map(|link| format!("{}: {link}", file.name)));
    }
    assert_kept(broken);
}

#[test]
fn files_that_are_named_exist() {
    let mut broken = Vec::new();
    for file in documents() {
        let dead =
            quoted(&file.text).filter(|name| is_our_path(name) && !root().join(name).exists());
        broken.extend(dead.map(|name| format!("{}: {name}", file.name)));
    }
    assert_kept(broken);
}

#[test]
fn each_fact_of_the_architecture_page_is_a_type() {
    let sources = sources();
    let pages = documents();
    let page = pages.iter().find(|file| file.name == "docs/architecture.md").unwrap();
    let (_, table) = page.text.split_once("## Facts").unwrap();
    let table = table.split("\n## ").next().unwrap_or_default();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let facts: Vec<_> = rows.filter_map(|row| Some(row.split_once('`')?.0)).collect();
    assert!(!facts.is_empty());
    let is_type = |name: &str| {
        let kinds = ["struct", "enum"].map(|kind| format!("pub {kind} {name}"));
        sources.iter().any(|file| kinds.iter().any(|kind| file.text.contains(kind)))
    };
    let unknown = facts.into_iter().filter(|name| !is_type(name));
    assert_kept(unknown.map(|name| format!("docs/architecture.md: `{name}` is no type")));
}

#[test]
fn each_metric_has_a_row_in_its_page() {
    let page = fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let sources = files("src/telemetry", ".rs");
    let quoted = sources.iter().filter(|file| !file.is_tests()).flat_map(|file| {
        file.code().flat_map(|line| line.split('"').skip(1).step_by(2)).collect::<Vec<_>>()
    });
    let plain = |c: char| c.is_ascii_lowercase() || c == '_';
    let is_metric = |name: &&str| {
        let ours = name.starts_with("litellm_") || name.starts_with("bartizan_");
        ours && name.chars().all(plain) && !["litellm_model_name"].contains(name)
    };
    let row = |name: &str| [format!("| `{name}` |"), format!("| `{name}_total` |")];
    let missing =
        quoted.filter(is_metric).filter(|name| !row(name).iter().any(|it| page.contains(it)));
    assert_kept(missing.map(|name| format!("docs/metrics.md: no row for {name}")));
}

/// The pages that people read.
fn documents() -> Vec<File> {
    files("", ".md")
}

/// The files that a page links to, as it spells them.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    let paths = targets.map(|target| target.split('#').next().unwrap_or_default());
    paths.filter(|path| !path.is_empty() && !path.contains("://") && !path.starts_with("mailto:"))
}

/// What stands between backticks on one line.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

fn is_our_path(name: &str) -> bool {
    const ROOTS: &[&str] =
        &["src/", "layers/", "tests/", "deploy/", "docs/", "benches/", "tools/", ".ci/"];
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    ROOTS.iter().any(|root| name.starts_with(root)) && name.chars().all(plain)
}
