//! Turns, written as items.
use super::super::{free_text, media};
use super::hosted;
use crate::providers::chat::{
    Block, Content, Lost, Role, Thought, ToolResult, ToolUse, Turn, is_of_openai, object,
};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Writes items.
#[derive(Debug, Default)]
pub(super) struct Items {
    items: Vec<Value>,
    /// Custom tools.
    customs: HashSet<String>,
    /// Calls of them.
    calls: HashSet<String>,
    /// Parts of a message that is not written yet.
    parts: Vec<Value>,
}

impl Items {
    /// Items of a request with these custom tools.
    pub(super) fn new(customs: HashSet<String>) -> Self {
        Self { customs, ..Self::default() }
    }

    /// All of them.
    pub(super) fn end(self) -> Vec<Value> {
        self.items
    }

    /// Writes a turn.
    pub(super) fn turn(&mut self, turn: Turn, lost: &mut Lost) {
        if turn.name.is_some() {
            lost.hint("messages.name");
        }
        let role = match turn.role {
            Role::System => "system",
            Role::Developer => "developer",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        let only = turn.blocks.len() == 1;
        for block in turn.blocks {
            if block.cache.is_some() {
                lost.hint("cache_control");
            }
            let is_text = matches!(block.content, Content::Text(..)) && !only;
            if is_text && turn.role != Role::Assistant {
                self.parts.extend(part(block.content, lost));
            } else {
                self.block(block.content, role, lost);
            }
        }
        self.flush(role);
    }

    fn block(&mut self, content: Content, role: &str, lost: &mut Lost) {
        if !matches!(content, Content::Media(_)) {
            self.flush(role);
        }
        match content {
            // The schema has the model's words only as a whole content.
            Content::Text(text, citations) => {
                if !citations.is_empty() {
                    lost.hint("messages.annotations");
                }
                self.items.push(message(role, text.into()));
            }
            Content::Refusal(text) => self.items.push(message(role, text.into())),
            Content::ToolUse(call) => self.call(call),
            Content::ToolResult(result) => self.result(result, lost),
            Content::Thought(thought) => self.thought(thought, lost),
            Content::Other(item) if hosted::is_item(&item) => self.items.push(item),
            Content::Media(_) if role == "assistant" => lost.part("image"),
            content => self.parts.extend(part(content, lost)),
        }
    }

    fn flush(&mut self, role: &str) {
        if !self.parts.is_empty() {
            let parts = std::mem::take(&mut self.parts);
            self.items.push(message(role, parts.into()));
        }
    }

    fn call(&mut self, told: ToolUse) {
        let ToolUse { id, name, input, .. } = told;
        if self.customs.contains(&name) {
            self.calls.insert(id.clone());
            let input = free_text::of(input).into();
            let kind = "custom_tool_call";
            self.items.push(call(kind, id, name, ("input", input)));
            return;
        }
        let input = if input.is_empty() { "{}".into() } else { input.into() };
        let kind = "function_call";
        self.items.push(call(kind, id, name, ("arguments", input)));
    }

    fn result(&mut self, result: ToolResult, lost: &mut Lost) {
        if result.failed {
            lost.hint("messages.is_error");
        }
        let custom = self.calls.contains(&result.id);
        let kind = if custom { "custom_tool_call_output" } else { "function_call_output" };
        let output = if result.blocks.iter().all(|block| block.as_text().is_some()) {
            Value::String(result.text())
        } else {
            let parts = result.blocks.into_iter().filter_map(|block| part(block.content, lost));
            Value::Array(parts.collect())
        };
        let members = [("type", kind.into()), ("call_id", result.id.into()), ("output", output)];
        self.items.push(object(members));
    }

    /// A thought, where it is OpenAI's: it takes no others, and none in plain words alone.
    fn thought(&mut self, thought: Thought, lost: &mut Lost) {
        let Thought { text, hidden, id, .. } = thought;
        let own = hidden.as_deref().is_some_and(is_of_openai);
        if id.is_none() && !own {
            return lost.hint("messages.reasoning_content");
        }
        let mut item = Map::new();
        item.insert("type".to_owned(), "reasoning".into());
        if let Some(id) = id {
            item.insert("id".to_owned(), id.into());
        }
        let summary = match text.is_empty() {
            true => json!([]),
            false => vec![object([("type", "summary_text".into()), ("text", text.into())])].into(),
        };
        item.insert("summary".to_owned(), summary);
        if let Some(hidden) = hidden {
            item.insert("encrypted_content".to_owned(), hidden.into());
        }
        self.items.push(Value::Object(item));
    }
}

fn message(role: &str, content: Value) -> Value {
    object([("role", role.into()), ("content", content)])
}

fn call(kind: &str, id: String, name: String, input: (&str, Value)) -> Value {
    object([("type", kind.into()), ("call_id", id.into()), ("name", name.into()), input])
}

/// A part of a message or of a tool's result.
fn part(content: Content, lost: &mut Lost) -> Option<Value> {
    match content {
        Content::Text(text, _) | Content::Refusal(text) => {
            Some(object([("type", "input_text".into()), ("text", text.into())]))
        }
        Content::Media(media) => media::write(media, lost),
        Content::Other(told) => {
            let kind = told.get("type").and_then(Value::as_str).unwrap_or("part");
            lost.part(format!("messages.content.{kind}"));
            None
        }
        Content::ToolUse(_) | Content::ToolResult(_) | Content::Thought(_) => None,
    }
}

/// What instructs at the beginning: the first turn's text, if it is one of texts, and not all that
/// there is.
pub(super) fn instructions(turns: &mut Vec<Turn>, lost: &mut Lost) -> Option<String> {
    let first = turns.first().filter(|_| turns.len() > 1)?;
    let texts = first.blocks.iter().map(Block::as_text);
    if first.role != Role::System || first.name.is_some() || first.blocks.is_empty() {
        return None;
    }
    let texts: Vec<&str> = texts.collect::<Option<_>>()?;
    let whole = texts.join("\n\n");
    if first.blocks.iter().any(|block| block.cache.is_some()) {
        lost.hint("cache_control");
    }
    turns.remove(0);
    Some(whole)
}
