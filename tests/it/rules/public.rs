//! What the public API of the layers shows: our own types, and those of `http`, `bytes`, `tower`.
use super::{File, assert_kept, files};

/// Crates that may change without a new major version of ours.
const HIDDEN: &[&str] =
    &["hyper", "hyper_util", "http_body_util", "redis", "serde", "serde_json", "pin_project"];

#[test]
fn no_public_item_of_the_layers_names_a_type_of_a_hidden_crate() {
    let sources = files("layers/src", ".rs").into_iter().filter(|file| !file.is_tests());
    assert_kept(sources.flat_map(|file| leaks(&file)));
}

#[test]
fn leaks_are_found_and_private_fields_are_none() {
    let text = "use http_body_util::{BodyExt, combinators::UnsyncBoxBody as Boxed};\n\
                use crate::redis::Redis;\n\
                pub struct Frames(Boxed<Bytes>);\n\
                pub(crate) fn private(_: Boxed<Bytes>) {}\n\
                pub fn connect(_: Redis) {}\n"
        .to_owned();
    let file = |text| File { name: "layers/src/body.rs".into(), text };
    assert!(leaks(&file(text.clone())).is_empty());
    for leak in [
        "pub struct Shown(pub Boxed<Bytes>);\n",
        "pub fn shown(\n    one: u8,\n    body: Boxed<Bytes>,\n) {\n}\n",
        "pub fn shown() -> serde_json::Value {\n",
        "pub enum Body {\n    Stream(#[pin] Boxed<Bytes>),\n}\n",
    ] {
        assert_eq!(leaks(&file(format!("{text}{leak}"))).len(), 1, "{leak}");
    }
}

/// The lines of public items that name what they should not.
fn leaks(file: &File) -> Vec<String> {
    let lines: Vec<_> = file.code().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = lines.join("\n");
    let mut hidden: Vec<String> = HIDDEN.iter().map(|name| format!("{name}::")).collect();
    hidden.extend(code.split("use ").skip(1).filter_map(imported).flatten());
    let items = code.match_indices("pub ").map(|(at, _)| item(code.split_at(at).1));
    let items = items.filter(|item| !item.starts_with("pub use") && !item.starts_with("pub mod"));
    let named = |item: &&str| hidden.iter().any(|name| names(item, name));
    items.filter(named).map(|item| format!("{}: {item}", file.name)).collect()
}

/// What a `use` of a hidden crate brings in, under the names that it has here.
fn imported(rest: &str) -> Option<Vec<String>> {
    let (path, _) = rest.split_once(';')?;
    HIDDEN.iter().find(|name| path.strip_prefix(**name).is_some_and(|it| it.starts_with("::")))?;
    let last = path.split(['{', '}', ',']).filter_map(|name| name.trim().rsplit("::").next());
    let own = last.map(|name| name.rsplit(" as ").next().unwrap_or(name).to_owned());
    Some(own.filter(|name| name.starts_with(char::is_uppercase)).collect())
}

/// One public item: its signature, all variants of an enum, one field.
fn item(text: &str) -> &str {
    let end = match text.split_whitespace().nth(1) {
        Some("enum") => text.find("\n}"),
        Some("struct") => text.find(['(', '{', ';']),
        Some("fn" | "const" | "async" | "trait" | "type" | "static") => text.find([';', '{']),
        _ => text.find('\n'),
    };
    text.get(..end.unwrap_or(text.len())).unwrap_or(text)
}

/// Whether `name` stands in `item` as a word.
fn names(item: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    item.match_indices(name).any(|(at, _)| {
        let (before, rest) = item.split_at(at);
        let (_, after) = rest.split_at(name.len());
        let starts = !before.ends_with(is_word);
        starts && (name.ends_with(':') || !after.starts_with(is_word))
    })
}
