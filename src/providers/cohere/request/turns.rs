//! The conversation. Cohere has results of tools as messages of their own, and text documents
//! beside the messages.
use super::content::{document, inline, joined, lose, own_document, picture, text_part};
use crate::providers::chat::{
    Block, Content, Lost, Role, Thought, ToolResult, ToolUse, Turn, object,
};
use serde_json::{Map, Value};

/// A conversation in Cohere's words.
#[derive(Debug)]
pub(super) struct Conversation {
    /// Its messages.
    pub messages: Vec<Value>,
    /// What the user attached.
    pub documents: Vec<Value>,
}

/// Writes all turns. Documents become part of the text where tools are offered: the model takes
/// what it cites from the one or the other.
pub(super) fn write(turns: Vec<Turn>, has_tools: bool, lost: &mut Lost) -> Conversation {
    let told = Conversation { messages: Vec::with_capacity(turns.len()), documents: Vec::new() };
    let mut writer = Writer { told, has_tools, lost };
    for turn in turns {
        if turn.name.is_some() {
            writer.lost.hint("name");
        }
        if turn.blocks.iter().any(|block| block.cache.is_some()) {
            writer.lost.hint("cache_control");
        }
        match turn.role {
            Role::System | Role::Developer => writer.system(turn.blocks),
            Role::User => writer.user(turn.blocks),
            Role::Assistant => writer.assistant(turn.blocks),
        }
    }
    writer.told
}

struct Writer<'a> {
    told: Conversation,
    has_tools: bool,
    lost: &'a mut Lost,
}

impl Writer<'_> {
    fn message(&mut self, role: &str, parts: Vec<Value>) {
        if let Some(content) = joined(parts) {
            self.told.messages.push(object([("role", role.into()), ("content", content)]));
        }
    }

    fn system(&mut self, blocks: Vec<Block>) {
        let mut parts = Vec::with_capacity(blocks.len());
        for block in blocks {
            match block.content {
                Content::Text(text, _) => parts.push(text_part(text)),
                content => lose(&Block::new(content), self.lost),
            }
        }
        self.message("system", parts);
    }

    /// Results come first: they answer the turn before. Their pictures are shown by the user, since
    /// results have no place for them.
    fn user(&mut self, blocks: Vec<Block>) {
        let mut others = Vec::with_capacity(blocks.len());
        let mut parts = Vec::new();
        for block in blocks {
            match block.content {
                Content::ToolResult(result) => self.result(result, &mut parts),
                content => others.push(content),
            }
        }
        for content in others {
            self.part(content, &mut parts);
        }
        self.message("user", parts);
    }

    fn part(&mut self, content: Content, parts: &mut Vec<Value>) {
        match content {
            Content::Text(text, _) | Content::Refusal(text) => parts.push(text_part(text)),
            Content::Media(media) => match picture(media, self.lost).map_err(document) {
                Ok(picture) => parts.push(picture),
                Err(Ok(data)) if self.has_tools => parts.push(inline(data)),
                Err(Ok(data)) => self.told.documents.push(object([("data", data.into())])),
                Err(Err(media)) => lose(&Block::new(Content::Media(media)), self.lost),
            },
            Content::Other(told) => match own_document(told) {
                Ok(document) => self.told.documents.push(document),
                Err(told) => lose(&Block::new(Content::Other(told)), self.lost),
            },
            content => lose(&Block::new(content), self.lost),
        }
    }

    fn result(&mut self, result: ToolResult, pictures: &mut Vec<Value>) {
        if result.failed {
            self.lost.hint("is_error");
        }
        let mut parts = Vec::with_capacity(result.blocks.len());
        for block in result.blocks {
            match block.content {
                Content::Text(text, _) => parts.push(text_part(text)),
                Content::Media(media) => match picture(media, self.lost).map_err(document) {
                    Ok(picture) => pictures.push(picture),
                    Err(Ok(data)) => {
                        parts.push(document_part(object([("data", data.into())])));
                    }
                    Err(Err(media)) => lose(&Block::new(Content::Media(media)), self.lost),
                },
                Content::Other(told) => match own_document(told) {
                    Ok(document) => parts.push(document_part(document)),
                    Err(told) => lose(&Block::new(Content::Other(told)), self.lost),
                },
                content => lose(&Block::new(content), self.lost),
            }
        }
        let content = joined(parts).unwrap_or_else(|| "".into());
        let id = result.id.into();
        let message = [("role", "tool".into()), ("tool_call_id", id), ("content", content)];
        self.told.messages.push(object(message));
    }

    fn assistant(&mut self, blocks: Vec<Block>) {
        let mut said = Said::default();
        for block in blocks {
            match block.content {
                Content::Text(text, citations) => {
                    if !citations.is_empty() {
                        self.lost.hint("annotations");
                    }
                    said.words.push(Words::Text(text));
                }
                Content::Refusal(text) => said.words.push(Words::Text(text)),
                Content::Thought(thought) => said.words.extend(thought_of(thought, self.lost)),
                Content::ToolUse(call) => said.calls.push(write_call(call, self.lost)),
                content => lose(&Block::new(content), self.lost),
            }
        }
        self.told.messages.extend(said.message());
    }
}

