//! Models that were added at run time, beside those of the config.
use super::Secret;
use super::problem::{Problem, Problems};
use super::yaml::{self, Kind, Node};

/// Puts `models` behind those of the config. One that cannot be read is left out, and reported.
pub(super) fn append(root: &mut Node, models: &[Secret<String>], problems: &mut Problems) {
    let mut entries = Vec::with_capacity(models.len());
    for model in models {
        problems.files.push(("a model that was added at run time".to_owned(), model.clone()));
        match yaml::parse(model.expose(), problems.files.len() - 1) {
            Ok(entry) => entries.push(entry),
            Err(problem) => problems.add(Problem { help: None, ..problem }),
        }
    }
    let Kind::Map(sections) = &mut root.kind else { return };
    if entries.is_empty() {
        return;
    }
    let list = sections.iter_mut().find(|(name, _)| name.text() == Some("model_list"));
    match list.map(|(_, list)| &mut list.kind) {
        Some(Kind::List(all)) => all.extend(entries),
        Some(other) if *other == Kind::Null => *other = Kind::List(entries),
        Some(_) => {}
        None => {
            let text = |text: &str| Kind::Text(text.to_owned());
            let name = Node { kind: text("model_list"), place: root.place };
            sections.push((name, Node { kind: Kind::List(entries), place: root.place }));
        }
    }
}
