//! What a response repeats of its request.
use crate::providers::chat::Taking;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// Members that are repeated, each with what stands there when the request does not say.
const REPEATED: [(&str, Default); 22] = [
    ("background", Default::No),
    ("conversation", Default::Absent),
    ("instructions", Default::Null),
    ("max_output_tokens", Default::Null),
    ("max_tool_calls", Default::Null),
    ("metadata", Default::Empty),
    ("parallel_tool_calls", Default::Yes),
    ("previous_response_id", Default::Null),
    ("prompt", Default::Absent),
    ("prompt_cache_key", Default::Null),
    ("prompt_cache_retention", Default::Null),
    ("reasoning", Default::Reasoning),
    ("safety_identifier", Default::Null),
    ("store", Default::Yes),
    ("temperature", Default::One),
    ("text", Default::Text),
    ("tool_choice", Default::Auto),
    ("tools", Default::None),
    ("top_logprobs", Default::Zero),
    ("top_p", Default::One),
    ("truncation", Default::Disabled),
    ("user", Default::Absent),
];

#[derive(Clone, Copy)]
enum Default {
    Absent,
    Null,
    Yes,
    No,
    Zero,
    One,
    Auto,
    Disabled,
    /// `{}`.
    Empty,
    /// `[]`.
    None,
    Text,
    Reasoning,
}

/// The members of a request's `body` that its response repeats.
#[must_use]
pub fn echo(body: &Map<String, Value>) -> Map<String, Value> {
    let names = REPEATED.iter().map(|(name, _)| *name).chain(["service_tier"]);
    let told = names.filter_map(|name| {
        let value = body.get(name).filter(|value| !value.is_null())?;
        Some((name.to_owned(), whole(name, value)))
    });
    told.collect()
}

/// A member with the parts that OpenAI adds to it.
fn whole(name: &str, value: &Value) -> Value {
    let mut value = value.clone();
    match (name, &mut value) {
        ("tools", Value::Array(tools)) => tools.iter_mut().for_each(fill_tool),
        ("text", Value::Object(text)) => fill(text, "format", json!({"type": "text"})),
        ("reasoning", Value::Object(reasoning)) => {
            fill(reasoning, "effort", Value::Null);
            fill(reasoning, "summary", Value::Null);
        }
        _ => {}
    }
    value
}

fn fill_tool(tool: &mut Value) {
    let Value::Object(tool) = tool else { return };
    if tool.get("type").is_some_and(|kind| kind == "function") {
        fill(tool, "parameters", Value::Null);
        fill(tool, "strict", Value::Bool(true));
    }
}

fn fill(object: &mut Map<String, Value>, name: &str, value: Value) {
    if object.get(name).is_none_or(Value::is_null) {
        object.take(name);
        object.insert(name.to_owned(), value);
    }
}

/// All members that a response repeats, with OpenAI's defaults.
pub(super) fn repeated(
    echo: &Map<String, Value>,
) -> impl Iterator<Item = (&'static str, Cow<'_, Value>)> {
    REPEATED.iter().filter_map(|(name, default)| {
        let told = echo.get(*name).filter(|told| !told.is_null()).map(Cow::Borrowed);
        Some((*name, told.or_else(|| default.value().map(Cow::Owned))?))
    })
}

impl Default {
    fn value(self) -> Option<Value> {
        Some(match self {
            Self::Absent => return None,
            Self::Null => Value::Null,
            Self::Yes => true.into(),
            Self::No => false.into(),
            Self::Zero => 0.into(),
            Self::One => 1.0.into(),
            Self::Auto => "auto".into(),
            Self::Disabled => "disabled".into(),
            Self::Empty => json!({}),
            Self::None => json!([]),
            Self::Text => json!({"format": {"type": "text"}}),
            Self::Reasoning => json!({"effort": null, "summary": null}),
        })
    }
}
