//! The variables that the config may refer to: one map, made once, never written back.
use super::Secret;
use super::mask;
use super::problem::Problems;
use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;

/// Variables by name. `Debug` shows no value.
#[derive(Clone, Default)]
pub struct Env(BTreeMap<String, String>);

impl Env {
    /// The process's environment. What is not text is left out.
    #[must_use]
    pub fn of_process() -> Self {
        let texts = std::env::vars_os();
        Self(
            texts
                .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
                .collect(),
        )
    }

    /// The variable `name`; empty ones count as unset.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The first of `names` that is set, and its value.
    #[must_use]
    pub fn first<'a>(&'a self, names: &[&'a str]) -> Option<(&'a str, &'a str)> {
        names.iter().find_map(|name| Some((*name, self.get(name)?)))
    }

    /// A credential: the variable `name`, else the content of the file that `NAME_FILE` names.
    ///
    /// # Errors
    ///
    /// [`Unread`], when that file cannot be read, or holds nothing.
    pub fn secret(&self, name: &str) -> Result<Option<Secret<String>>, Unread> {
        if let Some(plain) = self.get(name) {
            return Ok(Some(Secret::new(plain.to_owned())));
        }
        let variable = format!("{name}_FILE");
        let Some(path) = self.get(&variable) else { return Ok(None) };
        let why = match std::fs::read_to_string(path) {
            Ok(text) if !text.trim().is_empty() => {
                return Ok(Some(Secret::new(text.trim().to_owned())));
            }
            Ok(_) => "holds nothing".to_owned(),
            Err(error) => format!("cannot be read: {error}"),
        };
        // Some write the key itself there.
        let is_path = path.starts_with(['/', '.', '~']);
        let path = if is_path { mask::message(path) } else { "[hidden]".to_owned() };
        Err(Unread { path, variable, why })
    }

    /// The file that [`Env::secret`] reads for `name`.
    pub(super) fn file_of(&self, name: &str) -> Option<&Path> {
        let is_plain = self.get(name).is_some();
        self.get(&format!("{name}_FILE")).filter(|_| !is_plain).map(Path::new)
    }

    /// Whether a switch is on: `true`, `True`, `1`, `yes` or `on`.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| truth(value) == Some(true))
    }

    /// All names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Adds the variables of a `.env` file that are not set yet; true if there is such a file.
    pub(super) fn add_dotenv(&mut self, path: &Path, problems: &mut Problems) -> bool {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return false,
            Err(error) => {
                problems.notice(format!("{} cannot be read: {error}", path.display()));
                return true;
            }
        };
        problems.was_read(path);
        let text = text.trim_start_matches('\u{feff}');
        for line in dotenvy::from_read_iter(text.as_bytes()) {
            match line {
                Ok((name, value)) => {
                    self.0.entry(name).or_insert(value);
                }
                // Its text is not shown: it may be a key that lacks its quotes.
                Err(error) => problems.notice(format!(
                    "{}{}: this is not NAME=VALUE and was left out",
                    path.display(),
                    line_of(&error, text).map(|line| format!(":{line}")).unwrap_or_default()
                )),
            }
        }
        true
    }

    /// Sets a variable; true if it had another value before.
    pub(super) fn set(&mut self, name: &str, value: &str) -> bool {
        let before = self.0.insert(name.to_owned(), value.to_owned());
        before.is_some_and(|before| before != value)
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A file that should hold a credential and does not give it.
#[derive(Debug, thiserror::Error)]
#[error("{variable} names the file {path}, which {why}")]
pub struct Unread {
    /// The variable that names it.
    pub variable: String,
    path: String,
    why: String,
}

/// The line of a `.env` file that an error is about, counted from 1.
fn line_of(error: &dotenvy::Error, text: &str) -> Option<usize> {
    let dotenvy::Error::LineParse(part, _) = error else { return None };
    let part = part.lines().next()?.trim_end();
    text.lines().position(|line| line.trim_end().ends_with(part)).map(|index| index + 1)
}

/// A switch as people write it.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}
