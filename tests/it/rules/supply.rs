//! What is compiled in: no crate that `deny.toml` bans, no licence that it does not name.
use super::{assert_kept, root};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

#[test]
fn no_banned_crate_is_compiled_in() {
    let deny = deny();
    let (_, bans) = deny.split_once("[bans]").unwrap();
    let banned = bans.split("crate = \"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0));
    let banned: Vec<_> = banned.collect();
    assert!(!banned.is_empty());
    let compiled = tree("{p}");
    let names = compiled.iter().filter_map(|package| package.split(' ').next());
    assert_kept(names.filter(|name| banned.contains(name)).map(str::to_owned));
}

#[test]
fn each_licence_is_one_that_we_accept() {
    let deny = deny();
    let (_, allowed) = deny.split_once("allow = [").unwrap();
    let allowed = allowed.split_once("\n]").unwrap().0;
    let allowed: Vec<_> = allowed.split('"').skip(1).step_by(2).collect();
    let refused = tree("{p}\t{l}").into_iter().filter(|line| {
        let licence = line.split_once('\t').map_or("", |(_, licence)| licence);
        !accepts(licence, &allowed)
    });
    assert_kept(refused);
}

#[test]
fn of_alternatives_one_licence_is_enough_and_of_demands_all_are_needed() {
    assert!(accepts("Unlicense OR MIT", &["MIT"]));
    assert!(accepts("MIT/Apache-2.0", &["MIT"]));
    assert!(accepts("(MIT OR Apache-2.0) AND Unicode-3.0", &["MIT", "Unicode-3.0"]));
    assert!(!accepts("(MIT OR Apache-2.0) AND Unicode-3.0", &["MIT"]));
    assert!(!accepts("GPL-3.0", &["MIT"]));
}

fn deny() -> String {
    fs::read_to_string(root().join("deny.toml")).unwrap()
}

/// One line for each package that ends up in the program or builds it.
fn tree(format: &str) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--edges=normal,build", "--prefix=none", "--format", format]);
    let done = cargo.current_dir(root()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let lines = String::from_utf8(done.stdout).unwrap();
    // A package that was listed before carries a star.
    lines.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

/// Whether an SPDX expression, with `OR` in brackets and `AND` outside, can be met.
fn accepts(expression: &str, allowed: &[&str]) -> bool {
    let demands = expression.split(" AND ").map(|part| part.trim_matches(['(', ')']));
    demands.into_iter().all(|part| {
        let mut choices = part.split(" OR ").flat_map(|choice| choice.split('/')).map(str::trim);
        choices.any(|choice| allowed.contains(&choice))
    })
}
