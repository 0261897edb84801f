//! What a prompt says, in whatever dialect, and what there is to answer.
use serde_json::{Map, Value, json};

/// What was said, and its length in tokens.
#[derive(Debug)]
pub(super) struct Said {
    /// What is said back: the last message's text, or JSON where the request wants JSON.
    pub(super) text: String,
    /// Tokens of the whole prompt, at four bytes each.
    pub(super) input_tokens: usize,
    /// Tokens of `text`, at four bytes each.
    pub(super) output_tokens: usize,
    /// The model that answers say they come from.
    pub(super) model: String,
}

impl Said {
    pub(super) fn new(request: &Value) -> Self {
        let turns = ["messages", "input", "contents", "prompt"];
        let turns = turns.iter().find_map(|key| request.get(*key)).unwrap_or(&Value::Null);
        let said = last_text(turns);
        let text = schema(request).map_or(said.clone(), |schema| match schema {
            Value::Null => json!({ "echo": said }).to_string(),
            schema => instance(schema, &said).to_string(),
        });
        let mut whole = String::new();
        all_text(turns, &mut whole);
        Self {
            input_tokens: tokens(&whole),
            output_tokens: tokens(&text),
            text,
            model: "echo".to_owned(),
        }
    }

    /// The text in pieces of a word each; together they are the text.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.text.split_inclusive(' ')
    }
}

/// The schema that an OpenAI request wants its answer in; null for any JSON.
fn schema(request: &Value) -> Option<&Value> {
    let format = request.get("response_format").or_else(|| request.pointer("/text/format"))?;
    match format.get("type")?.as_str()? {
        "json_object" => Some(&Value::Null),
        "json_schema" => format.pointer("/json_schema/schema").or_else(|| format.get("schema")),
        _ => None,
    }
}

/// The smallest value that fits a JSON schema; texts are `said`.
pub(super) fn instance(schema: &Value, said: &str) -> Value {
    fits(schema, schema, said, 8)
}

fn fits(schema: &Value, root: &Value, said: &str, depth: usize) -> Value {
    let Some(depth) = depth.checked_sub(1) else { return Value::Null };
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return target.map_or(Value::Null, |target| fits(target, root, said, depth));
    }
    let first = |key| schema.get(key).and_then(Value::as_array).and_then(|list| list.first());
    if let Some(value) = schema.get("const").or_else(|| first("enum")) {
        return value.clone();
    }
    if let Some(option) = first("anyOf").or_else(|| first("oneOf")) {
        return fits(option, root, said, depth);
    }
    let kind = schema.get("type").and_then(|kind| kind.as_str().or_else(|| kind.get(0)?.as_str()));
    match kind {
        Some("string") => said.into(),
        Some("integer") => 0.into(),
        Some("number") => 0.0.into(),
        Some("boolean") => false.into(),
        Some("array") => Value::Array(Vec::new()),
        Some("object") | None => {
            let members = schema.get("properties").and_then(Value::as_object);
            let member =
                |(name, schema): (&String, &Value)| (name.clone(), fits(schema, root, said, depth));
            Value::Object(members.into_iter().flatten().map(member).collect::<Map<_, _>>())
        }
        Some(_) => Value::Null,
    }
}

fn tokens(text: &str) -> usize {
    text.len().div_ceil(4)
}

/// The text of the last turn that has any.
fn last_text(turns: &Value) -> String {
    let Some(list) = turns.as_array() else { return text_of(turns) };
    if list.iter().all(Value::is_string) {
        return list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
    }
    list.iter().rev().map(text_of).find(|text| !text.is_empty()).unwrap_or_default()
}

fn text_of(turn: &Value) -> String {
    let mut text = String::new();
    all_text(turn, &mut text);
    text
}

/// Collects the texts of turns, contents and parts; other things (images, tools) say nothing.
fn all_text(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => out.push_str(text),
        Value::Array(items) => items.iter().for_each(|item| all_text(item, out)),
        Value::Object(members) => {
            let texts = ["content", "parts", "text"].iter().filter_map(|key| members.get(*key));
            texts.for_each(|text| all_text(text, out));
        }
        _ => {}
    }
}
