//! Schemas for texts: Claude's servers take some only.
use serde_json::Value;

/// Deeper schemas are left as they are; the parser of requests takes no deeper ones.
const DEEPEST: u8 = 128;

/// What schemas for texts may not say. The server refuses those that do.
const UNKNOWN: [&str; 12] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
];

/// Whether no object of it may have members that it does not name: the server knows no others.
pub(in crate::providers) fn is_closed(schema: &Value) -> bool {
    closed(schema, DEEPEST)
}

fn closed(schema: &Value, depth: u8) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return true };
    match schema {
        Value::Object(members) => {
            let more = members.get("additionalProperties");
            let is_open = match more {
                Some(Value::Object(_)) => true,
                Some(Value::Bool(true)) => !members.contains_key("properties"),
                _ => false,
            };
            !is_open && members.values().all(|member| closed(member, depth))
        }
        Value::Array(elements) => elements.iter().all(|element| closed(element, depth)),
        _ => true,
    }
}

/// Says of each object that it has no other members, which the server wants to be said, and takes
/// out what it refuses.
pub(in crate::providers) fn close(schema: &mut Value) {
    shut(schema, DEEPEST);
}

fn shut(schema: &mut Value, depth: u8) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match schema {
        Value::Object(members) => {
            members.retain(|name, value| {
                // A property may have such a name.
                !UNKNOWN.contains(&name.as_str()) || value.is_object()
            });
            let is_object = members.get("type").is_some_and(is_object_type);
            if is_object || members.get("properties").is_some_and(|it| it.get("type").is_none()) {
                members.insert("additionalProperties".into(), false.into());
            }
            for (name, member) in members.iter_mut() {
                if !matches!(name.as_str(), "enum" | "const" | "default" | "examples") {
                    shut(member, depth);
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| shut(element, depth)),
        _ => {}
    }
}

fn is_object_type(kind: &Value) -> bool {
    match kind {
        Value::Array(kinds) => kinds.iter().any(|kind| kind == "object"),
        kind => kind == "object",
    }
}
