//! What an answer's text must look like.
use super::Betas;
use super::fields::{Object, required, required_text, wrong};
use crate::providers::chat::{Format, Malformed, Taking, object};
use crate::providers::claude::{Model, Schemas, close, is_closed};
use serde_json::{Map, Value, json};

/// The tool whose call is the answer's text, where the model takes no schemas for texts.
pub(super) const JSON_TOOL: &str = "json_tool_call";

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
        Some(place) if is_closed(&schema) => {
            close(&mut schema);
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
