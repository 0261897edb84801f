//! `include:`: other files whose sections count as if they stood in the config (contract 2.1).
//!
//! Lists (`model_list`) are appended; every other section of an included file takes the place of
//! the one that was there.
use super::Secret;
use super::fields::described;
use super::problem::{Problem, Problems};
use super::source;
use super::yaml::{self, Kind, Node};
use std::path::{Path, PathBuf};

/// The first of the files of `problems`, at `path`, with everything that it includes. Nothing, and
/// an error, if one of them cannot be read: what makes the proxy safe may stand there.
pub(super) fn whole(path: Option<&Path>, problems: &mut Problems) -> Option<Node> {
    let mut seen: Vec<PathBuf> =
        path.and_then(|path| path.canonicalize().ok()).into_iter().collect();
    one(0, path, &mut seen, problems)
}

fn one(
    file: usize,
    path: Option<&Path>,
    seen: &mut Vec<PathBuf>,
    problems: &mut Problems,
) -> Option<Node> {
    let (_, text) = problems.files.get(file)?;
    let mut root = match yaml::parse(text.expose(), file) {
        Ok(root) => root,
        Err(problem) => {
            problems.add(problem);
            problems.broken = Some(file);
            return None;
        }
    };
    if file > 0 && root.is_null() {
        root.kind = Kind::Map(Vec::new());
    }
    if !matches!(root.kind, Kind::Map(_)) {
        let message = format!("a config is a map of sections, not {}", described(&root));
        let help = "begin with `model_list:` and a list of models below it";
        problems.add(Problem::error(message, root.place).help(help));
        return None;
    }
    yaml::without_twins(&mut root, problems);
    let Some(list) = taken(&mut root, "include").filter(|list| !list.is_null()) else {
        return Some(root);
    };
    let one = std::slice::from_ref(&list);
    let names = if matches!(list.kind, Kind::List(_)) { list.items() } else { one };
    for name in names {
        let other = included(name, path, seen, problems)?;
        merge(&mut root, other, problems);
    }
    Some(root)
}

/// Takes a section out of a map.
fn taken(root: &mut Node, name: &str) -> Option<Node> {
    let Kind::Map(entries) = &mut root.kind else { return None };
    let at = entries.iter().position(|(key, _)| key.text() == Some(name))?;
    Some(entries.remove(at).1)
}

/// The file that an entry of `include` names; empty if it was read before.
fn included(
    name: &Node,
    from: Option<&Path>,
    seen: &mut Vec<PathBuf>,
    problems: &mut Problems,
) -> Option<Node> {
    let refuse = |problems: &mut Problems, message: String, help: &str| {
        problems.add(Problem::error(message, name.place).help(help));
        None
    };
    let Some((text, from)) = name.text().zip(from) else {
        let message = format!("`include` names files, not {}", described(name));
        return refuse(problems, message, "write `include: [models.yaml]`");
    };
    let path = from.parent().unwrap_or(Path::new("")).join(text);
    let text = match source::read(&path) {
        Ok(text) => text,
        Err(unread) => {
            let message = format!("the included file {} {}", path.display(), unread.why);
            let help = "names are relative to the file that includes them";
            return refuse(problems, message, unread.help.unwrap_or(help));
        }
    };
    let real = path.canonicalize().unwrap_or_else(|_| path.clone());
    if seen.contains(&real) {
        let message = format!("{} is included already, and read only once", path.display());
        problems.add(Problem::warning(message, name.place).help("remove this line"));
        return Some(Node { kind: Kind::Map(Vec::new()), place: name.place });
    }
    seen.push(real);
    problems.was_read(&path);
    problems.files.push((path.display().to_string(), Secret::new(text)));
    one(problems.files.len() - 1, Some(&path), seen, problems)
}

fn merge(root: &mut Node, other: Node, problems: &mut Problems) {
    let (Kind::Map(entries), Kind::Map(others)) = (&mut root.kind, other.kind) else { return };
    for (key, value) in others {
        let there = entries.iter_mut().find(|(name, _)| name.as_text() == key.as_text());
        let Some((_, there)) = there else {
            entries.push((key, value));
            continue;
        };
        match (&mut there.kind, value.kind) {
            (Kind::List(all), Kind::List(more)) => all.extend(more),
            (_, kind) => {
                if !there.is_null() {
                    problems.notice(replaced(&key, there, problems));
                }
                *there = Node { kind, place: value.place };
            }
        }
    }
}

fn replaced(key: &Node, before: &Node, problems: &Problems) -> String {
    let file = |node: &Node| problems.files.get(node.place.file).map_or("", |(name, _)| name);
    let name = key.as_text().unwrap_or_default();
    format!("`{name}` of {} takes the place of the one in {}", file(key), file(before))
}
