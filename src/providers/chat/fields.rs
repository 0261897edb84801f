//! Taking a request apart as strictly as the servers do that it is for.
use super::{Malformed, Taking};
use serde_json::{Map, Value};
use std::fmt::Display;

/// An object of a request.
pub type Object = Map<String, Value>;

/// The member `name` is not what it has to be.
#[must_use]
pub fn wrong(name: &str, right: &str) -> Malformed {
    match name {
        "" => Malformed::new("", format!("This must be {right}.")),
        _ => Malformed::new(name, format!("`{name}` must be {right}.")),
    }
}

/// The mistake, as one in what stands at `place`.
#[must_use]
pub fn within(error: Malformed, place: impl Display) -> Malformed {
    let param = match error.param.as_str() {
        "" => place.to_string(),
        inner if inner.starts_with('[') => format!("{place}{inner}"),
        inner => format!("{place}.{inner}"),
    };
    Malformed { param, ..error }
}

/// A member that `read` understands, if it is there; `right` says what it has to be.
///
/// # Errors
/// When `read` does not understand it.
pub fn optional<T>(
    object: &mut Object,
    name: &str,
    right: &str,
    read: impl FnOnce(Value) -> Option<T>,
) -> Result<Option<T>, Malformed> {
    match object.take(name) {
        Some(value) => read(value).map(Some).ok_or_else(|| wrong(name, right)),
        None => Ok(None),
    }
}

/// A member that has to be there.
///
/// # Errors
/// When it is something else, or missing.
pub fn required<T>(
    object: &mut Object,
    name: &str,
    right: &str,
    read: impl FnOnce(Value) -> Option<T>,
) -> Result<T, Malformed> {
    optional(object, name, right, read)?.ok_or_else(|| wrong(name, right))
}

/// A text that may be left out.
///
/// # Errors
/// When it is something else.
pub fn text(object: &mut Object, name: &str) -> Result<Option<String>, Malformed> {
    optional(object, name, "a string", into_text)
}

/// A text that has to be there.
///
/// # Errors
/// When it is something else, or missing.
pub fn required_text(object: &mut Object, name: &str) -> Result<String, Malformed> {
    required(object, name, "a string", into_text)
}

/// A truth value that may be left out.
///
/// # Errors
/// When it is something else.
pub fn flag(object: &mut Object, name: &str) -> Result<Option<bool>, Malformed> {
    optional(object, name, "true or false", |value| value.as_bool())
}

/// A number that may be left out.
///
/// # Errors
/// When it is something else.
pub fn number(object: &mut Object, name: &str) -> Result<Option<f64>, Malformed> {
    optional(object, name, "a number", |value| value.as_f64())
}

/// A count that may be left out.
///
/// # Errors
/// When it is something else.
pub fn count(object: &mut Object, name: &str) -> Result<Option<u64>, Malformed> {
    if object.get(name).is_none_or(Value::is_null) {
        return Ok(None);
    }
    let count = object.take_count(name);
    count.map(Some).ok_or_else(|| wrong(name, "a whole number that is not negative"))
}

/// An object that may be left out.
///
/// # Errors
/// When it is something else.
pub fn nested(object: &mut Object, name: &str) -> Result<Option<Object>, Malformed> {
    optional(object, name, "an object", into_object)
}

/// A list that may be left out.
///
/// # Errors
/// When it is something else.
pub fn list(object: &mut Object, name: &str) -> Result<Vec<Value>, Malformed> {
    Ok(optional(object, name, "a list", into_list)?.unwrap_or_default())
}

/// A text.
#[must_use]
pub fn into_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// An object.
#[must_use]
pub fn into_object(value: Value) -> Option<Object> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// A list.
#[must_use]
pub fn into_list(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(list) => Some(list),
        _ => None,
    }
}
