//! Content blocks for Anthropic.
use super::Betas;
use super::media::write_media;
use crate::providers::chat::{
    Block, Content, Ids, Lost, Role, Thought, ToolResult, ToolUse, is_of_google, is_of_openai,
    object,
};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Writes the blocks of one conversation.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    /// Of its tool calls.
    pub(super) ids: Ids,
    /// That it needs.
    pub(super) betas: &'a mut Betas,
    /// What has no place in it.
    pub(super) lost: &'a mut Lost,
    /// Whether it has tool calls.
    pub(super) has_calls: bool,
}

impl Writer<'_> {
    /// A block in a turn of `role`; `None` if nothing of it is left.
    pub(super) fn write(&mut self, block: Block, role: Role) -> Option<Value> {
        let Block { content, cache } = block;
        let by_model = role == Role::Assistant;
        let written = match content {
            Content::Text(text, citations) => {
                if !citations.is_empty() {
                    self.lost.hint("annotations");
                }
                text_block(text)
            }
            Content::Refusal(text) => text_block(text),
            Content::Media(media) if by_model => {
                // The server looks at pictures of the user's only.
                self.lose(format!("messages.content.{:?}", media.kind).to_lowercase())
            }
            Content::Media(media) => write_media(media, self.betas, self.lost),
            Content::ToolUse(call) if by_model => Some(self.call(call)),
            Content::ToolUse(_) => self.lose("tool_calls"),
            Content::ToolResult(result) => Some(self.result(result)),
            Content::Thought(thought) => self.thought(thought, by_model),
            Content::Other(value) => self.other(value),
        };
        let mut written = written?;
        if let (Some(cache), Some(members)) = (cache, written.as_object_mut()) {
            let kind = members.get("type").and_then(Value::as_str).unwrap_or_default();
            if !kind.ends_with("thinking") {
                members.insert("cache_control".into(), cache);
            }
        }
        Some(written)
    }

    fn call(&mut self, call: ToolUse) -> Value {
        self.has_calls = true;
        if call.signature.is_some() {
            self.lost.hint("thought_signature");
        }
        let input = call.object();
        object([
            ("type", "tool_use".into()),
            ("id", self.ids.call(call.id).into()),
            ("name", call.name.into()),
            ("input", input.into()),
        ])
    }

    fn result(&mut self, result: ToolResult) -> Value {
        self.has_calls = true;
        let ToolResult { id, name: _, blocks, failed } = result;
        let content = match <[Block; 1]>::try_from(blocks) {
            Ok([Block { content: Content::Text(text, _), cache: None }]) => Value::String(text),
            Ok(blocks) => self.blocks(blocks),
            Err(blocks) => self.blocks(blocks),
        };
        let mut block = Map::with_capacity(5);
        block.insert("type".into(), "tool_result".into());
        block.insert("tool_use_id".into(), self.ids.result(&id).into());
        block.insert("content".into(), content);
        if failed {
            block.insert("is_error".into(), true.into());
        }
        Value::Object(block)
    }

    /// What a result holds: texts, pictures and documents.
    fn blocks(&mut self, blocks: impl IntoIterator<Item = Block>) -> Value {
        let mut written = Vec::new();
        for block in blocks {
            match block.content {
                // A result is no turn of its own.
                Content::ToolResult(_) | Content::ToolUse(_) | Content::Thought(_) => {
                    self.lost.part("messages.content");
                }
                _ => written.extend(self.write(block, Role::User)),
            }
        }
        written.into()
    }

    /// A thought, if it is one of Anthropic's: the server refuses those of others.
    fn thought(&mut self, thought: Thought, by_model: bool) -> Option<Value> {
        match thought {
            Thought { text, signature: Some(signature), .. }
                if by_model && !is_of_google(&signature) =>
            {
                Some(object([
                    ("type", "thinking".into()),
                    ("thinking", text.into()),
                    ("signature", signature.into()),
                ]))
            }
            Thought { hidden: Some(data), id: None, .. } if by_model && !is_of_openai(&data) => {
                Some(object([("type", "redacted_thinking".into()), ("data", data.into())]))
            }
            _ => {
                self.lost.hint("reasoning_content");
                None
            }
        }
    }

    /// A block of this dialect only, or of another one.
    fn other(&mut self, value: Value) -> Option<Value> {
        let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
        let is_own = kind == "server_tool_use"
            || kind == "mcp_tool_use"
            || kind.ends_with("_tool_result")
            || matches!(kind, "container_upload" | "tool_reference" | "browser_state")
            || matches!(kind, "compaction" | "fallback" | "tool_addition" | "tool_removal");
        if is_own {
            return Some(value);
        }
        match kind {
            "" => self.lose("messages.content"),
            kind => self.lose(format!("messages.content.{kind}")),
        }
    }

    fn lose(&mut self, name: impl Into<Cow<'static, str>>) -> Option<Value> {
        self.lost.part(name);
        None
    }
}

/// A text; blank ones are refused.
fn text_block(text: String) -> Option<Value> {
    (!text.trim().is_empty()).then(|| object([("type", "text".into()), ("text", text.into())]))
}
