//! JSON Schema in the words of Gemini's first models, which know a part of OpenAPI 3.0 alone.
use super::schema::{DEPTH, is_count};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// How much references may add: a schema, or a hundred bytes of text, is one. Then all are objects
/// of any kind.
const MOST: usize = 4000;

/// A schema for old models: references are written out, and what they do not know is left out.
pub(crate) fn old(schema: &Value) -> Value {
    Writer { root: schema, left: MOST, open: Vec::new() }.schema(schema, DEPTH)
}

struct Writer<'a> {
    root: &'a Value,
    /// How much references may still add.
    left: usize,
    /// The references that are being written out: a schema may refer to itself.
    open: Vec<&'a str>,
}

impl<'a> Writer<'a> {
    fn schema(&mut self, schema: &'a Value, depth: usize) -> Value {
        let (Some(object), true, Some(depth)) =
            (schema.as_object(), self.spend(1), depth.checked_sub(1))
        else {
            return json!({"type": "OBJECT"});
        };
        let mut written = match object.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.referred(reference, depth),
            None => Map::new(),
        };
        for part in object.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            if let Value::Object(part) = self.schema(part, depth) {
                join(&mut written, part);
            }
        }
        for name in ["anyOf", "oneOf"] {
            if let Some(Value::Array(kinds)) = object.get(name) {
                self.any_of(kinds, &mut written, depth);
            }
        }
        self.kind(object, &mut written);
        for (key, value) in object {
            self.member(key, value, &mut written, depth);
        }
        complete(&mut written);
        Value::Object(written)
    }

    /// Whether what is written may cost that much more. What is written once costs nothing.
    fn spend(&mut self, cost: usize) -> bool {
        if self.open.is_empty() {
            return true;
        }
        let left = self.left.checked_sub(cost);
        self.left = left.unwrap_or(0);
        left.is_some()
    }

    fn referred(&mut self, reference: &'a str, depth: usize) -> Map<String, Value> {
        let found = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
        let (Some(found), false) = (found, self.open.contains(&reference)) else {
            return Map::new();
        };
        self.open.push(reference);
        let written = self.schema(found, depth);
        self.open.pop();
        match written {
            Value::Object(written) => written,
            _ => Map::new(),
        }
    }

    /// Alternatives. The null among them is `nullable`, and a single one is no alternative.
    fn any_of(&mut self, kinds: &'a [Value], written: &mut Map<String, Value>, depth: usize) {
        let is_null = |kind: &Value| kind.get("type").and_then(Value::as_str) == Some("null");
        let (nulls, others): (Vec<_>, Vec<_>) = kinds.iter().partition(|kind| is_null(kind));
        let mut others: Vec<_> = others.into_iter().map(|kind| self.schema(kind, depth)).collect();
        if !nulls.is_empty() {
            written.insert("nullable".to_owned(), true.into());
        }
        match (others.len(), others.pop()) {
            (1, Some(Value::Object(only))) => join(written, only),
            (_, Some(last)) => {
                others.push(last);
                written.insert("anyOf".to_owned(), others.into());
            }
            _ => {}
        }
    }

    /// The type: one of Google's words.
    fn kind(&self, object: &Map<String, Value>, written: &mut Map<String, Value>) {
        let names: Vec<_> = match object.get("type") {
            Some(Value::String(name)) => vec![name.as_str()],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => return,
        };
        let kinds: Vec<_> = names.iter().filter(|name| **name != "null").collect();
        if kinds.len() < names.len() {
            written.insert("nullable".to_owned(), true.into());
        }
        match kinds.as_slice() {
            [] => {}
            [kind] => drop(written.insert("type".to_owned(), kind.to_ascii_uppercase().into())),
            kinds => {
                let each = kinds.iter().map(|kind| match **kind {
                    "array" => json!({"type": "ARRAY", "items": {"type": "STRING"}}),
                    kind => json!({"type": kind.to_ascii_uppercase()}),
                });
                written.insert("anyOf".to_owned(), each.collect());
            }
        }
    }

    fn member(
        &mut self,
        key: &str,
        value: &'a Value,
        written: &mut Map<String, Value>,
        depth: usize,
    ) {
        let value = match (key, value) {
            (_, Value::String(text)) if !self.spend(text.len() / 100) => return,
            (_, Value::Array(values)) if !self.spend(values.len()) => return,
            ("properties", Value::Object(properties)) => {
                let each = |(name, schema): (&String, &'a Value)| {
                    (name.clone(), self.schema(schema, depth))
                };
                Value::Object(properties.iter().map(each).collect())
            }
            ("items", items @ Value::Object(_)) => self.schema(items, depth),
            ("enum", Value::Array(values)) => {
                let texts = values.iter().filter(|it| it.as_str().is_some_and(|it| !it.is_empty()));
                texts.cloned().collect()
            }
            ("const", Value::String(only)) => {
                written.insert("enum".to_owned(), json!([only]));
                return;
            }
            ("nullable", Value::Bool(_))
            | ("format" | "title" | "description" | "pattern", Value::String(_))
            | ("minimum" | "maximum", Value::Number(_))
            | ("required", Value::Array(_)) => value.clone(),
            (key, Value::Number(count)) if is_count(key) => count.to_string().into(),
            _ => return,
        };
        written.insert(key.to_owned(), value);
    }
}

/// Adds what a schema says to another one: properties and what is required to what is there.
fn join(written: &mut Map<String, Value>, more: Map<String, Value>) {
    for (key, value) in more {
        match (written.get_mut(&key), value) {
            (Some(Value::Object(own)), Value::Object(more)) => own.extend(more),
            (Some(Value::Array(own)), Value::Array(more)) if key == "required" => own.extend(more),
            (_, value) => drop(written.insert(key, value)),
        }
    }
}

/// What Google refuses is put right: every schema but an alternative has a type, lists have items,
/// only texts have values, and nothing is required that there is not.
fn complete(written: &mut Map<String, Value>) {
    if written.get("enum").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        written.remove("enum");
    }
    if !written.contains_key("type") && !written.contains_key("anyOf") {
        let kinds = [("properties", "OBJECT"), ("items", "ARRAY"), ("enum", "STRING")];
        let kind = kinds.iter().find(|(member, _)| written.contains_key(*member));
        written.insert("type".to_owned(), kind.map_or("OBJECT", |(_, kind)| kind).into());
    }
    let kind = written.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    if kind == "ARRAY" && !written.contains_key("items") {
        written.insert("items".to_owned(), json!({"type": "STRING"}));
    }
    if kind != "STRING" {
        written.remove("enum");
    }
    let format = written.get("format").and_then(Value::as_str);
    let is_known = match kind.as_str() {
        "STRING" => matches!(format, Some("enum" | "date-time")),
        "INTEGER" => matches!(format, Some("int32" | "int64")),
        "NUMBER" => matches!(format, Some("float" | "double")),
        _ => false,
    };
    if !is_known {
        written.remove("format");
    }
    require(written);
}

/// Nothing is required that is no property. An object without properties is one of any kind.
fn require(written: &mut Map<String, Value>) {
    let properties = written.get("properties").and_then(Value::as_object);
    let names: HashSet<_> = properties.into_iter().flat_map(Map::keys).cloned().collect();
    let mut seen = HashSet::new();
    if let Some(Value::Array(required)) = written.get_mut("required") {
        let mut is_there = |name: &str| names.contains(name) && seen.insert(name.to_owned());
        required.retain(|name| name.as_str().is_some_and(&mut is_there));
        if required.is_empty() {
            written.remove("required");
        }
    }
    if names.is_empty() {
        written.remove("properties");
    }
}
