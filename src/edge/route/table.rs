//! What a row of the table says, and how a path finds its row.
use super::pattern::{self, Captures, captures};
use super::rows::ROWS;
use super::{AdminRoute, Route};
use crate::providers::{Operation, PathModel};
use bartizan_layers::query::percent_decoded;
use http::Method;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A path that exists.
#[derive(Debug)]
pub struct Row {
    /// The path without a version; see `pattern` for placeholders.
    pub path: &'static str,
    /// In which places it stands.
    pub at: At,
    /// Methods it takes, as `Allow` lists them.
    pub methods: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    pub(super) to: fn(&Captures<'_>) -> Option<Route>,
}

/// In which places a path stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// As it is written.
    Root,
    /// Also below `/v1`.
    Versioned,
    /// Also below `/v1`, and below `/openai/deployments/{model}` and `/engines/{model}`.
    Deployments,
}

/// What stands before a model's name and an operation's path.
pub const DEPLOYMENTS: [&str; 2] = ["/openai/deployments/", "/engines/"];

impl Row {
    /// Every path that it stands for.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        let path = self.path;
        let versioned = (self.at != At::Root).then(|| format!("/v1{path}"));
        let below = (self.at == At::Deployments).then_some(DEPLOYMENTS).into_iter().flatten();
        let below = below.map(move |prefix| format!("{prefix}{{model*}}{path}"));
        [path.to_owned()].into_iter().chain(versioned).chain(below)
    }

    /// What a call to it asks for, with an example in place of each placeholder; `None` for one of
    /// the proxy's own routes.
    #[must_use]
    pub fn operation(&self) -> Option<Operation> {
        match (self.to)(&Captures::EXAMPLE) {
            Some(Route::Call(operation)) => Some(operation),
            _ => None,
        }
    }

    /// Whether it leads to the management API, which knows its own paths.
    #[must_use]
    pub fn is_managed(&self) -> bool {
        (self.to)(&Captures::EXAMPLE) == Some(Route::Admin(AdminRoute::Manage))
    }

    fn takes(&self, method: &Method) -> bool {
        self.methods == method.as_str()
            || self.methods.split(", ").any(|taken| taken == method.as_str())
    }
}

/// The rows whose paths hold no placeholder.
static FIXED: LazyLock<HashMap<String, &Row, foldhash::fast::RandomState>> = LazyLock::new(|| {
    let named = rows().flat_map(|row| row.paths().map(move |path| (path, row)));
    named.filter(|(path, _)| !path.contains('{')).collect()
});

fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().copied().flatten()
}

/// The route of a request whose path has no slash at its end.
pub(super) fn find(method: &Method, path: &str) -> Route {
    if let Some(row) = FIXED.get(path) {
        let route = row.takes(method).then(|| (row.to)(&Captures::default())).flatten();
        return route.unwrap_or(Route::WrongMethod(row.methods.into()));
    }
    if let Some((row, model)) = addressed(path) {
        return match (row.to)(&Captures::default()) {
            Some(Route::Call(operation)) if row.takes(method) => Route::CallOf(operation, model),
            _ => Route::WrongMethod(row.methods.into()),
        };
    }
    let mut found = Route::Nothing;
    for row in rows().filter(|row| row.path.contains('{')) {
        let below = path.strip_prefix("/v1").filter(|_| row.at != At::Root);
        let below = below.and_then(|path| captures(row.path, path));
        let captured = below.or_else(|| captures(row.path, path));
        let Some(route) = captured.and_then(|captured| (row.to)(&captured)) else { continue };
        if row.takes(method) {
            return route;
        }
        found = Route::WrongMethod(match found {
            Route::WrongMethod(others) => joined(others, row.methods),
            _ => row.methods.into(),
        });
    }
    found
}

/// The methods of two rows for the same path.
fn joined(mut all: Cow<'static, str>, more: &str) -> Cow<'static, str> {
    for method in more.split(", ") {
        if !all.split(", ").any(|known| known == method) {
            all = format!("{all}, {method}").into();
        }
    }
    all
}

/// `/openai/deployments/{model}/chat/completions`: the path's model overrules the body's.
fn addressed(path: &str) -> Option<(&'static Row, PathModel)> {
    let below = |prefix: &&str| path.strip_prefix(prefix.trim_end_matches('/'));
    let rest = DEPLOYMENTS.iter().find_map(below)?;
    rows().filter(|row| row.at == At::Deployments).find_map(|row| {
        let model = rest.strip_suffix(row.path).filter(|model| pattern::stays_below(model))?;
        let model = percent_decoded(model.strip_prefix('/')?)?;
        Some((row, PathModel(model.into())))
    })
}
