//! The conversation. Ollama has results of tools as messages of their own, which name the tool.
use super::message::Message;
use crate::providers::chat::{
    Block, Content, Lost, Role, Thought, ToolResult, ToolUse, Turn, object,
};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Writes all turns.
pub(super) fn write(turns: Vec<Turn>, lost: &mut Lost) -> Vec<Value> {
    let messages = Vec::with_capacity(turns.len());
    let mut writer = Writer { messages, called: HashMap::new(), lost };
    for turn in turns {
        if turn.name.is_some() {
            writer.lost.hint("name");
        }
        if turn.blocks.iter().any(|block| block.cache.is_some()) {
            writer.lost.hint("cache_control");
        }
        match turn.role {
            Role::System | Role::Developer => writer.said("system", turn.blocks),
            Role::User => writer.user(turn.blocks),
            Role::Assistant => writer.assistant(turn.blocks),
        }
    }
    writer.messages
}

struct Writer<'a> {
    messages: Vec<Value>,
    /// Names of the tools that were called, by the ids of the calls.
    called: HashMap<String, String>,
    lost: &'a mut Lost,
}

impl Writer<'_> {
    fn push(&mut self, message: Message, role: &str) {
        if !message.is_empty() {
            self.messages.push(message.written(role).into());
        }
    }

    fn said(&mut self, role: &str, blocks: Vec<Block>) {
        let mut message = Message::default();
        for block in blocks {
            message.add(block.content, self.lost);
        }
        self.push(message, role);
    }

    /// Results come first: they answer the turn before.
    fn user(&mut self, blocks: Vec<Block>) {
        let mut message = Message::default();
        for block in blocks {
            match block.content {
                Content::ToolResult(result) => self.result(result),
                content => message.add(content, self.lost),
            }
        }
        self.push(message, "user");
    }

    fn result(&mut self, result: ToolResult) {
        if result.failed {
            self.lost.hint("is_error");
        }
        let mut message = Message::default();
        for block in result.blocks {
            message.add(block.content, self.lost);
        }
        let mut told: Map<String, Value> = message.written("tool");
        if let Some(name) = result.name.or_else(|| self.called.get(&result.id).cloned()) {
            told.insert("tool_name".to_owned(), name.into());
        }
        told.insert("tool_call_id".to_owned(), result.id.into());
        self.messages.push(told.into());
    }

    fn assistant(&mut self, blocks: Vec<Block>) {
        let mut message = Message::default();
        for block in blocks {
            match block.content {
                Content::Thought(thought) => self.thought(thought, &mut message),
                Content::ToolUse(call) => message.call(self.call(call)),
                content => message.add(content, self.lost),
            }
        }
        self.push(message, "assistant");
    }

    /// The words of a thought. What other providers put with them is of no use to Ollama.
    fn thought(&mut self, thought: Thought, message: &mut Message) {
        if thought.signature.is_some() {
            self.lost.hint("thinking.signature");
        }
        if thought.hidden.is_some() {
            self.lost.hint("reasoning.encrypted_content");
        }
        if !thought.text.is_empty() {
            message.thought(thought.text);
        }
    }

    fn call(&mut self, call: ToolUse) -> Value {
        if call.signature.is_some() {
            self.lost.hint("thought_signature");
        }
        let arguments = call.object();
        if arguments.is_empty() && !matches!(call.input.trim(), "" | "{}" | "null") {
            self.lost.part("tool_calls.function.arguments");
        }
        self.called.insert(call.id.clone(), call.name.clone());
        let function = object([("name", call.name.into()), ("arguments", arguments.into())]);
        object([("id", call.id.into()), ("function", function)])
    }
}
