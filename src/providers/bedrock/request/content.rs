//! Content blocks.
use super::documents::Documents;
use super::media;
use super::names::Names;
use crate::providers::bedrock::family::Family;
use crate::providers::chat::{
    Block, Content, Ids, Lost, Role, Thought, ToolResult, ToolUse, is_of_google, is_of_openai,
    object,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// The longest id of a call, in letters; a number may follow.
const LONGEST_ID: usize = 56;

/// Blocks of this dialect only, which a client may give as they are.
const OWN: [&str; 8] = [
    "guardContent",
    "cachePoint",
    "searchResult",
    "toolUse",
    "toolResult",
    "video",
    "toolAddition",
    "toolRemoval",
];

/// Writes the blocks of one conversation.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    pub(super) family: Family,
    /// Of its tools.
    pub(super) names: Names,
    /// What has no place in it.
    pub(super) lost: &'a mut Lost,
    /// Whether it has calls of tools.
    pub(super) has_calls: bool,
    ids: Ids,
    documents: Documents,
}

impl<'a> Writer<'a> {
    /// For a model of `family`.
    pub(super) fn new(family: Family, lost: &'a mut Lost) -> Self {
        let (ids, names) = (Ids::up_to(LONGEST_ID), Names::default());
        Self { family, names, lost, has_calls: false, ids, documents: Documents::default() }
    }

    /// Writes a block in a turn of `role`, and behind it that the prompt is to be kept up to here.
    pub(super) fn write(&mut self, block: Block, role: Role, out: &mut Vec<Value>) {
        let Block { content, cache } = block;
        let is_thought = matches!(content, Content::Thought(_));
        let Some(written) = self.content(content, role == Role::Assistant) else { return };
        out.push(written);
        match cache {
            Some(cache) if self.family.caches() && !is_thought => out.push(cache_point(&cache)),
            Some(_) => self.lost.hint("cache_control"),
            None => {}
        }
    }

    fn content(&mut self, content: Content, by_model: bool) -> Option<Value> {
        match content {
            Content::Text(text, citations) => {
                if !citations.is_empty() {
                    self.lost.hint("annotations");
                }
                text_block(text)
            }
            Content::Refusal(text) => text_block(text),
            Content::Media(media) if by_model => {
                self.lose(format!("messages.content.{:?}", media.kind).to_lowercase())
            }
            Content::Media(media) => media::write(media, &mut self.documents, self.lost),
            Content::ToolUse(call) if by_model => Some(self.call(call)),
            Content::ToolUse(_) => self.lose("tool_calls"),
            Content::ToolResult(result) => Some(self.result(result)),
            Content::Thought(thought) => self.thought(thought, by_model),
            Content::Other(value) => self.other(value),
        }
    }

    fn call(&mut self, call: ToolUse) -> Value {
        self.has_calls = true;
        if call.signature.is_some() {
            self.lost.hint("thought_signature");
        }
        let input = call.object();
        let id = self.ids.call(call.id);
        let name = self.names.sent(call.name);
        let call =
            object([("toolUseId", id.into()), ("name", name.into()), ("input", input.into())]);
        object([("toolUse", call)])
    }

    fn result(&mut self, result: ToolResult) -> Value {
        self.has_calls = true;
        let ToolResult { id, name: _, blocks, failed } = result;
        let mut content = Vec::with_capacity(blocks.len());
        for block in blocks {
            match block.content {
                // A result is no turn of its own.
                Content::ToolResult(_) | Content::ToolUse(_) | Content::Thought(_) => {
                    self.lost.part("messages.content");
                }
                _ => {
                    self.lost.hint_of("cache_control", &block.cache);
                    content.extend(self.content(block.content, false));
                }
            }
        }
        if content.is_empty() {
            // Blank texts are refused here too.
            content.push(object([("text", "(empty)".into())]));
        }
        let mut told = Map::with_capacity(3);
        told.insert("toolUseId".into(), self.ids.result(&id).into());
        told.insert("content".into(), content.into());
        if failed && self.family.takes_status() {
            told.insert("status".into(), "error".into());
        } else if failed {
            self.lost.hint("is_error");
        }
        object([("toolResult", told.into())])
    }

    /// A thought, if it is one of Claude's: no other model takes its thoughts back, and Claude
    /// takes no others'.
    fn thought(&mut self, thought: Thought, by_model: bool) -> Option<Value> {
        let takes = by_model && matches!(self.family, Family::Claude(_) | Family::Other);
        let told = match thought {
            Thought { text, signature: Some(proof), .. } if takes && !is_of_google(&proof) => {
                ("reasoningText", object([("text", text.into()), ("signature", proof.into())]))
            }
            Thought { hidden: Some(data), id: None, .. } if takes && !is_of_openai(&data) => {
                ("redactedContent", STANDARD.encode(data).into())
            }
            _ => {
                self.lost.hint("reasoning_content");
                return None;
            }
        };
        Some(object([("reasoningContent", object([told]))]))
    }

    /// A block of this dialect, or LiteLLM's text for a guardrail.
    fn other(&mut self, mut value: Value) -> Option<Value> {
        let kind = value.get("type").and_then(Value::as_str).map(str::to_owned);
        if kind.as_deref() == Some("guarded_text") {
            let text = value.get_mut("text").map(Value::take).unwrap_or_default();
            let text = object([("text", object([("text", text)]))]);
            return Some(object([("guardContent", text)]));
        }
        let is_own = |members: &Map<String, Value>| {
            members.len() == 1 && members.keys().all(|name| OWN.contains(&name.as_str()))
        };
        if value.as_object().is_some_and(is_own) {
            return Some(value);
        }
        match kind {
            Some(kind) => self.lose(format!("messages.content.{kind}")),
            None => self.lose("messages.content"),
        }
    }

    fn lose(&mut self, name: impl Into<Cow<'static, str>>) -> Option<Value> {
        self.lost.part(name);
        None
    }
}

/// That the prompt is to be kept up to here, for as long as the hint says.
pub(super) fn cache_point(hint: &Value) -> Value {
    match hint.get("ttl").and_then(Value::as_str) {
        Some(ttl @ ("5m" | "1h")) => json!({"cachePoint": {"type": "default", "ttl": ttl}}),
        _ => json!({"cachePoint": {"type": "default"}}),
    }
}

/// A text; blank ones are refused.
fn text_block(text: String) -> Option<Value> {
    (!text.trim().is_empty()).then(|| object([("text", text.into())]))
}
