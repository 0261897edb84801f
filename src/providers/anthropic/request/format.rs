//! What an answer's text must look like.
use super::super::model::{Model, Schemas};
use super::Betas;
use super::fields::{Object, required, required_text, wrong};
use crate::providers::chat::{Format, Malformed, Taking, object};
use serde_json::{Map, Value, json};

/// The tool whose call is the answer's text, where the model takes no schemas for texts.
pub(super) const JSON_TOOL: &str = "json_tool_call";

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

/// A client's `output_format`, or `output_config.format`.
pub(super) fn read_format(mut format: Object) -> Result<Format, Malformed> {
    if required_text(&mut format, "type")? != "json_schema" {
        return Err(wrong("type", "`json_schema`"));
    }
    let schema = required(&mut format, "schema", "an object", |schema| {
        schema.is_object().then_some(schema)
    })?;
    let strict = format.take_bool("strict");
    Ok(Format::Schema {
        name: format.take_text("name"),
        description: format.take_text("description"),
        schema,
        strict,
    })
}

/// How a request asks for a format.
#[derive(Debug)]
pub(super) enum Asked {
    /// In this member of `output_config`.
    Config(Value),
    /// In `output_format`.
    Format(Value),
    /// With a hidden tool.
    Tool(Value),
}

/// How to ask `model` for `format`. In Google's cloud no beta is needed for it, and none is taken.
pub(super) fn ask(format: Format, model: Model, in_cloud: bool, betas: &mut Betas) -> Asked {
    let (description, mut schema) = match format {
        Format::Json => (None, json!({"type": "object", "additionalProperties": true})),
        Format::Schema { description, schema, .. } => (description, schema),
    };
    match model.schemas() {
        Some(place) if is_closed(&schema, DEEPEST) => {
            close(&mut schema, DEEPEST);
            let format = object([("type", "json_schema".into()), ("schema", schema)]);
            if place == Schemas::Stable || in_cloud {
                return Asked::Config(format);
            }
            betas.add("structured-outputs-2025-11-13");
            Asked::Format(format)
        }
        _ => {
            if let Some(schema) = schema.as_object_mut() {
                schema.entry("type").or_insert_with(|| "object".into());
                schema.entry("properties").or_insert_with(|| Map::new().into());
            }
            let mut tool = Map::with_capacity(3);
            tool.insert("name".into(), JSON_TOOL.into());
            tool.insert("input_schema".into(), schema);
            let usual = || "Gives the answer, in the form that is asked for.".into();
            tool.insert("description".into(), description.unwrap_or_else(usual).into());
            Asked::Tool(Value::Object(tool))
        }
    }
}

/// Whether no object of it may have members that it does not name: the server knows no others.
fn is_closed(schema: &Value, depth: u8) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return true };
    match schema {
        Value::Object(members) => {
            let more = members.get("additionalProperties");
            let is_open = match more {
                Some(Value::Object(_)) => true,
                Some(Value::Bool(true)) => !members.contains_key("properties"),
                _ => false,
            };
            !is_open && members.values().all(|member| is_closed(member, depth))
        }
        Value::Array(elements) => elements.iter().all(|element| is_closed(element, depth)),
        _ => true,
    }
}

/// Says of each object that it has no other members, which the server wants to be said, and takes
/// out what it refuses.
fn close(schema: &mut Value, depth: u8) {
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
                    close(member, depth);
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| close(element, depth)),
        _ => {}
    }
}

fn is_object_type(kind: &Value) -> bool {
    match kind {
        Value::Array(kinds) => kinds.iter().any(|kind| kind == "object"),
        kind => kind == "object",
    }
}
