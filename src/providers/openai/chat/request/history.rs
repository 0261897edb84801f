//! What the model thought in turns before, as providers that speak like OpenAI want it back.
use crate::data::{Quirks, Thoughts};
use crate::providers::chat::{Block, Content, Lost, Taking, Thought};
use serde_json::{Map, Value, json};

/// Reads the thoughts of an assistant's message: LiteLLM's `thinking_blocks`, else
/// `reasoning_content`, else OpenRouter's `reasoning_details` and `reasoning`.
pub(in super::super) fn read(message: &mut Map<String, Value>) -> Vec<Block> {
    let blocks = message.take_array("thinking_blocks");
    let details = message.take_array("reasoning_details");
    let either = message.take("reasoning_content");
    let plain = either.or_else(|| message.take("reasoning"));
    let thoughts: Vec<Content> = if blocks.is_empty() {
        details.into_iter().filter_map(object).map(detail).collect()
    } else {
        blocks.into_iter().filter_map(object).map(thought).collect()
    };
    if !thoughts.is_empty() {
        return joined(thoughts);
    }
    let Some(Value::String(text)) = plain.filter(|it| it.as_str() != Some("")) else {
        return Vec::new();
    };
    vec![Block::new(Content::Thought(Thought { text, ..Thought::default() }))]
}

fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// One of Anthropic's blocks: `thinking`, or `redacted_thinking`.
pub(super) fn thought(mut told: Map<String, Value>) -> Content {
    // Mistral's are lists of texts.
    let text = match told.take("thinking") {
        Some(Value::Array(parts)) => texts(parts),
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    Content::Thought(Thought {
        text,
        signature: told.take_text("signature"),
        hidden: told.take_text("data"),
        id: None,
    })
}

/// The texts of a list of parts, one after the other.
pub(in super::super) fn texts(parts: Vec<Value>) -> String {
    let texts = parts.into_iter().filter_map(object);
    texts.filter_map(|mut part| part.take_text("text")).collect()
}

/// One of OpenRouter's: `reasoning.text`, `reasoning.summary` or `reasoning.encrypted`.
fn detail(mut told: Map<String, Value>) -> Content {
    let text = told.take_text("text").or_else(|| told.take_text("summary"));
    Content::Thought(Thought {
        text: text.unwrap_or_default(),
        signature: told.take_text("signature"),
        hidden: told.take_text("data"),
        id: told.take_text("id"),
    })
}

/// Pieces of one thought that were told one after the other, as one.
fn joined(thoughts: Vec<Content>) -> Vec<Block> {
    let mut whole: Vec<Block> = Vec::with_capacity(thoughts.len());
    for next in thoughts {
        if let (Some(last), Content::Thought(next)) = (whole.last_mut(), &next)
            && let Content::Thought(last) = &mut last.content
            && last.signature.is_none()
            && last.hidden.is_none()
            && next.hidden.is_none()
        {
            last.text.push_str(&next.text);
            last.signature.clone_from(&next.signature);
            continue;
        }
        whole.push(Block::new(next));
    }
    whole
}

/// Puts thoughts back into an assistant's message, where the provider takes them.
pub(super) fn write(
    thoughts: Vec<Thought>,
    message: &mut Map<String, Value>,
    quirks: &Quirks,
    lost: &mut Lost,
) {
    let text = || thoughts.iter().map(|thought| thought.text.as_str()).collect::<String>();
    let (name, told) = match quirks.thoughts() {
        Some(Thoughts::Text) => ("reasoning_content", Value::String(text())),
        Some(Thoughts::Details) => {
            ("reasoning_details", thoughts.into_iter().map(as_detail).collect())
        }
        Some(Thoughts::Blocks) => {
            ("thinking_blocks", thoughts.into_iter().filter_map(as_block).collect())
        }
        None => return lost.hint("messages.reasoning_content"),
    };
    if told != json!([]) && told != json!("") {
        message.insert(name.to_owned(), told);
    }
}

fn as_detail(thought: Thought) -> Value {
    match thought.hidden {
        Some(data) => json!({"type": "reasoning.encrypted", "data": data, "id": thought.id}),
        None => json!({
            "type": "reasoning.text",
            "text": thought.text,
            "signature": thought.signature,
        }),
    }
}

/// Anthropic refuses thoughts without a signature.
fn as_block(thought: Thought) -> Option<Value> {
    if let Some(data) = thought.hidden {
        return Some(json!({"type": "redacted_thinking", "data": data}));
    }
    let signature = thought.signature?;
    Some(json!({"type": "thinking", "thinking": thought.text, "signature": signature}))
}
