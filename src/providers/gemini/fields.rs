//! Members of Google's messages. Their names are in camel case or, which Google takes as well, in
//! snake case; numbers may be texts.
use crate::providers::chat::{Malformed, Taking};
use serde_json::{Map, Value};

/// A member, by its name in camel case, in either spelling.
pub(crate) fn pick(object: &mut Map<String, Value>, name: &str) -> Option<Value> {
    let snake = snake(name);
    let found = object.take(name);
    if snake == name { found } else { found.or_else(|| object.take(&snake)) }
}

/// `topP` as `top_p`.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// `top_p` as `topP`. What starts with an underscore keeps that.
pub(crate) fn camel(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut rises = false;
    for letter in name.chars() {
        if letter == '_' && !camel.is_empty() {
            rises = true;
            continue;
        }
        camel.push(if rises { letter.to_ascii_uppercase() } else { letter });
        rises = false;
    }
    camel
}

/// Takes members that must be of the right type out of an object.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    object: &'a mut Map<String, Value>,
    path: &'a str,
}

impl<'a> Fields<'a> {
    /// Of the object at `path`, which is empty for the body itself.
    pub(crate) const fn of(object: &'a mut Map<String, Value>, path: &'a str) -> Self {
        Self { object, path }
    }

    /// A member that `read` makes something of; it is wrong, if it does not.
    fn get<T>(
        &mut self,
        name: &str,
        kind: &str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Result<Option<T>, Malformed> {
        let Some(value) = pick(self.object, name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.wrong(name, kind))
    }

    /// The mistake of a member that should be a `kind`.
    pub(crate) fn wrong(&self, name: &str, kind: &str) -> Malformed {
        let param = match self.path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        let message = format!("`{param}` must be {kind}");
        Malformed::new(param, message)
    }

    /// Of any type.
    pub(crate) fn any(&mut self, name: &str) -> Option<Value> {
        pick(self.object, name)
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Malformed> {
        self.get(name, "a string", text)
    }

    pub(crate) fn truth(&mut self, name: &str) -> Result<Option<bool>, Malformed> {
        self.get(name, "true or false", |value| value.as_bool())
    }

    pub(crate) fn number(&mut self, name: &str) -> Result<Option<f64>, Malformed> {
        self.get(name, "a number", |value| number(&value))
    }

    /// A whole number of at least 0.
    pub(crate) fn count(&mut self, name: &str) -> Result<Option<u64>, Malformed> {
        let count = self.integer(name)?;
        let unsigned = |count| u64::try_from(count).map_err(|_| self.wrong(name, "0 or more"));
        count.map(unsigned).transpose()
    }

    pub(crate) fn integer(&mut self, name: &str) -> Result<Option<i64>, Malformed> {
        self.get(name, "a whole number", |value| integer(&value))
    }

    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Map<String, Value>>, Malformed> {
        self.get(name, "an object", members)
    }

    /// A list of texts; empty without one.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<String>, Malformed> {
        let read = |value| list(value)?.into_iter().map(text).collect();
        Ok(self.get(name, "a list of strings", read)?.unwrap_or_default())
    }

    /// A list of objects; empty without one.
    pub(crate) fn objects(&mut self, name: &str) -> Result<Vec<Map<String, Value>>, Malformed> {
        let read = |value| list(value)?.into_iter().map(members).collect();
        Ok(self.get(name, "a list of objects", read)?.unwrap_or_default())
    }
}

pub(crate) fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

pub(crate) fn members(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

fn list(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(list) => Some(list),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).filter(|number| number.is_finite())
}

fn integer(value: &Value) -> Option<i64> {
    let whole = |number: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "checked")]
        (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
    };
    value
        .as_i64()
        .or_else(|| value.as_str()?.parse().ok())
        .or_else(|| value.as_f64().and_then(whole))
}
