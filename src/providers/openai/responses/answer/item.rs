//! The items of an output, read.
use super::super::{free_text, media, sealed};
use super::citation;
use crate::providers::chat::{Block, Content, Taking, Thought, ToolUse, object};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// The custom tools that a response repeats of its request. Others that it calls are the provider's
/// own (xAI's searches).
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Customs(Option<HashSet<String>>);

impl Customs {
    /// Those of a `response`.
    pub(in super::super) fn of(response: &Map<String, Value>) -> Self {
        let tools = response.get("tools").and_then(Value::as_array);
        let custom = |tool: &Value| {
            let is_custom = tool.get("type").is_some_and(|kind| kind == "custom");
            let name = tool.get("name").and_then(Value::as_str);
            name.filter(|_| is_custom).map(str::to_owned)
        };
        Self(tools.map(|tools| tools.iter().filter_map(custom).collect()))
    }

    /// Whether the client runs this tool.
    pub(in super::super) fn has(&self, name: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.contains(name))
    }
}

/// What an item says. What the provider's own tools did says nothing, but for the pictures they made.
pub(in super::super) fn blocks(mut item: Map<String, Value>, customs: &Customs) -> Vec<Block> {
    let kind = item.take_text("type").unwrap_or_default();
    let content = match kind.as_str() {
        "message" => {
            let parts = item.take_array("content").into_iter();
            return parts.filter_map(part).map(Block::new).collect();
        }
        "reasoning" => reasoning(item).map(Content::Thought),
        "function_call" | "custom_tool_call" => call(item, &kind, customs).map(Content::ToolUse),
        "image_generation_call" => media::read_made(item).map(Content::Media),
        _ => None,
    };
    content.map(Block::new).into_iter().collect()
}

fn part(part: Value) -> Option<Content> {
    let Value::Object(mut part) = part else { return None };
    match part.take_text("type").as_deref() {
        Some("refusal") => part.take_text("refusal").map(Content::Refusal),
        Some("output_text" | "text") => {
            let citations = citation::read(part.take_array("annotations"));
            part.take_text("text").map(|text| Content::Text(text, citations))
        }
        _ => None,
    }
}

fn reasoning(mut item: Map<String, Value>) -> Option<Thought> {
    let text = thought(item.take_array("content"), item.take_array("summary"));
    let mut thought = Thought { text, id: item.take_text("id"), ..Thought::default() };
    sealed::read_thought(&mut thought, item.take_text("encrypted_content"));
    let told = !thought.text.is_empty() || thought.hidden.is_some() || thought.signature.is_some();
    told.then_some(thought)
}

/// A thought's own words, which are one text, or else its summary, whose parts are paragraphs.
pub(in super::super) fn thought(content: Vec<Value>, summary: Vec<Value>) -> String {
    let texts = |parts: Vec<Value>| -> Vec<String> {
        let text = |part| match part {
            Value::Object(mut part) => Taking::take_text(&mut part, "text"),
            _ => None,
        };
        parts.into_iter().filter_map(text).filter(|text| !text.is_empty()).collect()
    };
    let own = texts(content).concat();
    if own.is_empty() { texts(summary).join("\n\n") } else { own }
}

fn call(mut item: Map<String, Value>, kind: &str, customs: &Customs) -> Option<ToolUse> {
    let own = item.take_text("id");
    let id = item.take_text("call_id").or(own).unwrap_or_default();
    let name = item.take_text("name").unwrap_or_default();
    let input = match kind {
        "function_call" => item.take_text("arguments").unwrap_or_default(),
        _ if customs.has(&name) => {
            free_text::arguments(&item.take_text("input").unwrap_or_default())
        }
        _ => return None,
    };
    Some(ToolUse { id, name, input, signature: None })
}

/// The probabilities of a text's words, as chats tell them.
pub(in super::super) fn logprobs(told: Vec<Value>) -> Option<Value> {
    (!told.is_empty()).then(|| object([("content", told.into()), ("refusal", Value::Null)]))
}
