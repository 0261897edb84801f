//! What is wrong with a config: the place, what it is, and how to mend it. All at once.
use super::{Secret, mask};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::path::PathBuf;

/// A place in a file of the config. Lines and columns count from 1; 0 is nowhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
    /// In bytes.
    pub(super) start: usize,
    pub(super) len: usize,
    /// Which of [`Problems::files`] it is in.
    pub(super) file: usize,
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// What it concerns does not work.
    Error,
    /// It works, but perhaps not as meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    pub(super) place: Place,
}

impl Problem {
    pub(super) fn error(message: impl Into<String>, place: Place) -> Self {
        let message = mask::message(&message.into());
        Self { severity: Severity::Error, message, help: None, place }
    }

    pub(super) fn warning(message: impl Into<String>, place: Place) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message, place) }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(mask::message(&help.into())), ..self }
    }

    /// `line:column`, or nothing where the problem has no place.
    #[must_use]
    pub fn at(&self) -> Option<(usize, usize)> {
        (self.place.line > 0).then_some((self.place.line, self.place.column))
    }
}

/// Everything that was found in a config.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    /// The config and what it includes: each file as errors name it, and its text.
    pub(super) files: Vec<(String, Secret<String>)>,
    /// Every file that was read: those of `files`, `.env`, and those of single values.
    pub(super) read: Vec<PathBuf>,
    /// The one of `files` that is no YAML.
    pub(super) broken: Option<usize>,
    /// In the order of the file.
    pub(super) found: Vec<Problem>,
    /// What the operator should know once.
    pub(super) notices: Vec<String>,
}

impl Problems {
    pub(super) fn add(&mut self, problem: Problem) {
        self.found.push(problem);
    }

    /// Orders what was found by its place; what has none comes first. What stands for several
    /// things is told once.
    pub(super) fn in_order(mut self) -> Self {
        self.found.sort_by_key(|one| (one.place.file, one.place.line, one.place.column));
        let told = |one: &mut Problem, before: &mut Problem| {
            (one.place, &one.message) == (before.place, &before.message)
        };
        self.found.dedup_by(told);
        self
    }

    /// What several parts of a config run into is told once.
    pub(super) fn add_once(&mut self, problem: Problem) {
        if !self.found.iter().any(|one| one.message == problem.message) {
            self.add(problem);
        }
    }

    /// What is found at a place each time that it is looked at is told once.
    pub(super) fn add_once_at(&mut self, problem: Problem) {
        let same = |one: &Problem| one.place == problem.place && one.message == problem.message;
        if !self.found.iter().any(same) {
            self.add(problem);
        }
    }

    pub(super) fn notice(&mut self, notice: impl Into<String>) {
        self.notices.push(notice.into());
    }

    /// Notes that what a file holds went into the config.
    pub(super) fn was_read(&mut self, path: impl Into<PathBuf>) {
        let path = path.into();
        if !self.read.contains(&path) {
            self.read.push(path);
        }
    }

    /// What was found, in the order of the file.
    #[must_use]
    pub fn found(&self) -> &[Problem] {
        &self.found
    }

    /// What the operator should know once.
    #[must_use]
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// The file that a problem is in, as the config or an `include` names it.
    #[must_use]
    pub fn file_of(&self, problem: &Problem) -> Option<&str> {
        problem.at()?;
        self.files.get(problem.place.file).map(|(name, _)| name.as_str())
    }

    /// Whether there was no config file to read.
    #[must_use]
    pub fn is_without_file(&self) -> bool {
        self.files.is_empty()
    }

    /// How many errors there are.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.found.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// All problems as text, each with its line of the file. Lines that may hold a literal secret
    /// are shown masked.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let masked = |(file, (name, text)): (usize, &(String, Secret<String>))| {
            (name.clone(), mask::masked(text.expose(), self.broken != Some(file)))
        };
        let shown: Vec<_> = self.files.iter().enumerate().map(masked).collect();
        let mut text = String::new();
        for problem in &self.found {
            text.push_str(&render_one(problem, &shown, &renderer));
            text.push('\n');
        }
        for notice in &self.notices {
            text.push_str(&format!("note: {notice}\n"));
        }
        text
    }
}

fn render_one(problem: &Problem, files: &[(String, String)], renderer: &Renderer) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(problem.message.as_str()));
    let place = problem.place;
    if let Some((name, shown)) = files.get(place.file).filter(|_| place.line > 0) {
        // The renderer cuts the text there: an end inside a character would be a panic.
        let start = shown.floor_char_boundary(place.start);
        let end = shown.ceil_char_boundary(place.start + place.len.max(1));
        let snippet = Snippet::source(shown).path(name.as_str());
        let mark = AnnotationKind::Primary.span(start..end);
        group = group.element(snippet.annotation(mark));
    }
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let mut text = renderer.render(&[group]).to_string();
    text.push('\n');
    text
}
