//! Puts the pieces of a streamed value together.
use super::Object;
use serde_json::Value;

/// The members that come in pieces; any other text comes whole, and the last counts.
const TEXTS: [&str; 11] = [
    "arguments",
    "content",
    "data",
    "input",
    "reasoning",
    "reasoning_content",
    "refusal",
    "summary",
    "text",
    "thinking",
    "transcript",
];

/// Adds the `piece` of an object to what came before.
pub(super) fn merge(whole: &mut Object, piece: Object) {
    for (name, value) in piece {
        match whole.get_mut(&name) {
            None | Some(Value::Null) => {
                whole.insert(name, first(value));
            }
            Some(before) => add(&name, before, value),
        }
    }
}

/// An array's first pieces have places too.
fn first(value: Value) -> Value {
    let Value::Array(items) = value else { return value };
    let mut array = Vec::new();
    extend(&mut array, items);
    Value::Array(array)
}

fn add(name: &str, before: &mut Value, value: Value) {
    match (before, value) {
        (_, Value::Null) => {}
        (Value::String(before), Value::String(piece)) if TEXTS.contains(&name) => {
            before.push_str(&piece);
        }
        (Value::String(_), Value::String(piece)) if piece.is_empty() => {}
        (Value::Object(before), Value::Object(piece)) => merge(before, piece),
        (Value::Array(before), Value::Array(items)) => extend(before, items),
        (before, value) => *before = value,
    }
}

/// Items with an `index` are pieces of the one with the same, if they are of one type; others are
/// new ones.
fn extend(array: &mut Vec<Value>, items: Vec<Value>) {
    for item in items {
        let known = array.iter_mut().find(|known| is_piece(known, &item));
        match (known.and_then(Value::as_object_mut), item) {
            (Some(known), Value::Object(piece)) => merge(known, piece),
            (_, item) => array.push(item),
        }
    }
}

fn is_piece(known: &Value, item: &Value) -> bool {
    let Some(index) = item.get("index") else { return false };
    let kind = item.get("type").filter(|kind| *kind != "");
    known.get("index") == Some(index) && kind.is_none_or(|kind| known.get("type") == Some(kind))
}
