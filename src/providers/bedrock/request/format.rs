//! What an answer's text must look like.
use crate::providers::bedrock::family::Family;
use crate::providers::chat::{Format, object};
use crate::providers::claude::{close, is_closed};
use serde_json::{Map, Value, json};

/// The tool whose call is the answer's text, where the model takes no schemas for texts.
pub(super) const JSON_TOOL: &str = "json_tool_call";

/// How a request asks for a format.
#[derive(Debug)]
pub(super) enum Asked {
    /// In this member of `outputConfig`.
    Text(Value),
    /// With a hidden tool.
    Tool(Value),
}

/// How to ask a model of `family` for `format`.
pub(super) fn ask(format: Format, family: Family) -> Asked {
    match format {
        Format::Schema { name, description, mut schema, .. }
            if family.takes_schemas() && is_closed(&schema) =>
        {
            close(&mut schema);
            let mut told = Map::with_capacity(3);
            told.insert("schema".into(), schema.to_string().into());
            // Both must not be blank.
            let some = |text: &String| !text.trim().is_empty();
            name.filter(some).map(|name| told.insert("name".into(), name.into()));
            description.filter(some).map(|text| told.insert("description".into(), text.into()));
            let structure = object([("jsonSchema", told.into())]);
            Asked::Text(object([("type", "json_schema".into()), ("structure", structure)]))
        }
        Format::Schema { description, schema, .. } => tool(description, schema),
        Format::Json => tool(None, json!({"type": "object", "additionalProperties": true})),
    }
}

fn tool(description: Option<String>, mut schema: Value) -> Asked {
    if let Some(schema) = schema.as_object_mut() {
        schema.entry("type").or_insert_with(|| "object".into());
        schema.entry("properties").or_insert_with(|| Map::new().into());
    }
    let usual = || "Gives the answer, in the form that is asked for.".to_owned();
    let description = description.filter(|text| !text.is_empty()).unwrap_or_else(usual);
    let spec = object([
        ("name", JSON_TOOL.into()),
        ("description", description.into()),
        ("inputSchema", object([("json", schema)])),
    ]);
    Asked::Tool(object([("toolSpec", spec)]))
}
