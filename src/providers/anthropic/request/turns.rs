//! The conversation: Anthropic wants the user first and sides in turn.
use super::content::Writer;
use crate::providers::chat::{Block, Content, Malformed, Role, Target, Turn, object};
use serde_json::Value;

/// A conversation in Anthropic's words.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    /// Blocks of instructions.
    pub(super) system: Vec<Value>,
    /// Who speaks, and what is said.
    turns: Vec<(Role, Vec<Value>)>,
}

impl Conversation {
    /// Writes `turns`.
    ///
    /// # Errors
    /// Nothing is said in them, or the model speaks first, and nothing may be put before it.
    pub(super) fn write(
        turns: Vec<Turn>,
        target: &Target<'_>,
        prefills: bool,
        writer: &mut Writer<'_>,
    ) -> Result<Self, Malformed> {
        let mut conversation = Self::default();
        for turn in turns {
            conversation.add(turn, writer);
        }
        conversation.order();
        conversation.begin(target.modify)?;
        conversation.end(target.modify, prefills);
        Ok(conversation)
    }

    fn add(&mut self, turn: Turn, writer: &mut Writer<'_>) {
        let Turn { role, name, blocks } = turn;
        if name.is_some() {
            writer.lost.hint("name");
        }
        if role.instructs() {
            for block in blocks {
                self.instruct(block, writer);
            }
            return;
        }
        let written = blocks.into_iter().filter_map(|block| writer.write(block, role));
        let written: Vec<Value> = written.collect();
        match self.turns.last_mut() {
            _ if written.is_empty() => {}
            Some((last, blocks)) if *last == role => blocks.extend(written),
            _ => self.turns.push((role, written)),
        }
    }

    /// Instructions are texts only.
    fn instruct(&mut self, block: Block, writer: &mut Writer<'_>) {
        match &block.content {
            Content::Text(..) | Content::Refusal(_) => {
                self.system.extend(writer.write(block, Role::System));
            }
            _ => writer.lost.part("messages.content"),
        }
    }

    /// Results stand first in a turn of the user's: they belong to the calls right before it.
    fn order(&mut self) {
        for (role, blocks) in &mut self.turns {
            if *role == Role::User {
                blocks.sort_by_key(|block| !is_of(block, "tool_result"));
            }
        }
    }

    fn begin(&mut self, modify: bool) -> Result<(), Malformed> {
        let first = self.turns.first().map(|(role, _)| *role);
        match first {
            Some(Role::User) => Ok(()),
            _ if modify => {
                self.turns.insert(0, (Role::User, vec![dot()]));
                Ok(())
            }
            Some(_) => Err(Malformed::new(
                "messages",
                "The first message must be the user's: Anthropic takes no other.",
            )),
            None if self.system.is_empty() => {
                Err(Malformed::new("messages", "At least one message must not be empty."))
            }
            None => {
                self.turns.push((Role::User, std::mem::take(&mut self.system)));
                Ok(())
            }
        }
    }

    /// The server refuses space at the end of a turn that the model is to go on with.
    fn end(&mut self, modify: bool, prefills: bool) {
        let Some((Role::Assistant, blocks)) = self.turns.last_mut() else { return };
        if let Some(Value::String(text)) = blocks.last_mut().and_then(|it| it.get_mut("text")) {
            text.truncate(text.trim_end().len());
        }
        if modify && !prefills {
            self.turns.push((Role::User, vec![dot()]));
        }
    }

    /// Whether the last steps of the model lack their thoughts: a model that is to think then is
    /// refused.
    pub(super) fn is_unproven(&self) -> bool {
        let mut turns = self.turns.iter().rev().enumerate();
        let Some((place, (_, blocks))) = turns.find(|(_, (role, _))| *role == Role::Assistant)
        else {
            return false;
        };
        let goes_on = place == 0 || blocks.iter().any(|block| is_of(block, "tool_use"));
        let proof = |block: &Value| is_of(block, "thinking") || is_of(block, "redacted_thinking");
        goes_on && !blocks.first().is_some_and(proof)
    }

    /// `messages`.
    pub(super) fn into_messages(self) -> Value {
        let turns = self.turns.into_iter().map(|(role, blocks)| {
            let role = if role == Role::Assistant { "assistant" } else { "user" };
            object([("role", role.into()), ("content", blocks.into())])
        });
        turns.collect()
    }
}

fn dot() -> Value {
    object([("type", "text".into()), ("text", ".".into())])
}

fn is_of(block: &Value, kind: &str) -> bool {
    block.get("type").is_some_and(|own| own == kind)
}
