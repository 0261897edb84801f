//! Reads typed values out of the tree, and notes each one that has the wrong type.
use super::env::{Env, Unread};
use super::fill::Fill;
use super::names::Named;
use super::own::Own;
use super::problem::{Place, Problem, Problems, Severity};
use super::yaml::{Kind, Node};
use super::{Secret, UpstreamTls};
use crate::data::Provider;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// What the checks of all sections share.
#[derive(Debug)]
pub(super) struct Check<'a> {
    pub(super) env: &'a Env,
    pub(super) own: &'a Own,
    pub(super) problems: Problems,
    /// Keys whose feature comes later, by their paths.
    pub(super) later: BTreeSet<String>,
    /// What model entries get from elsewhere in the config.
    pub(super) fill: Fill<'a>,
    /// How TLS is spoken with upstreams that have no settings of their own.
    pub(super) tls: Arc<UpstreamTls>,
    /// Values that were found wrong by the table of keys: whoever reads them need not repeat it.
    pub(super) wrong: HashSet<Place>,
    /// Errors that were not told again, for all was said about their values.
    untold: usize,
    /// Model groups that a section names, and whoever names them.
    pub(super) groups: Vec<Named>,
    /// The config's own rows of providers.
    pub(super) rows: Vec<&'static Provider>,
}

impl<'a> Check<'a> {
    pub(super) fn new(env: &'a Env, own: &'a Own, problems: Problems) -> Self {
        Self {
            env,
            own,
            problems,
            later: BTreeSet::new(),
            fill: Fill::default(),
            tls: Arc::default(),
            wrong: HashSet::new(),
            untold: 0,
            groups: Vec::new(),
            rows: Vec::new(),
        }
    }

    pub(super) fn error(&mut self, node: &Node, message: String, help: &str) {
        self.tell(Problem::error(message, node.place).help(help));
    }

    pub(super) fn warn(&mut self, node: &Node, message: String, help: &str) {
        self.tell(Problem::warning(message, node.place).help(help));
    }

    /// Says a thing once of one place, though several may read it, or an anchor repeat it.
    pub(super) fn tell(&mut self, problem: Problem) {
        let same = |one: &Problem| one.place == problem.place && one.message == problem.message;
        let told = self.problems.found().iter().any(same) || self.wrong.contains(&problem.place);
        if problem.place.line == 0 || !told {
            self.problems.add(problem);
        } else if problem.severity == Severity::Error {
            self.untold += 1;
        }
    }

    /// Errors so far. Readers compare two counts: a value of no use to them counts even where
    /// nothing new was to be said about it.
    pub(super) fn errors(&self) -> usize {
        self.problems.errors() + self.untold
    }

    /// A credential of the environment. A file that does not give it is told once.
    pub(super) fn secret(&mut self, name: &str) -> Option<Secret<String>> {
        self.env.file_of(name).into_iter().for_each(|path| self.problems.was_read(path));
        self.env.secret(name).unwrap_or_else(|unread| {
            self.problems.add_once(unread_secret(&unread, Place::default()));
            None
        })
    }

    /// A credential of the environment, if it is given and can be read.
    pub(super) fn quiet_secret(&mut self, name: &str) -> Option<Secret<String>> {
        self.env.file_of(name).into_iter().for_each(|path| self.problems.was_read(path));
        self.env.secret(name).ok().flatten()
    }

    /// Whether an error was found in this very value.
    pub(super) fn is_wrong(&self, node: &Node) -> bool {
        let wrong = |one: &Problem| one.severity == Severity::Error && one.place == node.place;
        self.problems.found().iter().any(wrong)
    }

    fn typed<T>(
        &mut self,
        map: &Node,
        key: &str,
        wanted: &str,
        read: impl Fn(&Node) -> Option<T>,
    ) -> Option<T> {
        let node = map.get(key).filter(|node| !node.is_null())?;
        let value = read(node);
        if value.is_none() {
            let message = format!("`{key}` must be {wanted}, not {}", described(node));
            self.error(node, message, &format!("write {key} as {wanted}, or leave it out"));
        }
        value
    }

    pub(super) fn text(&mut self, map: &Node, key: &str) -> Option<String> {
        self.typed(map, key, "a text", Node::as_text).filter(|text| !text.is_empty())
    }

    /// A finite number of at least 0.
    pub(super) fn number(&mut self, map: &Node, key: &str) -> Option<f64> {
        let sound = |number: &f64| number.is_finite() && *number >= 0.0;
        self.typed(map, key, "a number of at least 0", |node| node.as_number().filter(sound))
    }

    /// A number of at least 0 without a fraction.
    pub(super) fn whole(&mut self, map: &Node, key: &str) -> Option<u64> {
        let whole = |number: f64| (number >= 0.0 && number.fract() == 0.0).then_some(number as u64);
        self.typed(map, key, "a whole number of at least 0", |node| {
            node.as_number().and_then(whole)
        })
    }

    /// As [`Check::whole`], up to the greatest of its type.
    pub(super) fn count(&mut self, map: &Node, key: &str) -> Option<u32> {
        self.whole(map, key).map(|count| u32::try_from(count).unwrap_or(u32::MAX))
    }

    pub(super) fn port(&mut self, map: &Node, key: &str) -> Option<u16> {
        self.typed(map, key, "a port from 1 to 65535", |node| {
            let port = node.as_number().filter(|port| port.fract() == 0.0)?;
            (1.0..=65535.0).contains(&port).then_some(port as u16)
        })
    }

    pub(super) fn flag(&mut self, map: &Node, key: &str) -> Option<bool> {
        self.typed(map, key, "true or false", Node::as_bool)
    }

    pub(super) fn seconds(&mut self, map: &Node, key: &str) -> Option<Duration> {
        let seconds = |number| Duration::try_from_secs_f64(number).ok();
        let positive = |duration: &Duration| !duration.is_zero();
        self.typed(map, key, "a number of seconds above 0", |node| {
            node.as_number().and_then(seconds).filter(positive)
        })
    }

    /// As [`Check::seconds`], or none.
    pub(super) fn wait(&mut self, map: &Node, key: &str) -> Option<Duration> {
        let seconds = |number| Duration::try_from_secs_f64(number).ok();
        self.typed(map, key, "a number of seconds", |node| node.as_number().and_then(seconds))
    }

    /// A section that must be a map; nothing if it is absent.
    pub(super) fn section<'n>(&mut self, root: &'n Node, name: &str) -> Option<&'n Node> {
        let node = root.get(name).filter(|node| !node.is_null())?;
        if matches!(node.kind, Kind::Map(_)) {
            return Some(node);
        }
        let message = format!("`{name}` must be a map of keys, not {}", described(node));
        self.error(node, message, "indent its keys below it");
        None
    }
}

/// What to do about a file of a credential.
pub(super) fn unread_secret(unread: &Unread, place: Place) -> Problem {
    let name = unread.variable.trim_end_matches("_FILE");
    let help = format!("check the path and its permissions, or set {name} itself");
    Problem::error(unread.to_string(), place).help(help)
}

/// What a value is, in words that show nothing of it.
pub(super) fn described(node: &Node) -> &'static str {
    match node.kind {
        Kind::Null => "nothing",
        Kind::Bool(_) => "true or false",
        Kind::Int(_) | Kind::Float(_) => "this number",
        Kind::Text(_) => "this text",
        Kind::List(_) => "a list",
        Kind::Map(_) => "a map",
    }
}
