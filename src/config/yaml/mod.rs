//! YAML as a tree that knows where each value stands. The only place that knows the YAML library.
mod scalar;
#[cfg(test)]
mod tests;
mod written;

use self::written::Written;
use super::problem::{Place, Problem, Problems};
use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, Location, NonFiniteFloatPolicy};

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) place: Place,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// Parses one document. Aliases and merge keys are resolved; alias bombs are refused.
/// `file` is where its places are.
pub(super) fn parse(text: &str, file: usize) -> Result<Node, Problem> {
    // PyYAML, which reads these files for LiteLLM, takes the last of two equal keys.
    let options = serde_saphyr::options! {
        // Each level takes stack, and a config that is read again has that of a worker thread.
        budget: serde_saphyr::budget! { max_depth: 40 },
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        // The library's other way takes `n` and `y` for switches, which PyYAML does not.
        strict_booleans: true,
        // It is judged where it stands.
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough
    };
    let parsed: Result<Option<Written>, _> = serde_saphyr::from_str_with_options(text, options);
    match parsed {
        Ok(Some(written)) => Ok(written.node(text, file)),
        Ok(None) => Ok(Node { kind: Kind::Null, place: Place { file, ..Place::default() } }),
        Err(error) => {
            let place = Place { file, ..error.location().map(place).unwrap_or_default() };
            let message = error.without_snippet().to_string();
            let message = message.lines().next().unwrap_or("it cannot be read");
            Err(super::syntax::broken(message, place, text))
        }
    }
}

/// Keeps the last of equal keys in a map, and says so.
pub(super) fn without_twins(node: &mut Node, problems: &mut Problems) {
    match &mut node.kind {
        Kind::List(items) => {
            items.iter_mut().for_each(|item| without_twins(item, problems));
        }
        Kind::Map(entries) => {
            let mut kept: Vec<(Node, Node)> = Vec::with_capacity(entries.len());
            for (key, mut value) in entries.drain(..) {
                without_twins(&mut value, problems);
                let twin = key.as_text().and_then(|name| {
                    kept.iter().position(|(other, _)| other.as_text().as_ref() == Some(&name))
                });
                if let Some(twin) = twin {
                    kept.remove(twin);
                    let name = key.as_text().unwrap_or_default();
                    let message = format!("the key `{name}` stands twice: this one counts");
                    let problem = Problem::warning(message, key.place);
                    problems.add(problem.help("remove the other one"));
                }
                kept.push((key, value));
            }
            *entries = kept;
        }
        _ => {}
    }
}

fn place(location: Location) -> Place {
    let span = location.span();
    let bytes = span.byte_offset().zip(span.byte_len());
    let (start, len) = bytes.unwrap_or((0, 0));
    Place {
        line: location.line() as usize,
        column: location.column() as usize,
        start: usize::try_from(start).unwrap_or(0),
        len: usize::try_from(len).unwrap_or(0),
        file: 0,
    }
}

impl Node {
    /// The value of a map's key; the last one, if it stands twice.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().rev().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
    }

    /// The entries of a map; none for other values.
    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = &(Self, Self)> {
        match &self.kind {
            Kind::Map(entries) => entries.iter(),
            _ => [].iter(),
        }
    }

    /// The items of a list; none for other values.
    pub(super) fn items(&self) -> &[Self] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// Puts `text` in the place of the value that is reached by these keys, where there is one.
    pub(super) fn set_text(&mut self, keys: &[&str], text: &str) {
        let Some((key, rest)) = keys.split_first() else {
            self.kind = Kind::Text(text.to_owned());
            return;
        };
        let Kind::Map(entries) = &mut self.kind else { return };
        let found = entries.iter_mut().rev().find(|(name, _)| name.text() == Some(key));
        if let Some((_, value)) = found {
            value.set_text(rest, text);
        }
    }

    pub(super) fn is_null(&self) -> bool {
        self.kind == Kind::Null
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A text; numbers and switches as they are written.
    pub(super) fn as_text(&self) -> Option<String> {
        match &self.kind {
            Kind::Text(text) => Some(text.clone()),
            Kind::Bool(value) => Some(value.to_string()),
            Kind::Int(value) => Some(value.to_string()),
            Kind::Float(value) => Some(value.to_string()),
            _ => None,
        }
    }

    /// A number, also as a text.
    pub(super) fn as_number(&self) -> Option<f64> {
        match &self.kind {
            Kind::Int(value) => Some(*value as f64),
            Kind::Float(value) => Some(*value).filter(|number| number.is_finite()),
            Kind::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }

    /// A switch, also as a text or a number.
    pub(super) fn as_bool(&self) -> Option<bool> {
        match &self.kind {
            Kind::Bool(value) => Some(*value),
            Kind::Int(value @ (0 | 1)) => Some(*value == 1),
            Kind::Text(text) => super::env::truth(text),
            _ => None,
        }
    }

    /// The same as JSON.
    pub(super) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => (*value).into(),
            Kind::Int(value) => (*value).into(),
            Kind::Float(value) => (*value).into(),
            Kind::Text(text) => text.as_str().into(),
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Map(entries) => {
                let named = |(name, value): &(Self, Self)| Some((name.as_text()?, value.to_json()));
                Value::Object(entries.iter().filter_map(named).collect())
            }
        }
    }
}
