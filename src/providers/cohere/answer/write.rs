//! An answer for a client.
use super::{write_finish, write_logprobs};
use crate::providers::chat::{Answer, Block, Client, Content, Thought, ToolUse, object, signed_id};
use crate::providers::cohere::{citation, usage};
use serde_json::{Map, Value};

/// Writes an answer of `/v2/chat`: of several ones the first, as this dialect has one. Pictures have
/// no place in it.
#[must_use]
pub fn write_answer(answer: Answer, client: &Client) -> Value {
    let Answer { id, choices, usage, .. } = answer;
    let choice = choices.into_iter().next().unwrap_or_default();
    let mut message = Message::default();
    choice.blocks.into_iter().for_each(|block| message.add(block));
    let reason = write_finish(choice.finish.as_ref(), !message.calls.is_empty()).to_owned();
    let mut told = Map::from_iter([
        ("id".to_owned(), id.unwrap_or_else(|| client.uuid()).into()),
        ("finish_reason".to_owned(), reason.into()),
        ("message".to_owned(), message.written()),
        ("usage".to_owned(), usage::write(&usage.unwrap_or_default())),
    ]);
    if let Some(logprobs) = choice.logprobs {
        told.insert("logprobs".to_owned(), write_logprobs(&logprobs).into());
    }
    told.into()
}

/// What the model said.
#[derive(Debug, Default)]
struct Message {
    content: Vec<Value>,
    citations: Vec<Value>,
    calls: Vec<Value>,
}

impl Message {
    fn add(&mut self, block: Block) {
        match block.content {
            Content::Text(text, citations) => {
                if text.is_empty() && citations.is_empty() {
                    return;
                }
                let part = self.content.len();
                self.citations.extend(citations.into_iter().map(|it| citation::write(it, part)));
                self.content.push(object([("type", "text".into()), ("text", text.into())]));
            }
            Content::Refusal(text) => {
                self.content.push(object([("type", "text".into()), ("text", text.into())]));
            }
            Content::Thought(Thought { text, .. }) if !text.is_empty() => {
                self.content.push(object([("type", "thinking".into()), ("thinking", text.into())]));
            }
            Content::ToolUse(call) => self.calls.push(write_call(call)),
            _ => {}
        }
    }

    fn written(self) -> Value {
        let mut message = Map::from_iter([("role".to_owned(), Value::from("assistant"))]);
        let lists =
            [("content", self.content), ("tool_calls", self.calls), ("citations", self.citations)];
        for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            message.insert(name.to_owned(), list.into());
        }
        message.into()
    }
}

fn write_call(call: ToolUse) -> Value {
    let arguments = if call.input.is_empty() { "{}".to_owned() } else { call.input };
    let function = object([("name", call.name.into()), ("arguments", arguments.into())]);
    let id = signed_id(call.id, call.signature.as_deref());
    object([("id", id.into()), ("type", "function".into()), ("function", function)])
}