/// What the model said in a turn.
#[derive(Default)]
struct Said {
    words: Vec<Words>,
    calls: Vec<Value>,
}

enum Words {
    Text(String),
    Thought(String),
}

impl Said {
    /// As a message; `None` if nothing was said.
    fn message(self) -> Option<Value> {
        let mut message = Map::from_iter([("role".to_owned(), Value::from("assistant"))]);
        let mut words = self.words;
        if !self.calls.is_empty() {
            // What comes before calls is their plan: thoughts, or the text where there are none.
            let (thoughts, texts): (Vec<_>, _) =
                words.into_iter().partition(|it| matches!(it, Words::Thought(_)));
            let (plan, rest) =
                if thoughts.is_empty() { (texts, thoughts) } else { (thoughts, texts) };
            let plan: Vec<_> = plan.into_iter().map(Words::text).collect();
            if plan.iter().any(|line| !line.is_empty()) {
                message.insert("tool_plan".to_owned(), plan.join("\n").into());
            }
            words = rest;
            words.retain(|it| !matches!(it, Words::Text(text) if text.is_empty()));
            message.insert("tool_calls".to_owned(), self.calls.into());
        }
        if let Some(content) = joined(words.into_iter().map(Words::part).collect()) {
            message.insert("content".to_owned(), content);
        }
        (message.len() > 1).then_some(message.into())
    }
}

impl Words {
    fn text(self) -> String {
        let (Self::Text(text) | Self::Thought(text)) = self;
        text
    }

    fn part(self) -> Value {
        match self {
            Self::Text(text) => text_part(text),
            Self::Thought(text) => object([("type", "thinking".into()), ("thinking", text.into())]),
        }
    }
}

/// The words of a thought. What other providers put with them is of no use to Cohere.
fn thought_of(thought: Thought, lost: &mut Lost) -> Option<Words> {
    if thought.signature.is_some() {
        lost.hint("thinking.signature");
    }
    if thought.hidden.is_some() {
        lost.hint("reasoning.encrypted_content");
    }
    (!thought.text.is_empty()).then_some(Words::Thought(thought.text))
}

fn document_part(document: Value) -> Value {
    object([("type", "document".into()), ("document", document)])
}

fn write_call(call: ToolUse, lost: &mut Lost) -> Value {
    if call.signature.is_some() {
        lost.hint("thought_signature");
    }
    let arguments = if call.input.is_empty() { "{}".to_owned() } else { call.input };
    let function = object([("name", call.name.into()), ("arguments", arguments.into())]);
    object([("id", call.id.into()), ("type", "function".into()), ("function", function)])
}
