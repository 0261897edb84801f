//! Google's schemas as JSON Schema: its types have capital letters, and it says `nullable`.
use super::fields::camel;
use serde_json::{Map, Value};

/// Deeper than this, nobody's schema is looked at.
pub(crate) const DEPTH: usize = 64;

/// A schema as JSON Schema. What is that already stays as it is.
pub(crate) fn standard(schema: Value) -> Value {
    standard_at(schema, DEPTH)
}

fn standard_at(schema: Value, depth: usize) -> Value {
    let schema = match (schema, depth) {
        (Value::Object(schema), 1..) => schema,
        (other, _) => return other,
    };
    let depth = depth - 1;
    let mut standard = Map::with_capacity(schema.len());
    let mut nullable = false;
    for (key, value) in schema {
        let name = member(&key);
        match (name.as_str(), value) {
            ("nullable", value) => nullable = value.as_bool() == Some(true),
            ("propertyOrdering", _) => {}
            ("type", Value::String(kind)) if kind == "TYPE_UNSPECIFIED" => {}
            ("type", Value::String(kind)) => {
                standard.insert(name, kind.to_ascii_lowercase().into());
            }
            ("properties" | "$defs" | "definitions", Value::Object(schemas)) => {
                let each = |(key, schema)| (key, standard_at(schema, depth));
                standard.insert(name, Value::Object(schemas.into_iter().map(each).collect()));
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                let all = schemas.into_iter().map(|schema| standard_at(schema, depth));
                standard.insert(name, all.collect());
            }
            ("items" | "additionalProperties", value @ Value::Object(_)) => {
                standard.insert(name, standard_at(value, depth));
            }
            (_, value) => {
                let value = if is_count(&name) { count(value) } else { value };
                standard.insert(name, value);
            }
        }
    }
    if nullable {
        allow_null(&mut standard);
    }
    Value::Object(standard)
}

/// The name of a schema's member: of those that Google spells in two ways, the usual one.
fn member(key: &str) -> String {
    let snake = ["any_of", "property_ordering", "additional_properties", "prefix_items"];
    let limit = (key.starts_with("min_") || key.starts_with("max_")) && is_count(&camel(key));
    if limit || snake.contains(&key) { camel(key) } else { key.to_owned() }
}

pub(crate) fn is_count(name: &str) -> bool {
    let counts =
        ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"];
    counts.contains(&name)
}

/// Google writes large whole numbers as texts.
fn count(value: Value) -> Value {
    match value.as_str().and_then(|digits| digits.parse::<i64>().ok()) {
        Some(count) => count.into(),
        None => value,
    }
}

fn allow_null(schema: &mut Map<String, Value>) {
    let null = || Value::from("null");
    if let Some(Value::Array(kinds)) = schema.get_mut("anyOf") {
        kinds.push(serde_json::json!({"type": "null"}));
        return;
    }
    if let Some(kind) = schema.get_mut("type") {
        let told = kind.take();
        *kind = match told {
            Value::Array(mut kinds) => {
                kinds.push(null());
                kinds.into()
            }
            one => Value::Array(vec![one, null()]),
        };
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
}
