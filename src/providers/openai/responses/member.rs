//! Members of a request, which must be of the types that OpenAI takes.
use crate::providers::chat::{Malformed, Taking};
use serde_json::{Map, Value};

/// The full name of a member of what stands at `place`.
pub(super) fn within(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

/// The member at `param` is something else than it must be: `wanted`.
pub(super) fn wrong(param: String, wanted: &str, found: &Value) -> Malformed {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    let message = format!("`{param}` must be {wanted}, not {found}.");
    Malformed { param, message }
}

/// A member that must be there is not.
pub(super) fn missing(place: &str, name: &str) -> Malformed {
    let param = within(place, name);
    let message = format!("`{param}` is missing.");
    Malformed { param, message }
}

/// An object.
pub(super) fn object(value: Value, place: &str) -> Result<Map<String, Value>, Malformed> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(wrong(place.to_owned(), "an object", &other)),
    }
}

/// Takes a text.
pub(super) fn text(
    from: &mut Map<String, Value>,
    place: &str,
    name: &str,
) -> Result<Option<String>, Malformed> {
    match from.take(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong(within(place, name), "a text", &other)),
    }
}

/// Takes a text that must be there.
pub(super) fn needed(
    from: &mut Map<String, Value>,
    place: &str,
    name: &str,
) -> Result<String, Malformed> {
    text(from, place, name)?.ok_or_else(|| missing(place, name))
}

/// Takes a truth value.
pub(super) fn truth(
    from: &mut Map<String, Value>,
    place: &str,
    name: &str,
) -> Result<Option<bool>, Malformed> {
    match from.take(name) {
        None => Ok(None),
        Some(Value::Bool(truth)) => Ok(Some(truth)),
        Some(other) => Err(wrong(within(place, name), "true or false", &other)),
    }
}

/// Takes a number.
pub(super) fn number(from: &mut Map<String, Value>, name: &str) -> Result<Option<f64>, Malformed> {
    match from.get(name) {
        None | Some(Value::Null | Value::Number(_)) => Ok(from.take_number(name)),
        Some(other) => Err(wrong(name.to_owned(), "a number", other)),
    }
}

/// Takes a count.
pub(super) fn count(from: &mut Map<String, Value>, name: &str) -> Result<Option<u64>, Malformed> {
    let Some(told) = from.get(name).filter(|told| !told.is_null()).cloned() else {
        from.take(name);
        return Ok(None);
    };
    let count = from.take_count(name);
    count.map(Some).ok_or_else(|| wrong(name.to_owned(), "a whole number, at least 0", &told))
}

/// Takes a list; an empty one where there is none.
pub(super) fn list(
    from: &mut Map<String, Value>,
    place: &str,
    name: &str,
) -> Result<Vec<Value>, Malformed> {
    match from.take(name) {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) => Ok(list),
        Some(other) => Err(wrong(within(place, name), "a list", &other)),
    }
}

/// Takes an object; an empty one where there is none.
pub(super) fn members(
    from: &mut Map<String, Value>,
    place: &str,
    name: &str,
) -> Result<Map<String, Value>, Malformed> {
    match from.take(name) {
        None => Ok(Map::new()),
        Some(told) => object(told, &within(place, name)),
    }
}
